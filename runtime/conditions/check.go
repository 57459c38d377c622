package conditions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// checker makes our tree of the parser's and judges it: names, kinds, and that nothing is in it that the language does not
// have. It is complete in itself, so that a parser that learns something new brings nothing into the language.
type checker struct {
	text      string
	places    places
	columns   Columns
	condition *Condition
}

func (c *checker) at(n ast.Node) span {
	return c.places.span(n.Location().From, n.Location().To, len(c.text))
}

// boolean is a condition as a whole, or a part of one that has to be true or false.
func (c *checker) boolean(n ast.Node) (node, error) {
	made, err := c.node(n)
	if err != nil {
		return nil, err
	}
	if made.can()&booleans == 0 && !isNull(made) {
		return nil, made.place().problem("kinds", "this is %s, where something true or false is needed", made.can()).try("compare it: write %s == …", c.excerpt(made))
	}
	return made, nil
}

// orError sees to it that no part is no interface with something in it.
func orError[N node](n N, err error) (node, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (c *checker) excerpt(n node) string { return c.text[n.place().from:n.place().to] }

func (c *checker) node(n ast.Node) (node, error) {
	switch n := n.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return orError(c.literal(n))
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.ArrayNode:
		return nil, c.at(n).problem("syntax", "a list has its place after in").try("write new.status in ['open', 'paid']")
	}
	return nil, c.at(n).problem("syntax", "this has no place in a condition")
}

func (c *checker) literal(n ast.Node) (*literal, error) {
	at := c.at(n)
	l := &literal{part: part{at: at}}
	switch n := n.(type) {
	case *ast.NilNode:
		l.value = nothing
	case *ast.BoolNode:
		l.value, l.kinds = truth(n.Value), booleans
	case *ast.StringNode:
		l.value, l.kinds = &value{kind: aText, text: []byte(n.Value)}, texts
		if n.Value == "NaN" || n.Value == "Infinity" || n.Value == "-Infinity" {
			l.kinds |= numbers
		}
	default:
		l.value, l.kinds = &value{}, numbers
		digits := strings.ReplaceAll(c.text[at.from:at.to], "_", "")
		if !decodeNumber([]byte(digits), l.value) {
			return nil, at.problem("syntax", "%s is no number", c.text[at.from:at.to]).try("write numbers with decimal digits: 31, 0.5, 1e6")
		}
	}
	return l, nil
}

func (c *checker) name(n *ast.IdentifierNode) (node, error) {
	at := c.at(n)
	switch n.Value {
	case "null":
		return &literal{part: part{at: at}, value: nothing}, nil
	case "op":
		return &operation{part{at, texts}}, nil
	case "old", "new", "claims":
		return orError(c.reference(at, sourceOf(n.Value), nil))
	}
	e := at.problem("unknown-name", "there is no %q", n.Value)
	if _, known := c.columns.find(n.Value); known || c.columns == nil {
		return nil, e.try("a column is one of a row: write new.%s or old.%s, and a text in quotes: '%s'", n.Value, n.Value, n.Value)
	}
	return nil, e.try("%s", diag.DidYouMean(n.Value, []string{"old", "new", "op", "claims", "null", "true", "false"}, "there are old, new, op and claims"))
}

func sourceOf(name string) source {
	return source(slices.Index([]string{"old", "new", "claims"}, name))
}

// member is new.a, new['a'], new.a.b and new.a[0].
func (c *checker) member(n *ast.MemberNode) (node, error) {
	root, path, at, err := c.path(n)
	if err != nil {
		return nil, err
	}
	if root.Value != "old" && root.Value != "new" && root.Value != "claims" {
		if root.Value == "op" {
			return nil, at.problem("kinds", "op is a text and has no members")
		}
		return c.name(root)
	}
	return orError(c.reference(at, sourceOf(root.Value), path))
}

// path takes apart what is all members of one name.
func (c *checker) path(n *ast.MemberNode) (root *ast.IdentifierNode, path []step, at span, err error) {
	switch of := n.Node.(type) {
	case *ast.IdentifierNode:
		root, at = of, c.at(of)
	case *ast.MemberNode:
		if root, path, at, err = c.path(of); err != nil {
			return nil, nil, span{}, err
		}
	default:
		return nil, nil, span{}, c.at(n).problem("syntax", "only old, new and claims have members")
	}
	property := c.at(n.Property)
	at = at.through(property)
	switch p := n.Property.(type) {
	case *ast.StringNode:
		path = append(path, step{name: p.Value})
	case *ast.IntegerNode:
		l, err := c.literal(p)
		if err != nil {
			return nil, nil, span{}, err
		}
		if v := l.value; !v.whole || v.int > maxPosition {
			return nil, nil, span{}, property.problem("kinds", "no list is as long")
		}
		path = append(path, step{list: true, position: int(l.value.int)})
	default:
		return nil, nil, span{}, property.problem("syntax", "a member is named by a text or a position from 0 on").try("write new.tags[0] or new.data['a key']")
	}
	if closing := strings.IndexByte(c.text[at.to:], ']'); closing >= 0 && strings.TrimSpace(c.text[at.to:at.to+closing]) == "" && c.at(n) != property {
		at.to += closing + 1
	}
	return root, path, at, nil
}

const maxPosition = 1 << 30

// reference judges a path and gives it its slot.
func (c *checker) reference(at span, from source, path []step) (*reference, error) {
	r := &reference{part: part{at, anything}, source: from, path: path}
	if len(path) == 0 {
		r.kinds = objects
		return c.placed(r), nil
	}
	if path[0].list {
		return nil, at.problem("kinds", "%s is no list", from).try("write %s.column", from)
	}
	r.column = Column{Name: path[0].name}
	if from != fromClaims && c.columns != nil {
		column, known := c.columns.find(path[0].name)
		if !known {
			return nil, at.problem("unknown-column", "there is no column %q", path[0].name).try("%s", diag.DidYouMean(path[0].name, c.columns.names(), c.list()))
		}
		r.column, r.known = column, true
		if r.kinds = kindsOf[column.Kind]; len(path) > 1 {
			if r.kinds&(lists|objects) == 0 {
				return nil, at.problem("kinds", "column %q is %s and has no members", column.Name, r.kinds)
			}
			r.kinds = anything
		}
	}
	return c.placed(r), nil
}

func (c *checker) list() string {
	names := c.columns.names()
	if len(names) > 20 {
		names = append(names[:20:20], "…")
	}
	return fmt.Sprintf("the columns are %s", strings.Join(names, ", "))
}

// placed gives a reference its slot among the values and its column's among the members.
func (c *checker) placed(r *reference) *reference {
	all := &c.condition.references
	r.slot = slices.IndexFunc(*all, func(o *reference) bool { return o.source == r.source && slices.Equal(o.path, r.path) })
	if r.slot < 0 {
		r.slot = len(*all)
		*all = append(*all, r)
	}
	if len(r.path) > 0 {
		named := &c.condition.named[r.source]
		if r.member = slices.Index(*named, r.path[0].name); r.member < 0 {
			r.member = len(*named)
			*named = append(*named, r.path[0].name)
		}
	}
	return r
}
