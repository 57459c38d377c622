package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// source is the table of a level and how it hangs on the level above it.
type source struct {
	object    *schema.Object
	alias     string
	join      string         // "join table m2": a join table, when there is one
	condition string         // correlation with the level above; empty at the root
	guarded   bool           // the condition holds for one row at most
	call      string         // the function that gives the rows, in place of the table
	rows      *catalog.Table // by which it is estimated how many there are
	above     *catalog.Table // that of the level above; nil at the root
}

// level is what a level's selection comes to in SQL.
type level struct {
	record
	needed   []*catalog.Column // what the derived table of the level must give
	joins    string            // lateral joins with lists of children
	attached bool              // a value is a sub-select: it must be above the level's limit
	unroll   bool              // the first list of children is to be rows of their own
	below    *branch           // that list
}

func (l *level) need(columns ...*catalog.Column) {
	for _, c := range columns {
		if c.Within != nil {
			c = c.Within.Column // a value in JSON is taken of it above
		}
		if !slices.ContainsFunc(l.needed, func(n *catalog.Column) bool { return n == c || n.Name == rowName && c.Name == rowName }) {
			l.needed = append(l.needed, c)
		}
	}
}

// needs writes the columns that a level takes of the alias of its table.
func (c *compiler) needs(l *level, alias string) []string {
	list := columns(alias, l.needed)
	for i, n := range l.needed {
		if n.Name == rowName {
			list[i] = c.wholeRow(alias, n.Type.SQL) + " " + rowName
		}
	}
	return list
}

// rowName is the column that has the row itself, for functions of it.
const rowName = "fraiseql_row"

// wholeRow writes the row of an alias that is a table, or stands for one. It is no list of columns: one that is added
// meanwhile is in it.
func (c *compiler) wholeRow(alias, typeSQL string) string {
	if c.wide[alias] { // it has the row already, and more
		return alias + "." + rowName
	}
	return "(" + alias + ".*)::" + typeSQL
}

// children compiles what is selected of an object whose rows have the alias t.
func (c *compiler) children(o *schema.Object, t string, set ast.SelectionSet) (level, *gqlerror.Error) {
	l := level{record: record{}} // an object of which @skip leaves nothing is an object still
	return l, c.fill(&l, o, t, set)
}

// fill compiles what is selected of an object into a level.
func (c *compiler) fill(l *level, o *schema.Object, t string, set ast.SelectionSet) *gqlerror.Error {
	for _, f := range collect(set, c.variables, o.Name) {
		leave := c.enter(f)
		v, err := c.child(l, o, t, f)
		leave()
		if err != nil {
			return f.blame(err)
		}
		c.rows.fields += o.Weight(f.field.Name)
		l.record = append(l.record, member{key: f.key, value: v})
	}
	return nil
}

func (c *compiler) child(l *level, o *schema.Object, t string, f selected) (value, *gqlerror.Error) {
	if f.field.Name == "__typename" {
		return value{constant: o.Name}, nil
	}
	target := o.Fields[f.field.Name]
	if target.Resolved != nil {
		return c.later(target, f, func(needed *schema.Field, f selected) (value, *gqlerror.Error) { return c.ofRow(l, o, t, needed, f) })
	}
	return c.ofRow(l, o, t, target, f)
}

// ofRow compiles a field whose value is the database's.
func (c *compiler) ofRow(l *level, o *schema.Object, t string, target *schema.Field, f selected) (value, *gqlerror.Error) {
	switch {
	case target.NodeID:
		l.need(o.PrimaryKey()...)
		sql := nodeID(o, t)
		return value{row: sql, json: sql, encoding: schema.Quoted}, nil
	case target.Function != nil:
		return c.computed(l, o, t, target, f)
	case target.Relation == nil:
		return c.columnOf(l, target, t, f)
	}
	if err := c.budget.relative(); err != nil {
		return value{}, err.problem("", f.field.Position)
	}
	l.need(target.Relation.Local...)
	values, err := c.arguments(f.field)
	if err != nil {
		return value{}, err
	}
	from := c.correlate(target.Relation, t)
	from.rows, from.above = target.Relation.Target.Table, o.Table
	if join := target.Relation.Join; join != nil {
		from.rows = join.Table
	}
	switch {
	case target.Form == schema.Connection:
		l.attached = true
		q, err := c.connection(from, f, values)
		return c.json(q.sub()), err
	case target.Form == schema.Aggregate:
		l.attached = true
		q, err := c.aggregate(from, f, values)
		return c.json(q.sub()), err
	case target.Form == schema.Groups:
		q, err := c.groups(from, f, values)
		return c.joined(l, q), err
	case target.Relation.Many && l.unroll:
		l.unroll = false
		b, err := c.branch(from, f, values)
		l.below = b
		return value{below: b}, err
	case target.Relation.Many:
		q, err := c.list(from, f, values)
		return c.joined(l, q), err
	}
	l.attached = true
	// A reference that a person declared may have no key that guards it.
	q, err := c.oneRow(from, f, from.condition, unique(target.Relation.Target.Table, target.Relation.Remote))
	v := c.json(q.sub())
	if len(q.record) == 1 && q.record[0].notNull {
		// The column alone says whether there is an object, and costs less than one of PostgreSQL's making.
		only := q.record[0]
		v.row, v.encoding = "(select "+only.row+q.tail+")", only.encoding
		v.open, v.close = "{"+quoted(only.key)+":", "}"
	}
	return v, err
}

func (c *compiler) columnOf(l *level, target *schema.Field, t string, f selected) (value, *gqlerror.Error) {
	l.need(target.Column)
	l.attached = l.attached || target.Codec.Selects()
	sql := column(t, target.Column)
	if c.loose[t] && target.Column.NotNull {
		// What a function gives no constraint has looked at.
		sql = "case when " + sql + " is not null then " + sql + " else ('" + nullMark + "' || coalesce(" + sql + "::text, ''))::int::text::" + target.Column.Type.SQL + " end"
	}
	v, err := c.scalar(target.Codec, sql, f.selections)
	v.notNull = target.Column.NotNull
	return v, err
}

// json is a value that PostgreSQL gives as JSON.
func (c *compiler) json(sql string) value { return value{row: sql, json: sql, encoding: schema.Raw} }

// joined joins the list of a row's children laterally: an aggregate, so there is exactly one.
func (c *compiler) joined(l *level, q query) value {
	join := c.alias("l")
	l.joins += " cross join lateral " + q.all() + " " + join
	return c.json(join + ".v")
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
		sign := " = "
		if as[i].Type.Resolve() == bs[i].Type.Resolve() {
			sign = as[i].Type.Operator("=")
		}
		pairs[i] = as[i].Type.Compared(column(a, as[i])) + sign + bs[i].Type.Compared(column(b, bs[i]))
	}
	return strings.Join(pairs, " and ")
}
