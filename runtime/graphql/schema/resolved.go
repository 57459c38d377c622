package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Resolved is a field of rows whose values code gives, when the rows are there.
type Resolved struct {
	Of          string   // the type of the rows: "User"
	Name        string   // of the field; one that there is already keeps its type, conditions and order
	Type        string   // in SDL, of a field that there is not: a scalar, an enum, or a list of such; empty is String
	Arguments   string   // in SDL: "size: Int! = 64, round: Boolean"; only of a field that there is not
	Requires    []string // fields of the row that the code is given; none: the one that there is already, or the key
	Description string
	Cost        int // in fields; 0 is that of the field that there is already, or 1

	requires []*Field
	level    int
}

// Fields are those that the code is given, in order.
func (r *Resolved) Fields() []*Field { return r.requires }

// Level is 0 of a field that is made of what the database gives, else one more than the highest of those that it is made
// of.
func (r *Resolved) Level() int { return r.level }

// String names the field.
func (r *Resolved) String() string { return r.Of + "." + r.Name }

// addResolved gives objects the fields that code resolves. What a role does not see of the types and fields that one is
// of, leaves it out.
func (b *builder) addResolved() error {
	var added []*Field
	for i := range b.options.Resolved {
		r := b.options.Resolved[i] // what the role sees of it is its own
		o := b.objectNamed(r.Of)
		if o == nil || b.closed(o.Table, r.Name) {
			b.warn("schema/no-resolved-field", r.String(), "there is no such type of rows, or no such column, for the role to read, so the field is left out", "")
			continue
		}
		f, err := b.resolvedField(o, &r)
		if err != nil {
			return err
		}
		added = append(added, f)
	}
	for before := -1; len(added) != before; { // one that is left out may take others with it
		before = len(added)
		added = slices.DeleteFunc(added, func(f *Field) bool { return b.withdraw(b.objectNamed(f.Resolved.Of), f) })
	}
	for _, f := range added {
		if err := f.Resolved.take(f, b.objectNamed(f.Resolved.Of)); err != nil {
			return err
		}
	}
	for _, f := range added {
		if !f.Resolved.rank(len(added)) {
			return badResolved(f.Resolved, "it is made of itself")
		}
	}
	return nil
}

// withdraw takes a field away again that is made of what is not there for the role.
func (b *builder) withdraw(o *Object, f *Field) bool {
	r := f.Resolved
	missing := slices.IndexFunc(r.Requires, func(name string) bool { return o.Fields[name] == nil })
	if missing < 0 {
		return false
	}
	b.warn("schema/no-resolved-field", r.String(), "it is made of "+r.Of+"."+r.Requires[missing]+", which is not there or not for the role to read, so it is left out", "")
	f.Resolved = nil
	if f.Column == nil && f.Function == nil { // else it is as it was
		delete(o.Fields, f.Name)
		o.order = slices.DeleteFunc(o.order, func(other *Field) bool { return other == f })
	}
	return true
}

// take finds the fields that one is made of.
func (r *Resolved) take(f *Field, o *Object) error {
	for _, name := range r.Requires {
		needed := o.Fields[name]
		if needed != f && !needed.passable() || needed == f && f.Codec == nil {
			return badResolved(r, "it cannot be made of "+r.Of+"."+name+", which is no plain value without arguments")
		}
		r.requires = append(r.requires, needed)
	}
	return nil
}

// resolvedField puts a field in its place.
func (b *builder) resolvedField(o *Object, r *Resolved) (*Field, error) {
	f := o.Fields[r.Name]
	if f != nil && (!f.passable() || f.Resolved != nil) {
		return nil, badResolved(r, "there is a field of that name that is no plain value, or another one that is resolved")
	}
	if f != nil && (r.Type != "" || r.Arguments != "") {
		return nil, badResolved(r, "there is a field of that name already, whose type it keeps: it has no Type and no Arguments of its own")
	}
	if len(r.Requires) == 0 {
		switch key := o.PrimaryKey(); {
		case f != nil:
			r.Requires = []string{f.Name}
		default:
			for _, c := range key {
				if k := o.FieldOf(c.Name); k != nil {
					r.Requires = append(r.Requires, k.Name)
				}
			}
			if len(key) == 0 || len(r.Requires) < len(key) {
				return nil, badResolved(r, "nothing says what it is made of, and the type shows no key: name fields in Requires")
			}
		}
	}
	if f == nil {
		definition, err := b.resolvedDefinition(r)
		if err != nil {
			return nil, err
		}
		f = &Field{Name: r.Name, definition: definition}
		o.Fields[f.Name] = f
		o.order = append(o.order, f)
	}
	f.Resolved = r
	return f, nil
}

// resolvedDefinition reads what a field says of its type and arguments.
func (b *builder) resolvedDefinition(r *Resolved) (*ast.FieldDefinition, error) {
	text := "type Row { " + r.Name
	if r.Arguments != "" {
		text += "(" + r.Arguments + ")"
	}
	parsed, err := parser.ParseSchema(&ast.Source{Name: r.String(), Input: text + ": " + orString(r.Type) + " }"})
	if err != nil || len(parsed.Definitions) != 1 || len(parsed.Definitions[0].Fields) != 1 || !ValidName(r.Name) {
		return nil, badResolved(r, fmt.Sprintf("`%s` is no field of the schema language", strings.TrimPrefix(text+": "+orString(r.Type), "type Row { ")))
	}
	f := parsed.Definitions[0].Fields[0]
	f.Description = describe(r.Description, "What is given by code, for the row.")
	if !b.leaf(f.Type.Name()) {
		return nil, badResolved(r, "its type must be made of a scalar or an enum of the schema, and `"+f.Type.Name()+"` is none")
	}
	for _, a := range f.Arguments {
		name := a.Type.Name()
		if b.useScalar(name); b.leaf(name) || b.types[name] != nil && b.types[name].Kind == ast.InputObject {
			continue
		}
		return nil, badResolved(r, "the schema has no input type `"+name+"`, which its argument "+a.Name+" takes")
	}
	b.useScalar(f.Type.Name())
	return f, nil
}

func orString(sdl string) string {
	if sdl == "" {
		return "String"
	}
	return sdl
}

// leaf tells whether a type is a scalar or an enum.
func (b *builder) leaf(name string) bool {
	if slices.Contains([]string{"Int", "Float", "String", "Boolean", "ID"}, name) {
		return true
	}
	if _, ours := scalarDocs[name]; ours {
		return true
	}
	d := b.types[name]
	return d != nil && (d.Kind == ast.Scalar || d.Kind == ast.Enum)
}

// objectNamed finds the type of rows of a name.
func (b *builder) objectNamed(name string) *Object {
	if i := slices.IndexFunc(b.objects, func(o *Object) bool { return o.Table != nil && o.Name == name }); i >= 0 {
		return b.objects[i]
	}
	return nil
}

// closed tells whether a field would be that of a column that the role may not read.
func (b *builder) closed(t *catalog.Table, field string) bool {
	return slices.ContainsFunc(b.catalog.Closed, func(c catalog.Closed) bool {
		return c.Schema == t.Schema && c.Table == t.Name && FieldName(c.Column) == field
	})
}

// passable tells whether code can be given a field: it is a plain value, and needs no arguments.
func (f *Field) passable() bool {
	if f.definition != nil && slices.ContainsFunc(f.definition.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil }) {
		return false
	}
	return f.Resolved != nil || f.NodeID || f.Relation == nil && f.Codec != nil && f.Codec.Innermost().Object == nil
}

// rank finds the level of a field; it is false when the field is made of itself.
func (r *Resolved) rank(most int) bool {
	if most < 0 {
		return false
	}
	r.level = 0
	for _, f := range r.requires {
		if f.Resolved == nil || f.Resolved == r {
			continue // its own stored value
		}
		if !f.Resolved.rank(most - 1) {
			return false
		}
		r.level = max(r.level, f.Resolved.level+1)
	}
	return true
}

func badResolved(r *Resolved, why string) *fault.Error {
	return fault.New(fault.Invalid, "schema/bad-resolver", "the field "+r.String()+" cannot be resolved: "+why)
}
