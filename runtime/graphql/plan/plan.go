package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Plan is an operation compiled for one shape of its variables: its root fields in the order of the
// response. It is never changed, and serves all requests of that shape.
type Plan struct {
	Fields   []RootField
	Together *Statement // all fields as one statement; nil where each has its own
}

// Weight is about half of the bytes that a plan takes.
func (p *Plan) Weight() int {
	weight := 256
	for i := range p.Fields {
		if s := p.Fields[i].Statement; s != nil {
			weight += 2*len(s.SQL) + 64*(len(s.Params)+len(s.Columns)+4)
		}
	}
	return weight
}

// RootField is one field of Query. At most one of Typename, Introspection and Statement is set; without
// any the field is null, as the only field of an empty database's API is.
type RootField struct {
	Key           string // the response name
	Before        string // what a response begins with that has this field first: `{"data":{"album":`
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

// Statement is the SQL of one root field. Rows of it become JSON objects: for each column, what stands
// before it and its value; then End.
type Statement struct {
	SQL     string
	Params  []Param
	One     bool // at most one row, answered as an object or null; else a list
	Columns []Column
	End     string
	Locks   []string // the tables that it reads, as LOCK TABLE takes them, in order
	Calls   bool     // it reads what may call functions of the database's owner: they must not write

	Estimate *Estimate // nil where nobody asks for one

	Pace Pace
	rows rows
}

// Column is one column of a row.
type Column struct {
	Before   string          // JSON: `,"title":`
	Encoding schema.Encoding // how the column's text form becomes JSON
}

// Estimate asks the planner how many rows meet a statement's conditions. Its answer is the value of the columns
// with the encoding Estimated; they have none in the rows.
type Estimate struct {
	SQL    string // "explain (format json) select …"
	Params int    // how many of the statement's parameters it takes, from the first
}
