package config

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// kind is what a node of the file is.
type kind uint8

const (
	table kind = iota
	list
	text
	integer
	float
	boolean
	datetime
)

func (k kind) String() string {
	return [...]string{"a table", "a list", "a string", "an integer", "a decimal number", "a boolean", "a date"}[k]
}

// node is a value of the file with its place. Tables keep the order in which names were written.
type node struct {
	kind    kind
	span    diag.Span // of the value; of a table, its header or key
	text    string    // of a scalar
	entries []*entry
	items   []*node
	tables  bool // a list written as [[…]]
	closed  bool // a table written inline or as a value: headers cannot add to it
	defined bool // by a header of its own
}

type entry struct {
	name  string
	span  diag.Span // of the key
	value *node
}

func (n *node) get(name string) *entry {
	for _, e := range n.entries {
		if e.name == name {
			return e
		}
	}
	return nil
}

// reader turns TOML into nodes. go-toml's own decoder stops at the first type error and knows no
// places; its parser knows them all.
type reader struct {
	file     string
	source   []byte
	lines    []int // offset of each line's start
	parser   unstable.Parser
	problems diag.List
	root     *node
	current  *node
}

func readTree(file string, source []byte) (*node, diag.List) {
	r := &reader{file: file, source: source, lines: []int{0}}
	for i, c := range source {
		if c == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	r.root = &node{kind: table, span: diag.Span{File: file, Line: 1, Column: 1, Width: 1}}
	r.current = r.root
	if !utf8.Valid(source) {
		r.report("config/encoding", "the file is not UTF-8", r.root.span, "save it as UTF-8")
		return r.root, r.problems
	}
	r.parser.Reset(source)
	for r.parser.NextExpression() {
		r.expression(r.parser.Expression())
	}
	var syntax *unstable.ParserError
	if err := r.parser.Error(); errors.As(err, &syntax) {
		var at diag.Span
		if len(syntax.Highlight) > 0 {
			at = r.spanOf(r.parser.Range(syntax.Highlight))
		} else {
			at = r.spanOf(unstable.Range{Offset: uint32(len(source))})
		}
		r.report("config/syntax", syntaxMessage(syntax.Message), at, "")
	} else if err != nil {
		r.report("config/syntax", err.Error(), r.root.span, "")
	}
	return r.root, r.problems
}

func syntaxMessage(m string) string { return "this is not TOML: " + strings.TrimPrefix(m, "toml: ") }

func (r *reader) report(code, message string, at diag.Span, help string, others ...diag.Label) {
	r.problems = append(r.problems, diag.Diagnostic{Code: code, Message: message, Primary: diag.Label{Span: at}, Secondary: others, Help: help})
}

// spanOf turns bytes into line and columns; what reaches over a line's end is cut there.
func (r *reader) spanOf(at unstable.Range) diag.Span {
	offset, end := int(at.Offset), int(at.Offset+at.Length)
	line := 0
	for line+1 < len(r.lines) && r.lines[line+1] <= offset {
		line++
	}
	stop := len(r.source)
	if line+1 < len(r.lines) {
		stop = r.lines[line+1] - 1
	}
	offset, end = min(offset, len(r.source)), min(end, stop)
	return diag.Span{
		File: r.file, Line: line + 1,
		Column: utf8.RuneCount(r.source[r.lines[line]:offset]) + 1,
		Width:  max(1, utf8.RuneCount(r.source[offset:max(offset, end)])),
	}
}

type key struct {
	name string
	span diag.Span
}

func (r *reader) keys(it unstable.Iterator) []key {
	var keys []key
	for it.Next() {
		n := it.Node()
		keys = append(keys, key{name: string(n.Data), span: r.spanOf(n.Raw)})
	}
	return keys
}

func (r *reader) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.Table:
		r.header(r.keys(e.Key()), false)
	case unstable.ArrayTable:
		r.header(r.keys(e.Key()), true)
	case unstable.KeyValue:
		r.assign(r.current, r.keys(e.Key()), e.Value())
	}
}

// header makes [a.b] or [[a.b]] the table that following keys belong to.
func (r *reader) header(keys []key, many bool) {
	parent := r.descend(r.root, keys[:len(keys)-1])
	last := keys[len(keys)-1]
	full := r.headerSpan(keys, many)
	r.current = &node{kind: table, span: full, defined: true} // where keys go when the header is in error
	if parent == nil {
		return
	}
	found := parent.get(last.name)
	switch {
	case found == nil && many:
		parent.entries = append(parent.entries, &entry{last.name, full, &node{kind: list, span: full, tables: true, items: []*node{r.current}}})
	case found == nil:
		parent.entries = append(parent.entries, &entry{last.name, full, r.current})
	case many && found.value.tables:
		found.value.items = append(found.value.items, r.current)
	case many && found.value.kind == table && !found.value.closed:
		r.clash(found, keys, full, "the first one is written as one table", "change line "+strconv.Itoa(found.span.Line)+" to [["+dotted(keys)+"]]")
		found.value = &node{kind: list, span: found.span, tables: true, items: []*node{found.value, r.current}}
	case !many && found.value.tables:
		r.clash(found, keys, full, "a list of tables begins here", "change line "+strconv.Itoa(full.Line)+" to [["+dotted(keys)+"]]")
		found.value.items = append(found.value.items, r.current)
	case !many && found.value.kind == table && !found.value.defined && !found.value.closed:
		found.value.defined, found.value.span, found.span = true, full, full
		r.current = found.value
	default:
		r.duplicate(last.name, full, found.span)
	}
}

// clash reports [a] and [[a]] in one file, which TOML forbids. Reading goes on with a list of both, so that
// what they hold is judged too.
func (r *reader) clash(found *entry, keys []key, here diag.Span, before, help string) {
	r.report("config/table-and-list", "`"+keys[len(keys)-1].name+"` is written as one table and as a list of tables", here, help,
		diag.Label{Span: found.span, Text: before})
}

func dotted(keys []key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = quoteKey(k.name)
	}
	return strings.Join(names, ".")
}

// headerSpan covers the header with its brackets.
func (r *reader) headerSpan(keys []key, many bool) diag.Span {
	first, last := keys[0].span, keys[len(keys)-1].span
	brackets := 1
	if many {
		brackets = 2
	}
	s := first
	s.Column = max(1, first.Column-brackets)
	s.Width = last.Column + last.Width + brackets - s.Column
	return s
}

// descend follows dotted keys, making tables on the way; nil when something else stands there.
func (r *reader) descend(from *node, keys []key) *node {
	for _, k := range keys {
		found := from.get(k.name)
		if found == nil {
			found = &entry{k.name, k.span, &node{kind: table, span: k.span}}
			from.entries = append(from.entries, found)
		}
		from = found.value
		if from.tables {
			from = from.items[len(from.items)-1]
		}
		if from.kind != table || from.closed {
			r.report("config/not-a-table", "`"+k.name+"` is "+found.value.kind.String()+" above, so it cannot hold keys here", k.span, "",
				diag.Label{Span: found.span, Text: "first written here"})
			return nil
		}
	}
	return from
}

func (r *reader) assign(to *node, keys []key, value *unstable.Node) {
	parent := r.descend(to, keys[:len(keys)-1])
	if parent == nil {
		return
	}
	last := keys[len(keys)-1]
	if found := parent.get(last.name); found != nil {
		r.duplicate(last.name, last.span, found.span)
		return
	}
	parent.entries = append(parent.entries, &entry{last.name, last.span, r.value(value, last.span)})
}

func (r *reader) duplicate(name string, here, before diag.Span) {
	r.report("config/duplicate-key", "`"+name+"` is written twice", here, "keep one of the two", diag.Label{Span: before, Text: "first written here"})
}

func (r *reader) value(v *unstable.Node, at diag.Span) *node {
	n := &node{span: at, text: string(v.Data)}
	if v.Raw.Length > 0 {
		n.span = r.spanOf(v.Raw)
	}
	switch v.Kind {
	case unstable.String:
		n.kind = text
	case unstable.Bool:
		n.kind = boolean
	case unstable.Integer:
		n.kind = integer
	case unstable.Float:
		n.kind = float
	case unstable.Array:
		n.kind = list
		for it := v.Children(); it.Next(); {
			n.items = append(n.items, r.value(it.Node(), n.span))
		}
	case unstable.InlineTable:
		n.kind, n.span = table, at
		for it := v.Children(); it.Next(); {
			r.assign(n, r.keys(it.Node().Key()), it.Node().Value())
		}
		n.closed = true
	default:
		n.kind = datetime
	}
	return n
}
