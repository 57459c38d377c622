package catalog

import (
	"slices"
	"strings"
)

// Catalog is the picture of one database as one role sees it at one moment.
// Nothing in it is written after Load has returned but the numbers of rows, which are atomic: it may be shared freely.
type Catalog struct {
	Database      string
	User          string   // whose rights it shows: the login, or a role
	Bypasses      bool     // it passes by all policies: a superuser, or BYPASSRLS
	Member        bool     // the login may take it on
	ServerVersion int      // server_version_num: 150018 is 15.18
	Schemas       []string // in the order asked for
	Tables        []*Table // by schema in that order, then by name
	Closed        []Closed // what is in the schemas beside that
	Functions     []*Function

	constraints map[constraintKey]*Constraint
}

// Closed is a table that is not listed, or a column that a listed one has not: the login may not read it, or it is a
// partition or an extension's.
type Closed struct {
	Schema string
	Table  string
	Column string // empty: the whole table
}

// Kind is what sort of relation a table is.
type Kind byte

// The kinds, with the letters of pg_class.relkind.
const (
	Ordinary         Kind = 'r'
	Partitioned      Kind = 'p'
	View             Kind = 'v'
	MaterializedView Kind = 'm'
	Foreign          Kind = 'f'
)

// Table is a table, a view, a materialized view, a foreign table, or a partitioned table as one
// (its partitions are not listed).
type Table struct {
	OID         uint32
	Schema      string
	Name        string
	Kind        Kind
	Comment     string
	RowSecurity bool
	Bypassed    bool      // it has row security, which does not hold for the role
	Lockable    bool      // a table of which the login may read every column: LOCK TABLE wants no less
	Columns     []*Column // those the login may read, in table order
	Unread      []*Column // those that it may write, but not read
	Keys        []*Key    // the primary key first, then unique ones by name
	ForeignKeys []*ForeignKey
	Writes      Writes

	byNumber map[int16]*Column // while it is loaded
	rows     estimate
}

// Find gives a table by "schema.table", or by its name in the schema of one that refers to it; nil when
// there is none.
func (c *Catalog) Find(schemaName, name string) *Table {
	if s, n, qualified := strings.Cut(name, "."); qualified {
		schemaName, name = s, n
	}
	i := slices.IndexFunc(c.Tables, func(t *Table) bool { return t.Schema == schemaName && t.Name == name })
	if i < 0 {
		return nil
	}
	return c.Tables[i]
}

// PrimaryKey gives the primary key, or nil.
func (t *Table) PrimaryKey() *Key {
	if len(t.Keys) > 0 && t.Keys[0].Primary {
		return t.Keys[0]
	}
	return nil
}

// Column finds a readable column by its name in the database, or gives nil.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// IsView tells whether the relation has no keys of its own to go by.
func (t *Table) IsView() bool { return t.Kind == View || t.Kind == MaterializedView }

// Calls tells whether reading the table may run functions of a person's making: those of a view, of row
// security, or of a foreign server.
func (t *Table) Calls() bool {
	return t.RowSecurity || t.Kind != Ordinary && t.Kind != Partitioned && t.Kind != MaterializedView
}

// Column is one readable column.
type Column struct {
	Name       string
	Number     int16
	Type       *Type
	Dimensions int // that an array was declared with; 0 where nothing is known of them, as of a view's column
	NotNull    bool
	HasDefault bool
	Identity   bool
	Generated  bool
	Comment    string
	Insert     bool // the login may give it a value in a new row
	Update     bool // the login may change it

	Within *Within // of what is no column, but made of one
}

// Within is a value in JSON, or what else is made of a column.
type Within struct {
	Column *Column  // that holds the JSON; nil for what is within another such value
	Path   []string // the names of members that lead to the value
	SQL    string   // in place of a path: the value, with %s for the column and %a for the alias of its row
}

// Key is a set of columns that names at most one row. Partial and expression indexes are no keys;
// neither is one with a column that the login may not read.
type Key struct {
	Name    string
	Primary bool
	Columns []*Column

	Deferrable bool // checked at the end of a transaction, so that no insert meets it
}

// NotNull tells whether every column of the key always has a value.
func (k *Key) NotNull() bool {
	for _, c := range k.Columns {
		if !c.NotNull {
			return false
		}
	}
	return true
}

// In tells whether all of the key's columns are among the given ones.
func (k *Key) In(columns []*Column) bool {
	for _, c := range k.Columns {
		if !slices.Contains(columns, c) {
			return false
		}
	}
	return true
}

// ForeignKey points from Columns of the table that holds it to References of Target, position by position.
type ForeignKey struct {
	Name       string
	Columns    []*Column
	Target     *Table
	References []*Column
	Validated  bool // false: rows from before the constraint may break it
}

// TypeKind is what sort of type a type is.
type TypeKind byte

// The kinds, with the letters of pg_type.typtype; arrays, which have none there, are 'a'.
const (
	Base       TypeKind = 'b'
	Enum       TypeKind = 'e'
	Domain     TypeKind = 'd'
	Composite  TypeKind = 'c'
	Range      TypeKind = 'r'
	Multirange TypeKind = 'm'
	Array      TypeKind = 'a'
	Pseudo     TypeKind = 'p'
)

// Type is a PostgreSQL type.
type Type struct {
	OID     uint32
	Schema  string
	Name    string
	SQL     string // as a cast writes it, quoted and qualified where needed
	Kind    TypeKind
	Comment string
	NotNull bool      // of a domain
	Elem    *Type     // of an array: the element; of a domain: its base; of a range or multirange: its bound
	Labels  []string  // of an enum, in its order
	Fields  []*Column // of a composite

	Dimensions int    // of a domain over an array
	Ordered    bool   // a base type that ORDER BY takes
	Delimiter  string // between values in the text of an array; empty is a comma
	Operators  string // the schema of a base type's own =; empty where the type has none
}

// Equal tells whether values can be compared with =, as arrays of them then can be, too.
func (t *Type) Equal() bool {
	switch base := t.Resolve(); base.Kind {
	case Enum, Range, Multirange:
		return true
	case Array:
		return base.Elem != nil && base.Elem.Equal()
	default:
		return base.Operators != ""
	}
}

// Compared writes a value as operators and aggregates take it. PostgreSQL does not find those of enums for a
// domain over one.
func (t *Type) Compared(value string) string {
	if base := t.Resolve(); t != base && base.Kind == Enum {
		return value + "::" + base.SQL
	}
	return value
}

// Operator writes an operator between values of the type. Those of an extension's type are named with their
// schema: what search_path does not reach would give way to another type's operator without a word, such as
// that of text to citext's.
func (t *Type) Operator(sign string) string {
	base := t.Resolve()
	if base.Kind != Base || base.Schema == "pg_catalog" {
		return " " + sign + " "
	}
	schema := base.Operators
	if schema == "" {
		schema = base.Schema
	}
	if symbol, word := words[sign]; word {
		sign = symbol
	}
	return " operator(" + QuoteIdent(schema) + "." + sign + ") "
}

// words are the operators that SQL has words for.
var words = map[string]string{"like": "~~", "ilike": "~~*"}

// Between gives what stands between values of the type in the text of an array.
func (t *Type) Between() string {
	if delimiter := t.Resolve().Delimiter; delimiter != "" {
		return delimiter
	}
	return ","
}

// Resolve goes through domains to the type that holds the value.
func (t *Type) Resolve() *Type {
	for t.Kind == Domain && t.Elem != nil {
		t = t.Elem
	}
	return t
}

// QuoteIdent writes a name as an SQL identifier.
func QuoteIdent(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// SQL gives the table's qualified, quoted name.
func (t *Table) SQL() string { return QuoteIdent(t.Schema) + "." + QuoteIdent(t.Name) }
