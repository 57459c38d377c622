package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// changeRows writes the statement of update… and delete….
func (c *compiler) changeRows(w *schema.Write, values map[string]any) (*change, *inputError) {
	ch := c.changeOf(w)
	ch.order, ch.effect = true, &Effect{Action: w.Action, Table: w.Object.Table}
	ch.reread = ch.reread && w.Action != schema.Delete // it is given as it was
	var sets []string
	if w.Action == schema.Update {
		c.what = "argument set"
		var err *inputError
		if sets, err = c.setWith(ch, values["set"].(map[string]any), w.Many); err != nil {
			return nil, err
		}
		ch.reread = ch.reread || c.cascades(ch.effect)
	}
	condition, err := c.chosen(w, ch.alias, values)
	if err != nil {
		return nil, err
	}
	ch.sql = "delete from " + w.Object.Table.SQL() + " " + ch.alias + condition
	if ch.find { // nothing is changed in the row itself: it is found, and nobody else changes it meanwhile
		ch.sql = " from " + w.Object.Table.SQL() + " " + ch.alias + condition + " for no key update"
	} else if w.Action == schema.Update {
		ch.sql = "update " + w.Object.Table.SQL() + " " + ch.alias + " set " + strings.Join(sets, ", ") + condition
	}
	ch.params = c.params
	return ch, nil
}

// chosen writes which rows are changed.
func (c *compiler) chosen(w *schema.Write, t string, values map[string]any) (string, *inputError) {
	if w.Many {
		c.what = "argument where"
		sql, err := c.where(w.Object, t, values["where"].(map[string]any))
		if err != nil || sql == "" {
			return "", err
		}
		return " where " + sql, nil
	}
	parts := make([]string, len(w.Key))
	for i, k := range w.Key {
		c.what = "argument " + k.Name
		parameter, err := c.param(values[k.Name], scalarText)
		if err != nil {
			return "", err
		}
		parts[i] = k.Codec.EqualSQL(column(t, k.Column), parameter)
	}
	return " where " + strings.Join(parts, " and "), nil
}

// cascades tells whether a foreign key to the columns of an update may change other rows with it.
func (c *compiler) cascades(e *Effect) bool {
	return slices.ContainsFunc(c.schema.Catalog.Tables, func(t *catalog.Table) bool {
		return slices.ContainsFunc(t.ForeignKeys, func(k *catalog.ForeignKey) bool { return k.Target == e.Table && e.Gives(k.References) })
	})
}

// setWith writes what an update gives its columns, after what these name and before what hangs on the row.
func (c *compiler) setWith(ch *change, given map[string]any, many bool) ([]string, *inputError) {
	n := &insertion{object: ch.object, rows: []newRow{{given: given, what: c.what}}}
	for _, in := range ch.object.Inputs() {
		if value, present := given[in.Name]; present && value == nil && in.Relation != nil {
			return nil, wrong("null names no rows: leave it out, or set the columns of the foreign key to null").under("." + in.Name)
		}
	}
	for _, in := range slices.Concat(n.relations(true), n.relations(false)) {
		created, _ := given[in.Name].(map[string]any)["create"]
		switch {
		case !many: // what is written along with a row that is not there must not stay
			ch.whole, ch.reread = true, true
		case created != nil && in.Relation.Holds:
			return nil, wrong("there may be no row that would name it: use update%s, or connect one", ch.object.Name).under("." + in.Name + ".create")
		}
	}
	if many {
		for _, in := range n.relations(false) {
			return nil, wrong("rows along a relation are written with one row only: use update%s", ch.object.Name).under("." + in.Name)
		}
	}
	if err := c.before(n); err != nil {
		return nil, err
	}
	sets, err := c.sets(ch.object, ch.alias, &n.rows[0], ch.effect)
	if err != nil {
		return nil, err
	}
	if ch.needs = n.needs(); len(ch.needs) > 0 {
		ch.after = func(h handed) *inputError { return c.behind(n, h) }
		ch.find = len(sets) == 0
	}
	if len(sets) == 0 && !ch.find {
		return nil, wrong("there is nothing in it to change")
	}
	return sets, nil
}

// setting is the values that an update gives to columns.
type setting struct {
	list   []string
	effect *Effect
}

// add gives a column a value; no column is given two.
func (s *setting) add(column *catalog.Column, sql string) *inputError {
	if slices.Contains(s.effect.Columns, column) {
		return wrong("it says twice what becomes of the column")
	}
	s.effect.Columns = append(s.effect.Columns, column)
	s.list = append(s.list, catalog.QuoteIdent(column.Name)+" = "+sql)
	return nil
}

// sets writes the values that columns are given.
func (c *compiler) sets(o *schema.Object, t string, row *newRow, effect *Effect) ([]string, *inputError) {
	s := &setting{effect: effect}
	for _, in := range o.Inputs() {
		value, given := row.given[in.Name]
		if in.Relation != nil || !given {
			continue
		}
		c.what = row.what + "." + in.Name
		sql, err := c.stored(in.Codec, value)
		if fixed := row.fixed[in.Column]; fixed != "" {
			sql = agree(in.Column, sql, fixed)
		}
		if err == nil {
			err = s.add(in.Column, sql)
		}
		if err != nil {
			return nil, named(c.what, err)
		}
	}
	for _, in := range o.Inputs() {
		if in.Relation == nil || !in.Relation.Holds || row.given[in.Name] == nil {
			continue
		}
		for _, local := range in.Relation.Local {
			if slices.Contains(effect.Columns, local) {
				continue // what else gives it a value agrees with this
			}
			if err := s.add(local, row.fixed[local]); err != nil {
				return nil, named(row.what+"."+in.Name, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(row.given)) { // equal shapes give equal texts
		kind := schema.ChangeOf(name)
		columns, _ := row.given[name].(map[string]any)
		if kind == nil || o.Input(name) != nil {
			continue
		}
		if err := c.setsByChange(s, kind, o, t, columns, row.what+"."+name); err != nil {
			return nil, err
		}
	}
	return s.list, nil
}

// setsByChange writes what columns become by what they are.
func (c *compiler) setsByChange(s *setting, kind *schema.Change, o *schema.Object, t string, operands map[string]any, what string) *inputError {
	for _, in := range o.Inputs() {
		operand, given := operands[in.Name]
		if in.Relation != nil || !given {
			continue
		}
		c.what = what + "." + in.Name
		s.effect.Reads = s.effect.Reads || kind.Operand == schema.Names || kind.Operand == schema.Places // as each row's value may take them or not
		sql, err := c.changedValue(kind, in, column(t, in.Column), operand)
		if err == nil {
			err = s.add(in.Column, sql)
		}
		if err != nil {
			return named(what+"."+in.Name, err)
		}
	}
	return nil
}

// changedValue writes what becomes of a value.
func (c *compiler) changedValue(kind *schema.Change, in *schema.Input, value string, operand any) (string, *inputError) {
	if operand == nil {
		return "", wrong("null changes nothing: leave it out")
	}
	switch kind.Operand {
	case schema.Names:
		parameter, err := c.param(operand, arrayText)
		return kind.SQL(value, parameter+"::text[]"), err
	case schema.Places:
		return c.places(value, operand.([]any))
	default:
		sql, err := c.stored(in.Codec, operand)
		return kind.SQL(value, sql), err
	}
}

// places writes a JSON value with others put at paths, one after the other. PostgreSQL leaves a value as it is, without a
// word, where a path has no place: here that is an error.
func (c *compiler) places(value string, given []any) (string, *inputError) {
	sql := "coalesce(" + value + ", '{}')"
	what := c.what
	for _, item := range given {
		if err := c.budget.condition(); err != nil {
			return "", err
		}
		place := item.(map[string]any)
		c.what = what + ".path"
		path, err := c.param(place["path"], pathText)
		if err != nil {
			return "", err.under(".path")
		}
		put := "'null'"
		if place["value"] != nil {
			c.what = what + ".value"
			if put, err = c.param(place["value"], scalarText); err != nil {
				return "", err.under(".value")
			}
		}
		path += "::text[]"
		above := "(" + path + ")[:cardinality(" + path + ") - 1]"
		changed := orFail("jsonb_typeof(v #> "+above+") in ('object', 'array')", "jsonb_set(v, "+path+", "+put+"::jsonb)::text", placeMark, "jsonb_typeof(v)")
		// Without offset, PostgreSQL would write what is inside once for each v, and so double it with each path.
		sql = "(select (" + changed + ")::jsonb from (select " + sql + " offset 0) s(v))"
	}
	return sql, nil
}

// pathText writes a path, which must lead somewhere.
func pathText(v any) ([]byte, *inputError) {
	if len(v.([]any)) == 0 {
		return nil, wrong("an empty path leads nowhere")
	}
	return arrayText(v)
}
