package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// upsertRows writes the statement of upsert….
func (c *compiler) upsertRows(w *schema.Write, values map[string]any) (*change, *inputError) {
	c.what = "argument input"
	ch := c.changeOf(w)
	ch.whole = true
	n := c.insertionOf(w.Object, values["input"])
	rule, _ := values["onConflict"].(map[string]any)
	if err := c.insertWith(ch, n); err != nil {
		return nil, err
	}
	c.what = "argument onConflict"
	key, err := conflictKey(n, rule)
	if err != nil {
		return nil, err
	}
	fields, err := c.conflictFields(n, key, rule)
	if err != nil {
		return nil, err
	}
	effect := &Effect{Action: schema.Upsert, Table: w.Object.Table}
	var sets []string
	for _, in := range fields {
		effect.Columns = append(effect.Columns, in.Column)
		sets = append(sets, catalog.QuoteIdent(in.Column.Name)+" = excluded."+catalog.QuoteIdent(in.Column.Name))
	}
	if set, given := rule["set"].(map[string]any); given {
		more, err := c.conflictSets(w.Object, ch.alias, set, effect)
		if err != nil {
			return nil, err
		}
		sets = append(sets, more...)
	}
	columns := columnsOf(key)
	ch.sql += " on conflict (" + strings.Join(names(columns), ", ") + ") do "
	if len(sets) == 0 {
		ch.sql += "nothing"
		if err := c.findAgain(ch, n, key); err != nil {
			return nil, err
		}
	} else {
		ch.sql += "update set " + strings.Join(sets, ", ")
	}
	ch.params = c.params
	ch.reread = ch.reread || c.cascades(effect)
	ch.effect = &Effect{Action: schema.Upsert, Table: w.Object.Table, Columns: slices.Concat(ch.effect.Columns, effect.Columns), Reads: ch.effect.Reads || effect.Reads}
	return ch, nil
}

func (c *compiler) conflictSets(o *schema.Object, t string, set map[string]any, effect *Effect) ([]string, *inputError) {
	c.what = "argument onConflict.set"
	row := &newRow{given: set, what: c.what}
	for _, in := range o.Inputs() {
		if in.Relation != nil && row.given[in.Name] != nil {
			return nil, wrong("rows along a relation are written by the input only").under("." + in.Name)
		}
	}
	return c.sets(o, t, row, effect)
}

// conflictKey chooses the key by which a row is known to be there.
func conflictKey(n *insertion, rule map[string]any) ([]*schema.Field, *inputError) {
	has := func(key []*schema.Field) bool {
		return !slices.ContainsFunc(key, func(f *schema.Field) bool {
			in := n.object.Input(f.Name)
			return in == nil || slices.ContainsFunc(n.rows, func(r newRow) bool { return !r.gives(in) || r.fixed[in.Column] == "" && r.given[in.Name] == nil })
		})
	}
	if name, chosen := rule["key"].(string); chosen {
		key := n.object.ConflictKey(name)
		if !has(key) {
			return nil, wrong("the input must have all fields of the key, and none of them null").under(".key")
		}
		return key, nil
	}
	for _, key := range n.object.ConflictKeys() {
		if has(key) {
			return key, nil
		}
	}
	return nil, named("argument input", wrong("it must have all fields of a key of %s, by which a row is known to be there", n.object.Name))
}

// conflictFields gives what of the input is put into a row that is there.
func (c *compiler) conflictFields(n *insertion, key []*schema.Field, rule map[string]any) ([]*schema.Input, *inputError) {
	if chosen, given := rule["update"].([]any); given {
		fields := make([]*schema.Input, 0, len(chosen))
		for i, name := range chosen {
			in := n.object.Input(name.(string))
			if slices.ContainsFunc(n.rows, func(r newRow) bool { return !r.gives(in) }) {
				return nil, wrong("the input has no field %q", in.Name).under(".update[" + strconv.Itoa(i) + "]")
			}
			if !slices.Contains(fields, in) {
				fields = append(fields, in)
			}
		}
		return fields, nil
	}
	var fields []*schema.Input
	for _, in := range n.columns() {
		if !in.Column.Update || slices.ContainsFunc(key, func(f *schema.Field) bool { return f.Column == in.Column }) {
			continue
		}
		if slices.ContainsFunc(n.rows, func(r newRow) bool { return !r.gives(in) }) {
			return nil, named("argument input", wrong("not all rows have the field %q: give all of them the same fields, or say which ones to change by onConflict.update", in.Name))
		}
		fields = append(fields, in)
	}
	return fields, nil
}

// findAgain has rows read by the keys of the input: what is there already and stays as it is, no statement returns.
func (c *compiler) findAgain(ch *change, n *insertion, key []*schema.Field) *inputError {
	if ch.after != nil {
		return wrong("what hangs on a row cannot be written where nothing is to be changed in it").under(".update")
	}
	ch.again = func(s *compiler, t string) (string, *inputError) {
		columns := make([]string, len(key))
		conditions := make([]string, len(key))
		for i, f := range key {
			columns[i] = "c" + strconv.Itoa(i)
			value := "k." + columns[i]
			if n.alike != nil {
				_, one := f.Codec.EachSQL("")
				value = one(value)
			}
			conditions[i] = f.Codec.Type.Compared(column(t, f.Column)) + f.Codec.Type.Operator("=") + f.Codec.Type.Compared(value)
		}
		from, err := s.given(n, key, columns)
		return from + " join " + s.table(ch.object.Table) + " " + t + " on " + strings.Join(conditions, " and "), err
	}
	return nil
}

// given writes the keys of rows to be as a table k, with their numbers as n.
func (c *compiler) given(n *insertion, key []*schema.Field, columns []string) (string, *inputError) {
	rows := make([]string, len(n.rows))
	for i := range n.rows {
		row := &n.rows[i]
		cells := make([]string, len(key))
		for k, f := range key {
			if fixed, is := row.fixed[f.Column]; is {
				cells[k] = fixed
				continue
			}
			c.what = row.what + "." + f.Name
			if n.alike != nil {
				parameter, err := c.param(row.given[f.Name], storedEach(f.Codec))
				if err != nil {
					return "", named(c.what, err)
				}
				cells[k], _ = f.Codec.EachSQL(parameter)
				continue
			}
			sql, err := c.stored(f.Codec, row.given[f.Name])
			if err != nil {
				return "", named(c.what, err)
			}
			cells[k] = sql
		}
		rows[i] = strings.Join(cells, ", ")
	}
	if n.alike != nil {
		return "unnest(" + rows[0] + ") with ordinality k(" + strings.Join(columns, ", ") + ", n)", nil
	}
	for i := range rows {
		rows[i] = "(" + strconv.Itoa(i) + ", " + rows[i] + ")"
	}
	return "(values " + strings.Join(rows, ", ") + ") k(n, " + strings.Join(columns, ", ") + ")", nil
}
