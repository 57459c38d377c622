package plan

import (
	"slices"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Plan is an operation compiled for one shape of its variables: its root fields in the order of the
// response. It serves all requests of that shape, and never changes, but for what is found out in running it.
type Plan struct {
	Fields   []RootField
	Writes   bool       // it is a mutation: all of it or nothing, and once
	Together *Statement // all fields as one statement; nil where each has its own
	Changed  *Changed   // of a subscription; else nil

	OnPrimary atomic.Bool // no replica can run it, as was found out
}

// Weight is about the bytes that a plan takes, or somewhat more.
func (p *Plan) Weight() int {
	weight := 128 + p.Together.weight()
	if p.Changed != nil {
		weight += 256 + 64*len(p.Changed.Payload)
		if p.Changed.Keys != nil {
			weight += p.Changed.Keys.Weight()
		}
	}
	for i := range p.Fields {
		weight += 192 + len(p.Fields[i].Before) + p.Fields[i].Statement.weight()
		for _, step := range p.Fields[i].Steps {
			weight += step.weight()
		}
		for _, later := range p.Fields[i].Later {
			weight += later.weight()
		}
	}
	return weight
}

// RootField is one field of Query or Mutation. At most one of Typename, Introspection and Statement is set; without
// any the field is null, as the only field of an empty database's API is.
type RootField struct {
	Key           string // the response name
	Before        string // what a response begins with that has this field first: `{"data":{"album":`
	Field         *ast.Field
	Typename      string
	Introspection *Introspection
	Steps         []*Statement // what is written before Statement runs; their rows are none of the answer
	Statement     *Statement
	Empty         bool // an empty list, for which nothing has to be asked
	ByKey         bool // it reads the row with a key

	Later []*Later // fields in it whose values code gives, when the statement has been answered
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
	SQL       string
	Params    []Param
	One       bool // at most one row, answered as an object or null; else a list
	Columns   []Column
	End       string
	Levels    []Level  // when there are some, each row is of one of them, and Columns and End are empty
	Locks     []string // the tables that it reads, as LOCK TABLE takes them, in order
	Functions bool     // it calls functions of a person's making by name
	Calls     bool     // it reads what may call functions of the database's owner: they must not write

	Estimate *Estimate // nil where nobody asks for one

	Discard bool    // its rows are none of the answer
	Effect  *Effect // what it writes; nil when it only reads

	Pace Pace
	rows rows

	// Of a statement that is not the field's only one: what an error of its is about.
	path  ast.Path
	place *ast.Position
	what  string
}

// Effect is what a statement writes.
type Effect struct {
	Action  schema.Action
	Table   *catalog.Table
	Columns []*catalog.Column // that it gives values to
	Reads   bool              // texts of the request by a type, row by row: an error of that names no parameter
}

// Gives tells whether the statement gives a value to one of the columns.
func (e *Effect) Gives(columns []*catalog.Column) bool {
	return slices.ContainsFunc(columns, func(c *catalog.Column) bool { return slices.Contains(e.Columns, c) })
}

func (s *Statement) weight() int {
	if s == nil {
		return 0
	}
	weight := 384 + len(s.SQL) + len(s.End) + 96*len(s.Locks)
	for i := range s.Params {
		p := &s.Params[i]
		weight += 192 + len(p.constant) + weigh(p.source) + len(p.what) + 16*len(p.path)
	}
	weight += weighColumns(s.Columns)
	for i := range s.Levels {
		l := &s.Levels[i]
		weight += 96 + len(l.Open) + len(l.End) + weighColumns(l.Columns) + weighColumns(l.After)
	}
	if s.Estimate != nil {
		weight += 32 + len(s.Estimate.SQL)
	}
	return weight
}

func weighColumns(columns []Column) int {
	weight := 0
	for i := range columns {
		c := &columns[i]
		weight += 64 + len(c.Before) + len(c.Open) + len(c.Close)
	}
	return weight
}

// weigh is about the bytes of a value with slots. Whoever asks makes it as large as a document and its variables may be.
func weigh(value any) int {
	switch value := value.(type) {
	case slot:
		return 64 + 32*len(value.path)
	case string:
		return 32 + len(value)
	case []any:
		weight := 32
		for _, item := range value {
			weight += 16 + weigh(item)
		}
		return weight
	case map[string]any:
		weight := 64
		for name, member := range value {
			weight += 64 + len(name) + weigh(member)
		}
		return weight
	}
	return 32
}

// Column is one column of a row.
type Column struct {
	Before   string          // JSON: `,"title":`
	Encoding schema.Encoding // how the column's text form becomes JSON

	// What stands around a value that is not null, as where an object has one field that cannot be null: it is null
	// when that is.
	Open, Close string
}

// Level is one of nested lists whose rows come one after the other: an object, then those of the list in it. The first
// column of each row tells its level, from 1 on.
type Level struct {
	At      int      // its first column
	Columns []Column // what stands before its list
	Open    string   // `,"posts":[`; empty at the last level
	After   []Column // what stands behind its list
	End     string
}

// Estimate asks the planner how many rows meet a statement's conditions. Its answer is the value of the columns
// with the encoding Estimated; they have none in the rows.
type Estimate struct {
	SQL    string // "explain (format json) select …"
	Params int    // how many of the statement's parameters it takes, from the first
}

// Path and Place say what an error of the statement is about.
func (s *Statement) Path() ast.Path { return s.path }

// Place is where in the document that stands.
func (s *Statement) Place() *ast.Position { return s.place }

// About puts the name of the value that a statement is for before what is said of it.
func (s *Statement) About(text string) string {
	if s.what == "" {
		return text
	}
	return s.what + ": " + text
}
