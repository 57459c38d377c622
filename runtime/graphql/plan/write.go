package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// A field of Mutation is written and read in one of two ways:
//
//	with w as (insert … returning …) select … from w t1 …      where what is read beside the row cannot have changed with it
//	insert … , keys handed on; select … from album t1 …         else: a statement does not see what it writes itself
//
// All statements of a request are sent at once, and are one transaction.

// writeField compiles a field of Mutation.
func (c *compiler) writeField(f selected) (RootField, *gqlerror.Error) {
	root := RootField{Key: f.key, Field: f.field, Before: `{"data":{` + quoted(f.key) + ":"}
	defer c.enter(f)()
	if f.field.Name == "__typename" {
		root.Typename = c.schema.AST.Mutation.Name
		return root, nil
	}
	values, err := c.arguments(f.field)
	if err != nil {
		return root, err
	}
	w := c.schema.Writes[f.field.Name]
	if w.Function != nil {
		root.Statement, err = c.callWrite(w, f, values)
		root.Steps = c.writing.steps
		return root, err
	}
	if rows, is := values["input"].([]any); is && len(rows) == 0 {
		root.Empty = true
		return root, nil
	}
	root.Statement, err = c.write(w, f, values)
	root.Steps = c.writing.steps
	return root, err
}

// change is a statement that writes rows of a table, and what is to be known of it to read them.
type change struct {
	object *schema.Object
	alias  string
	sql    string // without what it returns
	params []Param
	effect *Effect
	one    bool  // it writes one row, or none
	whole  bool  // fewer rows than there are to be is an error
	rows   int   // that it writes, where that is known
	length *slot // the list that says how many, where only the request does
	order  bool  // rows come in no order of their own
	find   bool  // it changes nothing in the row, but finds it
	reread bool  // the rows must be read by a statement of their own
	told   bool  // a trigger of a view says what the new row is: nobody else knows its key
	after  func(rows handed) *inputError
	again  func(s *compiler, t string) (from string, err *inputError) // where the rows are found, k.n in their order, if not by what the change returns
	needs  []*catalog.Column                                          // that after needs of the rows
}

func (c *compiler) write(w *schema.Write, f selected, values map[string]any) (*Statement, *gqlerror.Error) {
	s := c.step()
	compile := s.createRows
	switch w.Action {
	case schema.Update, schema.Delete:
		compile = s.changeRows
	case schema.Upsert:
		compile = s.upsertRows
	case schema.Create:
	}
	ch, err := compile(w, values)
	if err != nil {
		return nil, err.problem(s.what, nil)
	}
	return c.changed(ch, f)
}

// changed reads the rows that a change has written.
func (c *compiler) changed(ch *change, f selected) (*Statement, *gqlerror.Error) {
	if ch.again != nil {
		return c.byInput(ch, f)
	}
	if !ch.reread && ch.after == nil {
		budget := *c.budget
		statement, err := c.atOnce(ch, f)
		if statement != nil || err != nil {
			return statement, err
		}
		*c.budget = budget // what was compiled counts once
	}
	key := ch.key()
	if key == nil && ch.after == nil {
		return c.atOnce(ch, f) // without a key nobody can find the rows again
	}
	if key == nil {
		key = ch.needs // by which other rows were hung on them
	}
	return c.afterwards(ch, key, f)
}

// key gives the columns by which a row can be found again; nil where there are none that always have values.
func (ch *change) key() []*catalog.Column {
	if !ch.object.Ordered() {
		return nil
	}
	return ch.object.Identity()
}

// atOnce writes one statement that writes rows and gives them; nil where that would not give what there is afterwards.
func (c *compiler) atOnce(ch *change, f selected) (*Statement, *gqlerror.Error) {
	s := c.step()
	s.params = slices.Clone(ch.params)
	t := s.alias("t")
	leave := s.level(c.rowsOf(ch), source{rows: ch.object.Table})
	l, err := s.children(ch.object, t, f.selections)
	if err != nil {
		return nil, err
	}
	leave()
	if ch.effect.Action != schema.Delete && ch.key() != nil && !ch.told && (s.calls || s.read[ch.object.Table]) {
		return nil, nil
	}
	order := ""
	if ch.order && !ch.one {
		l.need(ch.object.Identity()...)
		order = orderBy(t, ch.object.Identity())
	}
	gate := ""
	if ch.whole && (ch.reread || ch.told) { // judged before any row is given, so that nothing stays of what is not whole
		count, err := s.expected(ch)
		if err != nil {
			return nil, err.problem(c.what, nil)
		}
		gate = gateSQL(count, "w")
	}
	returned := "1"
	if len(l.needed) > 0 {
		returned = strings.Join(s.returning(ch.alias, l.needed), ", ")
	}
	statement := s.statement()
	list, columns, end := l.columns()
	statement.Columns, statement.End = columns, end
	if len(list) == 0 {
		list = []string{"1"}
	}
	statement.SQL = mention("with w as ("+ch.sql+" returning "+returned+") select "+strings.Join(list, ", ")+" from w "+t+l.joins+gate+order, len(s.params))
	return c.answering(statement, ch), nil
}

// gateSQL lets no row pass unless there are so many. It depends on no row, so that PostgreSQL judges it before all others,
// also where there are none.
func gateSQL(count, from string) string {
	return " where (select " + orFail("count(*) = "+count, "''", refusedMark, "count(*)") + " from " + from + ") is not null"
}

// answering notes what a statement is that gives the rows of a change.
func (c *compiler) answering(statement *Statement, ch *change) *Statement {
	statement.One, statement.Effect, statement.Locks, statement.Calls = ch.one, ch.effect, nil, false
	statement.path, statement.place, statement.what = c.path, c.at, c.what
	return statement
}

// afterwards writes rows, what hangs on them, and reads them then.
func (c *compiler) afterwards(ch *change, key []*catalog.Column, f selected) (*Statement, *gqlerror.Error) {
	columns := slices.Clone(key)
	for _, need := range ch.needs {
		if !slices.Contains(columns, need) {
			columns = append(columns, need)
		}
	}
	order := ""
	if ch.order && !ch.one {
		order = orderBy("w", key)
	}
	w := c.step()
	w.params = ch.params
	count := ""
	if ch.after != nil || ch.whole { // what hangs on a row that is not there has no place
		var err *inputError
		if count, err = w.expected(ch); err != nil {
			return nil, err.problem(c.what, nil)
		}
	}
	h := w.hand(ch.sql, ch.alias, ch.find, columns, count, order, ch.effect)
	if ch.after != nil {
		if err := ch.after(h); err != nil {
			return nil, err.problem(c.what, nil)
		}
	}
	s := c.step()
	t := s.alias("t")
	from := s.table(ch.object.Table) + " " + t
	conditions := make([]string, len(key))
	for i, k := range key {
		value := h.value("h.e", k)
		if ch.one {
			value = h.at(0, k)
		}
		conditions[i] = k.Type.Compared(column(t, k)) + k.Type.Operator("=") + k.Type.Compared(value)
	}
	tail := ""
	if ch.one {
		from += " where " + strings.Join(conditions, " and ")
		if !unique(ch.object.Table, key) {
			tail = " limit 1"
		}
	} else {
		from = "json_array_elements(" + h.json() + ") with ordinality h(e, n) join " + from + " on " + strings.Join(conditions, " and ")
		tail = " order by h.n"
	}
	gate := ""
	if ch.whole && ch.one { // what triggers did may have taken it away again
		gate = gateSQL("1", from)
	}
	return s.reread(ch, t, from, tail, gate, f)
}

// byInput writes rows and reads those that the input names, be they new or not.
func (c *compiler) byInput(ch *change, f selected) (*Statement, *gqlerror.Error) {
	w := c.step()
	w.params = ch.params
	w.done(ch.sql, ch.effect)
	g := c.step() // all of them must be found again, or nothing is done
	from, err := ch.again(g, "t")
	if err != nil {
		return nil, err.problem(c.what, nil)
	}
	count, err := g.expected(ch)
	if err != nil {
		return nil, err.problem(c.what, nil)
	}
	g.done("select "+orFail("count(*) = "+count, "''", keptMark, "count(*)")+" from "+from, nil)
	s := c.step()
	t := s.alias("t")
	if from, err = ch.again(s, t); err != nil {
		return nil, err.problem(c.what, nil)
	}
	return s.reread(ch, t, from, " order by k.n", "", f)
}

// reread reads rows that were written before.
func (c *compiler) reread(ch *change, t, from, tail, gate string, f selected) (*Statement, *gqlerror.Error) {
	leave := c.level(c.rowsOf(ch), source{rows: ch.object.Table})
	l, err := c.children(ch.object, t, f.selections)
	if err != nil {
		return nil, err
	}
	leave()
	list, columns, end := l.columns()
	if len(list) == 0 {
		list = []string{"1"}
	}
	needed := c.needs(&l, t)
	if len(needed) == 0 {
		needed = []string{"1 one"}
	}
	statement := c.statement()
	statement.Columns, statement.End = columns, end
	statement.SQL = mention("select "+strings.Join(list, ", ")+" from (select "+strings.Join(needed, ", ")+" from "+from+tail+") "+t+l.joins+gate, len(c.params))
	return c.answering(statement, ch), nil
}

func orderBy(alias string, columns []*catalog.Column) string {
	if len(columns) == 0 {
		return ""
	}
	keys := make([]string, len(columns))
	for i, k := range columns {
		keys[i] = column(alias, k)
	}
	return " order by " + strings.Join(keys, ", ")
}

// expected writes how many rows a change is to write.
func (c *compiler) expected(ch *change) (string, *inputError) {
	if ch.length == nil {
		return strconv.Itoa(ch.rows), nil
	}
	parameter, err := c.param(*ch.length, lengthText)
	return parameter + "::int8", err
}

// rowsOf is how many rows a change is estimated to give; nil is one.
func (c *compiler) rowsOf(ch *change) any {
	switch {
	case ch.one:
		return nil
	case ch.rows > 0:
		return json.Number(strconv.Itoa(ch.rows))
	}
	return json.Number(strconv.Itoa(c.paging.Default))
}

// changeOf begins a change of rows.
func (c *compiler) changeOf(w *schema.Write) *change {
	ch := &change{object: w.Object, alias: c.alias("t"), one: !w.Many, reread: w.Object.Table.Writes.Triggers || w.Object.Table.IsView()}
	if ch.one {
		ch.rows = 1
	}
	return ch
}

// createRows writes the statement of create….
func (c *compiler) createRows(w *schema.Write, values map[string]any) (*change, *inputError) {
	c.what = "argument input"
	ch := c.changeOf(w)
	ch.whole, ch.told = true, w.Object.Table.Writes.Instead
	ch.reread = ch.reread && !ch.told
	return ch, c.insertWith(ch, c.insertionOf(w.Object, values["input"]))
}

// insertWith writes the statement that inserts rows, after what they hang on and before what hangs on them.
func (c *compiler) insertWith(ch *change, n *insertion) *inputError {
	if err := c.before(n); err != nil {
		return err
	}
	if err := n.check(); err != nil {
		return err
	}
	if ch.rows = len(n.rows); n.alike != nil {
		ch.rows, ch.length = 0, &n.alike.list
	}
	var err *inputError
	ch.sql, ch.effect, err = c.insert(n, ch.alias)
	ch.params = c.params
	if err != nil {
		return err
	}
	ch.needs = n.needs()
	if len(ch.needs) > 0 {
		ch.after = func(h handed) *inputError { return c.behind(n, h) }
	}
	return nil
}
