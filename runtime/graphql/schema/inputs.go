package schema

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

func (b *builder) listArguments(o *Object) []*ast.ArgumentDefinition {
	return append(b.rowArguments(o), b.pageArguments()...)
}

// rowArguments choose and order rows.
func (b *builder) rowArguments(o *Object) []*ast.ArgumentDefinition {
	list := []*ast.ArgumentDefinition{argument("where", "Only rows that meet all of these conditions.", named(o.whereName()))}
	if o.sortable() {
		list = append(list, argument("orderBy", "The order of the rows; what it leaves open the key decides.", listOf(nonNull(named(o.orderByName())))))
	}
	return list
}

func (b *builder) pageArguments() []*ast.ArgumentDefinition {
	return []*ast.ArgumentDefinition{
		argument("limit", "At most this many rows "+b.limits(), named("Int")),
		argument("offset", "Leave out this many rows first.", named("Int")),
	}
}

func (b *builder) limits() string {
	return fmt.Sprintf("(default %d, at most %d).", b.options.DefaultLimit, b.options.MaxLimit)
}

// defineWhere makes the condition type of a table: its columns, its relations, and the connectives.
func (b *builder) defineWhere(o *Object) {
	where := named(o.whereName())
	list := b.connectives(o.whereName())
	for _, f := range o.order {
		if f.NodeID || f.Form != Rows || list.ForName(f.Name) != nil {
			continue
		}
		switch {
		case f.Relation == nil:
			list = append(list, b.member(f.Name, "", b.filterType(f.Codec)))
		case f.Relation.Many:
			list = append(list, b.member(f.Name, "", f.Relation.Target.toManyName()))
		default:
			list = append(list, b.member(f.Name, "There is such a row, and it meets these conditions.", f.Relation.Target.whereName()))
		}
	}
	b.define(inputDefinition(o.whereName(), "Conditions on rows of "+o.Name+"; all of those given must hold. An empty object holds for every row.", list...))
	b.define(inputDefinition(o.toManyName(), "Conditions on the rows of "+o.Name+" that a row leads to.",
		field("some", "At least one of them meets these conditions.", where),
		field("every", "All of them meet these conditions; also when there are none.", where),
		field("none", "None of them meets these conditions.", where),
		field("aggregate", "What they come to meets these conditions.", named(o.aggregateWhereName())),
	))
}

func (b *builder) defineOrderBy(o *Object) {
	if !o.sortable() {
		return
	}
	d := inputDefinition(o.orderByName(), "One key of an order: exactly one field. Several keys are several of these, the first one deciding first.")
	for _, f := range o.order {
		switch {
		case f.NodeID || f.Form != Rows:
		case f.Relation == nil && f.Codec.sortable():
			d.Fields = append(d.Fields, b.member(f.Name, "", "OrderDirection"))
		case f.Relation != nil && f.Relation.Many:
			d.Fields = append(d.Fields, b.member(f.Name, "", f.Relation.Target.aggregateOrderByName()))
		case f.Relation != nil && f.Relation.Target.sortable():
			d.Fields = append(d.Fields, b.member(f.Name, "", f.Relation.Target.orderByName()))
		}
	}
	b.define(oneOf(d))
}

func (c *Codec) sortable() bool { return c.Elem == nil && c.Object == nil && c.class != presence }

func (o *Object) sortable() bool {
	return slices.ContainsFunc(o.order, func(f *Field) bool { return f.Column != nil && f.Codec.sortable() })
}

// filterType gives the operators for values of a codec, made once for each GraphQL type.
func (b *builder) filterType(c *Codec) string {
	if c.Elem != nil {
		return b.presenceFilter(c.Elem.baseName() + "ListFilter")
	}
	name := c.GraphQL + "Filter"
	switch {
	case c.class == presence && c.GraphQL == "String":
		return b.presenceFilter("PresenceFilter")
	case c.class == presence:
		return b.presenceFilter(name)
	case c.GraphQL == "String" && c.class == equality:
		name = "LabelFilter"
	}
	if b.defined(name) {
		return name
	}
	value := named(c.GraphQL)
	d := inputDefinition(name, "Conditions on a value of "+c.GraphQL+"; all of those given must hold.",
		field("eq", "Equal.", value), field("neq", "Not equal; null is neither.", value))
	if c.class >= ordered {
		d.Fields = append(d.Fields, field("gt", "Greater.", value), field("gte", "Greater or equal.", value),
			field("lt", "Less.", value), field("lte", "Less or equal.", value))
	}
	d.Fields = append(d.Fields,
		field("in", "Equal to one of these; of none when the list is empty.", listOf(nonNull(value))),
		field("nin", "Equal to none of these; null is neither.", listOf(nonNull(value))),
		field("isnull", "Null, or with false: not null.", named("Boolean")))
	if c.class == textual {
		for _, op := range textOperators {
			d.Fields = append(d.Fields, field(op.name, op.doc, value))
		}
	}
	b.define(d)
	return name
}

func (c *Codec) baseName() string {
	if c.Elem != nil {
		return c.Elem.baseName() + "List"
	}
	return c.GraphQL
}

func (b *builder) presenceFilter(name string) string {
	if !b.defined(name) {
		b.define(inputDefinition(name, "A condition on whether there is a value.", field("isnull", "Null, or with false: not null.", named("Boolean"))))
	}
	return name
}

var textOperators = []struct{ name, doc string }{
	{"contains", "Has this text in it, taken literally."},
	{"icontains", "Has this text in it, in capitals or not."},
	{"startswith", "Begins with this text, taken literally."},
	{"istartswith", "Begins with this text, in capitals or not."},
	{"endswith", "Ends with this text, taken literally."},
	{"iendswith", "Ends with this text, in capitals or not."},
	{"like", "Matches this pattern: % is any text, _ any one character."},
	{"ilike", "Matches this pattern, in capitals or not."},
	{"regex", "Matches this POSIX regular expression somewhere."},
	{"iregex", "Matches this POSIX regular expression, in capitals or not."},
}
