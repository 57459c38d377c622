package graphql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/vektah/gqlparser/v2/ast"
)

// reference answers operations slowly and obviously: each field of each row by an SQL statement of its own. It
// takes no code from the packages that it is compared with, and remembers what it has asked: nothing changes.
type reference struct {
	t         testing.TB
	conn      *pgconn.PgConn
	asked     map[string][][]*string
	book      *cursorBook
	variables map[string]any
}

// refRows is how many rows a list without a limit has.
const refRows = 100

// rows asks the database; nil is null.
func (r *reference) rows(sql string) [][]*string {
	if known, ok := r.asked[sql]; ok {
		return known
	}
	results, err := r.conn.Exec(r.t.Context(), sql).ReadAll()
	if err != nil {
		r.t.Fatalf("the reference: %v in %s", err, sql)
	}
	rows := [][]*string{}
	for _, raw := range results[0].Rows {
		row := make([]*string, len(raw))
		for i, b := range raw {
			if b != nil {
				text := string(b)
				row[i] = &text
			}
		}
		rows = append(rows, row)
	}
	r.asked[sql] = rows
	return rows
}

// refRow is a row by the values of its key.
type refRow []*string

func (row refRow) String() string {
	texts := make([]string, len(row))
	for i, v := range row {
		texts[i] = *v
	}
	return strings.Join(texts, ",")
}

func (row refRow) condition(t *refTable, a string) string {
	parts := make([]string, len(row))
	for i, k := range t.key {
		parts[i] = fmt.Sprintf("%s.%s = %s", a, k, quote(*row[i]))
	}
	return all(parts, " and ", "true")
}

func (r *reference) cell(t *refTable, row refRow, column string) *string {
	return r.rows(fmt.Sprintf("select a.%s from %s a where %s", column, t.name, row.condition(t, "a")))[0][0]
}

// refField is a field of the response with what all its mentions select.
type refField struct {
	key  string
	node *ast.Field
	set  ast.SelectionSet
}

// collect gathers fields as section 6.3.2 of the specification says.
func (r *reference) collect(set ast.SelectionSet) []refField {
	var fields []refField
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if !r.wanted(s.Directives) {
				continue
			}
			at := slices.IndexFunc(fields, func(f refField) bool { return f.key == s.Alias })
			if at < 0 {
				at, fields = len(fields), append(fields, refField{key: s.Alias, node: s})
			}
			fields[at].set = append(slices.Clone(fields[at].set), s.SelectionSet...)
		case *ast.InlineFragment:
			if r.wanted(s.Directives) {
				fields = merge(fields, r.collect(s.SelectionSet))
			}
		case *ast.FragmentSpread:
			if r.wanted(s.Directives) {
				fields = merge(fields, r.collect(s.Definition.SelectionSet))
			}
		}
	}
	return fields
}

func merge(fields, more []refField) []refField {
	for _, f := range more {
		at := slices.IndexFunc(fields, func(g refField) bool { return g.key == f.key })
		if at < 0 {
			fields = append(fields, f)
			continue
		}
		fields[at].set = append(slices.Clone(fields[at].set), f.set...)
	}
	return fields
}

func (r *reference) wanted(directives ast.DirectiveList) bool {
	for _, d := range directives {
		if yes := r.value(d.Arguments.ForName("if").Value).(bool); yes == (d.Name == "skip") {
			return false
		}
	}
	return true
}

// absent stands for the value of a variable that is not there.
type absent struct{}

func (r *reference) value(v *ast.Value) any {
	switch v.Kind {
	case ast.Variable:
		if value, given := r.variables[v.Raw]; given {
			return value
		}
		if d := v.VariableDefinition; d != nil && d.DefaultValue != nil {
			return r.value(d.DefaultValue)
		}
		return absent{}
	case ast.NullValue:
		return nil
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.ListValue:
		list := []any{}
		for _, item := range v.Children {
			list = append(list, r.value(item.Value))
		}
		return list
	case ast.ObjectValue:
		object := map[string]any{}
		for _, member := range v.Children {
			if value := r.value(member.Value); value != (absent{}) {
				object[member.Name] = value
			}
		}
		return object
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	default:
		return v.Raw
	}
}

// argument gives the value of an argument; nil also where it is absent.
func (r *reference) argument(f refField, name string) any {
	a := f.node.Arguments.ForName(name)
	if a == nil {
		return nil
	}
	value := r.value(a.Value)
	if value == (absent{}) {
		return nil
	}
	return value
}

func (r *reference) number(f refField, name string, otherwise int) int {
	if value := r.argument(f, name); value != nil {
		n, _ := strconv.Atoi(plainText(value))
		return n
	}
	return otherwise
}

func plainText(value any) string {
	if n, is := value.(json.Number); is {
		return n.String()
	}
	return fmt.Sprint(value)
}

// operation answers an operation as JSON.
func (r *reference) operation(op *ast.OperationDefinition) string {
	return r.object(r.collect(op.SelectionSet), "Query", func(f refField) string {
		t, form := refTarget(f.node.Definition.Type.Name())
		if form == "" && f.node.Definition.Type.Elem == nil { // by its key
			row := make(refRow, len(t.key))
			for i, k := range t.key {
				text := plainText(r.argument(f, camelCase(k)))
				row[i] = &text
			}
			return r.first(t, row.condition(t, "a"), f)
		}
		return r.level(t, form, "true", f)
	})
}

// object writes fields as a JSON object.
func (r *reference) object(fields []refField, typeName string, value func(refField) string) string {
	members := make([]string, len(fields))
	for i, f := range fields {
		if f.node.Name == "__typename" {
			members[i] = fmt.Sprintf("%q:%q", f.key, typeName)
			continue
		}
		members[i] = fmt.Sprintf("%q:%s", f.key, value(f))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// first writes the first row of t that meets a condition on a, or null.
func (r *reference) first(t *refTable, condition string, f refField) string {
	rows := r.rows(fmt.Sprintf("select a.%s from %s a where %s", strings.Join(t.key, ", a."), t.name, condition))
	if len(rows) == 0 {
		return "null"
	}
	return r.row(t, rows[0], f.set)
}

func (r *reference) row(t *refTable, row refRow, set ast.SelectionSet) string {
	return r.object(r.collect(set), t.typ, func(f refField) string {
		if c := t.column(f.node.Name); c != nil {
			return jsonOf(r.cell(t, row, c.name), c.typ)
		}
		name, form := f.node.Name, ""
		for _, ending := range []string{"Connection", "Aggregate", "GroupBy"} {
			if base, is := strings.CutSuffix(name, ending); is {
				name, form = base, strings.TrimSuffix(ending, "By")
			}
		}
		relation := t.relation(name)
		local := r.cell(t, row, relation.local)
		condition := "false"
		if local != nil {
			condition = (&translator{}).belongs(relation, "a", quote(*local))
		}
		if !relation.many {
			return r.first(refTables[relation.target], condition, f)
		}
		return r.level(refTables[relation.target], form, condition, f)
	})
}

// jsonOf writes a value in the form that it has in answers.
func jsonOf(text *string, typ string) string {
	if text == nil {
		return "null"
	}
	switch typ {
	case "int4", "int8":
		return *text
	case "timestamp":
		return jsonText(strings.Replace(*text, " ", "T", 1))
	}
	return jsonText(*text)
}

func jsonText(text string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a text can always be written
	return strings.TrimSuffix(b.String(), "\n")
}

// level answers a list in one of its forms. base is the condition on the row a by which rows belong to the level above.
func (r *reference) level(t *refTable, form, base string, f refField) string {
	x := &translator{}
	condition := base
	if where, is := r.argument(f, "where").(map[string]any); is {
		condition += " and " + x.where(t, "a", where)
	}
	switch form {
	case "Aggregate":
		return r.aggregate(t, condition, nil, nil, f, f.set)
	case "Group":
		return r.groups(x, t, condition, f)
	}
	order := r.argument(f, "orderBy")
	if form == "Connection" {
		return r.connection(t, r.ordered(t, condition, order, ""), r.ordered(t, "true", order, ""), order, f)
	}
	page := fmt.Sprintf(" limit %d offset %d", r.number(f, "limit", refRows), r.number(f, "offset", 0))
	var items []string
	for _, row := range r.ordered(t, condition, order, page) {
		items = append(items, r.row(t, row, f.set))
	}
	return "[" + strings.Join(items, ",") + "]"
}

// ordered gives the rows a that meet a condition.
func (r *reference) ordered(t *refTable, condition string, order any, page string) []refRow {
	x := &translator{aliases: 1000}
	joins, keys := x.order(t, "a", order)
	var rows []refRow
	for _, row := range r.rows(fmt.Sprintf("select a.%s from %s a%s where %s order by %s%s", strings.Join(t.key, ", a."), t.name, joins, condition, strings.Join(keys, ", "), page)) {
		rows = append(rows, row)
	}
	return rows
}

// aggregate answers aggregates of the rows a that meet a condition; key are the values of a group, by names.
func (r *reference) aggregate(t *refTable, condition string, by []string, key []*string, f refField, set ast.SelectionSet) string {
	typeName := f.node.Definition.Type.Name()
	one := func(sql, typ string) string {
		return jsonOf(r.rows("select " + sql + " from " + t.name + " a where " + condition)[0][0], typ)
	}
	return r.object(r.collect(set), typeName, func(f refField) string {
		if f.node.Name == "count" {
			return one("count(*)", "int8")
		}
		return r.object(r.collect(f.set), f.node.Definition.Type.Name(), func(m refField) string {
			c := t.column(m.node.Name)
			if f.node.Name == "key" {
				return jsonOf(key[slices.Index(by, c.name)], c.typ)
			}
			return one(measureOf(f.node.Name, "a."+c.name, c.typ))
		})
	})
}

func (r *reference) groups(x *translator, t *refTable, condition string, f refField) string {
	var by []string
	for _, name := range asList(r.argument(f, "by")) {
		if c := t.column(name.(string)).name; !slices.Contains(by, c) {
			by = append(by, c)
		}
	}
	columns := "a." + strings.Join(by, ", a.")
	var keys []string
	if order := r.argument(f, "orderBy"); order != nil {
		for _, item := range asList(order) {
			sql, direction := x.orderMeasure(t, "a", item.(map[string]any))
			keys = append(keys, sql+" "+refDirections[direction])
		}
	}
	having := "true"
	if given, is := r.argument(f, "having").(map[string]any); is {
		having = x.having(t, "a", given)
	}
	sql := fmt.Sprintf("select %s from %s a where %s group by %s having %s order by %s limit %d offset %d", columns, t.name, condition, columns, having,
		strings.Join(append(keys, columns), ", "), r.number(f, "limit", refRows), r.number(f, "offset", 0))
	var items []string
	for _, key := range r.rows(sql) {
		only := condition
		for i, c := range by {
			if key[i] == nil {
				only += " and a." + c + " is null"
			} else {
				only += " and a." + c + " = " + quote(*key[i])
			}
		}
		items = append(items, r.aggregate(t, only, by, key, f, f.set))
	}
	return "[" + strings.Join(items, ",") + "]"
}
