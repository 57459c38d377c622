package graphql_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// operation makes an operation with its variables.
func (g *generator) operation() (text string, variables map[string]any) {
	g.variables, g.fragments, g.aliases, g.related = nil, nil, 0, 8
	var roots []string
	for range 1 + g.IntN(3)/2 {
		roots = append(roots, g.root())
	}
	if g.chance(10) {
		roots = append(roots, "__typename")
	}
	variables = map[string]any{}
	var declared []string
	for _, v := range g.variables {
		declaration := "$" + v.name + ": " + v.typ
		if v.text != "" {
			declaration += " = " + v.text
		}
		if v.given {
			variables[v.name] = v.value
		}
		declared = append(declared, declaration)
	}
	head := "query"
	if len(declared) > 0 {
		head += "(" + strings.Join(declared, ", ") + ")"
	}
	return head + " {\n " + strings.Join(roots, "\n ") + "\n}\n" + strings.Join(g.fragments, "\n"), variables
}

func (g *generator) root() string {
	t := refTables[pick(g, refTypes)]
	query := g.schema.Query
	if g.chance(15) {
		f := query.Fields.ForName(strings.ToLower(t.typ[:1]) + t.typ[1:])
		arguments := make([]string, len(t.key))
		for i, k := range t.key {
			arguments[i] = camelCase(k) + ": " + literal(g.lift(f.Arguments[i].Type, g.sample(t.typ+"."+camelCase(k), "int4"), false))
		}
		return g.named(f.Name) + "(" + strings.Join(arguments, ", ") + ")" + g.directive() + g.selection(t, 3)
	}
	for {
		f := pick(g, []*ast.FieldDefinition(query.Fields))
		target, form := refTarget(f.Type.Name())
		if target == t && (f.Type.Elem != nil || form != "") {
			return g.named(f.Name) + g.rows(t, f, form, 3)
		}
	}
}

// named gives a field an alias of its own.
func (g *generator) named(field string) string {
	g.aliases++
	return "a" + strconv.Itoa(g.aliases) + ": " + field
}

// directive makes a field conditional, by variables and literally.
func (g *generator) directive() string {
	if !g.chance(8) {
		return ""
	}
	word, yes := pick(g, []string{"skip", "include"}), g.chance(50)
	if g.chance(70) {
		return " @" + word + "(if: " + literal(g.declare(ast.NonNullNamedType("Boolean", nil), yes)) + ")"
	}
	return " @" + word + "(if: " + strconv.FormatBool(yes) + ")"
}

// rows makes the arguments and the selection of a field that has many rows.
func (g *generator) rows(t *refTable, f *ast.FieldDefinition, form string, depth int) string {
	arguments := map[string]any{}
	if g.chance(50) {
		arguments["where"] = g.where(t, whereDepth)
	}
	var selection string
	switch form {
	case "Aggregate":
		selection = g.aggregate(t, nil)
	case "Group":
		by := some(g, t.columns, 2)
		list := []any{}
		for _, c := range by {
			list = append(list, label(c.field))
		}
		arguments["by"] = list
		if g.chance(50) {
			arguments["having"] = g.having(t, 1)
		}
		if g.chance(60) {
			arguments["orderBy"] = g.groupOrder(t, by)
		}
		g.page(arguments, depth, "limit", "offset")
		selection = g.aggregate(t, by)
	case "Connection":
		g.window(t, arguments, depth)
		selection = g.connection(t, depth)
	default:
		if g.chance(60) {
			arguments["orderBy"] = g.orderBy(t)
		}
		g.page(arguments, depth, "limit", "offset")
		selection = g.selection(t, depth)
	}
	var list []string
	for _, a := range f.Arguments {
		value, given := arguments[a.Name]
		switch {
		case given:
			if keys, is := value.([]any); is && len(keys) == 1 && g.chance(30) {
				value = keys[0]
			}
			list = append(list, a.Name+": "+literal(g.lift(a.Type, value, false)))
		case !a.Type.NonNull && g.chance(4):
			list = append(list, a.Name+": "+literal(g.missing(a.Type)))
		case !a.Type.NonNull && g.chance(3):
			list = append(list, a.Name+": null")
		}
	}
	text := ""
	if len(list) > 0 {
		text = "(" + strings.Join(list, ", ") + ")"
	}
	return text + g.directive() + selection
}

// page makes a limit and an offset; without a limit at the lowest level only, so that answers stay small.
func (g *generator) page(arguments map[string]any, depth int, limit, offset string) {
	if depth > 0 || g.chance(80) {
		arguments[limit] = json.Number(strconv.Itoa(g.IntN(3 + 2*depth)))
	}
	if offset != "" && g.chance(25) {
		arguments[offset] = json.Number(strconv.Itoa(g.IntN(4)))
	}
}

func (g *generator) groupOrder(t *refTable, by []refColumn) []any {
	list := []any{}
	for range 1 + g.IntN(2) {
		if g.chance(40) {
			list = append(list, map[string]any{"key": map[string]any{pick(g, by).field: pick(g, directions)}})
		} else {
			list = append(list, g.orderMeasure(t))
		}
	}
	return list
}

// window makes the arguments of a connection, with cursors that answers have had.
func (g *generator) window(t *refTable, arguments map[string]any, depth int) {
	order := g.orderBy(t)
	if known := g.knownOrders(t); len(known) > 0 && g.chance(60) {
		order = pick(g, known)
	}
	if len(order) > 0 {
		arguments["orderBy"] = order
	}
	g.page(arguments, depth, pick(g, []string{"first", "last"}), "")
	cursors := g.book.byOrder[orderName(t, asVariable(order))]
	if len(order) == 0 {
		cursors = append(slices.Clone(cursors), g.book.byOrder[orderName(t, nil)]...)
	}
	for _, argument := range []string{"after", "before"} {
		if len(cursors) > 0 && g.chance(50) {
			arguments[argument] = pick(g, cursors)
		}
	}
}

// knownOrders are the orders of t of which there are cursors.
func (g *generator) knownOrders(t *refTable) [][]any {
	var orders [][]any
	for _, name := range sortedKeys(g.book.byOrder) {
		text, of := strings.CutPrefix(name, t.typ+"[")
		if !of {
			continue
		}
		var order []any
		if json.Unmarshal([]byte("["+text), &order) == nil && (len(order) == 0 || order[0] != nil) {
			orders = append(orders, asLabels(order).([]any))
		}
	}
	return orders
}

// asLabels reads an order back: all texts in one are directions.
func asLabels(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = asLabels(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = asLabels(v[name])
		}
	case string:
		return label(v)
	}
	return v
}

func (g *generator) connection(t *refTable, depth int) string {
	var fields []string
	for _, name := range some(g, []string{"edges", "nodes", "pageInfo", "totalCount", "__typename"}, 4) {
		switch name {
		case "edges":
			fields = append(fields, "edges {"+pick(g, []string{" cursor", " cursor __typename", ""})+" node"+g.selection(t, depth)+"}")
		case "nodes":
			fields = append(fields, "nodes"+g.selection(t, depth))
		case "pageInfo":
			members := some(g, []string{"hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename"}, 5)
			fields = append(fields, "pageInfo { "+strings.Join(members, " ")+" }")
		default:
			fields = append(fields, name+g.directive())
		}
	}
	return " { " + strings.Join(fields, " ") + " }"
}

// aggregate selects of an aggregate, or of a group by some columns.
func (g *generator) aggregate(t *refTable, by []refColumn) string {
	var fields []string
	if len(by) > 0 && g.chance(80) {
		keys := ""
		for _, c := range by {
			keys += " " + c.field
		}
		fields = append(fields, "key {"+keys+" }")
	}
	for _, function := range some(g, g.functions(t), 3) {
		if function == "count" {
			fields = append(fields, "count"+g.directive())
			continue
		}
		members := some(g, []*ast.FieldDefinition(g.schema.Types[t.typ+upper(function)].Fields), 3)
		names := ""
		for _, m := range members {
			names += " " + m.Name + g.directive()
		}
		fields = append(fields, function+" {"+names+" }"+"")
	}
	return " { " + strings.Join(fields, " ") + " }"
}

// selection selects of a row of t.
func (g *generator) selection(t *refTable, depth int) string {
	var fields []string
	for range 1 + g.IntN(4) {
		fields = append(fields, g.field(t, depth))
	}
	return " { " + strings.Join(fields, " ") + " }"
}

func (g *generator) field(t *refTable, depth int) string {
	switch n := g.IntN(100); {
	case n < 5:
		return "__typename"
	case n < 12:
		return "..." + pick(g, []string{"", " on " + t.typ}) + g.directive() + g.selection(t, depth)
	case n < 18:
		name := fmt.Sprintf("f%d", len(g.fragments))
		g.fragments = append(g.fragments, "") // its place is taken before those inside it take theirs
		place := len(g.fragments) - 1
		g.fragments[place] = "fragment " + name + " on " + t.typ + g.selection(t, depth)
		return "..." + name + g.directive() + pick(g, []string{"", " ..." + name})
	case n < 60 || depth == 0:
		c := pick(g, t.columns).field
		if g.chance(15) {
			return g.named(c) + g.directive()
		}
		return c + g.directive()
	}
	r := pick(g, t.relations)
	if !r.many {
		if g.chance(50) { // without an alias: it may be merged with another mention
			return r.field + g.directive() + " { " + pick(g, refTables[r.target].columns).field + " }"
		}
		return g.named(r.field) + g.directive() + g.selection(refTables[r.target], depth-1)
	}
	form := pick(g, []string{"", "", "", "Connection", "Aggregate", "GroupBy"})
	f := g.schema.Types[t.typ].Fields.ForName(r.field + form)
	return g.named(f.Name) + g.rows(refTables[r.target], f, strings.TrimSuffix(form, "By"), depth-1)
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
