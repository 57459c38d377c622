package resolve

import (
	"bytes"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// node is a field on the way to one that is resolved, or that one itself.
type node struct {
	of    *ast.Type
	later int // in Request.Later; -1 is none
	below map[string]*node
}

// frame is a value on the way: a field, or an element of a list.
type frame struct {
	within     *frame // nil is data itself
	key        ast.PathElement
	nullable   bool
	start, end int
}

// place is where a field stands that is to be resolved.
type place struct {
	later int
	at    *frame
	inner []*place // fields that it is made of
	value []byte   // JSON, once it is known
	cause *Cause
}

// walker finds the places in an answer. It is JSON of the server's own making: it is not checked.
type walker struct {
	Request
	root   node
	places []*place // in the order of the text, but for those within others
	levels [][]*place
	open   *place
}

func newWalker(r Request) *walker {
	w := &walker{Request: r, root: node{later: -1}}
	for i, l := range r.Later {
		n := &w.root
		for _, step := range l.Path {
			if n.below == nil {
				n.below = map[string]*node{}
			}
			if n.below[step.Key] == nil {
				n.below[step.Key] = &node{of: step.Type, later: -1}
			}
			n = n.below[step.Key]
		}
		n.later = i
	}
	return w
}

func (w *walker) walk() { w.value(0, &w.root, nil, nil) }

// value walks through a value and gives where it ends.
func (w *walker) value(i int, n *node, t *ast.Type, at *frame) int {
	switch w.Data[i] {
	case '{':
		if n.later < 0 {
			return w.object(i, n, at)
		}
		p, outer := &place{later: n.later, at: at}, w.open
		w.open = p
		end := w.object(i, n, at)
		w.open = outer
		level := w.Later[n.later].Field.Level()
		for len(w.levels) <= level {
			w.levels = append(w.levels, nil)
		}
		w.levels[level] = append(w.levels[level], p)
		if outer != nil {
			outer.inner = append(outer.inner, p)
		} else {
			w.places = append(w.places, p)
		}
		return end
	case '[':
		return w.list(i, n, t, at)
	}
	return skip(w.Data, i)
}

func (w *walker) object(i int, n *node, at *frame) int {
	b := w.Data
	for i = space(b, i+1); b[i] != '}'; {
		end := text(b, i)
		key := b[i+1 : end-1]
		i = space(b, space(b, end)+1) // the colon
		below := n.below[string(key)]
		if below == nil {
			i = skip(b, i)
		} else {
			f := &frame{within: at, key: ast.PathName(key), nullable: !below.of.NonNull, start: i}
			i = w.value(i, below, below.of, f)
			f.end = i
		}
		if i = space(b, i); b[i] == ',' {
			i = space(b, i+1)
		}
	}
	return i + 1
}

func (w *walker) list(i int, n *node, t *ast.Type, at *frame) int {
	b := w.Data
	var elem *ast.Type
	if t != nil {
		elem = t.Elem
	}
	i = space(b, i+1)
	for number := 0; b[i] != ']'; number++ {
		f := &frame{within: at, key: ast.PathIndex(number), nullable: elem != nil && !elem.NonNull, start: i}
		i = w.value(i, n, elem, f)
		f.end = i
		if i = space(b, i); b[i] == ',' {
			i = space(b, i+1)
		}
	}
	return i + 1
}

// path is the way to a frame.
func (f *frame) path() ast.Path {
	if f == nil {
		return nil
	}
	return append(f.within.path(), f.key)
}

// space skips white space: PostgreSQL writes some between the elements of a list.
func space(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r' {
		i++
	}
	return i
}

// text gives where a string ends that begins at i.
func text(b []byte, i int) int {
	for i++; ; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++ // what is behind it stands for itself; \u0022 has no quote in it
		}
	}
}

// skip gives where a value ends that begins at i.
func skip(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = text(b, i) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i // behind a number or a word
			}
			depth--
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// row is what the field of a place is made of, with the values of those that are resolved in it.
func (w *walker) row(p *place) []byte {
	if len(p.inner) == 0 {
		return bytes.Clone(w.Data[p.at.start:p.at.end]) // the answer's buffer may be another's before the code is done with it
	}
	var b []byte
	from := p.at.start
	for _, inner := range p.inner {
		b = append(append(b, w.Data[from:inner.at.start]...), inner.value...)
		from = inner.at.end
	}
	return append(b, w.Data[from:p.at.end]...)
}

// piece takes the place of a part of the answer.
type piece struct {
	start, end int
	text       []byte
}

var null = []byte("null")

// answer puts the values in their places.
func (w *walker) answer() ([]byte, []Failure) {
	var failures []Failure
	pieces := make([]piece, 0, len(w.places))
	size := len(w.Data)
	for _, p := range w.places {
		if p.cause == nil {
			pieces = append(pieces, piece{p.at.start, p.at.end, p.value})
			size += len(p.value)
			continue
		}
		failures = append(failures, Failure{Path: p.at.path(), Place: w.Later[p.later].Place, Cause: p.cause})
		nulled := p.at
		for nulled != nil && !nulled.nullable {
			nulled = nulled.within
		}
		if nulled == nil {
			return null, failures[len(failures)-1:] // nothing else can be shown
		}
		pieces = append(pieces, piece{nulled.start, nulled.end, null})
	}
	outermost := outer(pieces)
	b := make([]byte, 0, size)
	from := 0
	for _, p := range outermost {
		b = append(append(b, w.Data[from:p.start]...), p.text...)
		from = p.end
	}
	return append(b, w.Data[from:]...), failures
}

// key names a call: a field with its arguments.
func key(field string, arguments []byte) string { return strconv.Quote(field) + string(arguments) }
