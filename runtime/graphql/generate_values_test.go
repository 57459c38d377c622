package graphql_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// generator makes random operations that are valid. The same seed makes the same operations of the same database.
type generator struct {
	*rand.Rand
	schema    *ast.Schema
	samples   map[string][]string // values by "Album.title"
	book      *cursorBook
	variables []genVariable
	fragments []string
	aliases   int
	related   int           // relations that filters and orders may still lead through
	slow      bool          // the filter or order at work is of a large table
	text      func() string // of values, in place of those in the database; patterns are then as it gives them
}

type genVariable struct {
	name, typ, text string // text is its default value
	value           any
	given           bool
}

// label is a value of an enum.
type label string

// reuse is a variable in place of a value.
type reuse string

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// some picks at least one of a list, in its order.
func some[T any](g *generator, list []T, most int) []T {
	n := 1 + g.IntN(min(most, len(list)))
	places := slices.Sorted(slices.Values(g.Perm(len(list))[:n]))
	chosen := make([]T, n)
	for i, p := range places {
		chosen[i] = list[p]
	}
	return chosen
}

// literal writes a value as GraphQL has it.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case label:
		return string(v)
	case reuse:
		return "$" + string(v)
	case string:
		return jsonText(v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = literal(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, name+": "+literal(v[name]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// asVariable gives a value as JSON has it.
func asVariable(v any) any {
	switch v := v.(type) {
	case label:
		return string(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = asVariable(item)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, member := range v {
			object[name] = asVariable(member)
		}
		return object
	}
	return v
}

// declare makes a variable of a type with a value, given or as its default.
func (g *generator) declare(t *ast.Type, value any) reuse {
	v := genVariable{name: fmt.Sprintf("v%d", len(g.variables)), typ: t.String(), value: asVariable(value), given: true}
	if g.chance(15) && value != nil {
		v.text, v.given = literal(value), g.chance(20)
	}
	g.variables = append(g.variables, v)
	return reuse(v.name)
}

// lift puts variables in place of some parts of a value.
func (g *generator) lift(t *ast.Type, value any, required bool) any {
	if value != nil && g.chance(20) {
		declared := *t
		declared.NonNull = declared.NonNull || required
		return g.declare(&declared, value)
	}
	switch v := value.(type) {
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = g.lift(t.Elem, item, false)
		}
		return list
	case map[string]any:
		for t.Elem != nil {
			t = t.Elem // one value stands for a list of one
		}
		d := g.schema.Types[t.NamedType]
		oneOf := d.Directives.ForName("oneOf") != nil
		object := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			object[name] = g.lift(d.Fields.ForName(name).Type, v[name], oneOf)
		}
		if f := pick(g, []*ast.FieldDefinition(d.Fields)); !oneOf && v[f.Name] == nil && g.chance(5) {
			object[f.Name] = g.missing(f.Type)
		}
		return object
	}
	return value
}

// missing declares a variable that the request will not give.
func (g *generator) missing(t *ast.Type) reuse {
	nullable := *t
	nullable.NonNull = false
	name := fmt.Sprintf("v%d", len(g.variables))
	g.variables = append(g.variables, genVariable{name: name, typ: nullable.String()})
	return reuse(name)
}

var directions = []label{"ASC", "ASC_NULLS_FIRST", "ASC_NULLS_LAST", "DESC", "DESC_NULLS_FIRST", "DESC_NULLS_LAST"}

// whereDepth is how deep a filter may be.
const whereDepth = 2

// where makes conditions on rows of t.
func (g *generator) where(t *refTable, depth int) map[string]any {
	conditions := map[string]any{}
	if depth == whereDepth {
		g.slow = large(t)
	}
	for range 1 + g.IntN(2) {
		switch {
		case depth > 0 && g.chance(25):
			g.connect(conditions, func() map[string]any { return g.where(t, depth-1) })
		case depth > 0 && g.chance(35) && g.related > 0 && len(t.relations) > 0:
			r := pick(g, t.relations)
			if conditions[r.field] == nil {
				g.related--
				conditions[r.field] = g.whereRelated(&r, depth-1, depth == whereDepth || !g.slow)
			}
		default:
			c := pick(g, t.columns)
			conditions[c.field] = g.conditions(t.typ+"."+c.field, c.typ)
		}
	}
	if g.chance(3) {
		return map[string]any{}
	}
	return conditions
}

// connect adds a connective of conditions.
func (g *generator) connect(conditions map[string]any, make func() map[string]any) {
	if g.chance(33) {
		conditions["_not"] = make()
		return
	}
	list := []any{}
	for range g.IntN(3) {
		list = append(list, make())
	}
	word := pick(g, []string{"_and", "_or"})
	conditions[word] = list
	if len(list) == 1 && g.chance(50) {
		conditions[word] = list[0]
	}
}

// large tells tables of thousands of rows. Aggregates of other rows for each of their rows take minutes.
func large(t *refTable) bool {
	return t.typ == "Track" || t.typ == "PlaylistTrack" || t.typ == "InvoiceLine"
}

func (g *generator) whereRelated(r *refRelation, depth int, aggregates bool) map[string]any {
	target := refTables[r.target]
	if !r.many {
		return g.where(target, depth)
	}
	conditions := map[string]any{}
	words := []string{"some", "every", "none"}
	if aggregates {
		words = append(words, "aggregate")
	}
	for _, word := range some(g, words, 2) {
		if word == "aggregate" {
			conditions[word] = g.aggregateWhere(target, depth)
		} else {
			conditions[word] = g.where(target, depth)
		}
	}
	return conditions
}

func (g *generator) aggregateWhere(t *refTable, depth int) map[string]any {
	conditions := g.having(t, depth)
	if g.chance(40) {
		conditions["where"] = g.where(t, 0)
	}
	return conditions
}

// having makes conditions on aggregates of rows of t.
func (g *generator) having(t *refTable, depth int) map[string]any {
	conditions := map[string]any{}
	for range 1 + g.IntN(2) {
		if depth > 0 && g.chance(30) {
			g.connect(conditions, func() map[string]any { return g.having(t, depth-1) })
			continue
		}
		function := pick(g, g.functions(t))
		if function == "count" {
			conditions[function] = g.numbers("Int", 0, 12)
			continue
		}
		c := t.column(pick(g, []*ast.FieldDefinition(g.schema.Types[t.typ+upper(function)+"Having"].Fields)).Name)
		var inner map[string]any
		switch function {
		case "countDistinct":
			inner = g.numbers("Int", 0, 6)
		case "sum":
			inner = g.numbers("Text", 0, 1000000)
		case "avg":
			inner = g.numbers("Text", 0, 300000)
		default:
			inner = g.conditions(t.typ+"."+c.field, c.typ)
		}
		conditions[function] = map[string]any{c.field: inner}
	}
	return conditions
}

func upper(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// functions are the aggregates that the schema has for t and the reference knows.
func (g *generator) functions(t *refTable) []string {
	names := []string{"count"}
	for _, name := range []string{"countDistinct", "sum", "avg", "min", "max"} {
		if g.schema.Types[t.typ+upper(name)] != nil {
			names = append(names, name)
		}
	}
	return names
}

func (g *generator) numbers(form string, least, most int) map[string]any {
	number := func() any {
		n := strconv.Itoa(least + g.IntN(most-least))
		if form == "Text" && g.chance(50) {
			return n
		}
		return json.Number(n)
	}
	conditions := map[string]any{}
	for _, operator := range some(g, []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "nin", "isnull"}, 2) {
		switch operator {
		case "in", "nin":
			conditions[operator] = []any{number(), number(), number()}
		case "isnull":
			conditions[operator] = g.chance(30)
		default:
			conditions[operator] = number()
		}
	}
	return conditions
}

var textual = []string{"contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "like", "ilike", "regex", "iregex"}

// conditions makes operators on a column's values.
func (g *generator) conditions(column, typ string) map[string]any {
	operators := []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "nin", "isnull"}
	if typ == "text" {
		operators = append(operators, textual...)
	}
	conditions := map[string]any{}
	for _, operator := range some(g, operators, 1+g.IntN(2)) {
		switch operator {
		case "isnull":
			conditions[operator] = g.chance(50)
		case "in", "nin":
			list := []any{}
			for range g.IntN(6) {
				list = append(list, g.sample(column, typ))
			}
			conditions[operator] = list
			if len(list) == 1 && g.chance(30) {
				conditions[operator] = list[0]
			}
		default:
			conditions[operator] = g.sample(column, typ)
			if text, is := conditions[operator].(string); is && g.text == nil && slices.Contains(textual, operator) {
				conditions[operator] = g.pattern(operator, text)
			}
		}
	}
	return conditions
}

// sample gives a value of a column, or one like it.
func (g *generator) sample(column, typ string) any {
	text := pick(g, g.samples[column])
	switch typ {
	case "int4":
		n, _ := strconv.Atoi(text)
		return json.Number(strconv.Itoa(n + []int{0, 0, 0, 1, -1}[g.IntN(5)]))
	case "numeric":
		if g.chance(50) {
			return json.Number(text)
		}
		return text
	case "timestamp":
		if g.chance(50) {
			return strings.Replace(text, " ", "T", 1)
		}
		return text
	}
	if g.text != nil {
		return g.text()
	}
	if g.chance(10) {
		return pick(g, []string{"", "%", "_", `\`, "'", `"`, "É", "🙂", "a\nb", "'; select 1 --", "\u00df"})
	}
	return text
}

// pattern makes something of a text that an operator can find.
func (g *generator) pattern(operator, text string) string {
	letters := []rune(text)
	if len(letters) > 1 {
		switch begin := g.IntN(len(letters)); {
		case strings.HasSuffix(operator, "startswith"):
			letters = letters[:begin]
		case strings.HasSuffix(operator, "endswith"):
			letters = letters[begin:]
		case strings.HasSuffix(operator, "contains"), strings.HasSuffix(operator, "regex"):
			letters = letters[begin:min(len(letters), begin+1+g.IntN(4))]
		case strings.HasSuffix(operator, "like"):
			letters[begin] = pick(g, []rune{'%', '_'})
			letters = slices.Concat([]rune(pick(g, []string{"", "%"})), letters[:begin+1], []rune("%"))
		}
	}
	text = string(letters)
	if operator[0] == 'i' && g.chance(50) {
		text = strings.ToUpper(text)
	}
	switch {
	case strings.HasSuffix(operator, "regex"):
		return pick(g, []string{"", "^", "[a-m]+", ".?"}) + regexp.QuoteMeta(text)
	case strings.HasSuffix(operator, "like"):
		return strings.ReplaceAll(text, `\`, `\\`) // at the end of a pattern one alone would be an error
	}
	return text
}

// orderBy makes an order of rows of t.
func (g *generator) orderBy(t *refTable) []any {
	list := []any{}
	g.slow = large(t)
	for range g.IntN(4) {
		list = append(list, g.orderKey(t, 2))
	}
	return list
}

func (g *generator) orderKey(t *refTable, depth int) map[string]any {
	if depth == 0 || g.related <= 0 || len(t.relations) == 0 || g.chance(60) {
		return map[string]any{pick(g, t.columns).field: pick(g, directions)}
	}
	r := pick(g, t.relations)
	if r.many && depth < 2 && g.slow {
		return map[string]any{pick(g, t.columns).field: pick(g, directions)}
	}
	g.related--
	if r.many {
		return map[string]any{r.field: g.orderMeasure(refTables[r.target])}
	}
	return map[string]any{r.field: g.orderKey(refTables[r.target], depth-1)}
}

func (g *generator) orderMeasure(t *refTable) map[string]any {
	function := pick(g, g.functions(t))
	if function == "count" {
		return map[string]any{function: pick(g, directions)}
	}
	member := pick(g, []*ast.FieldDefinition(g.schema.Types[t.typ+upper(function)].Fields)).Name
	return map[string]any{function: map[string]any{member: pick(g, directions)}}
}
