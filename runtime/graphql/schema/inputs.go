package schema

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Directions of an order, and what each is in SQL. Plain ASC and DESC are PostgreSQL's own, which an
// ordinary index serves: nulls last when ascending, first when descending.
var Directions = map[string]string{
	"ASC": "asc", "ASC_NULLS_FIRST": "asc nulls first", "ASC_NULLS_LAST": "asc nulls last",
	"DESC": "desc", "DESC_NULLS_FIRST": "desc nulls first", "DESC_NULLS_LAST": "desc nulls last",
}

// WhereName, OrderByName and the like are the fixed names of a type's inputs.
func (o *Object) whereName() string   { return o.Name + "Where" }
func (o *Object) toManyName() string  { return o.Name + "ToManyWhere" }
func (o *Object) orderByName() string { return o.Name + "OrderBy" }

func (b *builder) listArguments(o *Object) []*ast.ArgumentDefinition {
	limit := fmt.Sprintf("At most this many rows (default %d, at most %d).", b.options.DefaultLimit, b.options.MaxLimit)
	list := []*ast.ArgumentDefinition{argument("where", "Only rows that meet all of these conditions.", named(o.whereName()))}
	if o.sortable() {
		list = append(list, argument("orderBy", "The order of the rows; what it leaves open the key decides.", listOf(nonNull(named(o.orderByName())))))
	}
	return append(list, argument("limit", limit, named("Int")), argument("offset", "Leave out this many rows first.", named("Int")))
}

// defineWhere makes the condition type of a table: its columns, its relations, and the connectives.
func (b *builder) defineWhere(o *Object) {
	where := named(o.whereName())
	d := inputDefinition(o.whereName(), "Conditions on rows of "+o.Name+"; all of those given must hold. An empty object holds for every row.",
		field("_and", "All of these hold.", listOf(nonNull(where))),
		field("_or", "At least one of these holds.", listOf(nonNull(where))),
		field("_not", "This does not hold.", where),
	)
	for _, f := range o.order {
		if d.Fields.ForName(f.Name) != nil {
			continue
		}
		switch {
		case f.Relation == nil:
			d.Fields = append(d.Fields, field(f.Name, "", named(b.filterType(f.Codec))))
		case f.Relation.Many:
			d.Fields = append(d.Fields, field(f.Name, "", named(f.Relation.Target.toManyName())))
		default:
			d.Fields = append(d.Fields, field(f.Name, "There is such a row, and it meets these conditions.", named(f.Relation.Target.whereName())))
		}
	}
	b.define(d)
	b.define(inputDefinition(o.toManyName(), "Conditions on the rows of "+o.Name+" that a row leads to.",
		field("some", "At least one of them meets these conditions.", where),
		field("every", "All of them meet these conditions; also when there are none.", where),
		field("none", "None of them meets these conditions.", where),
	))
}

func (b *builder) defineOrderBy(o *Object) {
	if !o.sortable() {
		return
	}
	d := inputDefinition(o.orderByName(), "One key of an order: exactly one field. Several keys are several of these, the first one deciding first.")
	for _, f := range o.order {
		switch {
		case f.Relation == nil && f.Codec.sortable():
			d.Fields = append(d.Fields, field(f.Name, "", named("OrderDirection")))
		case f.Relation != nil && !f.Relation.Many && f.Relation.Target.sortable():
			d.Fields = append(d.Fields, field(f.Name, "", named(f.Relation.Target.orderByName())))
		}
	}
	b.define(oneOf(d))
}

func (c *Codec) sortable() bool { return c.Elem == nil && c.Object == nil && c.class != presence }

func (o *Object) sortable() bool {
	return slices.ContainsFunc(o.order, func(f *Field) bool { return f.Relation == nil && f.Codec.sortable() })
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
	if b.types[name] != nil {
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
	if b.types[name] == nil {
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
