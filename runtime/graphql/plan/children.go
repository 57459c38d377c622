package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// level is what a level's selection comes to in SQL.
type level struct {
	values   []value
	needed   []*catalog.Column // what the derived table of the level must give
	joins    string            // lateral joins with lists of children
	attached bool              // a value is a sub-select: it must be above the level's limit
}

// value is one selected field of a level.
type value struct {
	constant string          // of __typename
	row      string          // as a column of its own, in the form that encoding tells
	json     string          // as a member of a JSON row
	encoding schema.Encoding // of row
}

func (l *level) need(columns ...*catalog.Column) {
	for _, c := range columns {
		if !slices.Contains(l.needed, c) {
			l.needed = append(l.needed, c)
		}
	}
}

// children compiles the fields selected of an object whose rows have the alias t.
func (c *compiler) children(o *schema.Object, t string, fields []selected) (level, *gqlerror.Error) {
	var l level
	for _, f := range fields {
		if f.field.Name == "__typename" {
			l.values = append(l.values, value{constant: o.Name})
			continue
		}
		target := o.Fields[f.field.Name]
		var v value
		var err *gqlerror.Error
		switch {
		case target.Relation == nil:
			l.need(target.Column)
			v, err = c.scalar(target.Codec, column(t, target.Column), f.selections)
		case target.Relation.Many:
			l.need(target.Relation.Local...)
			v, err = c.toMany(&l, target.Relation, t, f)
		default:
			l.need(target.Relation.Local...)
			l.attached = true
			v, err = c.toOne(target.Relation, t, f)
		}
		if err != nil {
			return l, f.blame(err)
		}
		l.values = append(l.values, v)
	}
	return l, nil
}

// toMany joins the list of a row's children laterally: an aggregate, so there is exactly one.
func (c *compiler) toMany(l *level, r *schema.Relation, parent string, f selected) (value, *gqlerror.Error) {
	values, err := c.arguments(f.field)
	if err != nil {
		return value{}, err
	}
	from := c.correlate(r, parent)
	rows, err := c.rows(from, f, func(list []string, inner level) (string, *gqlerror.Error) {
		return c.list(from, list, inner, values)
	})
	if err != nil {
		return value{}, err
	}
	join := c.alias("l")
	l.joins += " cross join lateral (select coalesce(json_agg(" + rows.record + "), '[]') v from (" + rows.sql + ") r) " + join
	return value{row: join + ".v", json: join + ".v", encoding: schema.Raw}, nil
}

// toOne is a sub-select of one row; no row gives null.
func (c *compiler) toOne(r *schema.Relation, parent string, f selected) (value, *gqlerror.Error) {
	from := c.correlate(r, parent)
	rows, err := c.rows(from, f, func(list []string, inner level) (string, *gqlerror.Error) {
		sql := "select " + strings.Join(list, ", ") + " from " + c.table(from.object.Table) + " " + from.alias + inner.joins + " where " + from.condition
		if !unique(r.Target.Table, r.Remote) {
			sql += " limit 1" // a reference that a person declared and no key guards
		}
		return sql, nil
	})
	if err != nil {
		return value{}, err
	}
	sql := "(select " + rows.single + " from (" + rows.sql + ") r)"
	return value{row: sql, json: sql, encoding: schema.Raw}, nil
}

// unique tells whether the database itself lets at most one row have given values in the columns. Keys
// that a person declared do not count: they are a promise, not a guard.
func unique(t *catalog.Table, columns []*catalog.Column) bool {
	return slices.ContainsFunc(t.Keys, func(k *catalog.Key) bool { return k.In(columns) })
}

func columnsOf(key []*schema.Field) []*catalog.Column {
	columns := make([]*catalog.Column, len(key))
	for i, f := range key {
		columns[i] = f.Column
	}
	return columns
}

// correlate says how rows of a relation's target hang on a row of the parent.
func (c *compiler) correlate(r *schema.Relation, parent string) source {
	from := source{object: r.Target, alias: c.alias("t")}
	if r.Join == nil {
		from.condition = equal(from.alias, r.Remote, parent, r.Local)
		return from
	}
	m := c.alias("m")
	from.join = " join " + c.table(r.Join.Table) + " " + m + " on " + equal(from.alias, r.Remote, m, r.Join.Remote)
	from.condition = equal(m, r.Join.Local, parent, r.Local)
	return from
}

func equal(a string, as []*catalog.Column, b string, bs []*catalog.Column) string {
	pairs := make([]string, len(as))
	for i := range as {
		pairs[i] = column(a, as[i]) + " = " + column(b, bs[i])
	}
	return strings.Join(pairs, " and ")
}

// jsonRows is a select whose rows, named r, are made into JSON objects.
type jsonRows struct {
	sql    string
	record string // what json_agg aggregates
	single string // one row as JSON
}

// rows writes a level below the root. PostgreSQL makes the objects: a row type with quoted aliases
// keeps the order of the selection and is the cheapest.
func (c *compiler) rows(from source, f selected, write func([]string, level) (string, *gqlerror.Error)) (jsonRows, *gqlerror.Error) {
	fields := collect(f.selections, c.variables)
	inner, err := c.children(from.object, from.alias, fields)
	if err != nil {
		return jsonRows{}, err
	}
	list, record := object(fields, inner.values)
	sql, err := write(list, inner)
	if record == "" {
		return jsonRows{sql: sql, record: "r", single: "row_to_json(r)"}, err
	}
	return jsonRows{sql: sql, record: record, single: record}, err
}

// maxName is the length at which PostgreSQL cuts an identifier (NAMEDATALEN - 1).
const maxName = 63

// object gives the select list of a level below the root. Response names that PostgreSQL would cut
// cannot be column names: record is then the text of the object, put together from numbered columns.
func object(fields []selected, values []value) (list []string, record string) {
	long := slices.ContainsFunc(fields, func(f selected) bool { return len(f.key) > maxName })
	var members []string
	for i, v := range values {
		sql := v.json
		if v.constant != "" {
			sql = "'" + v.constant + "'::text"
		}
		name := fields[i].key
		if long {
			name = "c" + strconv.Itoa(i)
			members = append(members, `'"`+fields[i].key+`":' || coalesce(to_json(r.`+name+`)::text, 'null')`)
		}
		list = append(list, sql+" "+catalog.QuoteIdent(name))
	}
	if long {
		record = "('{' || " + strings.Join(members, " || ',' || ") + " || '}')::json"
	}
	return list, record
}
