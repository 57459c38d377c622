package schema

import (
	"fmt"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Measure is an aggregate of a column: what `sum { price }` asks for.
type Measure struct {
	Column *catalog.Column
	Codec  *Codec // of its value
	schema string // of the function, with a point; empty for PostgreSQL's own
	sql    string // with %s for the column
}

// SQL writes the aggregate of a value.
func (m *Measure) SQL(value string) string {
	return m.schema + fmt.Sprintf(m.sql, m.Column.Type.Compared(value))
}

// Count is the codec of count(*).
var Count = &Codec{GraphQL: "Int", Type: builtin("int8", "bigint"), Encoding: Raw, class: ordered}

// Measure gives the aggregate of a field; nil when there is none. It is made anew each time: a large database has more of
// them than of anything else, and hardly any is asked for.
func (o *Object) Measure(function, field string) *Measure {
	f := o.Fields[field]
	if f == nil || f.Column == nil {
		return nil
	}
	for _, known := range functions {
		if known.name != function {
			continue
		}
		codec := result(function, known.results, f.Codec)
		if codec == nil {
			return nil
		}
		m := &Measure{Column: f.Column, Codec: codec, sql: known.sql}
		if base := f.Column.Type.Resolve(); known.results[base.Name] != "" && base.Kind == catalog.Base && base.Schema != "pg_catalog" {
			m.schema = catalog.QuoteIdent(base.Schema) + "." // else it is that of text, where search_path does not reach citext's
		}
		return m
	}
	return nil
}

// functions are the aggregates in the order in which they are shown. Each tells the type of its result by the
// type of its argument, both as in pg_type; what has no entry has no such aggregate.
var functions = []struct {
	name, doc, sql string
	results        map[string]string
}{
	{"countDistinct", "How many different values there are; null is none.", "count(distinct %s)", nil},
	{"sum", "The sums of the values; null for no rows.", "sum(%s)", map[string]string{
		"int2": "whole", "int4": "whole", "int8": "whole", "numeric": "numeric", "float4": "float4", "float8": "float8", "money": "money", "interval": "interval",
	}},
	{"avg", "The means of the values; null for no rows.", "avg(%s)", averages},
	{"min", "The smallest values.", "min(%s)", extremes},
	{"max", "The greatest values.", "max(%s)", extremes},
}

var (
	averages = map[string]string{
		"int2": "numeric", "int4": "numeric", "int8": "numeric", "numeric": "numeric", "float4": "float8", "float8": "float8", "interval": "interval",
	}
	extremes = same("int2", "int4", "int8", "oid", "numeric", "float4", "float8", "money", "text", "varchar", "bpchar", "citext",
		"date", "time", "timetz", "timestamp", "timestamptz", "interval", "inet")
)

func same(names ...string) map[string]string {
	m := map[string]string{}
	for _, name := range names {
		m[name] = name
	}
	return m
}

func builtin(name, sql string) *catalog.Type {
	return &catalog.Type{Schema: "pg_catalog", Name: name, SQL: sql, Kind: catalog.Base}
}

// result gives the codec of an aggregate's value; nil where the column has no such aggregate.
func result(function string, results map[string]string, of *Codec) *Codec {
	if !of.sortable() {
		return nil
	}
	base := of.Type.Resolve()
	switch {
	case function == "countDistinct":
		return Count
	case base.Kind == catalog.Enum:
		if function == "min" || function == "max" {
			return of
		}
		return nil
	case base.Kind != catalog.Base || base.Schema != "pg_catalog" && base.Name != "citext":
		return nil
	}
	switch name := results[base.Name]; name {
	case "":
		return nil
	case base.Name:
		return of
	case "whole":
		return of.numbers.whole()
	default:
		codec, _ := of.numbers.scalar(name)
		codec.Type = builtin(name, name)
		return &codec
	}
}

// groupable are the fields by which rows can be grouped, and whose names can be labels of an enum.
func (o *Object) groupable() []*Field {
	var fields []*Field
	for _, f := range o.order {
		if f.Column != nil && f.Codec.sortable() && validLabel(f.Name) {
			fields = append(fields, f)
		}
	}
	return fields
}
