package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Shared is what schemas have in common: of equal definitions there is one, whichever schema it is for. The schemas of
// roles on one database differ in little, and that of a large database repeats itself. It is for one Build at a time.
type Shared struct {
	types       map[string]*ast.Type
	arguments   map[argumentKey]*ast.ArgumentDefinition
	labels      map[string]*ast.EnumValueDefinition
	fields      map[argumentKey][]*ast.FieldDefinition
	definitions map[string][]*ast.Definition // by name
	alone       map[*ast.Definition][]*ast.Definition
}

// NewShared begins with nothing.
func NewShared() *Shared {
	return &Shared{
		types: map[string]*ast.Type{}, arguments: map[argumentKey]*ast.ArgumentDefinition{}, labels: map[string]*ast.EnumValueDefinition{},
		fields: map[argumentKey][]*ast.FieldDefinition{}, definitions: map[string][]*ast.Definition{}, alone: map[*ast.Definition][]*ast.Definition{},
	}
}

// argumentKey is what an argument is, or a field but for its arguments.
type argumentKey struct {
	name, doc string
	of        *ast.Type
}

// definition gives the one that is equal to d. Roots are not shared: the validator adds fields to them.
func (s *Shared) definition(d *ast.Definition) *ast.Definition {
	for i, label := range d.EnumValues {
		if known := s.labels[label.Name]; known != nil && label.Description == "" {
			d.EnumValues[i] = known
		} else if label.Description == "" {
			s.labels[label.Name] = label
		}
	}
	for i, f := range d.Fields {
		d.Fields[i] = s.field(f)
	}
	if d.Name == "Query" || d.Name == "Mutation" {
		return d
	}
	for _, known := range s.definitions[d.Name] {
		if sameDefinition(known, d) {
			return known
		}
	}
	s.definitions[d.Name] = append(s.definitions[d.Name], d)
	return d
}

// possible gives the possible types of what may be asked for them: of an object itself, as one list for all schemas. The
// validator's own has inputs as well, and twice the room that it needs.
func (s *Shared) possible(checked *ast.Schema) map[string][]*ast.Definition {
	count := 0
	for name := range checked.PossibleTypes {
		if checked.Types[name].IsCompositeType() {
			count++
		}
	}
	possible := make(map[string][]*ast.Definition, count)
	for name, list := range checked.PossibleTypes {
		d := checked.Types[name]
		switch {
		case d.Kind == ast.Object:
			if s.alone[d] == nil {
				s.alone[d] = list
			}
			possible[name] = s.alone[d]
		case d.IsCompositeType():
			possible[name] = list
		}
	}
	return possible
}

func sameDefinition(a, b *ast.Definition) bool {
	return a.Kind == b.Kind && a.Description == b.Description && len(a.Directives) == len(b.Directives) && slices.Equal(a.Interfaces, b.Interfaces) &&
		slices.Equal(a.Fields, b.Fields) && slices.Equal(a.EnumValues, b.EnumValues) && slices.EqualFunc(a.Directives, b.Directives, sameDirective)
}

func sameDirective(a, b *ast.Directive) bool {
	return a.Name == b.Name && slices.EqualFunc(a.Arguments, b.Arguments, func(x, y *ast.Argument) bool { return x.Name == y.Name && x.Value.Raw == y.Value.Raw })
}

func (s *Shared) field(f *ast.FieldDefinition) *ast.FieldDefinition {
	f.Type = s.typeOf(f.Type)
	for i, a := range f.Arguments {
		a.Type = s.typeOf(a.Type)
		key := argumentKey{a.Name, a.Description, a.Type}
		if known := s.arguments[key]; known != nil {
			f.Arguments[i] = known
		} else {
			s.arguments[key] = a
		}
	}
	key := argumentKey{f.Name, f.Description, f.Type}
	for _, known := range s.fields[key] {
		if known == f || slices.Equal(known.Arguments, f.Arguments) {
			return known
		}
	}
	s.fields[key] = append(s.fields[key], f)
	return f
}

func (s *Shared) typeOf(t *ast.Type) *ast.Type {
	key := t.String()
	known := s.types[key]
	if known == nil {
		if t.Elem != nil {
			t = &ast.Type{Elem: s.typeOf(t.Elem), NonNull: t.NonNull, Position: t.Position}
		}
		known = t
		s.types[strings.Clone(key)] = t
	}
	return known
}
