package plan

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// scope is the rows of a level that meet its conditions, in their order.
type scope struct {
	from       string // " from table t1 join …"
	conditions []string
	order      []orderKey
	params     int // of the conditions, where nothing was written before them
}

// where writes the conditions, those given here included.
func (s *scope) where(more ...string) string {
	var all []string
	for _, condition := range append(s.conditions[:len(s.conditions):len(s.conditions)], more...) {
		if condition != "" {
			all = append(all, condition)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " where " + strings.Join(all, " and ")
}

// scope compiles the arguments where and orderBy of a level.
func (c *compiler) scope(from source, values map[string]any) (scope, *gqlerror.Error) {
	s := scope{from: " from " + c.relation(from) + " " + from.alias + from.join, conditions: []string{from.condition, present(from)}}
	order, _ := values["orderBy"].([]any)
	own := from.call != "" && len(order) == 0 // it is the function's
	if own && leads(from.object, values["where"]) {
		s = c.numbered(from)
	}
	if where, given := values["where"].(map[string]any); given {
		c.what = "argument where"
		sql, err := c.where(from.object, from.alias, where)
		if err != nil {
			return s, err.problem(c.what, nil)
		}
		s.conditions = append(s.conditions, sql)
	}
	s.params = len(c.params)
	if own {
		return s, nil
	}
	c.what = "argument orderBy"
	var err *inputError
	if s.order, err = c.orderBy(from.object, from.alias, values["orderBy"]); err != nil {
		return s, err.problem(c.what, nil)
	}
	return s, nil
}

// list writes a level: rows that meet the conditions, ordered and limited first; then, only for the
// rows that are left, its children.
func (c *compiler) list(from source, f selected, values map[string]any) (query, *gqlerror.Error) {
	s, page, err := c.pageOf(from, values)
	if err != nil {
		return query{}, err
	}
	defer c.level(page.rows, from)()
	l, err := c.children(from.object, from.alias, f.selections)
	if err != nil {
		return query{}, err
	}
	if from.above == nil {
		c.nested, c.most = l.joins != "" || l.attached, page.most
	}
	rows := s.from + s.where() + orderSQL(s.order) + page.inner
	if l.joins == "" && !l.attached && page.outer == "" {
		return query{record: l.record, tail: rows}, nil
	}
	return query{record: l.record, tail: " from (select " + strings.Join(c.needs(&l, from.alias), ", ") + rows + ") " + from.alias + l.joins + page.outer}, nil
}

// pageOf compiles the arguments of a list.
func (c *compiler) pageOf(from source, values map[string]any) (scope, page, *gqlerror.Error) {
	s, err := c.scope(from, values)
	if err != nil {
		return s, page{}, err
	}
	if given, _ := values["orderBy"].([]any); len(given) == 1 && s.order[0].distance {
		s.order = s.order[:1] // an index on vectors serves no order that has more keys
	}
	p, err := c.page("limit", 0, values)
	return s, p, err
}

// level begins the estimate of a level; the function that it gives ends it.
func (c *compiler) level(limit any, from source) (leave func()) {
	above := c.rows
	c.rows = &rows{limit: limit, of: from.rows, above: from.above}
	above.inner = append(above.inner, c.rows)
	return func() { c.rows = above }
}

// page is which rows of a level are read.
type page struct {
	rows  any    // how many: a number or a slot
	most  int    // what rows is at most
	count string // the same in SQL
	inner string // the clauses behind the order
	outer string // a limit around them; empty where inner says all
}

// page writes limit and offset; more rows than asked for are read where the caller wants to know what comes
// next. A planner that does not know a limit takes it for a tenth of the table. So a number that stands in
// the document, or none, is written as it is; a parameter gets a literal limit beneath it that says its
// magnitude.
func (c *compiler) page(argument string, more int, values map[string]any) (page, *gqlerror.Error) {
	c.what = "argument " + argument
	var p page
	given := values[argument]
	if given == nil {
		given = json.Number(strconv.Itoa(c.paging.Default))
	}
	p.rows = given
	if later, variable := given.(slot); variable {
		parameter, _ := c.param(later, countText(argument, c.paging.Most)) // a slot is judged later
		p.count = parameter + "::int8"
		p.most = power(c.magnitudes[later.variable])
		p.inner = " limit " + strconv.Itoa(p.most+more)
		p.outer = " limit " + p.count
		if more > 0 {
			p.outer += " + " + strconv.Itoa(more)
		}
	} else {
		text, err := countText(argument, c.paging.Most)(given)
		if err != nil {
			return p, err.problem(c.what, nil)
		}
		p.count = string(text)
		p.most, _ = strconv.Atoi(p.count) // countText writes a number
		p.inner = " limit " + strconv.Itoa(p.most+more)
	}
	if offset := values["offset"]; offset != nil {
		c.what = "argument offset"
		parameter, err := c.param(offset, countText("offset", 0))
		if err != nil {
			return p, err.problem(c.what, nil)
		}
		p.inner += " offset " + parameter + "::int8"
	}
	return p, nil
}

// magnitude gives the smallest n for which a number of rows is at most 10 to the power of n. 10 is enough for all of Int.
func magnitude(value any) int {
	rows, _ := strconv.Atoi(textOf(value)) // Int has been coerced
	n := 0
	for ; n < 10 && power(n) < rows; n++ {
	}
	return n
}

func power(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
