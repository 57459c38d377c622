package plan

import (
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// branch is a level of nested lists that PostgreSQL gives as plain rows: for each object one row, then the rows of the
// list in it. Making JSON of them costs PostgreSQL a tenth to a third more time.
//
//	select y.* from (select … limit 10) t1 cross join lateral (
//	  select 1, t1.id, t1.name, null, null
//	  union all
//	  select 2, null, null, t2.id, t2.title from (select … where t2.author_id = t1.id limit 5) t2
//	) y
//
// The columns of a level are null in the rows of the others, so that nothing is sent twice. A union has two selects and
// no more: of two that both have null in a column PostgreSQL makes text, which a third would not fit. The lateral joins
// fix the order of the rows: there is no other way to run them than one after the other.
type branch struct {
	record
	tail  string // " from …", one row for each object
	below *branch
	depth int // 1 is the root
	most  int // objects of a list
}

// maxUnrolled is the number of columns up to which rows of all levels are taken side by side.
const maxUnrolled = 200

// atOnceUpTo is the page up to which PostgreSQL holds the rows of a list back until it has all of them, as long as
// there are at most atOnceRows in all. They come slowly where each has children, and to wake up for each few of them
// costs both sides more than to keep them for a while. Large lists are to leave before they are complete.
const (
	atOnceUpTo = 100
	atOnceRows = 20_000
)

// atOnce is a column with which PostgreSQL can give no row before it has seen all.
const atOnce = ", count(*) over ()"

// unrolled writes the statement of a list with plain rows for all of its levels; nil where that is too wide.
func (c *compiler) unrolled(target *schema.Root, f selected) (*Statement, *gqlerror.Error) {
	values, err := c.arguments(f.field)
	if err != nil {
		return nil, err
	}
	c.rows, c.wide, c.loose = &rows{}, map[string]bool{}, map[string]bool{} // aliases begin anew
	from := source{object: target.Object, alias: c.alias("t"), rows: target.Object.Table}
	if target.Function != nil {
		if from, err = c.calling(target.Function, "", values); err != nil {
			return nil, err
		}
	}
	b, err := c.branch(from, f, values)
	if err != nil {
		return nil, err
	}
	statement := c.statement()
	last := ""
	if b.most <= atOnceUpTo && b.rows() <= atOnceRows {
		last = atOnce
	}
	if b.below == nil {
		var list []string
		list, statement.Columns, statement.End = b.columns()
		statement.SQL = mention("select "+strings.Join(list, ", ")+last+b.tail, len(c.params))
		return statement, nil
	}
	columns := 1
	for l := b; l != nil; l = l.below {
		level := l.level(columns)
		columns += len(level.Columns) + len(level.After)
		statement.Levels = append(statement.Levels, level)
	}
	if columns > maxUnrolled {
		return nil, nil
	}
	_, sql := b.sql(c, last)
	statement.SQL = mention(sql, len(c.params))
	return statement, nil
}

// branch compiles a level and those below it.
func (c *compiler) branch(from source, f selected, values map[string]any) (*branch, *gqlerror.Error) {
	s, page, err := c.pageOf(from, values)
	if err != nil {
		return nil, err
	}
	defer c.level(page.rows, from)()
	l := level{unroll: true}
	c.depth++
	b := &branch{depth: c.depth, most: page.most}
	if err := c.fill(&l, from.object, from.alias, f.selections); err != nil {
		return nil, err
	}
	c.depth--
	b.record, b.below = l.record, l.below
	rows := "(select " + strings.Join(c.needs(&l, from.alias), ", ") + s.from + s.where() + orderSQL(s.order) + page.inner + ") " + from.alias
	if page.outer != "" {
		rows = "(select * from " + rows + page.outer + ") " + from.alias
	}
	b.tail = " from " + rows + l.joins
	return b, nil
}

// rows is how many there are at most.
func (b *branch) rows() int {
	if b.below == nil {
		return b.most
	}
	return b.most * min(1+b.below.rows(), atOnceRows+1)
}

// list is the member that has the list below; -1 for none.
func (b *branch) list() int {
	for i := range b.record {
		if b.record[i].below != nil {
			return i
		}
	}
	return -1
}

// level says how a row of the branch is written.
func (b *branch) level(at int) Level {
	level := Level{At: at}
	var unused []string
	at = b.list()
	if at < 0 {
		level.End = b.members("{", &unused, &level.Columns) + "}"
		return level
	}
	level.Open = b.record[:at].members("{", &unused, &level.Columns)
	if at > 0 {
		level.Open += ","
	}
	level.Open += quoted(b.record[at].key) + ":["
	level.End = "]"
	if rest := b.record[at+1:]; len(rest) > 0 {
		level.End = rest.members("],", &unused, &level.After)
	}
	level.End += "}"
	return level
}

// sql writes the branch as a select with last as its last column, and gives how many columns that has besides.
func (b *branch) sql(c *compiler, last string) (columns int, sql string) {
	own, at := []string{strconv.Itoa(b.depth)}, b.list()
	if at < 0 {
		at = len(b.record)
	}
	var written []Column // level has them
	_ = b.record[:at].members("", &own, &written)
	_ = b.record[min(at+1, len(b.record)):].members("", &own, &written)
	if b.below == nil {
		return len(own), "select " + strings.Join(own, ", ") + b.tail
	}
	below, inner := b.below.sql(c, "")
	y, z := c.alias("y"), c.alias("z")
	names, values := make([]string, below), make([]string, below)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
		values[i] = y + "." + names[i]
	}
	values[0] += strings.Repeat(", null", len(own)-1)
	return len(own) + below - 1, "select " + z + ".*" + last + b.tail +
		" cross join lateral (select " + strings.Join(own, ", ") + strings.Repeat(", null", below-1) +
		" union all select " + strings.Join(values, ", ") + " from (" + inner + ") " + y + "(" + strings.Join(names, ", ") + ")) " + z
}
