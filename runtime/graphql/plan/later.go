package plan

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Later is a field whose values code gives when the statement of its root field has been answered. In the answer stands
// an object in its place: the fields of the row that the code is to be given.
//
//	users { name avatar }   avatar is made of id and email
//
//	{"users":[{"name":"Ada","avatar":{"id":1,"email":"ada@example.com"}}, …]}
type Later struct {
	Field *schema.Resolved
	Path  []Step // from the root field on, to the field itself
	Place *ast.Position

	arguments map[string]any // with slots
}

// Step is a field on the way to another one. What it gives may be a list, of lists even, as its type says.
type Step struct {
	Key  string // the response name
	Type *ast.Type
}

// BoundLater is one with the arguments of a request.
type BoundLater struct {
	*Later
	Arguments map[string]any
}

// laters are those of a root field, each once: a field may be compiled in several ways before one is chosen.
type laters struct{ list []*Later }

func (l *laters) add(one *Later) {
	for i, known := range l.list {
		if samePath(known.Path, one.Path) {
			l.list[i] = one
			return
		}
	}
	l.list = append(l.list, one)
}

func samePath(a, b []Step) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key {
			return false
		}
	}
	return true
}

// later notes a field that is resolved after the statement and writes what it is made of. stored compiles the field as if
// it were not resolved.
func (c *compiler) later(target *schema.Field, f selected, stored func(*schema.Field, selected) (value, *gqlerror.Error)) (value, *gqlerror.Error) {
	values, err := c.arguments(f.field)
	if err != nil {
		return value{}, err
	}
	for _, a := range f.field.Definition.Arguments {
		if _, given := values[a.Name]; !given && a.DefaultValue != nil {
			values[a.Name] = literal(a.DefaultValue, nil)
		}
	}
	c.laters.add(&Later{Field: target.Resolved, Path: c.steps(), Place: f.field.Position, arguments: values})
	made := record{}
	for _, needed := range target.Resolved.Fields() {
		inner := selected{key: needed.Name, field: &ast.Field{Name: needed.Name, Alias: needed.Name, Position: f.field.Position, ObjectDefinition: f.field.ObjectDefinition}}
		inner.field.Definition = f.field.ObjectDefinition.Fields.ForName(needed.Name)
		leave := c.enter(inner)
		var v value
		if needed.Resolved == nil || needed == target {
			v, err = stored(needed, inner)
		} else {
			v, err = c.later(needed, inner, stored)
		}
		leave()
		if err != nil {
			return value{}, err
		}
		made = append(made, member{key: needed.Name, value: v})
	}
	return value{object: made}, nil
}

// steps is the way to the field at work.
func (c *compiler) steps() []Step {
	steps := make([]Step, len(c.path))
	for i, name := range c.path {
		steps[i] = Step{Key: string(name.(ast.PathName)), Type: c.types[i]}
	}
	return steps
}

// bind puts the values of a request in the place of slots.
func (l *Later) bind(variables map[string]any) BoundLater {
	arguments, _ := resolve(l.arguments, variables).(map[string]any)
	return BoundLater{Later: l, Arguments: arguments}
}

func (l *Later) weight() int { return 128 + 48*len(l.Path) + weigh(l.arguments) }
