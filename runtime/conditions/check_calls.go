package conditions

import (
	"regexp"
	"regexp/syntax"

	"github.com/expr-lang/expr/ast"
)

// among is `in`: a list that stands in the text has literals only, which are what most conditions need and what is found
// quickly.
func (c *checker) among(n *ast.BinaryNode) (node, error) {
	array, constant := n.Right.(*ast.ArrayNode)
	if !constant {
		val, in, err := c.pair(n, c.node)
		if err != nil {
			return nil, err
		}
		if in.can()&lists == 0 {
			return nil, in.place().problem("kinds", "this is %s, where a list is needed", in.can()).try("write in ['a', 'b']")
		}
		return &among{part: part{c.at(n), booleans}, value: val, in: in}, nil
	}
	val, err := c.side(n, n.Left, c.node)
	if err != nil {
		return nil, err
	}
	made := &among{part: part{c.at(n), booleans}, value: val, list: []*value{}}
	for _, e := range array.Nodes {
		element, err := c.node(e)
		if err != nil {
			return nil, err
		}
		l, ok := element.(*literal)
		if !ok {
			return nil, element.place().problem("syntax", "a list has texts, numbers, true, false and null only").try("write a == x || a == y")
		}
		if err := c.judge(&comparison{part: part{at: l.at}, operator: "==", left: val, right: l}); err != nil {
			return nil, err
		}
		made.list = append(made.list, l.value)
	}
	if isTime(val) {
		return nil, made.at.problem("kinds", "points in time are compared one by one").try("write a == x || a == y")
	}
	return made, nil
}

// What a pattern may cost: the parts that it is made into, and the bytes of the text that it is tried on. A pattern takes
// the product of both in the worst case.
const (
	maxPattern = 1000
	maxMatched = 256 << 10
)

func (c *checker) matches(n *ast.BinaryNode) (node, error) {
	left, right, err := c.pair(n, c.textual)
	if err != nil {
		return nil, err
	}
	l, ok := right.(*literal)
	if !ok || l.value.kind != aText {
		return nil, right.place().problem("pattern", "a pattern has to be a text that stands here").try("write new.name matches '^[A-Z]'")
	}
	parsed, err := syntax.Parse(string(l.value.text), syntax.Perl)
	if err != nil {
		return nil, l.at.problem("pattern", "the pattern cannot be read: %s", err).try("patterns are RE2: no look-ahead, no back-references; a backslash is written twice, or the pattern in `…`")
	}
	if cost(parsed) > maxPattern {
		return nil, l.at.problem("too-large", "the pattern is too large")
	}
	re, err := regexp.Compile(string(l.value.text))
	if err != nil {
		return nil, l.at.problem("pattern", "the pattern cannot be read: %s", err)
	}
	return &pattern{part{c.at(n), booleans}, left, re}, nil
}

// cost is about how many instructions a pattern is made into, known before it is: repetitions within repetitions multiply.
func cost(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += cost(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<20)
}

func (c *checker) call(n *ast.CallNode) (node, error) {
	at := c.at(n)
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return nil, at.problem("unknown-function", "only functions can be called")
	}
	name := callee.Value
	wanted, known := functions[name]
	switch {
	case !known:
		return nil, at.problem("unknown-function", "there is no function %q", name)
	case len(n.Arguments) != wanted:
		return nil, at.problem("arguments", "%s takes %s", name, [...]string{"nothing between its parentheses", "one argument", "two arguments"}[wanted])
	}
	switch name {
	case "is_new", "is_deleted":
		op := &value{kind: aText, text: []byte(map[string]Op{"is_new": Insert, "is_deleted": Delete}[name])}
		return &comparison{part{at, booleans}, "==", &operation{part{at, texts}}, &literal{part{at, texts}, op}, false}, nil
	case "changed", "changed_to", "changed_from":
		return c.changed(at, name, n.Arguments)
	}
	judge, result := c.textual, texts
	if name == "len" {
		judge, result = func(n ast.Node) (node, error) { return c.of(n, texts|lists, "a text or a list") }, numbers
	}
	argument, err := judge(n.Arguments[0])
	if err != nil {
		return nil, err
	}
	return &call{part{at, result}, name, argument}, nil
}

// changed takes 'f', f, new.f and old.f, and what is within: changed(data.city).
func (c *checker) changed(at span, name string, arguments []ast.Node) (node, error) {
	where, path, err := c.subject(arguments[0])
	if err != nil {
		return nil, err
	}
	before, err := c.reference(where, fromOld, path)
	if err != nil {
		return nil, err
	}
	after, err := c.reference(where, fromNew, path)
	if err != nil {
		return nil, err
	}
	made := &changed{part: part{at, booleans}, old: before, new: after, moments: isTime(after)}
	if name == "changed" {
		return made, nil
	}
	to, err := c.node(arguments[1])
	if err != nil {
		return nil, err
	}
	is := &comparison{part{at, booleans}, "==", after, to, false}
	if name == "changed_from" {
		is.left = before
	}
	if err := c.judge(is); err != nil {
		return nil, err
	}
	return &logic{part{at, booleans}, true, made, is}, nil
}

func (c *checker) subject(n ast.Node) (span, []step, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return c.at(n), []step{{name: n.Value}}, nil
	case *ast.IdentifierNode:
		if n.Value == "old" || n.Value == "new" || n.Value == "claims" || n.Value == "op" {
			return span{}, nil, c.at(n).problem("arguments", "%s is no column", n.Value).try("write changed('column'); for a column of that name changed('%s')", n.Value)
		}
		return c.at(n), []step{{name: n.Value}}, nil
	case *ast.MemberNode:
		root, path, at, err := c.path(n)
		if err != nil {
			return span{}, nil, err
		}
		switch root.Value {
		case "old", "new":
			return at, path, nil
		case "claims", "op":
			return span{}, nil, at.problem("arguments", "%s does not change", root.Value)
		}
		return at, append([]step{{name: root.Value}}, path...), nil
	}
	return span{}, nil, c.at(n).problem("arguments", "what has changed is named as a column").try("write changed('status')")
}
