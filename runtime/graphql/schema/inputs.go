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
	list := b.connectives(o.whereName())
	for _, f := range o.order {
		if f.NodeID || f.Form != Rows || list.ForName(f.Name) != nil {
			continue
		}
		switch {
		case f.Relation == nil && f.Codec == nil: // a function of which rows have no single value
		case f.Relation == nil:
			list = append(list, b.member(f.Name, "", b.valueWhere(f)))
		case f.Relation.Many:
			list = append(list, b.member(f.Name, "", f.Relation.Target.toManyName()))
		default:
			list = append(list, b.member(f.Name, "There is such a row, and it meets these conditions.", f.Relation.Target.whereName()))
		}
	}
	b.define(inputDefinition(o.whereName(), "Conditions on rows of "+o.Name+"; all of those given must hold. An empty object holds for every row.", list...))
}

// defineToMany makes the conditions on the rows of a table that a row leads to.
func (b *builder) defineToMany(o *Object) {
	where := named(o.whereName())
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
		case f.Relation == nil && f.Codec == nil || f.Function != nil && !f.Codec.sortable():
		case f.Relation == nil && f.valueOrder() != "":
			d.Fields = append(d.Fields, b.member(f.Name, "", f.valueOrder()))
		case f.Relation != nil && f.Relation.Many:
			d.Fields = append(d.Fields, b.member(f.Name, "", f.Relation.Target.aggregateOrderByName()))
		case f.Relation != nil && f.Relation.Target.sortable():
			d.Fields = append(d.Fields, b.member(f.Name, "", f.Relation.Target.orderByName()))
		}
	}
	b.define(oneOf(d))
}

// sortable tells whether values can be ordered and grouped.
func (c *Codec) sortable() bool { return c.Elem == nil && c.Object == nil && c.class != presence }

func (o *Object) sortable() bool {
	return slices.ContainsFunc(o.order, func(f *Field) bool { return f.Column != nil && f.valueOrder() != "" })
}
