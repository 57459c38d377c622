package graphql_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// translator writes filters and orders as plain SQL, on a way of its own: relations as IN over sub-selects, orders
// by joins. What it writes is slow and always has the same meaning, also for nulls.
type translator struct{ aliases int }

func (x *translator) alias() string {
	x.aliases++
	return fmt.Sprintf("r%d", x.aliases)
}

// quote writes a text as an SQL literal.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func all(parts []string, word, none string) string {
	if len(parts) == 0 {
		return none
	}
	return "((" + strings.Join(parts, ")"+word+"(") + "))"
}

// where writes conditions on the row a of t.
func (x *translator) where(t *refTable, a string, given map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value := given[name]
		if connected, is := x.connective(name, value, func(g map[string]any) string { return x.where(t, a, g) }); is {
			parts = append(parts, connected)
		} else if c := t.column(name); c != nil {
			parts = append(parts, x.compare(a+"."+c.name, c.typ, value.(map[string]any)))
		} else {
			parts = append(parts, x.related(t.relation(name), a, value.(map[string]any)))
		}
	}
	return all(parts, " and ", "true")
}

func (x *translator) connective(name string, value any, inner func(map[string]any) string) (string, bool) {
	switch name {
	case "_not":
		return "not " + inner(value.(map[string]any)), true
	case "_and", "_or":
		var parts []string
		for _, item := range asList(value) {
			parts = append(parts, inner(item.(map[string]any)))
		}
		if name == "_or" {
			return all(parts, " or ", "false"), true
		}
		return all(parts, " and ", "true"), true
	}
	return "", false
}

// asList is GraphQL's rule that one value stands for a list of one.
func asList(value any) []any {
	if list, is := value.([]any); is {
		return list
	}
	return []any{value}
}

func (x *translator) related(r *refRelation, a string, given map[string]any) string {
	if !r.many {
		return x.in(r, a, func(b string) string { return x.where(refTables[r.target], b, given) })
	}
	var parts []string
	for _, word := range slices.Sorted(maps.Keys(given)) {
		conditions := given[word].(map[string]any)
		holds := func(b string) string { return x.where(refTables[r.target], b, conditions) }
		switch word {
		case "some":
			parts = append(parts, x.in(r, a, holds))
		case "none":
			parts = append(parts, "not "+x.in(r, a, holds))
		case "every":
			parts = append(parts, "not "+x.in(r, a, func(b string) string { return holds(b) + " is not true" }))
		case "aggregate":
			parts = append(parts, x.aggregated(r, a, conditions))
		}
	}
	return all(parts, " and ", "true")
}

// in asks whether the row a is among those that lead to rows which meet a condition; never null.
func (x *translator) in(r *refRelation, a string, holds func(b string) string) string {
	b, target := x.alias(), refTables[r.target]
	rows := fmt.Sprintf("select %s.%s from %s %s where %s", b, r.remote, target.name, b, holds(b))
	if r.join != "" {
		j := x.alias()
		rows = fmt.Sprintf("select %s.%s from %s %s where %s.%s in (%s)", j, r.local, r.join, j, j, r.remote, rows)
	}
	return fmt.Sprintf("((%s.%s in (%s)) is true)", a, r.local, rows)
}

func (x *translator) aggregated(r *refRelation, a string, given map[string]any) string {
	b, target := x.alias(), refTables[r.target]
	rows := "true"
	if where, is := given["where"].(map[string]any); is {
		rows = x.where(target, b, where)
	}
	having := maps.Clone(given)
	delete(having, "where") // it chooses rows, and is no condition on what they come to
	return fmt.Sprintf("(select %s from %s %s where %s and %s group by ())", x.having(target, b, having), target.name, b, x.belongs(r, b, a+"."+r.local), rows)
}

// belongs writes the condition that the row b belongs to one whose local column is value.
func (x *translator) belongs(r *refRelation, b, value string) string {
	if r.join == "" {
		return fmt.Sprintf("%s.%s = %s", b, r.remote, value)
	}
	j := x.alias()
	return fmt.Sprintf("%s.%s in (select %s.%s from %s %s where %s.%s = %s)", b, r.remote, j, r.remote, r.join, j, j, r.local, value)
}

// having writes conditions on aggregates of the rows b.
func (x *translator) having(t *refTable, b string, given map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value := given[name]
		if connected, is := x.connective(name, value, func(g map[string]any) string { return x.having(t, b, g) }); is {
			parts = append(parts, connected)
			continue
		}
		switch name {
		case "count":
			parts = append(parts, x.compare("count(*)", "int8", value.(map[string]any)))
		default:
			members := value.(map[string]any)
			for _, field := range slices.Sorted(maps.Keys(members)) {
				c := t.column(field)
				sql, typ := measureOf(name, b+"."+c.name, c.typ)
				parts = append(parts, x.compare(sql, typ, members[field].(map[string]any)))
			}
		}
	}
	return all(parts, " and ", "true")
}

// measureOf writes an aggregate and tells its type.
func measureOf(function, value, typ string) (sql, result string) {
	switch function {
	case "countDistinct":
		return "count(distinct " + value + ")", "int8"
	case "sum", "avg":
		return function + "(" + value + ")", "numeric"
	}
	return function + "(" + value + ")", typ
}

var refComparisons = map[string]string{
	"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "like", "ilike": "ilike", "regex": "~", "iregex": "~*",
}

// compare writes the operators on a value.
func (x *translator) compare(value, typ string, given map[string]any) string {
	var parts []string
	for _, operator := range slices.Sorted(maps.Keys(given)) {
		operand := given[operator]
		text := quote(plainText(operand))
		var sql string
		switch operator {
		case "isnull":
			sql = fmt.Sprintf("(%s is null) = %v", value, operand)
		case "in", "nin":
			var items []string
			for _, item := range asList(operand) {
				items = append(items, quote(plainText(item))+"::"+typ)
			}
			sql = "false"
			if len(items) > 0 {
				sql = value + " in (" + strings.Join(items, ", ") + ")"
			}
			if operator == "nin" {
				sql = "not (" + sql + ")"
			}
		case "contains":
			sql = fmt.Sprintf("strpos(%s, %s) > 0", value, text)
		case "icontains":
			sql = fmt.Sprintf("strpos(lower(%s), lower(%s)) > 0", value, text)
		case "startswith":
			sql = fmt.Sprintf("left(%s, length(%s)) = %s", value, text, text)
		case "istartswith":
			sql = fmt.Sprintf("left(lower(%s), length(%s)) = lower(%s)", value, text, text)
		case "endswith":
			sql = fmt.Sprintf("right(%s, length(%s)) = %s", value, text, text)
		case "iendswith":
			sql = fmt.Sprintf("right(lower(%s), length(%s)) = lower(%s)", value, text, text)
		default:
			sql = fmt.Sprintf("%s %s %s::%s", value, refComparisons[operator], text, typ)
		}
		parts = append(parts, sql)
	}
	return all(parts, " and ", "true")
}

// order writes joins with what rows of t are ordered by, and the keys of the order.
func (x *translator) order(t *refTable, a string, given any) (joins string, keys []string) {
	last := "ASC"
	columns := map[string]bool{}
	if given != nil {
		for _, item := range asList(given) {
			join, sql, direction := x.orderKey(t, a, item.(map[string]any))
			if join == "" && columns[sql] {
				continue // the same column again decides nothing
			}
			columns[sql] = join == ""
			joins += join
			keys = append(keys, sql+" "+refDirections[direction])
			last = direction
		}
	}
	for _, k := range t.key {
		keys = append(keys, a+"."+k+" "+refDirections[strings.SplitN(last, "_", 2)[0]])
	}
	return joins, keys
}

var refDirections = map[string]string{
	"ASC": "asc nulls last", "ASC_NULLS_FIRST": "asc nulls first", "ASC_NULLS_LAST": "asc nulls last",
	"DESC": "desc nulls first", "DESC_NULLS_FIRST": "desc nulls first", "DESC_NULLS_LAST": "desc nulls last",
}

func (x *translator) orderKey(t *refTable, a string, given map[string]any) (joins, sql, direction string) {
	for name, inner := range given {
		if c := t.column(name); c != nil {
			return "", a + "." + c.name, inner.(string)
		}
		r := t.relation(name)
		b, target := x.alias(), refTables[r.target]
		if !r.many {
			joins, sql, direction = x.orderKey(target, b, inner.(map[string]any))
			return fmt.Sprintf(" left join %s %s on %s.%s = %s.%s", target.name, b, b, r.remote, a, r.local) + joins, sql, direction
		}
		measure, direction := x.orderMeasure(target, b, inner.(map[string]any))
		from, key := target.name+" "+b, b+"."+r.remote
		if r.join != "" {
			j := x.alias()
			from += fmt.Sprintf(" join %s %s on %s.%s = %s.%s", r.join, j, j, r.remote, b, r.remote)
			key = j + "." + r.local
		}
		g := x.alias()
		joins = fmt.Sprintf(" left join (select %s as k, %s as v from %s group by 1) %s on %s.k = %s.%s", key, measure, from, g, g, a, r.local)
		sql = g + ".v"
		if strings.HasPrefix(measure, "count(") { // of no rows it is none, while other aggregates are null
			sql = fmt.Sprintf("case when %s.%s is not null then coalesce(%s.v, 0) end", a, t.key[0], g)
		}
		return joins, sql, direction
	}
	return "", "", ""
}

func (x *translator) orderMeasure(t *refTable, b string, given map[string]any) (sql, direction string) {
	for function, inner := range given {
		members, nested := inner.(map[string]any)
		if !nested {
			return "count(*)", inner.(string)
		}
		for field, way := range members {
			c := t.column(field)
			if function == "key" {
				return b + "." + c.name, way.(string)
			}
			sql, _ := measureOf(function, b+"."+c.name, c.typ)
			return sql, way.(string)
		}
	}
	return "", ""
}
