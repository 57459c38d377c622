package schema

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// The names of the types that are made for each table. They are kept free for it: see keepNames.
func (o *Object) whereName() string            { return o.Name + "Where" }
func (o *Object) toManyName() string           { return o.Name + "ToManyWhere" }
func (o *Object) orderByName() string          { return o.Name + "OrderBy" }
func (o *Object) connectionName() string       { return o.Name + "Connection" }
func (o *Object) edgeName() string             { return o.Name + "Edge" }
func (o *Object) aggregateName() string        { return o.Name + "Aggregate" }
func (o *Object) aggregateWhereName() string   { return o.Name + "AggregateWhere" }
func (o *Object) aggregateOrderByName() string { return o.Name + "AggregateOrderBy" }
func (o *Object) columnName() string           { return o.Name + "Column" }
func (o *Object) groupName() string            { return o.Name + "Group" }
func (o *Object) groupKeyName() string         { return o.Name + "GroupKey" }
func (o *Object) groupOrderByName() string     { return o.Name + "GroupOrderBy" }
func (o *Object) havingName() string           { return o.Name + "Having" }

// madeNames lists the names of all types that are made for a table whose type has a name.
func madeNames(name string) []string {
	o := &Object{Name: name}
	names := []string{
		o.whereName(), o.toManyName(), o.orderByName(), o.connectionName(), o.edgeName(), o.aggregateName(), o.aggregateWhereName(),
		o.aggregateOrderByName(), o.columnName(), o.groupName(), o.groupKeyName(), o.groupOrderByName(), o.groupKeyName() + "OrderBy", o.havingName(),
		o.inputName(), o.setName(), o.toOneInputName(), o.toManyInputName(), o.uniqueName(), o.conflictName(), o.conflictKeyName(), o.conflictFieldName(),
	}
	for _, change := range changes {
		names = append(names, o.setName()+change.typeEnding)
	}
	for _, function := range functions {
		one := name + upperFirst(function.name)
		names = append(names, one, one+"Having", one+"OrderBy")
	}
	return names
}

// member gives the field of an input or of aggregates. Tables have thousands of equal ones: each is made once.
func (b *builder) member(name, doc, typeName string) *ast.FieldDefinition {
	return b.memberOf(name, doc, named(typeName))
}

func (b *builder) memberOf(name, doc string, t *ast.Type) *ast.FieldDefinition {
	key := name + " " + t.String() + " " + doc
	if b.members[key] == nil {
		b.members[key] = field(name, doc, t)
	}
	return b.members[key]
}

// defineAggregates makes the types of a table's aggregates, their conditions and orders, and its groups.
func (b *builder) defineAggregates(o *Object) {
	countOf := b.member("count", "How many rows there are.", "Int")
	count := *countOf
	count.Type = nonNull(countOf.Type)
	shown := ast.FieldList{&count}
	filter := b.filterType(Count)
	having := ast.FieldList{b.member("count", "", filter)}
	order := ast.FieldList{b.member("count", "", "OrderDirection")}
	for _, function := range functions {
		name := o.Name + upperFirst(function.name)
		var values, conditions, directions ast.FieldList
		for _, f := range o.order {
			m := o.Measure(function.name, f.Name)
			if m == nil {
				continue
			}
			b.useScalar(m.Codec.GraphQL)
			values = append(values, b.member(f.Name, "", m.Codec.GraphQL))
			conditions = append(conditions, b.member(f.Name, "", b.filterType(m.Codec)))
			directions = append(directions, b.member(f.Name, "", "OrderDirection"))
		}
		if len(values) == 0 {
			continue
		}
		b.define(&ast.Definition{Kind: ast.Object, Name: name, Description: function.doc, Fields: values, Position: position})
		b.define(inputDefinition(name+"Having", function.doc, conditions...))
		b.define(oneOf(inputDefinition(name+"OrderBy", function.doc, directions...)))
		shown = append(shown, field(function.name, function.doc, nonNull(named(name))))
		having = append(having, b.member(function.name, "", name+"Having"))
		order = append(order, b.member(function.name, "", name+"OrderBy"))
	}
	estimate := b.member("estimatedCount", "About how many rows there are, by the planner's statistics: much cheaper than count. For fields of Query only.", "Int")
	b.define(&ast.Definition{
		Kind: ast.Object, Name: o.aggregateName(), Description: "What rows of " + o.Name + " come to.", Position: position,
		Fields: append(ast.FieldList{estimate}, shown...),
	})
	having = append(b.connectives(o.havingName()), having...)
	b.define(inputDefinition(o.havingName(), "Conditions on what rows of "+o.Name+" come to; all of those given must hold.", having...))
	where := b.member("where", "Which of them count.", o.whereName())
	b.define(inputDefinition(o.aggregateWhereName(), "Conditions on what the rows of "+o.Name+" that a row leads to come to; all of those given must hold.",
		append(ast.FieldList{where}, having...)...))
	b.define(oneOf(inputDefinition(o.aggregateOrderByName(), "One key of an order by what rows come to: exactly one field.", order...)))
	b.defineGroups(o, shown, order)
}

// connectives join conditions of the input with a name.
func (b *builder) connectives(name string) ast.FieldList {
	self := named(name)
	return ast.FieldList{
		field("_and", "All of these hold.", listOf(nonNull(self))),
		field("_or", "At least one of these holds.", listOf(nonNull(self))),
		field("_not", "This does not hold.", self),
	}
}

func (b *builder) defineGroups(o *Object, shown, order ast.FieldList) {
	fields := o.groupable()
	if len(fields) == 0 {
		return
	}
	var labels []string
	var keys, directions ast.FieldList
	for _, f := range fields {
		labels = append(labels, f.Name)
		keys = append(keys, b.member(f.Name, "", f.Codec.GraphQL))
		directions = append(directions, b.member(f.Name, "", "OrderDirection"))
	}
	b.defineChoice(enumDefinition(o.columnName(), "Columns that rows of "+o.Name+" can be grouped by.", labels))
	b.define(&ast.Definition{
		Kind: ast.Object, Name: o.groupKeyName(), Description: "The values that the rows of a group have in common.", Fields: keys, Position: position,
	})
	key := field("key", "The values of the columns in `by`.", nonNull(named(o.groupKeyName())))
	b.define(&ast.Definition{
		Kind: ast.Object, Name: o.groupName(), Description: "What a group of rows of " + o.Name + " comes to.", Position: position,
		Fields: append(ast.FieldList{key}, shown...),
	})
	keyOrder := o.groupKeyName() + "OrderBy"
	b.define(oneOf(inputDefinition(keyOrder, "A column of `by`.", directions...)))
	b.define(oneOf(inputDefinition(o.groupOrderByName(), "One key of an order of groups: exactly one field.",
		append(ast.FieldList{b.member("key", "", keyOrder)}, order...)...)))
}

func (b *builder) aggregateArguments(o *Object) []*ast.ArgumentDefinition {
	return []*ast.ArgumentDefinition{argument("where", "Only rows that meet all of these conditions.", named(o.whereName()))}
}

func (b *builder) groupArguments(o *Object) []*ast.ArgumentDefinition {
	return append([]*ast.ArgumentDefinition{
		argument("by", "The columns whose values the rows of a group have in common.", nonNull(listOf(nonNull(named(o.columnName()))))),
		argument("where", "Only rows that meet all of these conditions.", named(o.whereName())),
		argument("having", "Only groups that meet all of these conditions.", named(o.havingName())),
		argument("orderBy", "The order of the groups; what it leaves open their keys decide.", listOf(nonNull(named(o.groupOrderByName())))),
	}, b.pageArguments()...)
}
