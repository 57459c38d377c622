package schema

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Schema is a GraphQL schema and the way back from it to the database. It is never changed after Build.
type Schema struct {
	AST      *ast.Schema
	Catalog  *catalog.Catalog
	Objects  map[string]*Object // by type name
	Roots    map[string]*Root   // by field of Query
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
	Table  *catalog.Table
	Fields map[string]*Field
	Keys   []*catalog.Key // the primary one first

	order       []*Field
	description string
	foreignKeys []*catalog.ForeignKey
}

// Field is a field of an object: a column when Codec is set, else a relation.
type Field struct {
	Name     string
	Column   *catalog.Column
	Codec    *Codec
	Relation *Relation

	nonNull     bool
	description string
}

// Relation leads from a row to rows of Target: those whose Remote columns equal the row's Local ones,
// by way of Join where there is one.
type Relation struct {
	Target *Object
	Many   bool
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
	Name   string
	Object *Object
	Key    []*Field // the arguments of a look-up by key; nil for a list
}

// Options are the choices of whoever runs the server.
type Options struct {
	Entities     map[string]Entity // by type name, or by "schema.table"
	DefaultLimit int
	MaxLimit     int
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
}

// Reference is a foreign key that the database does not know of, such as a view's.
type Reference struct {
	Columns []string `json:"columns"`
	Table   string   `json:"table"` // "schema.table", or a table of the same schema
	To      []string `json:"to"`    // empty: the primary key of Table
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

// FieldOf finds the field that shows a column, or gives nil when it is not shown.
func (o *Object) FieldOf(column string) *Field {
	for _, f := range o.order {
		if f.Column != nil && f.Column.Name == column {
			return f
		}
	}
	return nil
}
