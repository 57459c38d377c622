package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// relations gives the inputs of an object's relations that at least one of the rows has.
func (n *insertion) relations(holds bool) []*schema.Input {
	var list []*schema.Input
	for _, in := range n.object.Inputs() {
		if in.Relation != nil && in.Relation.Holds == holds && slices.ContainsFunc(n.rows, func(r newRow) bool { return r.given[in.Name] != nil }) {
			list = append(list, in)
		}
	}
	return list
}

// before writes the rows that new rows name, and looks up those that are there.
func (c *compiler) before(n *insertion) *inputError {
	for _, in := range n.relations(true) {
		if err := c.budget.relative(); err != nil {
			return err
		}
		r := in.Relation
		made := &insertion{object: r.Target}
		var found []lookup
		for i := range n.rows {
			row := &n.rows[i]
			given, _ := row.given[in.Name].(map[string]any)
			if created, is := given["create"].(map[string]any); is {
				made.rows = append(made.rows, newRow{given: created, what: row.what + "." + in.Name + ".create", of: i})
			}
			if connected, is := given["connect"].(map[string]any); is {
				found = append(found, lookup{unique: connected, what: row.what + "." + in.Name + ".connect", of: i})
			}
		}
		fix := func(of, at int, h handed) {
			for k, local := range r.Local {
				n.rows[of].fix(local, h.firm(at, r.Remote[k]))
			}
		}
		if len(made.rows) > 0 {
			h, err := c.create(made, r.Remote)
			if err != nil {
				return err
			}
			for at := range made.rows {
				fix(made.rows[at].of, at, h)
			}
		}
		for _, l := range found {
			h, err := c.find(r.Target, l, r.Remote)
			if err != nil {
				return err
			}
			fix(l.of, 0, h)
		}
	}
	return nil
}

// create inserts rows with all that is written along their relations, and hands over columns of theirs.
func (c *compiler) create(n *insertion, columns []*catalog.Column) (handed, *inputError) {
	if err := c.before(n); err != nil {
		return handed{}, err
	}
	if err := n.check(); err != nil {
		return handed{}, err
	}
	s := c.step()
	sql, effect, err := s.insert(n, "t")
	if err != nil {
		return handed{}, err
	}
	columns = slices.Clone(columns)
	for _, need := range n.needs() {
		if !slices.Contains(columns, need) {
			columns = append(columns, need)
		}
	}
	count := strconv.Itoa(len(n.rows))
	if n.alike != nil {
		parameter, err := s.param(n.alike.list, lengthText)
		if err != nil {
			return handed{}, err
		}
		count = parameter + "::int8"
	}
	s.what = n.rows[0].what
	h := s.hand(sql, "", false, columns, count, "", effect)
	return h, c.behind(n, h)
}

// needs gives the columns by which other rows hang on new ones.
func (n *insertion) needs() []*catalog.Column {
	var columns []*catalog.Column
	for _, in := range n.relations(false) {
		for _, local := range in.Relation.Local {
			if !slices.Contains(columns, local) {
				columns = append(columns, local)
			}
		}
	}
	return columns
}

// behind writes the rows that hang on new ones, which h has.
func (c *compiler) behind(n *insertion, h handed) *inputError {
	for _, in := range n.relations(false) {
		for i := range n.rows {
			row := &n.rows[i]
			given, _ := row.given[in.Name].(map[string]any)
			if err := c.hang(in.Relation, given, row.what+"."+in.Name, h, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// hang writes rows along a relation from one that h has at a place.
func (c *compiler) hang(r *schema.Relation, given map[string]any, what string, h handed, at int) *inputError {
	before := c.what
	defer func() { c.what = before }()
	if created := given["create"]; created != nil {
		if err := c.budget.relative(); err != nil {
			return err
		}
		c.what = what + ".create"
		if err := c.hangNew(r, c.insertionOf(r.Target, created), h, at); err != nil {
			return err
		}
	}
	var connected []any
	switch list := given["connect"].(type) {
	case []any:
		connected = list
	case map[string]any:
		connected = []any{list}
	}
	if len(connected) == 0 {
		return nil
	}
	if err := c.budget.relative(); err != nil {
		return err
	}
	c.what = what + ".connect"
	return c.hangOld(r, connected, h, at)
}

func (c *compiler) hangNew(r *schema.Relation, n *insertion, h handed, at int) *inputError {
	if len(n.rows) == 0 {
		return nil
	}
	if r.Join == nil {
		for i := range n.rows {
			for k, remote := range r.Remote {
				n.rows[i].fix(remote, h.firm(at, r.Local[k]))
			}
		}
		_, err := c.create(n, nil)
		return err
	}
	made, err := c.create(n, r.Remote)
	if err != nil {
		return err
	}
	s := c.step()
	values := make([]string, 0, len(r.Local)+len(r.Remote))
	for _, local := range r.Local {
		values = append(values, h.firm(at, local))
	}
	for _, remote := range r.Remote {
		values = append(values, made.value("h.e", remote))
	}
	s.done(joinSQL(r.Join)+" select "+strings.Join(values, ", ")+" from json_array_elements("+made.json()+") h(e)", joinEffect(r.Join))
	return nil
}

func joinSQL(j *schema.Join) string {
	return "insert into " + j.Table.SQL() + " (" + strings.Join(names(slices.Concat(j.Local, j.Remote)), ", ") + ")"
}

func joinEffect(j *schema.Join) *Effect {
	return &Effect{Action: schema.Create, Table: j.Table, Columns: slices.Concat(j.Local, j.Remote)}
}

// hangOld lets rows that are there hang on one that h has at a place. Which ones these are is read from the table, so that
// nobody names a row that may not be seen.
func (c *compiler) hangOld(r *schema.Relation, connected []any, h handed, at int) *inputError {
	s := c.step()
	target := "t"
	conditions := make([]string, len(connected))
	for i, item := range connected {
		condition, err := s.uniqueSQL(r.Target, target, lookup{unique: item.(map[string]any), what: c.what + "[" + strconv.Itoa(i) + "]"})
		if err != nil {
			return err
		}
		conditions[i] = condition
	}
	where := " where " + strings.Join(conditions, " or ")
	all := orFail("count(*) = "+strconv.Itoa(len(connected)), "''", missingMark, "count(*)")
	if r.Join == nil {
		sets := make([]string, len(r.Remote))
		for k, remote := range r.Remote {
			sets[k] = catalog.QuoteIdent(remote.Name) + " = " + h.firm(at, r.Local[k])
		}
		s.done("with w as (update "+r.Target.Table.SQL()+" "+target+" set "+strings.Join(sets, ", ")+where+" returning 1) select "+all+" from w",
			&Effect{Action: schema.Update, Table: r.Target.Table, Columns: r.Remote})
		return nil
	}
	values := make([]string, 0, len(r.Local)+len(r.Remote))
	for _, local := range r.Local {
		values = append(values, h.firm(at, local))
	}
	for _, remote := range r.Remote {
		values = append(values, column("r", remote))
	}
	found := make([]string, len(r.Remote))
	for k, remote := range r.Remote {
		found[k] = column(target, remote)
	}
	s.done("with r as (select "+strings.Join(found, ", ")+" from "+r.Target.Table.SQL()+" "+target+where+"), w as ("+
		joinSQL(r.Join)+" select "+strings.Join(values, ", ")+" from r on conflict ("+strings.Join(names(slices.Concat(r.Join.Local, r.Join.Remote)), ", ")+") do nothing) select "+all+" from r", joinEffect(r.Join))
	return nil
}

// lookup names a row by one of its keys.
type lookup struct {
	unique map[string]any
	what   string
	of     int // the row that names it
}

// find hands over columns of a row that is there; it is an error when there is none.
func (c *compiler) find(o *schema.Object, l lookup, columns []*catalog.Column) (handed, *inputError) {
	s := c.step()
	condition, err := s.uniqueSQL(o, "t", l)
	if err != nil {
		return handed{}, err
	}
	h := handed{setting: c.writing.setting(), columns: columns}
	s.what = l.what
	text := orFail("count(*) = 1", "json_agg("+list("t", columns)+")::text", missingMark, "count(*)")
	s.done("select set_config('"+h.setting+"', "+text+", true) from "+o.Table.SQL()+" t where "+condition, nil)
	return h, nil
}

// uniqueSQL writes the condition that a row is the one with a key.
func (c *compiler) uniqueSQL(o *schema.Object, t string, l lookup) (string, *inputError) {
	for _, key := range o.UniqueKeys() {
		if len(key) != len(l.unique) || slices.ContainsFunc(key, func(f *schema.Field) bool { return l.unique[f.Name] == nil }) {
			continue
		}
		parts := make([]string, len(key))
		for i, f := range key {
			c.what = l.what + "." + f.Name
			parameter, err := c.param(l.unique[f.Name], scalarText)
			if err != nil {
				return "", named(l.what, err.under("."+f.Name))
			}
			parts[i] = f.Codec.EqualSQL(column(t, f.Column), parameter)
		}
		return "(" + strings.Join(parts, " and ") + ")", nil
	}
	return "", named(l.what, wrong("all fields of one key of %s name a row, and no others; none may be null", o.Name))
}
