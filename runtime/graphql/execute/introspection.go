package execute

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// timesOver is how often an answer that is larger than others may be has each part of the schema in it. The standard
// query has a field once, and the types that lists and non-null ones are of.
const timesOver = 8

// introspect writes the answer to __schema or __type (specification, section 4) from the schema as it is. What is more
// than most bytes, and more than a schema of its size has to tell, is no answer: then it writes null, and whole is false, as
// it is for all fields of the request that come after it.
func (w *introspector) introspect(b []byte, i *plan.Introspection) (_ []byte, whole bool) {
	w.variables = i.Variables
	told := b
	if !w.over {
		told = w.root(b, i)
	}
	if w.over {
		return null(b), false
	}
	return told, true
}

func (w *introspector) root(b []byte, i *plan.Introspection) []byte {
	if i.Field.Name == "__type" {
		definition := w.schema.Types[i.TypeName]
		if definition == nil {
			return append(b, "null"...)
		}
		return w.typ(b, ast.NamedType(definition.Name, nil), i.Selections)
	}
	return w.document(b, i.Selections)
}

// introspector answers what one request asks of a schema.
type introspector struct {
	schema    *ast.Schema
	most      int // bytes
	variables map[string]any
	known     map[selection][]selected

	objects int  // written so far
	allowed int  // as many in an answer that has more than most bytes; 0 before it is known
	over    bool // there are too many
}

func newIntrospector(s *ast.Schema, most int) *introspector {
	return &introspector{schema: s, most: most, known: map[selection][]selected{}}
}

// full tells whether an answer is larger than it may be.
func (w *introspector) full(b []byte) bool {
	if w.objects++; len(b) <= w.most || w.over {
		return w.over
	}
	if w.allowed == 0 {
		w.allowed = timesOver * parts(w.schema)
	}
	w.over = w.objects > w.allowed
	return w.over
}

// parts counts what introspection can tell of: types, fields, arguments and values.
func parts(s *ast.Schema) int {
	n := len(s.Types) + len(s.Directives)
	for _, d := range s.Types {
		n += len(d.Fields) + len(d.EnumValues) + len(d.Interfaces)
		for _, f := range d.Fields {
			n += len(f.Arguments)
		}
	}
	return n
}

// object writes the selected members of an introspection object; member writes one value.
func (w *introspector) object(b []byte, typename string, set ast.SelectionSet, member func(b []byte, f *ast.Field, inner ast.SelectionSet) []byte) []byte {
	if w.full(b) {
		return b // all that is left of the walk ends here
	}
	b = append(b, '{')
	for i, m := range w.members(set, typename) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, m.key...)
		if m.field.Name == "__typename" {
			b = appendQuoted(b, typename)
		} else {
			b = member(b, m.field, m.inner)
		}
	}
	return append(b, '}')
}

// selected is a member of an object with its key as it is written.
type selected struct {
	key   []byte
	field *ast.Field
	inner ast.SelectionSet
}

// selection names a selection set for a type: one that begins in the same place and is as long is the same.
type selection struct {
	first  *ast.Selection
	length int
	of     string
}

// members finds what is selected of an object, once for all objects of a type.
func (w *introspector) members(set ast.SelectionSet, typename string) []selected {
	if len(set) == 0 {
		return nil
	}
	key := selection{&set[0], len(set), typename}
	list, known := w.known[key]
	if !known {
		plan.Visit(set, w.variables, typename, func(name string, f *ast.Field, inner ast.SelectionSet) {
			list = append(list, selected{key: append(appendQuoted(nil, name), ':'), field: f, inner: inner})
		})
		w.known[key] = list
	}
	return list
}

func each[T any](b []byte, items []T, item func(b []byte, v T) []byte) []byte {
	b = append(b, '[')
	for i, v := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, v)
	}
	return append(b, ']')
}

func text(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendQuoted(b, s)
}

func truth(b []byte, yes bool) []byte {
	if yes {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

func null(b []byte) []byte { return append(b, "null"...) }

func (w *introspector) document(b []byte, set ast.SelectionSet) []byte {
	return w.object(b, "__Schema", set, func(b []byte, f *ast.Field, inner ast.SelectionSet) []byte {
		switch f.Name {
		case "types":
			return each(b, w.types(), func(b []byte, d *ast.Definition) []byte { return w.typ(b, ast.NamedType(d.Name, nil), inner) })
		case "queryType":
			return w.rootType(b, w.schema.Query, inner)
		case "mutationType":
			return w.rootType(b, w.schema.Mutation, inner)
		case "subscriptionType":
			return w.rootType(b, w.schema.Subscription, inner)
		case "directives":
			return each(b, w.directives(), func(b []byte, d *ast.DirectiveDefinition) []byte { return w.directive(b, d, inner) })
		default:
			return text(b, w.schema.Description)
		}
	})
}

func (w *introspector) types() []*ast.Definition {
	types := make([]*ast.Definition, 0, len(w.schema.Types))
	for _, d := range w.schema.Types {
		types = append(types, d)
	}
	slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return types
}

func (w *introspector) directives() []*ast.DirectiveDefinition {
	directives := make([]*ast.DirectiveDefinition, 0, len(w.schema.Directives))
	for _, d := range w.schema.Directives {
		directives = append(directives, d)
	}
	slices.SortFunc(directives, func(a, b *ast.DirectiveDefinition) int { return strings.Compare(a.Name, b.Name) })
	return directives
}

func (w *introspector) rootType(b []byte, d *ast.Definition, inner ast.SelectionSet) []byte {
	if d == nil {
		return null(b)
	}
	return w.typ(b, ast.NamedType(d.Name, nil), inner)
}

// typ writes a type; a list or non-null one is a wrapper around what it is of.
func (w *introspector) typ(b []byte, t *ast.Type, set ast.SelectionSet) []byte {
	return w.object(b, "__Type", set, func(b []byte, f *ast.Field, inner ast.SelectionSet) []byte {
		if t.NonNull || t.Elem != nil {
			return w.wrapper(b, t, f, inner)
		}
		return w.named(b, w.schema.Types[t.NamedType], f, inner)
	})
}

func (w *introspector) wrapper(b []byte, t *ast.Type, f *ast.Field, inner ast.SelectionSet) []byte {
	switch f.Name {
	case "kind":
		if t.NonNull {
			return appendQuoted(b, "NON_NULL")
		}
		return appendQuoted(b, "LIST")
	case "ofType":
		if t.NonNull {
			of := *t
			of.NonNull = false
			return w.typ(b, &of, inner)
		}
		return w.typ(b, t.Elem, inner)
	default:
		return null(b)
	}
}

func (w *introspector) named(b []byte, d *ast.Definition, f *ast.Field, inner ast.SelectionSet) []byte {
	switch f.Name {
	case "kind":
		return appendQuoted(b, string(d.Kind))
	case "name":
		return appendQuoted(b, d.Name)
	case "description":
		return text(b, d.Description)
	case "specifiedByURL":
		return text(b, directiveText(d.Directives, "specifiedBy", "url"))
	case "isOneOf":
		if d.Kind != ast.InputObject {
			return null(b)
		}
		return truth(b, d.Directives.ForName("oneOf") != nil)
	case "fields":
		if d.Kind != ast.Object && d.Kind != ast.Interface {
			return null(b)
		}
		return each(b, w.visible(d.Fields, f), func(b []byte, v *ast.FieldDefinition) []byte { return w.field(b, v, inner) })
	case "inputFields":
		if d.Kind != ast.InputObject {
			return null(b)
		}
		return each(b, w.visible(d.Fields, f), func(b []byte, v *ast.FieldDefinition) []byte {
			return w.input(b, v.Name, v.Description, v.Type, v.DefaultValue, v.Directives, inner)
		})
	case "enumValues":
		if d.Kind != ast.Enum {
			return null(b)
		}
		return each(b, d.EnumValues, func(b []byte, v *ast.EnumValueDefinition) []byte { return w.enumValue(b, v, inner) })
	case "interfaces":
		if d.Kind != ast.Object && d.Kind != ast.Interface {
			return null(b)
		}
		return each(b, d.Interfaces, func(b []byte, name string) []byte { return w.typ(b, ast.NamedType(name, nil), inner) })
	case "possibleTypes":
		if d.Kind != ast.Interface {
			return null(b)
		}
		return each(b, w.schema.PossibleTypes[d.Name], func(b []byte, o *ast.Definition) []byte { return w.typ(b, ast.NamedType(o.Name, nil), inner) })
	default:
		return null(b)
	}
}

// visible leaves out introspection's own fields, and deprecated ones unless they are asked for.
func (w *introspector) visible(fields ast.FieldList, f *ast.Field) []*ast.FieldDefinition {
	deprecated, _ := f.ArgumentMap(w.variables)["includeDeprecated"].(bool)
	return slices.DeleteFunc(slices.Clone(fields), func(v *ast.FieldDefinition) bool {
		return strings.HasPrefix(v.Name, "__") || !deprecated && v.Directives.ForName("deprecated") != nil
	})
}

func (w *introspector) field(b []byte, d *ast.FieldDefinition, set ast.SelectionSet) []byte {
	return w.object(b, "__Field", set, func(b []byte, f *ast.Field, inner ast.SelectionSet) []byte {
		switch f.Name {
		case "args":
			return w.arguments(b, d.Arguments, inner)
		case "type":
			return w.typ(b, d.Type, inner)
		default:
			return shared(b, f, d.Name, d.Description, d.Directives)
		}
	})
}

func (w *introspector) arguments(b []byte, arguments ast.ArgumentDefinitionList, inner ast.SelectionSet) []byte {
	return each(b, arguments, func(b []byte, a *ast.ArgumentDefinition) []byte {
		return w.input(b, a.Name, a.Description, a.Type, a.DefaultValue, a.Directives, inner)
	})
}

func (w *introspector) input(b []byte, name, description string, t *ast.Type, value *ast.Value, directives ast.DirectiveList, set ast.SelectionSet) []byte {
	return w.object(b, "__InputValue", set, func(b []byte, f *ast.Field, inner ast.SelectionSet) []byte {
		switch f.Name {
		case "type":
			return w.typ(b, t, inner)
		case "defaultValue":
			if value == nil {
				return null(b)
			}
			return appendQuoted(b, value.String())
		default:
			return shared(b, f, name, description, directives)
		}
	})
}

func (w *introspector) enumValue(b []byte, d *ast.EnumValueDefinition, set ast.SelectionSet) []byte {
	return w.object(b, "__EnumValue", set, func(b []byte, f *ast.Field, _ ast.SelectionSet) []byte {
		return shared(b, f, d.Name, d.Description, d.Directives)
	})
}

func (w *introspector) directive(b []byte, d *ast.DirectiveDefinition, set ast.SelectionSet) []byte {
	return w.object(b, "__Directive", set, func(b []byte, f *ast.Field, inner ast.SelectionSet) []byte {
		switch f.Name {
		case "isRepeatable":
			return truth(b, d.IsRepeatable)
		case "locations":
			return each(b, d.Locations, func(b []byte, l ast.DirectiveLocation) []byte { return appendQuoted(b, string(l)) })
		case "args":
			return w.arguments(b, d.Arguments, inner)
		default:
			return shared(b, f, d.Name, d.Description, nil)
		}
	})
}

// shared writes the members that fields, arguments, enum values and directives have alike.
func shared(b []byte, f *ast.Field, name, description string, directives ast.DirectiveList) []byte {
	switch f.Name {
	case "name":
		return appendQuoted(b, name)
	case "description":
		return text(b, description)
	case "isDeprecated":
		return truth(b, directives.ForName("deprecated") != nil)
	default: // deprecationReason
		return text(b, directiveText(directives, "deprecated", "reason"))
	}
}

func directiveText(directives ast.DirectiveList, name, argument string) string {
	d := directives.ForName(name)
	if d == nil {
		return ""
	}
	if a := d.Arguments.ForName(argument); a != nil {
		return a.Value.Raw
	}
	return ""
}
