package plan

import (
	"bytes"
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
	path     []any // below the variable: names of members, places in lists, each of a list
}

// each is a step of a path: to all members of a list, so that the value is a list as well.
type each struct{}

// alike stands for a list of new rows that have the same members: a statement takes however many there are.
type alike struct {
	list slot
	row  map[string]any // slots below each
}

// symbolic puts slots in place of the values of coerced variables.
func symbolic(s *schema.Schema, op *ast.OperationDefinition, variables map[string]any) map[string]any {
	symbols := make(map[string]any, len(variables))
	for _, v := range op.VariableDefinitions {
		if value, present := variables[v.Variable]; present {
			symbols[v.Variable] = symbol(s, v.Type, value, slot{variable: v.Variable}, false)
		}
	}
	return symbols
}

// symbol puts slots in place of the values in one; data tells that it is a value to be stored.
func symbol(s *schema.Schema, t *ast.Type, value any, at slot, data bool) any {
	if value == nil {
		return nil
	}
	switch kindOf(s, t, data) {
	case oneValue:
		return at
	case asItIs:
		return value
	}
	below := func(step any) slot {
		return slot{variable: at.variable, path: append(at.path[:len(at.path):len(at.path)], step)}
	}
	if items, ok := value.([]any); ok {
		if _, same := alikeShape(s, t, items); same {
			return alike{list: at, row: symbol(s, t.Elem, items[0], below(each{}), data).(map[string]any)}
		}
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = symbol(s, t.Elem, item, below(i), data)
		}
		return list
	}
	object := make(map[string]any)
	for name, member := range value.(map[string]any) {
		object[name] = symbol(s, s.AST.Types[t.NamedType].Fields.ForName(name).Type, member, below(name), s.Data[t.NamedType])
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

func kindOf(s *schema.Schema, t *ast.Type, data bool) kind {
	inner := t
	for inner.Elem != nil {
		inner = inner.Elem
	}
	d := s.AST.Types[inner.NamedType]
	switch {
	case d.Kind == ast.InputObject:
		return composite
	case d.Name == "Boolean" && !data || d.Kind == ast.Enum && s.Choices[d.Name]:
		if t.Elem != nil {
			return composite
		}
		return asItIs
	}
	return oneValue
}

// appendShape writes the shape of a coerced value: equal for values that share a plan, and for no others.
func appendShape(b []byte, s *schema.Schema, t *ast.Type, value any, data bool) []byte {
	if value == nil {
		return append(b, 'n')
	}
	switch kindOf(s, t, data) {
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
		if shape, same := alikeShape(s, t, items); same {
			return append(append(append(b, '*'), shape...), ']')
		}
		b = append(b, '[')
		for _, item := range items {
			b = appendShape(b, s, t.Elem, item, data)
		}
		return append(b, ']')
	}
	object := value.(map[string]any)
	b = append(b, '{')
	for _, f := range s.AST.Types[t.NamedType].Fields {
		if member, present := object[f.Name]; present {
			b = append(append(b, f.Name...), ':')
			b = appendShape(b, s, f.Type, member, s.Data[t.NamedType])
		}
	}
	return append(b, '}')
}

// alikeShape gives the shape that the rows of a list have in common; same is false when the list is no such list, or has
// but one row, or rows that are made of more than single values.
func alikeShape(s *schema.Schema, t *ast.Type, items []any) (shape []byte, same bool) {
	if len(items) < 2 || !s.NewRows[t.Elem.NamedType] {
		return nil, false
	}
	first := items[0].(map[string]any)
	if len(first) == 0 {
		return nil, false
	}
	fields := s.AST.Types[t.Elem.NamedType].Fields
	for name, member := range first {
		if member != nil && kindOf(s, fields.ForName(name).Type, true) == composite {
			return nil, false
		}
	}
	shape = appendShape(nil, s, t.Elem, items[0], true)
	var other []byte
	for _, item := range items[1:] {
		if other = appendShape(other[:0], s, t.Elem, item, true); !bytes.Equal(shape, other) {
			return nil, false
		}
	}
	return shape, true
}

// hasSlot tells whether a value is not known until the request's variables are.
func hasSlot(value any) bool {
	switch value := value.(type) {
	case slot, alike:
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
		return follow(variables[value.variable], value.path)
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

// follow goes a path into a value.
func follow(value any, path []any) any {
	for i, step := range path {
		switch step := step.(type) {
		case int:
			value = value.([]any)[step]
		case string:
			value = value.(map[string]any)[step]
		case each:
			items := value.([]any)
			list := make([]any, len(items))
			for n, item := range items {
				list[n] = follow(item, path[i+1:])
			}
			return list
		}
	}
	return value
}
