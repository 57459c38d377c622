package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
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
	codecs      map[codecOf][]*Codec
	columns     map[Field]*Field // fields that show columns
}

// NewShared begins with nothing.
func NewShared() *Shared {
	return &Shared{
		types: map[string]*ast.Type{}, arguments: map[argumentKey]*ast.ArgumentDefinition{}, labels: map[string]*ast.EnumValueDefinition{},
		fields: map[argumentKey][]*ast.FieldDefinition{}, definitions: map[string][]*ast.Definition{}, alone: map[*ast.Definition][]*ast.Definition{},
		codecs: map[codecOf][]*Codec{}, columns: map[Field]*Field{},
	}
}

// argumentKey is what an argument is, or a field but for its arguments.
type argumentKey struct {
	name, doc string
	of        *ast.Type
}

// codecOf is what a codec is known by: there are few of one type.
type codecOf struct {
	graphQL    string
	of         *catalog.Type
	dimensions int
}

// codec gives the one that is equal to c. Composites have the objects of their own schema.
func (s *Shared) codec(c *Codec) *Codec {
	if c.Innermost().Object != nil {
		return c
	}
	key := codecOf{c.GraphQL, c.Type, c.Dimensions}
	for _, known := range s.codecs[key] {
		if known.same(c) {
			return known
		}
	}
	s.codecs[key] = append(s.codecs[key], c)
	return c
}

func (c *Codec) same(other *Codec) bool {
	return c.GraphQL == other.GraphQL && c.Type == other.Type && c.Encoding == other.Encoding && c.Elem == other.Elem && c.Dimensions == other.Dimensions &&
		c.Object == other.Object && c.JSON == other.JSON && c.out == other.out && c.in == other.in && c.several == other.several && c.compared == other.compared &&
		c.text == other.text && c.class == other.class && slices.Equal(c.operators, other.operators) && c.filter == other.filter && c.bound == other.bound
}

// settle puts the one field that is equal in the place of each that shows a column, and forgets what they tell.
func (s *Shared) settle(o *Object) {
	for i, f := range o.order {
		if f.Column == nil || f.Resolved != nil {
			continue
		}
		known := s.columns[*f]
		if known == nil {
			known = f
			s.columns[*f] = f
		}
		o.order[i], o.Fields[f.Name] = known, known
		if o.codecs[f.Column] == f.Codec {
			delete(o.codecs, f.Column)
		}
	}
	o.codecs = maps.Clone(o.codecs) // maps keep the room of what has gone
	if len(o.codecs) == 0 {
		o.codecs = nil
	}
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
