package conditions

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

func (c *checker) unary(n *ast.UnaryNode) (node, error) {
	at := c.at(n)
	switch n.Operator {
	case "!", "not":
		of, err := c.boolean(n.Node)
		if err != nil {
			return nil, err
		}
		return &negation{part{at, booleans}, of}, nil
	case "-":
		if digits, ok := n.Node.(*ast.IntegerNode); ok {
			return c.negative(at, digits)
		}
		if digits, ok := n.Node.(*ast.FloatNode); ok {
			return c.negative(at, digits)
		}
		of, err := c.number(n.Node)
		if err != nil {
			return nil, err
		}
		return &minus{part{at, numbers}, of}, nil
	}
	return nil, at.problem("operator", "there is no %s before a value", n.Operator)
}

// negative reads a number with its sign, so that the least bigint is one.
func (c *checker) negative(at span, n ast.Node) (node, error) {
	l, err := c.literal(n)
	if err != nil {
		return nil, err
	}
	at = at.through(l.at)
	v := &value{}
	decodeNumber([]byte("-"+strings.ReplaceAll(c.text[l.at.from:l.at.to], "_", "")), v)
	return &literal{part{at, numbers}, v}, nil
}

func (c *checker) binary(n *ast.BinaryNode) (node, error) {
	switch op := n.Operator; op {
	case "&&", "and", "||", "or":
		return c.logic(n, op == "&&" || op == "and")
	case "in":
		return c.among(n)
	case "matches":
		return c.matches(n)
	}
	judge := c.node
	switch n.Operator {
	case "contains", "startsWith", "endsWith":
		judge = c.textual
	case "+", "-", "*", "/", "%":
		judge = c.number
	}
	left, right, err := c.pair(n, judge)
	if err != nil {
		return nil, err
	}
	at := c.at(n)
	switch op := n.Operator; op {
	case "contains", "startsWith", "endsWith":
		return &textTest{part{at, booleans}, op, left, right}, nil
	case "+", "-", "*", "/", "%":
		return &arithmetic{part{at, numbers}, op, left, right}, nil
	case "??":
		return &fallback{part{left.place().through(right.place()), left.can() | right.can()}, left, right}, nil
	case "==", "!=", "<", "<=", ">", ">=":
		made := &comparison{part{at, booleans}, op, left, right, false}
		return made, c.judge(made)
	}
	return nil, at.problem("operator", "there is no operator %s", n.Operator)
}

// pair judges both sides.
func (c *checker) pair(n *ast.BinaryNode, judge func(ast.Node) (node, error)) (left, right node, err error) {
	if left, err = c.side(n, n.Left, judge); err != nil {
		return nil, nil, err
	}
	right, err = c.side(n, n.Right, judge)
	return left, right, err
}

// side judges one side of an operator. That `not a == b` is `(not a) == b` to the parser is not what anybody means.
func (c *checker) side(n *ast.BinaryNode, side ast.Node, judge func(ast.Node) (node, error)) (node, error) {
	if u, ok := side.(*ast.UnaryNode); ok && (u.Operator == "not" || u.Operator == "!") {
		return nil, c.at(u).problem("operator", "%s belongs to the value after it alone, not to the comparison", u.Operator).try("write %s (a %s b)", u.Operator, n.Operator)
	}
	return judge(side)
}

func (c *checker) logic(n *ast.BinaryNode, and bool) (node, error) {
	// The parser makes a < b < c into a < b && b < c with one b in both places, which nested doubles with every level.
	if before, ok := n.Left.(*ast.BinaryNode); ok && and {
		last := before
		if before.Operator == "&&" || before.Operator == "and" {
			last, _ = before.Right.(*ast.BinaryNode)
		}
		if next, ok := n.Right.(*ast.BinaryNode); ok && last != nil && last.Right == next.Left {
			return nil, c.at(n).problem("syntax", "comparisons do not follow each other").try("write a < b && b < c")
		}
	}
	left, err := c.boolean(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := c.boolean(n.Right)
	if err != nil {
		return nil, err
	}
	return &logic{part{c.at(n), booleans}, and, left, right}, nil
}

func (c *checker) number(n ast.Node) (node, error) { return c.of(n, numbers, "a number") }

func (c *checker) textual(n ast.Node) (node, error) { return c.of(n, texts, "a text") }

func (c *checker) of(n ast.Node, kinds kinds, name string) (node, error) {
	made, err := c.node(n)
	if err != nil {
		return nil, err
	}
	if made.can()&kinds == 0 && !isNull(made) {
		e := made.place().problem("kinds", "this is %s, where %s is needed", made.can(), name)
		if made.can() == lists {
			_ = e.try("write 'a' in new.tags to look into a list")
		}
		return nil, e
	}
	return made, nil
}

// judge refuses what can never be compared, and sees what is a comparison of moments.
func (c *checker) judge(n *comparison) error {
	left, right := n.left, n.right
	if _, ok := left.(*operation); ok {
		return c.isOperation(right)
	}
	if _, ok := right.(*operation); ok {
		return c.isOperation(left)
	}
	order := n.operator != "==" && n.operator != "!="
	if isNull(left) || isNull(right) {
		if order {
			return n.at.problem("kinds", "nothing is less or greater than null, so this is never true").try("write == null or != null")
		}
		return nil
	}
	both := left.can() & right.can()
	switch {
	case both == 0:
		return n.at.problem("kinds", "%s and %s cannot be compared", left.can(), right.can())
	case order && !both.ordered():
		return n.at.problem("kinds", "%s has no order", both).try("only numbers, texts and times are less or greater than others")
	}
	for _, s := range [][2]node{{left, right}, {right, left}} {
		l, constant := s[1].(*literal)
		switch {
		case isTime(s[0]):
			n.moments = true
			if constant && l.value.kind == aText {
				if _, ok := momentOf(string(l.value.text)); !ok {
					return l.at.problem("kinds", "'%s' is no date or time", l.value.text).try("write '2024-05-01' or '2024-05-01T12:30:00Z'")
				}
			}
		case constant && l.value.kind == aText && s[0].can() == anything && hasZone(string(l.value.text)):
			n.moments = true
		}
	}
	return nil
}

// isOperation refuses what op never is.
func (c *checker) isOperation(n node) error {
	l, ok := n.(*literal)
	if ok && l.value.kind == aText && !slices.Contains(operations, string(l.value.text)) {
		return l.at.problem("kinds", "op is never '%s'", l.value.text).try("%s", diag.DidYouMean(string(l.value.text), operations, "it is one of "+strings.Join(operations, ", ")))
	}
	return nil
}
