package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// filterType gives the conditions on values of a codec, made once for each set of them.
func (b *builder) filterType(c *Codec) string {
	name := c.filterName()
	if b.defined(name) {
		return name
	}
	d := inputDefinition(name, "Conditions on a value; all of those given must hold.")
	b.define(d)
	for _, o := range c.Operators() {
		if b.options.Regex || !o.regular() {
			d.Fields = append(d.Fields, field(o.Name, o.doc, b.operandType(c, o)))
		}
	}
	return name
}

// filterName names a filter by the GraphQL type of the values. Types that are all shown as String, or as JSON, have
// several sets of operators.
func (c *Codec) filterName() string {
	elem, depth := c, 0
	for elem.Elem != nil {
		depth += elem.Dimensions
		elem = elem.Elem
	}
	lists := strings.Repeat("List", depth)
	name := elem.GraphQL
	switch {
	case lists != "" && !c.Elem.comparable() && elem.Object == nil:
		name = "Presence"
	case lists != "":
	case elem.filter != "":
		name = elem.filter
	case name == "String" && elem.class == presence:
		name = "Presence"
	case name == "String" && elem.class < textual:
		name = "Label"
	}
	return name + lists + "Filter"
}

// comparable tells whether arrays of the values can be compared, too.
func (c *Codec) comparable() bool {
	return c.Elem == nil && c.Object == nil && c.compared == "" && c.Type.Equal()
}

func (b *builder) operandType(c *Codec, o *Operator) *ast.Type {
	switch o.Operand {
	case One:
		return c.outputType()
	case Several:
		return listOf(nonNull(named(c.GraphQL)))
	case Truth:
		return named("Boolean")
	case Whole:
		return named("Int")
	case Texts:
		return listOf(nonNull(named("String")))
	case Element:
		return named(c.bound.GraphQL)
	case Elements:
		return listOf(named(c.Elem.GraphQL))
	case Address:
		b.useScalar("Inet")
		return named("Inet")
	case Path:
		return named(b.pathType())
	case Near:
		return named(b.nearType())
	default:
		return named("String")
	}
}

// AtPath is how the value at a path within JSON is compared.
var AtPath = &Codec{GraphQL: "JSON", Type: builtin("jsonb", "jsonb"), operators: atPathOperators, filter: "JSONPath"}

// pathType makes the conditions on what is at a path within JSON.
func (b *builder) pathType() string {
	name := AtPath.filterName()
	if b.defined(name) {
		return name
	}
	d := inputDefinition(name, "Conditions on what is at a path within a JSON value; all of those given must hold.",
		field("at", `The names of members and the places of elements that lead there: ["author", "emails", "0"].`, nonNull(listOf(nonNull(named("String"))))))
	b.define(d)
	for _, o := range AtPath.Operators() {
		d.Fields = append(d.Fields, field(o.Name, o.doc, b.operandType(AtPath, o)))
	}
	return name
}
