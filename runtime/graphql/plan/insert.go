package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// newRow is a row to be inserted.
type newRow struct {
	given map[string]any             // by member of the input
	fixed map[*catalog.Column]string // what relations give, in SQL
	what  string                     // "argument input[2].tracks.create[0]"
	of    int                        // the row that it belongs to
}

// insertion is rows that are inserted by one statement.
type insertion struct {
	object *schema.Object
	rows   []newRow
	alike  *alike // the one row stands for a list of them
}

// insertionOf reads a list of inputs, or a single one.
func (c *compiler) insertionOf(o *schema.Object, given any) *insertion {
	switch given := given.(type) {
	case alike:
		return &insertion{object: o, rows: []newRow{{given: given.row, what: c.what}}, alike: &given}
	case []any:
		rows := make([]newRow, len(given))
		for i, item := range given {
			rows[i] = newRow{given: item.(map[string]any), what: c.what + "[" + strconv.Itoa(i) + "]"}
		}
		return &insertion{object: o, rows: rows}
	default:
		return &insertion{object: o, rows: []newRow{{given: given.(map[string]any), what: c.what}}}
	}
}

// fix gives a column of a row a value that a relation says. Relations may share a column, such as a tenant's: they must
// agree on it, or the row would be another's.
func (r *newRow) fix(c *catalog.Column, sql string) {
	if r.fixed == nil {
		r.fixed = map[*catalog.Column]string{}
	}
	if before, again := r.fixed[c]; again && before != sql {
		sql = agree(c, before, sql)
	}
	r.fixed[c] = sql
}

// agree writes a value that is handed over, or an error where another one is not the same.
func agree(c *catalog.Column, other, handed string) string {
	same := c.Type.Compared(other) + c.Type.Operator("=") + c.Type.Compared(handed)
	return orFail(same, "("+handed+")::text", differMark, "coalesce(("+handed+")::text, '')") + "::" + c.Type.Resolve().SQL
}

// named is an input error that says whose value it is by itself.
func named(what string, err *inputError) *inputError {
	if err == nil || err.alone {
		return err
	}
	return &inputError{message: what + err.Error(), code: err.code, alone: true}
}

// check looks for values that are missing.
func (n *insertion) check() *inputError {
	for i := range n.rows {
		row := &n.rows[i]
		for _, in := range n.object.Inputs() {
			if in.Relation != nil {
				continue
			}
			_, given := row.given[in.Name]
			_, fixed := row.fixed[in.Column]
			if in.Required && !given && !fixed && in.Column.Insert {
				return named(row.what, wrong("the field %q is required", in.Name))
			}
		}
	}
	return nil
}

// columns gives what at least one of the rows has a value for, in the table's order.
func (n *insertion) columns() []*schema.Input {
	var list []*schema.Input
	for _, in := range n.object.Inputs() {
		if in.Relation == nil && slices.ContainsFunc(n.rows, func(r newRow) bool { return r.gives(in) }) {
			list = append(list, in)
		}
	}
	for _, r := range n.rows { // columns that are shown nowhere
		for column := range r.fixed {
			if !slices.ContainsFunc(list, func(in *schema.Input) bool { return in.Column == column }) {
				list = append(list, &schema.Input{Column: column})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *schema.Input) int { return int(a.Column.Number) - int(b.Column.Number) })
	return list
}

func (r *newRow) gives(in *schema.Input) bool {
	_, given := r.given[in.Name]
	_, fixed := r.fixed[in.Column]
	return given || fixed
}

// insert writes the statement without what it returns. The alias is that of the table.
func (c *compiler) insert(n *insertion, alias string) (string, *Effect, *inputError) {
	columns := n.columns()
	effect := &Effect{Action: schema.Create, Table: n.object.Table}
	for _, in := range columns {
		effect.Columns = append(effect.Columns, in.Column)
	}
	into := "insert into " + n.object.Table.SQL() + " as " + alias
	if len(columns) == 0 {
		if len(n.rows) == 1 && n.alike == nil {
			return into + " default values", effect, nil
		}
		columns = n.anyColumn()
	}
	quoted := make([]string, len(columns))
	for i, in := range columns {
		quoted[i] = catalog.QuoteIdent(in.Column.Name)
	}
	into += " (" + strings.Join(quoted, ", ") + ") "
	if n.alike != nil {
		sql, err := c.insertAlike(n, columns)
		effect.Reads = true
		return into + sql, effect, err
	}
	rows := make([]string, len(n.rows))
	for i := range n.rows {
		cells, err := c.cells(&n.rows[i], columns)
		if err != nil {
			return "", nil, err
		}
		rows[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	return into + "values " + strings.Join(rows, ", "), effect, nil
}

// anyColumn is for rows that give no column a value: it gets its default.
func (n *insertion) anyColumn() []*schema.Input {
	for _, in := range n.object.Inputs() {
		if in.Relation == nil && in.Column.Insert {
			return []*schema.Input{in}
		}
	}
	panic("rows are inserted into a table of which no column can be given a value")
}

// cells writes the values of a row.
func (c *compiler) cells(r *newRow, columns []*schema.Input) ([]string, *inputError) {
	cells := make([]string, len(columns))
	for i, in := range columns {
		cells[i] = "default"
		fixed, isFixed := r.fixed[in.Column]
		if value, given := r.given[in.Name]; given {
			c.what = r.what + "." + in.Name
			sql, err := c.stored(in.Codec, value)
			if err != nil {
				return nil, named(r.what, err.under("."+in.Name))
			}
			cells[i] = sql
			if isFixed {
				cells[i] = agree(in.Column, sql, fixed)
			}
		} else if isFixed {
			cells[i] = fixed
		}
		if len(c.params) > maxParams {
			return nil, tooComplex("the request has more than %d values in one list of rows that are not alike: give all of them the same fields", maxParams)
		}
	}
	return cells, nil
}

// maxParams is how many parameters PostgreSQL takes.
const maxParams = 65535

// stored writes a value to be stored.
func (c *compiler) stored(codec *schema.Codec, value any) (string, *inputError) {
	if value == nil {
		return "null", nil
	}
	parameter, err := c.param(value, storedText(codec))
	return codec.StoredSQL(parameter), err
}

// insertAlike writes any number of rows that have values in the same columns: an array of each.
func (c *compiler) insertAlike(n *insertion, columns []*schema.Input) (string, *inputError) {
	r := &n.rows[0]
	var arrays, names []string
	cells := make([]string, len(columns))
	for i, in := range columns {
		value, given := r.given[in.Name]
		switch {
		case !given:
			cells[i] = r.fixed[in.Column]
		case value == nil:
			cells[i] = "null::" + in.Codec.Type.Resolve().SQL
		default:
			c.what = r.what + "." + in.Name
			parameter, err := c.param(value, storedEach(in.Codec))
			if err != nil {
				return "", named(r.what, err.under("."+in.Name))
			}
			all, one := in.Codec.EachSQL(parameter)
			name := "c" + strconv.Itoa(i)
			arrays, names = append(arrays, all), append(names, name)
			if cells[i] = one("x." + name); r.fixed[in.Column] != "" {
				cells[i] = agree(in.Column, cells[i], r.fixed[in.Column])
			}
		}
	}
	from := "unnest(" + strings.Join(arrays, ", ") + ") x(" + strings.Join(names, ", ") + ")"
	if len(arrays) == 0 { // all values are null: only how many rows there are counts
		parameter, _ := c.param(n.alike.list, lengthText) // a slot is judged later
		from = "generate_series(1, " + parameter + "::int4)"
	}
	return "select " + strings.Join(cells, ", ") + " from " + from, nil
}

// lengthText writes how many rows a list has.
func lengthText(v any) ([]byte, *inputError) {
	return strconv.AppendInt(nil, int64(len(v.([]any))), 10), nil
}
