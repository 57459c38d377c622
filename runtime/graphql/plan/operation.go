package plan

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Operation is an operation of a valid document.
type Operation struct {
	*ast.OperationDefinition
	Schema *schema.Schema

	// Alone tells that plans of the operation hold for one request only: introspection answers by the values
	// of variables, and node(id:) reads the table that its value names.
	Alone bool

	// Fixed tells that the answer is the same each time, as long as the schema is: nothing else is asked for, and there are
	// no variables.
	Fixed bool

	// Introspects is where the operation asks for the schema itself; nil when it does not.
	Introspects *ast.Position

	pages map[string]bool // variables that say how many rows: their magnitude is part of the shape
}

func newOperation(s *schema.Schema, op *ast.OperationDefinition) *Operation {
	o := &Operation{OperationDefinition: op, Schema: s, pages: map[string]bool{}}
	o.look(op.SelectionSet, map[string]bool{})
	o.Fixed = o.Introspects != nil && len(op.VariableDefinitions) == 0 && onSchema(op.SelectionSet)
	return o
}

// onSchema tells whether a selection of the root has fields of introspection alone.
func onSchema(set ast.SelectionSet) bool {
	for _, s := range set {
		schemas := false
		switch s := s.(type) {
		case *ast.Field:
			schemas = strings.HasPrefix(s.Name, "__")
		case *ast.InlineFragment:
			schemas = onSchema(s.SelectionSet)
		case *ast.FragmentSpread:
			schemas = onSchema(s.Definition.SelectionSet)
		}
		if !schemas {
			return false
		}
	}
	return true
}

// look finds what an operation has in it, each fragment once.
func (o *Operation) look(set ast.SelectionSet, seen map[string]bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			switch s.Name {
			case "__schema", "__type":
				o.Alone, o.Introspects = true, s.Position
				continue
			case "node": // of Query; an edge of a connection has one as well
				o.Alone = o.Alone || s.ObjectDefinition == o.Schema.AST.Query
			}
			for _, name := range []string{"limit", "first", "last"} {
				if a := s.Arguments.ForName(name); a != nil && a.Value.Kind == ast.Variable && pages(s.Definition.Arguments.ForName(name)) {
					o.pages[a.Value.Raw] = true
				}
			}
			o.look(s.SelectionSet, seen)
		case *ast.InlineFragment:
			o.look(s.SelectionSet, seen)
		case *ast.FragmentSpread:
			if !seen[s.Name] {
				seen[s.Name] = true
				o.look(s.Definition.SelectionSet, seen)
			}
		}
	}
}

// pages tells whether an argument says how many rows. A key may have columns of such names: those are never null.
func pages(argument *ast.ArgumentDefinition) bool {
	return argument.Type.NamedType == "Int" && !argument.Type.NonNull
}

// Shape writes what of coerced variables decides the text of statements: two requests of an operation with
// one shape share a plan.
func (o *Operation) Shape(b []byte, variables map[string]any) []byte {
	for _, v := range o.VariableDefinitions {
		value, present := variables[v.Variable]
		if !present {
			b = append(b, 'a')
			continue
		}
		b = appendShape(b, o.Schema, v.Type, value, false)
		if value != nil && o.pages[v.Variable] {
			b = append(b, byte('0'+magnitude(value)))
		}
	}
	return b
}

// Compile makes the plan of an operation for variables of one shape. Variables has coerced them.
func (o *Operation) Compile(variables map[string]any, paging Paging) (*Plan, *gqlerror.Error) {
	root := o.Schema.AST.Query
	switch o.Operation {
	case ast.Mutation:
		root = o.Schema.AST.Mutation
	case ast.Subscription:
		root = o.Schema.AST.Subscription
	case ast.Query:
	}
	if root == nil {
		return nil, Problem(ValidationFailed, "the schema has no "+string(o.Operation)+" type", o.Position)
	}
	if hasNull(variables) {
		if problem := unsure(o.SelectionSet, variables); problem != nil {
			return nil, problem
		}
	}
	magnitudes := map[string]int{}
	for name := range o.pages {
		if value := variables[name]; value != nil {
			magnitudes[name] = magnitude(value)
		}
	}
	if !o.Alone {
		variables = symbolic(o.Schema, o.OperationDefinition, variables)
	}
	plan := &Plan{}
	left := newBudget()
	compiler := func(left *budget) *compiler {
		return &compiler{schema: o.Schema, variables: variables, magnitudes: magnitudes, paging: paging, budget: left, locks: map[string]bool{}, read: map[*catalog.Table]bool{}, wide: map[string]bool{}, loose: map[string]bool{}, laters: &laters{}}
	}
	fields := collect(o.SelectionSet, variables, root.Name)
	if o.Operation == ast.Subscription {
		if problem := onlyField(o.OperationDefinition, fields); problem != nil {
			return nil, problem
		}
		plan, err := o.changed(fields[0], compiler, paging.Known)
		if err != nil {
			return nil, fields[0].blame(err)
		}
		return plan, nil
	}
	plan.Writes = o.Operation == ast.Mutation
	for i, f := range fields {
		c := compiler(left)
		compile := c.rootField
		if plan.Writes {
			c.writing = &writing{number: i + 1}
			compile = c.writeField
		}
		field, err := compile(f)
		if err != nil {
			return nil, f.blame(err)
		}
		field.Later = c.laters.list
		plan.Fields = append(plan.Fields, field)
	}
	if len(fields) > 1 && !o.Alone && !plan.Writes {
		plan.Together = compiler(newBudget()).together(fields)
	}
	return plan, nil
}
