package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// record is an object of the response: its members in order.
type record []member

type member struct {
	key string // the response name
	value
}

// value is what a member is: a constant, a value in SQL, or an object that is always there.
type value struct {
	constant string          // of __typename
	row      string          // as a column of its own, in the form that encoding tells
	json     string          // as a member of a JSON row
	encoding schema.Encoding // of row
	object   record
	below    *branch // a list whose objects are rows of their own

	notNull     bool   // it is a column that cannot be null
	open, close string // around row: it is the only field of an object
}

// columns flattens a record into columns of a statement's row, which package execute joins to an object. For
// lists of plain columns this is several times cheaper than any JSON function of PostgreSQL.
func (r record) columns() (list []string, columns []Column, end string) {
	text := r.flatten("", &list, &columns)
	return list, columns, text
}

func (r record) flatten(before string, list *[]string, columns *[]Column) string {
	return r.members(before+"{", list, columns) + "}"
}

// members flattens the members without what stands around them.
func (r record) members(before string, list *[]string, columns *[]Column) string {
	for i, m := range r {
		if i > 0 {
			before += ","
		}
		before += quoted(m.key) + ":"
		switch {
		case m.constant != "":
			before += quoted(m.constant)
		case m.object != nil:
			before = m.object.flatten(before, list, columns)
		default:
			if m.encoding != schema.Estimated {
				*list = append(*list, m.row)
			}
			*columns = append(*columns, Column{Before: before, Encoding: m.encoding, Open: m.open, Close: m.close})
			before = ""
		}
	}
	return before
}

// maxName is the length at which PostgreSQL cuts an identifier (NAMEDATALEN - 1).
const maxName = 63

// selectList gives a record as the select list of a level below the root, and how a row r of that is written
// as JSON. PostgreSQL makes the objects: a row type with quoted aliases keeps the order of the selection, is
// the cheapest, and has no limit of arguments. Response names that PostgreSQL would cut cannot be column
// names: the text of the object is then put together from numbered columns. The row is written r.*: r alone would be
// a column of that name, here or at any level above, before it were the row.
func (r record) selectList() (list, json string) {
	long := slices.ContainsFunc(r, func(m member) bool { return len(m.key) > maxName })
	items := make([]string, len(r))
	var members []string
	for i, m := range r {
		sql := m.json
		switch {
		case m.constant != "":
			sql = "'" + m.constant + "'::text"
		case m.object != nil:
			sql = query{record: m.object}.sub()
		}
		name := m.key
		if long {
			name = "c" + strconv.Itoa(i)
			members = append(members, `'"`+m.key+`":' || coalesce(to_json(r.`+name+`)::text, 'null')`)
		}
		items[i] = sql + " " + catalog.QuoteIdent(name)
	}
	list, json = strings.Join(items, ", "), "row_to_json(r.*)"
	if long {
		// An array has any number of elements; a chain of || that long is too deep for PostgreSQL's stack.
		json = "('{' || array_to_string(array[" + strings.Join(members, ", ") + "], ',') || '}')::json"
	}
	return list, json
}

// query is a select that gives a record a row.
type query struct {
	with string // "with p as (…) "
	record
	plain bool   // the one member's value stands for itself, not for an object
	tail  string // " from …"
}

// columns flattens the query's rows into columns: see record.columns.
func (q query) columns() (list []string, columns []Column, end string) {
	if q.plain {
		v := q.record[0].value
		return []string{v.row}, []Column{{Encoding: v.encoding}}, ""
	}
	return q.record.columns()
}

// rows writes the query with its rows as r, for a level below the root; json is how a row is written as JSON.
func (q query) rows() (sql, json string) {
	if q.plain {
		return "(select " + q.record[0].json + " v" + q.tail + ") r", "to_json(r.v)"
	}
	list, json := q.selectList()
	return "(" + q.with + "select " + list + q.tail + ") r", json
}

// sub writes the query as a sub-select that gives the JSON of its one row.
func (q query) sub() string {
	sql, json := q.rows()
	return "(select " + json + " from " + sql + ")"
}

// all writes the query as a sub-select that gives the JSON list of its rows.
func (q query) all() string {
	sql, json := q.rows()
	if json == "row_to_json(r.*)" {
		json = "r.*" // json_agg makes the same of a row, at less cost
	}
	return "(select coalesce(json_agg(" + json + "), '[]') v from " + sql + ")"
}

// quoted writes a GraphQL name as JSON: there is nothing in one to escape.
func quoted(name string) string { return `"` + name + `"` }

// column writes a column of an alias.
func column(alias string, c *catalog.Column) string {
	if c.Within == nil {
		return alias + "." + catalog.QuoteIdent(c.Name)
	}
	return memberOf(alias, c)
}

// memberOf writes a value in JSON as one of its type: what an index on the expression is on as well.
func memberOf(alias string, c *catalog.Column) string {
	sql := alias
	holder, path := c.Within.Column, c.Within.Path
	if holder != nil {
		sql += "." + catalog.QuoteIdent(holder.Name)
	}
	if c.Within.SQL != "" {
		return "(" + strings.NewReplacer("%s", sql, "%a", alias).Replace(c.Within.SQL) + ")::" + c.Type.SQL
	}
	steps := make([]string, len(path))
	for i, name := range path {
		steps[i] = "'" + strings.ReplaceAll(name, "'", "''") + "'" // a constant: it is of a schema file
	}
	last := len(path) - 1
	sql, name := strings.Join(append([]string{sql}, steps[:last]...), " -> "), steps[last]
	switch c.Type.Name {
	case "jsonb":
		if holder != nil && holder.Type.Resolve().Name == "json" {
			return "(" + sql + " -> " + name + ")::jsonb"
		}
		return "(" + sql + " -> " + name + ")"
	case "text":
		return "(" + sql + " ->> " + name + ")"
	}
	return "(" + sql + " ->> " + name + ")::" + c.Type.SQL
}
