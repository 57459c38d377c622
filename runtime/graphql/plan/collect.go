package plan

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// selected is one field of a response object: fields of the same response name are merged, as
// section 6.3.2 of the specification says (CollectFields).
type selected struct {
	key        string
	field      *ast.Field // the first one; validation has made sure that the others agree
	selections ast.SelectionSet
}

// blame puts a field in front of the path of an error from inside it; the innermost one gives the place.
func (f selected) blame(err *gqlerror.Error) *gqlerror.Error {
	err.Path = append(ast.Path{ast.PathName(f.key)}, err.Path...)
	if err.Locations == nil && f.field.Position != nil {
		err.Locations = []gqlerror.Location{{Line: f.field.Position.Line, Column: f.field.Position.Column}}
	}
	return err
}

// Visit calls f for each field of a selection set on an object type, merged and in response order.
func Visit(set ast.SelectionSet, variables map[string]any, object string, visit func(key string, f *ast.Field, selections ast.SelectionSet)) {
	for _, s := range collect(set, variables, object) {
		visit(s.key, s.field, s.selections)
	}
}

// collect gives the fields that are selected of an object of a type.
func collect(set ast.SelectionSet, variables map[string]any, object string) []selected {
	c := collector{variables: variables, object: object, places: map[string]int{}}
	c.add(set)
	return c.fields
}

type collector struct {
	variables map[string]any
	object    string
	fields    []selected
	places    map[string]int
	spread    map[string]bool
}

func (c *collector) add(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if c.included(s.Directives) {
				c.addField(s)
			}
		case *ast.InlineFragment:
			if c.included(s.Directives) && c.applies(s.TypeCondition) {
				c.add(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if c.included(s.Directives) && !c.spread[s.Name] && c.applies(s.Definition.TypeCondition) {
				if c.spread == nil {
					c.spread = map[string]bool{}
				}
				c.spread[s.Name] = true
				c.add(s.Definition.SelectionSet)
			}
		}
	}
}

// applies tells whether a type condition holds: it names the object's own type, or an interface. The schema has
// one interface, and validation has made sure that the type has it.
func (c *collector) applies(condition string) bool {
	return condition == "" || condition == c.object || condition == schema.NodeType
}

func (c *collector) addField(f *ast.Field) {
	if place, known := c.places[f.Alias]; known {
		// A new slice: the document is shared between requests.
		merged := c.fields[place].selections
		c.fields[place].selections = append(merged[:len(merged):len(merged)], f.SelectionSet...)
		return
	}
	c.places[f.Alias] = len(c.fields)
	c.fields = append(c.fields, selected{key: f.Alias, field: f, selections: f.SelectionSet})
}

func (c *collector) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		condition := d.Arguments.ForName("if")
		yes, _ := literal(condition.Value, c.variables).(bool)
		if yes == (d.Name == "skip") {
			return false
		}
	}
	return true
}

// unsure finds a @skip or @include whose condition is a variable that is null: it may be declared to be
// nullable when it has a default, but must not be null in the end (specification, section 6.4.1).
func unsure(set ast.SelectionSet, variables map[string]any) *gqlerror.Error {
	for _, s := range set {
		var directives ast.DirectiveList
		var inner ast.SelectionSet
		switch s := s.(type) {
		case *ast.Field:
			directives, inner = s.Directives, s.SelectionSet
		case *ast.InlineFragment:
			directives, inner = s.Directives, s.SelectionSet
		case *ast.FragmentSpread:
			directives, inner = s.Directives, s.Definition.SelectionSet
		}
		for _, d := range directives {
			if (d.Name == "skip" || d.Name == "include") && literal(d.Arguments.ForName("if").Value, variables) == nil {
				return Problem(BadUserInput, "the condition of @"+d.Name+" is null", d.Position)
			}
		}
		if found := unsure(inner, variables); found != nil {
			return found
		}
	}
	return nil
}

// hasNull tells whether a variable is null.
func hasNull(variables map[string]any) bool {
	for _, v := range variables {
		if v == nil {
			return true
		}
	}
	return false
}
