package conditions

import (
	"fmt"
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// A program has two sorts of values: the booleans of the machine, which it jumps by, and *value for all else. Every operator
// that is not && || ! is a function of ours that stands in the program as a constant, of a type that the machine calls
// without reflection. A function that has no answer panics with an *Error; the machine turns that into an error.

type (
	read    = func(any) any       // from a *machine, or from a *value
	test    = func(any) bool      // likewise
	combine = func(any, any) any  // from two *value
	relate  = func(any, any) bool // likewise
)

// build makes the machine's program of a condition.
func build(text string, root node) (*vm.Program, error) {
	config := conf.CreateNew()
	config.Optimize = true // jumps over jumps
	return compiler.Compile(&parser.Tree{Node: truthOf(root), Source: file.NewSource(text)}, config)
}

// apply is a call of a function of ours.
func apply[F read | test | combine | relate](n node, f F, arguments ...ast.Node) ast.Node {
	callee := &ast.ConstantNode{Value: f}
	callee.SetType(reflect.TypeOf(f))
	made := &ast.CallNode{Callee: callee, Arguments: arguments}
	made.SetType(reflect.TypeOf(f).Out(0))
	made.SetLocation(file.Location{From: n.place().from, To: n.place().to})
	return made
}

// given is the machine that the program runs on.
func given() ast.Node { return &ast.IdentifierNode{Value: "$env"} }

// truthOf makes what is a boolean of the machine.
func truthOf(n node) ast.Node {
	switch n := n.(type) {
	case *logic:
		operator := "||"
		if n.and {
			operator = "&&"
		}
		return typed(&ast.BinaryNode{Operator: operator, Left: truthOf(n.left), Right: truthOf(n.right)})
	case *negation:
		return typed(&ast.UnaryNode{Operator: "!", Node: truthOf(n.of)})
	case *comparison:
		return comparisonOf(n)
	case *changed:
		before, after, compare := n.old, n.new, compareValues
		if n.moments {
			compare = compareMoments
		}
		return apply(n, func(m any) bool { return compare(m.(*machine).get(before), m.(*machine).get(after)) != equal }, given())
	case *among:
		return amongOf(n)
	case *textTest:
		return apply(n, func(a, b any) bool { return n.decide(a.(*value), b.(*value)) }, valueOf(n.left), valueOf(n.right))
	case *pattern:
		return apply(n, func(v any) bool { return n.decide(v.(*value)) }, valueOf(n.value))
	case *reference:
		return apply(n, func(m any) bool { return isTrue(n, m.(*machine).get(n)) }, given())
	}
	return apply(n, func(v any) bool { return isTrue(n, v.(*value)) }, valueOf(n))
}

func typed[N ast.Node](n N) N {
	n.SetType(reflect.TypeFor[bool]())
	return n
}

// isTrue is what a value says where something true or false is needed: null is false.
func isTrue(n node, v *value) bool {
	if v.kind != aBoolean && v.kind != aNull {
		panic(n.place().problem("kinds", "this is %s, where something true or false is needed", v.kind))
	}
	return v.yes
}

// comparisonOf has a shape of its own for what most conditions are: a column against a literal, in one call.
func comparisonOf(n *comparison) ast.Node {
	left, isColumn := n.left.(*reference)
	right, isConstant := n.right.(*literal)
	if isColumn && isConstant {
		return apply(n, func(m any) bool { return n.decide(m.(*machine).get(left), right.value) }, given())
	}
	return apply(n, func(a, b any) bool { return n.decide(a.(*value), b.(*value)) }, valueOf(n.left), valueOf(n.right))
}

func amongOf(n *among) ast.Node {
	if n.in != nil {
		return apply(n, func(a, b any) bool { return n.decideIn(a.(*value), b.(*value)) }, valueOf(n.value), valueOf(n.in))
	}
	return apply(n, func(v any) bool { return n.decide(v.(*value)) }, valueOf(n.value))
}

// valueOf makes what is a *value.
func valueOf(n node) ast.Node {
	switch n := n.(type) {
	case *literal:
		return constant(n.value)
	case *reference:
		return apply(n, func(m any) any { return m.(*machine).get(n) }, given())
	case *operation:
		return apply(n, func(m any) any { return m.(*machine).op }, given())
	case *arithmetic:
		return apply(n, func(a, b any) any { return n.result(a.(*value), b.(*value)) }, valueOf(n.left), valueOf(n.right))
	case *minus:
		return apply(n, func(v any) any { return n.result(v.(*value)) }, valueOf(n.of))
	case *call:
		return apply(n, func(v any) any { return n.result(v.(*value)) }, valueOf(n.argument))
	case *fallback:
		return apply(n, func(a, b any) any {
			if a.(*value).kind == aNull {
				return b
			}
			return a
		}, valueOf(n.value), valueOf(n.otherwise))
	case *logic, *negation, *comparison, *changed, *among, *textTest, *pattern:
		return apply(n, func(b any) any { return truth(b.(bool)) }, truthOf(n))
	}
	panic(fmt.Sprintf("a part of a condition that nobody knows: %T", n))
}

func constant(v *value) ast.Node {
	made := &ast.ConstantNode{Value: v}
	made.SetType(reflect.TypeFor[any]()) // so that the machine does not look behind the pointer
	return made
}
