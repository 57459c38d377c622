package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Plan is an operation ready to run: its root fields in the order of the response.
type Plan struct {
	Fields []RootField
}

// RootField is one field of Query. Exactly one of Statement and Introspection is set, or Typename is.
type RootField struct {
	Key           string // the response name
	Field         *ast.Field
	Typename      string
	Introspection *Introspection
	Statement     *Statement
}

// Introspection is __schema or __type with what is selected of it.
type Introspection struct {
	Field      *ast.Field
	Selections ast.SelectionSet
	TypeName   string // of __type; empty for __schema
	Variables  map[string]any
}

// Statement is the SQL of one root field.
type Statement struct {
	SQL     string
	Args    []string // text forms of $1, $2, …
	One     bool     // at most one row, answered as an object or null; else a list
	Columns []Column // of the row's object, in the order of the response
	Locks   []string // the tables that it reads, as LOCK TABLE takes them, in order
}

// Column is one member of a row's JSON object.
type Column struct {
	Key      string          // `"title":`, ready to be written
	Constant string          // JSON that is the same for every row; there is then no column in the SQL
	Encoding schema.Encoding // how the column's text form becomes JSON
}
