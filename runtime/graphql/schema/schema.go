package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Schema is a GraphQL schema and the way back from it to the database. It is never changed after Build.
type Schema struct {
	AST      *ast.Schema
	Catalog  *catalog.Catalog
	Objects  map[string]*Object // by type name
	Roots    map[string]*Root   // by field of Query
	Writes   map[string]*Write  // by field of Mutation
	Feeds    map[string]*Feed   // by field of Subscription
	NewRows  map[string]bool    // inputs that are rows to be
	Data     map[string]bool    // inputs whose members are values to be stored
	Choices  map[string]bool    // enums that say what a statement looks like, and are no values in it
	NodeID   string             // the field with the global id of a row; empty where there are none
	Warnings []Warning
}

// Warning tells what was left out of the schema, or shown differently, and how to change that.
type Warning struct {
	Code    string // "schema/name-taken"
	Subject string // "public.album.title"
	Message string
	Hint    string
}

// Object is a GraphQL object type: a table or view, or a composite type (Table is then nil).
type Object struct {
	Name   string
	Plural string // the list's field name; empty for composites
	short  string // its name without a prefix: relations that lead to it are called so
	Table  *catalog.Table
	Fields map[string]*Field
	Keys   []*catalog.Key // the primary one first

	json        bool // values of it are JSON
	listed      bool // of no table: functions give lists of it
	order       []*Field
	description string
	typeSQL     string // of a composite type
	attributes  []*catalog.Column
	foreignKeys []*catalog.ForeignKey
	unread      []*Input                   // of columns that may be written, but not read
	made        bool                       // of a declared type: its rows are made of others
	codecs      map[*catalog.Column]*Codec // of columns that no field shows; while it is built, of all
}

// Form is how a field gives rows.
type Form uint8

// The forms.
const (
	Rows       Form = iota // a list; of a relation that leads to one row, that row
	ByKey                  // the row with a key
	Connection             // a list by cursors
	Aggregate              // one row of aggregates
	Groups                 // a row of aggregates for each group
	Node                   // the row with a global id
)

// Field is a field of an object: a column, the row's global id, a relation, what a function computes of the row, or what
// code gives for it.
type Field struct {
	Name     string
	Column   *catalog.Column
	Codec    *Codec // of a column, and of a computed value that rows can be chosen and ordered by
	NodeID   bool
	Relation *Relation
	Function *Function
	Resolved *Resolved // nil where the value is the database's
	Form     Form      // of a relation, or of a function's rows

	nonNull     bool
	cost        uint16 // 0 is 1
	description string
	definition  *ast.FieldDefinition // of another form of a relation, of a function, or of what is resolved
}

// Relation leads from a row to rows of Target: those whose Remote columns equal the row's Local ones,
// by way of Join where there is one.
type Relation struct {
	Target *Object
	Many   bool
	Holds  bool // the Local columns are the foreign key; else the Remote ones are, or those of Join
	Local  []*catalog.Column
	Remote []*catalog.Column
	Join   *Join
}

// Join is the table between the two sides of a many-to-many relation.
type Join struct {
	Table  *catalog.Table
	Local  []*catalog.Column // equal to the relation's Local, position by position
	Remote []*catalog.Column // equal to the relation's Remote
}

// Root is a field of Query.
type Root struct {
	Name     string
	Form     Form
	Object   *Object   // nil for a node, and for a function that gives plain values
	Key      []*Field  // the arguments of a look-up by key
	Function *Function // that gives it; nil for a table
}

// of names what a root field is for.
func (r *Root) of() string { return whose(r.Function, r.Object) }

// whose names what a field is for: a function, or else a type.
func whose(f *Function, o *Object) string {
	switch {
	case f != nil:
		return "the function " + f.Schema + "." + f.Name
	case o != nil:
		return o.Name
	}
	return "the API itself"
}

// Options are the choices of whoever runs the server.
type Options struct {
	Entities     map[string]Entity // by type name, or by "schema.table"
	Prefixes     map[string]string // of the names of what a schema of the database has, by its name
	DefaultLimit int
	MaxLimit     int
	Numbers      Numbers   // in answers
	Regex        bool      // filters may match regular expressions
	Relay        bool      // give each row with a primary key a global id, and Query node(id:)
	Declared     *Declared // by schema files; nil for none
	Resolved     []Resolved
	Subscribed   []string // types, or "schema.table", whose changes can be subscribed to; "*" is all
	Role         string   // whose schema it is, by its name in tokens
	Shared       *Shared  // with other schemas; nil for one that shares nothing
	NodeID       string   // the name of the global id; empty: id, or nodeId where a type has a field id
}

// Entity overrides how one table is shown. Empty fields change nothing.
type Entity struct {
	Name        string
	Omit        bool
	Description string
	Key         []string
	References  []Reference
	Fields      map[string]EntityField // by column name, or by the field name it would have
}

// EntityField overrides how one column is shown.
type EntityField struct {
	Name        string
	Omit        bool
	Description string
	Dimensions  int // of an array; 0: those that it was declared with
}

// Reference is a foreign key that the database does not know of, such as a view's, or says how one that it knows is
// shown.
type Reference struct {
	Columns []string `json:"columns"`
	Table   string   `json:"table"`   // "schema.table", or a table of the same schema
	To      []string `json:"to"`      // empty: the primary key of Table
	Name    string   `json:"name"`    // of the field that leads to the row of Table
	Reverse string   `json:"reverse"` // of the field of Table that leads back
	Across  string   `json:"across"`  // of a join table: of the field that leads from its other side to rows of Table
	Omit    bool     `json:"omit"`    // no field leads either way
}

// Identity gives the columns that tell each row from all others: those of the primary key, else of a unique
// one whose columns always have values, else, at best, of any unique one. A view may have none.
func (o *Object) Identity() []*catalog.Column {
	for _, k := range o.Keys {
		if k.Primary || k.NotNull() {
			return k.Columns
		}
	}
	if len(o.Keys) > 0 {
		return o.Keys[0].Columns
	}
	return nil
}

// Ordered tells whether rows can be told apart in an order: whether Identity is never null.
func (o *Object) Ordered() bool {
	return slices.ContainsFunc(o.Keys, func(k *catalog.Key) bool { return k.Primary || k.NotNull() })
}

// PrimaryKey gives the columns of the primary key, or nil.
func (o *Object) PrimaryKey() []*catalog.Column {
	if len(o.Keys) > 0 && o.Keys[0].Primary {
		return o.Keys[0].Columns
	}
	return nil
}

// HasNodeID tells whether rows have a global id.
func (o *Object) HasNodeID() bool { return len(o.order) > 0 && o.order[0].NodeID }

// KeyFields gives the columns of the primary key with their codecs; some may not be shown as fields.
func (o *Object) KeyFields() []*Field {
	var fields []*Field
	for _, c := range o.PrimaryKey() {
		fields = append(fields, &Field{Name: c.Name, Column: c, Codec: o.CodecOf(c)})
	}
	return fields
}

// CodecOf gives the codec of one of the table's columns, shown or not.
func (o *Object) CodecOf(c *catalog.Column) *Codec {
	if codec := o.codecs[c]; codec != nil {
		return codec
	}
	for _, f := range o.order {
		if f.Column == c {
			return f.Codec
		}
	}
	return nil
}

// Weight is what a field of a row costs, in fields: 1, unless a schema file says otherwise.
func (o *Object) Weight(field string) float64 {
	f := o.Fields[field]
	switch {
	case f != nil && f.Resolved != nil && f.Resolved.Cost > 0:
		return float64(f.Resolved.Cost)
	case f != nil && f.cost > 0:
		return float64(f.cost)
	}
	return 1
}

// FieldOf finds the field that shows a column, or gives nil when it is not shown.
func (o *Object) FieldOf(column string) *Field {
	for _, f := range o.order {
		if f.Column != nil && f.Column.Name == column {
			return f
		}
	}
	return nil
}

// Attributes gives the fields of a composite type in the order of its attributes; one without a name in the API is null
// in what is written.
func (o *Object) Attributes() []*Field {
	fields := make([]*Field, len(o.attributes))
	for i, a := range o.attributes {
		fields[i] = &Field{}
		if f := o.FieldOf(a.Name); f != nil {
			fields[i] = f
		}
	}
	return fields
}

// ObjectOf finds the type that shows a table, or gives nil.
func (s *Schema) ObjectOf(t *catalog.Table) *Object {
	for _, o := range s.Objects {
		if t != nil && o.Table == t {
			return o
		}
	}
	return nil
}

// FieldNames gives the fields of a type that show columns, and the inputs for those that are not read.
func (s *Schema) FieldNames(o *Object, columns []*catalog.Column) []string {
	if o == nil {
		return nil
	}
	var names []string
	inputs := o.Inputs()
	for _, c := range columns {
		if f := o.FieldOf(c.Name); f != nil {
			names = append(names, f.Name)
		} else if at := slices.IndexFunc(inputs, func(in *Input) bool { return in.Column == c }); at >= 0 {
			names = append(names, inputs[at].Name)
		}
	}
	return names
}
