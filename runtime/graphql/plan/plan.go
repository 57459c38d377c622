package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Plan is an operation ready to run: its root fields in the order of the response.
type Plan struct {
	Fields []RootField
}

// RootField is one field of Query. At most one of Typename, Introspection and Statement is set; without
// any the field is null, as the only field of an empty database's API is.
type RootField struct {
	Key           string // the response name
	Field         *ast.Field
	Typename      string
	Introspection *Introspection
	Statement     *Statement
}

// NonNull tells whether an error of the field takes the whole of data with it.
func (f *RootField) NonNull() bool { return f.Field.Definition.Type.NonNull }

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
	Calls   bool     // it reads what may call functions of the database's owner: they must not write
}

// Column is one member of a row's JSON object.
type Column struct {
	Key      string          // `"title":`, ready to be written
	Constant string          // JSON that is the same for every row; there is then no column in the SQL
	Encoding schema.Encoding // how the column's text form becomes JSON
}
