package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// A function stands in the place of a table: `from "public"."search"("word" => $1::text) t1`. What it gives has the columns
// of its rows, or is the one column v.

// call writes the call of a function; row is that of a computed field.
func (c *compiler) call(f *schema.Function, row string, values map[string]any) (string, *inputError) {
	c.calls, c.functions = true, true
	var arguments []string
	if row != "" {
		arguments = append(arguments, row)
	}
	// Parameters without a name are given by their place, and so is all before them.
	placed := 0
	for i, a := range f.Arguments {
		if a.Parameter.Name == "" || a.Variadic { // by name, PostgreSQL finds no variadic function with a default left out
			placed = i + 1
		}
	}
	omitted := ""
	for i, a := range f.Arguments {
		value, given := values[a.Name]
		if !given && a.HasDefault {
			if i < placed && omitted == "" {
				omitted = a.Name
			}
			continue
		}
		if i < placed && omitted != "" {
			if given {
				c.what = "argument " + a.Name
				return "", wrong("what is before it must be given as well: `%s`", omitted)
			}
			continue // of PostgreSQL's defaults only the last ones can be left out: all behind an optional one are optional
		}
		c.what = "argument " + a.Name
		sql, err := c.passed(a, value, given)
		if err != nil {
			return "", err
		}
		if i >= placed {
			sql = catalog.QuoteIdent(a.Parameter.Name) + " => " + sql
		}
		if a.Variadic {
			sql = "variadic " + sql
		}
		arguments = append(arguments, sql)
	}
	return f.SQL() + "(" + strings.Join(arguments, ", ") + ")", nil
}

// passed writes a value for a parameter. Its type is written in full: it decides which of several functions is meant.
func (c *compiler) passed(a *schema.Argument, value any, given bool) (string, *inputError) {
	sql := "null"
	switch {
	case value != nil:
		var err *inputError
		if sql, err = c.stored(a.Codec, value); err != nil {
			return "", err
		}
	case a.Variadic && !given:
		sql = "'{}'"
	}
	if t := a.Type; value == nil || t.Kind == catalog.Domain {
		sql += "::" + t.SQL
	}
	return sql, nil
}

// calling gives the source of a function's rows.
func (c *compiler) calling(f *schema.Function, row string, values map[string]any) (source, *gqlerror.Error) {
	sql, err := c.call(f, row, values)
	if err != nil {
		return source{}, err.problem(c.what, nil)
	}
	from := source{object: f.Object, alias: c.alias("t"), call: sql, rows: &catalog.Table{}, above: f.Of}
	c.loose[from.alias] = true
	return from, nil
}

// relation writes where the rows of a source come from.
func (c *compiler) relation(from source) string {
	if from.call != "" {
		return from.call
	}
	return c.table(from.object.Table)
}

// called compiles what a function gives in one of its forms.
func (c *compiler) called(f *schema.Function, form schema.Form, row string, s selected, values map[string]any) (q query, one bool, err *gqlerror.Error) {
	from, err := c.calling(f, row, values)
	if err != nil {
		return q, false, err
	}
	switch {
	case form == schema.Aggregate:
		q, err = c.aggregate(from, s, values)
		return q, true, err
	case form == schema.Groups:
		q, err = c.groups(from, s, values)
	case f.Object != nil && f.Set:
		q, err = c.list(from, s, values)
	case f.Object != nil:
		q, err = c.calledRow(from, s)
	case f.Set:
		q, err = c.calledValues(f, from, s, values)
	default:
		q, err = c.calledValue(f, from, s)
	}
	return q, !f.Set, err
}

// calledRow reads the one row of a function. It is null when all of its columns are.
func (c *compiler) calledRow(from source, s selected) (query, *gqlerror.Error) {
	l, err := c.children(from.object, from.alias, s.selections)
	from.condition, from.guarded = "not ("+from.alias+".* is null)", true
	return query{record: l.record, tail: c.single(&l, from)}, err
}

func (c *compiler) calledValue(f *schema.Function, from source, s selected) (query, *gqlerror.Error) {
	v, err := c.scalar(f.Codec, from.alias+".v", s.selections)
	return query{plain: true, record: record{{value: v}}, tail: " from " + from.call + " " + from.alias + "(v)"}, err
}

// calledValues reads the list of values that a function gives.
func (c *compiler) calledValues(f *schema.Function, from source, s selected, values map[string]any) (query, *gqlerror.Error) {
	q := query{plain: true}
	sql := from.alias + ".v"
	tail := " from " + from.call + " " + from.alias + "(v)"
	if where, given := values["where"].(map[string]any); given {
		c.what = "argument where"
		condition, err := c.compare(f.Codec, sql, where)
		if err != nil {
			return q, err.problem(c.what, nil)
		}
		if condition != "" {
			tail += " where " + condition
		}
	}
	if direction, given := values["orderBy"].(string); given {
		key := orderKey{sql: sql}
		key.directed(direction)
		tail += orderSQL([]orderKey{key})
	}
	page, err := c.page("limit", 0, values)
	if err != nil {
		return q, err
	}
	if from.above == nil {
		c.most = page.most
	}
	defer c.level(page.rows, from)()
	v, err := c.scalar(f.Codec, sql, s.selections)
	q.record = record{{value: v}}
	q.tail = tail + page.inner
	if page.outer != "" {
		q.tail = " from (select " + sql + tail + page.inner + ") " + from.alias + page.outer
	}
	return q, err
}

// whole writes the row of an alias, which the level's table gives as a column of its own.
func (l *level) whole(o *schema.Object, alias string) string {
	row := &catalog.Column{Name: rowName, Type: &catalog.Type{Name: o.Table.Name, SQL: o.Table.SQL(), Kind: catalog.Composite}}
	l.need(row)
	return column(alias, row)
}

func columns(alias string, list []*catalog.Column) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = column(alias, c)
	}
	return names
}

// computed compiles a field that a function computes of a row.
func (c *compiler) computed(l *level, o *schema.Object, t string, target *schema.Field, f selected) (value, *gqlerror.Error) {
	if err := c.budget.relative(); err != nil { // a function may well be a select
		return value{}, err.problem("", f.field.Position)
	}
	values, problem := c.arguments(f.field)
	if problem != nil {
		return value{}, problem
	}
	l.attached = true // it is computed of the rows that are given, not of those that are only looked at
	row := l.whole(o, t)
	if fn := target.Function; target.Form == schema.Rows && fn.Object == nil && !fn.Set && !fn.Codec.Selects() {
		sql, err := c.call(fn, row, values)
		if err != nil {
			return value{}, err.problem(c.what, nil)
		}
		return c.scalar(fn.Codec, sql, f.selections)
	}
	q, one, problem := c.called(target.Function, target.Form, row, f, values)
	if problem != nil {
		return value{}, problem
	}
	if one {
		return c.json(q.sub()), nil
	}
	return c.joined(l, q), nil
}

// computedValue writes what a function computes of the row of an alias that is a table, or stands for one.
func (c *compiler) computedValue(f *schema.Field, t string) (string, *inputError) {
	return c.call(f.Function, c.wholeRow(t, f.Function.Of.SQL()), nil)
}

// callWrite compiles a field of Mutation that calls a function. What it writes no other part of its statement sees: what
// hangs on its rows is read by a statement of its own.
func (c *compiler) callWrite(w *schema.Write, f selected, values map[string]any) (*Statement, *gqlerror.Error) {
	ch := &change{effect: &Effect{Action: schema.Call}, one: !w.Many}
	budget := *c.budget
	s := c.step()
	from, err := s.calling(w.Function, "", values)
	if err != nil {
		return nil, err
	}
	if w.Object == nil {
		q := query{plain: true, record: record{{value: value{row: "true", encoding: schema.Boolean}}}, tail: " from " + from.call + " " + from.alias}
		if w.Function.Codec != nil {
			if q, err = s.calledValue(w.Function, from, f); err != nil {
				return nil, err
			}
		}
		return s.answered(q, ch), nil
	}
	exists := where(present(from))
	if !w.Many { // of a row that is wholly null nobody knows whether it is one
		exists = " where not (" + from.alias + ".* is null)"
	}
	s.calls = false
	l, err := s.children(w.Object, from.alias, f.selections)
	if err != nil {
		return nil, err
	}
	tail := " from " + from.call + " " + from.alias
	if !s.calls && len(s.read) == 0 {
		return s.answered(query{record: l.record, tail: tail + l.joins + exists}, ch), nil
	}
	*c.budget = budget // what was compiled counts once
	return c.callThenRead(w, f, ch, l.needed, values, exists)
}

// callThenRead calls a function, hands over what is needed of its rows, and reads what hangs on them then.
func (c *compiler) callThenRead(w *schema.Write, f selected, ch *change, needed []*catalog.Column, values map[string]any, exists string) (*Statement, *gqlerror.Error) {
	s := c.step()
	from, err := s.calling(w.Function, "", values)
	if err != nil {
		return nil, err
	}
	h := s.hand(" from "+from.call+" "+from.alias+exists, from.alias, true, needed, "", "", ch.effect)
	r := c.step()
	t, e := r.alias("t"), r.alias("h")
	r.loose[t] = true
	columns := make([]string, len(needed))
	for i, column := range needed {
		columns[i] = h.value(e+".e", column) + " " + catalog.QuoteIdent(column.Name)
	}
	leave := r.level(r.rowsOf(ch), source{rows: &catalog.Table{}})
	l, err := r.children(w.Object, t, f.selections)
	if err != nil {
		return nil, err
	}
	leave()
	rows := " from (select " + strings.Join(columns, ", ") + " from json_array_elements(" + h.json() + ") with ordinality " + e + "(e, n) order by " + e + ".n) " + t
	return r.answered(query{record: l.record, tail: rows + l.joins}, ch), nil
}

// answered makes the statement of a query that gives the rows of a change.
func (c *compiler) answered(q query, ch *change) *Statement {
	statement := c.statement()
	var list []string
	list, statement.Columns, statement.End = q.columns()
	if len(list) == 0 {
		list = []string{"1"}
	}
	statement.SQL = mention("select "+strings.Join(list, ", ")+q.tail, len(c.params))
	return c.answering(statement, ch)
}

// present is the condition that a row of a function is one: of a table, one of which every column is null is none.
func present(from source) string {
	if from.call == "" || from.object == nil || from.object.Table == nil {
		return ""
	}
	return "not (" + from.alias + ".* is null)"
}

// leads tells whether conditions lead to other rows. PostgreSQL may look at those first, and then gives the rows in
// another order than the function.
func leads(o *schema.Object, conditions any) bool {
	switch given := conditions.(type) {
	case []any:
		return slices.ContainsFunc(given, func(item any) bool { return leads(o, item) })
	case map[string]any:
		for name, inner := range given {
			if f := o.Fields[name]; f != nil && f.Relation != nil || f == nil && leads(o, inner) { // _and, _or, _not
				return true
			}
		}
	}
	return false
}

// numbered is the scope of a function's rows in the order in which it gives them, whatever is asked of them.
func (c *compiler) numbered(from source) scope {
	const number = "fraiseql_number"
	c.wide[from.alias] = true
	row := ""
	if from.object.Table != nil {
		row = ", (" + from.alias + ".*)::" + from.object.Table.SQL() + " " + rowName
	}
	rows := "(select " + from.alias + ".*" + row + ", row_number() over () " + number + " from " + from.call + " " + from.alias + where(present(from)) + ") " + from.alias
	return scope{from: " from " + rows, order: []orderKey{{sql: from.alias + "." + number, notNull: true}}}
}

func where(condition string) string {
	if condition == "" {
		return ""
	}
	return " where " + condition
}
