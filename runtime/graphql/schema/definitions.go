package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Definitions are made as syntax trees, not as text: 500 tables make thirty thousand fields, and
// nothing a comment holds can then break out of its description.

func named(name string) *ast.Type   { return ast.NamedType(name, position) }
func nonNull(t *ast.Type) *ast.Type { c := *t; c.NonNull = true; return &c }
func listOf(t *ast.Type) *ast.Type  { return ast.ListType(t, position) }

func nonNullIf(yes bool, t *ast.Type) *ast.Type {
	if yes {
		return nonNull(t)
	}
	return t
}

// position stands where a definition has no text of its own: the parser's errors want one.
var position = &ast.Position{Src: &ast.Source{Name: "schema"}, Line: 1, Column: 1}

func scalarDefinition(name, doc, url string) *ast.Definition {
	d := &ast.Definition{Kind: ast.Scalar, Name: name, Description: doc, Position: position}
	if url != "" {
		d.Directives = ast.DirectiveList{{
			Name: "specifiedBy", Position: position, Location: ast.LocationScalar,
			Arguments: ast.ArgumentList{{Name: "url", Position: position, Value: &ast.Value{Kind: ast.StringValue, Raw: url, Position: position}}},
		}}
	}
	return d
}

func enumDefinition(name, doc string, labels []string) *ast.Definition {
	d := &ast.Definition{Kind: ast.Enum, Name: name, Description: doc, Position: position}
	for _, label := range labels {
		d.EnumValues = append(d.EnumValues, &ast.EnumValueDefinition{Name: label, Position: position})
	}
	return d
}

func inputDefinition(name, doc string, fields ...*ast.FieldDefinition) *ast.Definition {
	return &ast.Definition{Kind: ast.InputObject, Name: name, Description: doc, Fields: fields, Position: position}
}

func field(name, doc string, t *ast.Type, arguments ...*ast.ArgumentDefinition) *ast.FieldDefinition {
	return &ast.FieldDefinition{Name: name, Description: doc, Type: t, Arguments: arguments, Position: position}
}

func argument(name, doc string, t *ast.Type) *ast.ArgumentDefinition {
	return &ast.ArgumentDefinition{Name: name, Description: doc, Type: t, Position: position}
}

func oneOf(d *ast.Definition) *ast.Definition {
	d.Directives = ast.DirectiveList{{Name: "oneOf", Position: position, Location: ast.LocationInputObject}}
	return d
}

// describe prefers what the database's owner wrote.
func describe(comment, otherwise string) string {
	if text := strings.TrimSpace(comment); text != "" {
		return text
	}
	return otherwise
}
