package plan

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// slot stands for a value that only the request tells: a place in its variables. A plan is compiled with
// slots in place of values, so that requests which differ in values only share it.
//
// What changes the text of a statement is no slot: booleans (@include, isnull), directions of an order,
// which members an input object has, how many a list of them has, and what is null or absent. All of that
// is the shape of the variables, and there is a plan for each shape.
type slot struct {
	variable string
	path     []any // below the variable: names of members, places in lists
}

// symbolic puts slots in place of the values of coerced variables.
func symbolic(s *schema.Schema, op *ast.OperationDefinition, variables map[string]any) map[string]any {
	symbols := make(map[string]any, len(variables))
	for _, v := range op.VariableDefinitions {
		if value, present := variables[v.Variable]; present {
			symbols[v.Variable] = symbol(s, v.Type, value, slot{variable: v.Variable})
		}
	}
	return symbols
}

func symbol(s *schema.Schema, t *ast.Type, value any, at slot) any {
	if value == nil {
		return nil
	}
	switch kindOf(s, t) {
	case oneValue:
		return at
	case asItIs:
		return value
	}
	below := func(step any) slot {
		return slot{variable: at.variable, path: append(at.path[:len(at.path):len(at.path)], step)}
	}
	if items, ok := value.([]any); ok {
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = symbol(s, t.Elem, item, below(i))
		}
		return list
	}
	object := make(map[string]any)
	for name, member := range value.(map[string]any) {
		object[name] = symbol(s, s.AST.Types[t.NamedType].Fields.ForName(name).Type, member, below(name))
	}
	return object
}

// kind is how a value of an input type takes part in a shape.
type kind uint8

const (
	oneValue  kind = iota // a slot: only whether it is null counts
	asItIs                // it counts as a whole
	composite             // its members or items count
)

func kindOf(s *schema.Schema, t *ast.Type) kind {
	inner := t
	for inner.Elem != nil {
		inner = inner.Elem
	}
	d := s.AST.Types[inner.NamedType]
	switch {
	case d.Kind == ast.InputObject:
		return composite
	case d.Name == "Boolean" || d.Kind == ast.Enum && s.Choices[d.Name]:
		if t.Elem != nil {
			return composite
		}
		return asItIs
	}
	return oneValue
}

// appendShape writes the shape of a coerced value: equal for values that share a plan, and for no others.
func appendShape(b []byte, s *schema.Schema, t *ast.Type, value any) []byte {
	if value == nil {
		return append(b, 'n')
	}
	switch kindOf(s, t) {
	case oneValue:
		return append(b, 'v')
	case asItIs:
		switch value := value.(type) {
		case bool:
			if value {
				return append(b, 't')
			}
			return append(b, 'f')
		default:
			return append(append(b, value.(string)...), ';')
		}
	}
	if items, ok := value.([]any); ok {
		b = append(b, '[')
		for _, item := range items {
			b = appendShape(b, s, t.Elem, item)
		}
		return append(b, ']')
	}
	object := value.(map[string]any)
	b = append(b, '{')
	for _, f := range s.AST.Types[t.NamedType].Fields {
		if member, present := object[f.Name]; present {
			b = append(append(b, f.Name...), ':')
			b = appendShape(b, s, f.Type, member)
		}
	}
	return append(b, '}')
}

// hasSlot tells whether a value is not known until the request's variables are.
func hasSlot(value any) bool {
	switch value := value.(type) {
	case slot:
		return true
	case []any:
		return slices.ContainsFunc(value, hasSlot)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), hasSlot)
	}
	return false
}

// resolve puts the values of a request in place of slots.
func resolve(value any, variables map[string]any) any {
	switch value := value.(type) {
	case slot:
		found := variables[value.variable]
		for _, step := range value.path {
			switch step := step.(type) {
			case int:
				found = found.([]any)[step]
			case string:
				found = found.(map[string]any)[step]
			}
		}
		return found
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = resolve(item, variables)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for name, member := range value {
			object[name] = resolve(member, variables)
		}
		return object
	}
	return value
}
