package plan

import (
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// connection is a list by cursors (GraphQL Cursor Connections Specification), being compiled. Its page is
// read once, as p, with one row more than asked for: whether there is one is whether there are more pages.
type connection struct {
	*compiler
	from          source
	scope         scope
	page          page
	mark          string // of the order
	backward      bool   // by last: p is in reversed order
	after, before string // the conditions of the cursors; empty where there is none
	key, number   string // names of p's columns with the keys of the order, and with the place of the row
	needed        level  // what else p must give
	paged, keyed  bool   // whether p and its keys are read at all
}

// connection writes a connection as one row of sub-selects.
func (c *compiler) connection(from source, f selected, values map[string]any) (query, *gqlerror.Error) {
	s, err := c.scope(from, values)
	if err != nil {
		return query{}, err
	}
	x := &connection{
		compiler: c, from: from, scope: s, mark: orderMark(from.object, s.order),
		key: freeName(from.object.Table, "k"), number: freeName(from.object.Table, "n"),
	}
	if err := x.window(values); err != nil {
		return query{}, err
	}
	defer c.level(x.page.rows, from)()
	var q query
	for _, field := range collect(f.selections, c.variables, f.field.Definition.Type.Name()) {
		leave := c.enter(field)
		v, err := x.member(f, field)
		leave()
		if err != nil {
			return query{}, field.blame(err)
		}
		q.record = append(q.record, member{key: field.key, value: v})
	}
	if x.paged {
		q.with = x.with()
	}
	return q, nil
}

// window reads the arguments that say which part of the list is meant.
func (x *connection) window(values map[string]any) *gqlerror.Error {
	argument := "first"
	if values["last"] != nil {
		argument, x.backward = "last", true
	}
	if x.backward && values["first"] != nil {
		return Problem(BadUserInput, "first and last cannot both be given: first reads forward, last backward", nil)
	}
	for _, cursor := range []struct {
		argument string
		backward bool
		to       *string
	}{{"after", false, &x.after}, {"before", true, &x.before}} {
		given := values[cursor.argument]
		if given == nil {
			continue
		}
		places, err := x.position(cursor.argument, x.mark, x.scope.order, given)
		if err != nil {
			return err.problem("argument "+cursor.argument, nil)
		}
		*cursor.to = beyond(x.scope.order, places, cursor.backward)
	}
	var err *gqlerror.Error
	x.page, err = x.compiler.page(argument, 1, values)
	return err
}

// with writes p: the columns that are needed of the page's rows, the keys of their order, and their number.
func (x *connection) with() string {
	order := x.scope.order
	if x.backward {
		order = reversed(order)
	}
	inner, outer := x.needs(&x.needed, x.from.alias), columns(x.from.alias, x.needed.needed)
	if x.keyed {
		for i, k := range x.scope.order {
			name := x.key + strconv.Itoa(i+1)
			inner, outer = append(inner, k.sql+" "+name), append(outer, x.from.alias+"."+name)
		}
	}
	outer = append(outer, "row_number() over () "+x.number)
	return "with p as (select " + strings.Join(outer, ", ") + " from (select " + strings.Join(inner, ", ") + x.scope.from + x.scope.where(x.after, x.before) +
		orderSQL(order) + x.page.inner + ") " + x.from.alias + x.page.outer + ") "
}

// rowsOfPage writes p's rows in the order of the connection, without the one too many.
func (x *connection) rowsOfPage() string {
	direction := ""
	if x.backward {
		direction = " desc"
	}
	return " from (select * from p where p." + x.number + " <= " + x.page.count + " order by p." + x.number + direction + ") " + x.from.alias
}

func (x *connection) member(whole, f selected) (value, *gqlerror.Error) {
	switch f.field.Name {
	case "__typename":
		return value{constant: whole.field.Definition.Type.Name()}, nil
	case "totalCount":
		return x.json("(select count(*)" + x.scope.from + x.scope.where() + ")"), nil
	case "estimatedCount":
		return x.estimated(x.from, x.scope)
	case "edges":
		return x.edges(f)
	case "nodes":
		x.paged = true
		l, err := x.nodes(f)
		return x.json(query{record: l.record, tail: x.rowsOfPage() + l.joins}.all()), err
	default:
		x.paged = true
		return x.pageInfo(f), nil
	}
}

// nodes compiles what is selected of the rows.
func (x *connection) nodes(f selected) (level, *gqlerror.Error) {
	l, err := x.children(x.from.object, x.from.alias, f.selections)
	x.needed.need(l.needed...)
	return l, err
}

func (x *connection) edges(f selected) (value, *gqlerror.Error) {
	x.paged = true
	var r record
	joins := ""
	for _, field := range collect(f.selections, x.variables, f.field.Definition.Type.Name()) {
		var v value
		switch field.field.Name {
		case "__typename":
			v.constant = f.field.Definition.Type.Name()
		case "cursor":
			x.keyed = true
			sql := cursorSQL(x.mark, x.from.alias+"."+x.key, x.scope.order)
			v = value{row: sql, json: sql}
		default:
			leave := x.enter(field)
			l, err := x.nodes(field)
			leave()
			if err != nil {
				return value{}, field.blame(err)
			}
			joins += l.joins
			v.object = l.record
		}
		r = append(r, member{key: field.key, value: v})
	}
	return x.json(query{record: r, tail: x.rowsOfPage() + joins}.all()), nil
}

// pageInfo says whether there is more on either side. On the side that is read towards it is the row too many,
// and beyond a cursor that bounds that side the row of the cursor itself; on the other side it is whether
// rows are left out by the cursor that is read from.
func (x *connection) pageInfo(f selected) value {
	excluded := func(cursor string) string {
		if cursor == "" {
			return "false"
		}
		return "exists (select" + x.scope.from + x.scope.where("("+cursor+") is not true") + ")"
	}
	more := "(select count(*) from p) > " + x.page.count
	previous, next := excluded(x.after), excluded(x.before)
	ahead := &next
	if x.backward {
		ahead = &previous
	}
	*ahead = "(" + more + " or " + *ahead + ")"
	end := func(first bool) string {
		x.keyed = true
		direction := " desc"
		if first != x.backward {
			direction = ""
		}
		return "(select " + cursorSQL(x.mark, "p."+x.key, x.scope.order) + " from p where p." + x.number + " <= " + x.page.count + " order by p." + x.number + direction + " limit 1)"
	}
	r := record{}
	for _, field := range collect(f.selections, x.variables, "PageInfo") {
		var v value
		switch field.field.Name {
		case "__typename":
			v.constant = "PageInfo"
		case "hasNextPage":
			v = value{row: next, json: next, encoding: schema.Boolean}
		case "hasPreviousPage":
			v = value{row: previous, json: previous, encoding: schema.Boolean}
		case "startCursor":
			sql := end(true)
			v = value{row: sql, json: sql}
		default:
			sql := end(false)
			v = value{row: sql, json: sql}
		}
		r = append(r, member{key: field.key, value: v})
	}
	return value{object: r}
}
