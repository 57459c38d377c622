package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// where writes a condition on rows of o; empty when it holds for every row. The same shape always
// gives the same text: names are taken in their own order, values are parameters.
func (c *compiler) where(o *schema.Object, t string, conditions map[string]any) (string, *inputError) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		given := conditions[name]
		if given == nil {
			return "", wrong("null is no condition: leave it out, or use isnull").under("." + name)
		}
		if err := c.budget.condition(); err != nil {
			return "", err
		}
		sql, err := c.condition(o, t, name, given)
		if err != nil {
			return "", err.under("." + name)
		}
		if sql != "" {
			parts = append(parts, sql)
		}
	}
	return strings.Join(parts, " and "), nil
}

func (c *compiler) condition(o *schema.Object, t, name string, given any) (string, *inputError) {
	switch name {
	case "_and":
		return c.connect(o, t, given.([]any), " and ", "true")
	case "_or":
		return c.connect(o, t, given.([]any), " or ", "false")
	case "_not":
		sql, err := c.where(o, t, given.(map[string]any))
		return "not " + group(sql), err
	}
	f := o.Fields[name]
	conditions := given.(map[string]any)
	switch {
	case f.Relation == nil:
		return c.compare(f.Codec, column(t, f.Column), conditions)
	case f.Relation.Many:
		return c.quantify(f.Relation, t, conditions)
	default:
		return c.exists(f.Relation, t, conditions)
	}
}

// group puts a condition in brackets; none at all holds for every row.
func group(sql string) string {
	if sql == "" {
		return "true"
	}
	return "(" + sql + ")"
}

// connect joins a list of conditions; an empty list is what neither changes nor decides the connective.
func (c *compiler) connect(o *schema.Object, t string, list []any, word, empty string) (string, *inputError) {
	if len(list) == 0 {
		return empty, nil
	}
	parts := make([]string, len(list))
	for i, item := range list {
		sql, err := c.where(o, t, item.(map[string]any))
		if err != nil {
			return "", err
		}
		parts[i] = group(sql)
	}
	return "(" + strings.Join(parts, word) + ")", nil
}

// exists asks whether there is a related row that meets the conditions.
func (c *compiler) exists(r *schema.Relation, parent string, conditions map[string]any) (string, *inputError) {
	if err := c.budget.relation(); err != nil {
		return "", err
	}
	from := c.correlate(r, parent)
	sql, err := c.where(from.object, from.alias, conditions)
	if sql != "" {
		sql = " and " + group(sql)
	}
	return c.existsIn(from, sql), err
}

func (c *compiler) existsIn(s source, condition string) string {
	return "exists (select from " + c.table(s.object.Table) + " " + s.alias + s.join + " where " + s.condition + condition + ")"
}

func (c *compiler) quantify(r *schema.Relation, parent string, conditions map[string]any) (string, *inputError) {
	var parts []string
	for _, word := range slices.Sorted(maps.Keys(conditions)) {
		inner, given := conditions[word].(map[string]any)
		if !given {
			return "", wrong("null is no condition: leave it out").under("." + word)
		}
		sql, err := c.quantified(word, r, parent, inner)
		if err != nil {
			return "", err.under("." + word)
		}
		parts = append(parts, sql)
	}
	return strings.Join(parts, " and "), nil
}

func (c *compiler) quantified(word string, r *schema.Relation, parent string, conditions map[string]any) (string, *inputError) {
	switch word {
	case "every":
		if err := c.budget.relation(); err != nil {
			return "", err
		}
		from := c.correlate(r, parent)
		sql, err := c.where(from.object, from.alias, conditions)
		// A condition that is null for a row does not hold for it.
		return "not " + c.existsIn(from, " and "+group(sql)+" is not true"), err
	case "none":
		sql, err := c.exists(r, parent, conditions)
		return "not " + sql, err
	default:
		return c.exists(r, parent, conditions)
	}
}

// compare writes the operators on one value, all of which must hold.
func (c *compiler) compare(codec *schema.Codec, value string, operators map[string]any) (string, *inputError) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		operand := operators[name]
		if operand == nil {
			return "", wrong("null equals nothing in SQL: leave the operator out, or use isnull").under("." + name)
		}
		if err := c.budget.condition(); err != nil {
			return "", err
		}
		parts = append(parts, c.operator(codec, value, name, operand))
	}
	return strings.Join(parts, " and "), nil
}

var comparisons = map[string]string{"eq": " = ", "neq": " <> ", "gt": " > ", "gte": " >= ", "lt": " < ", "lte": " <= "}

// patterns are the operators on text: the SQL operator, and what goes around a literal text.
var patterns = map[string]struct{ operator, before, after string }{
	"contains": {" like ", "%", "%"}, "icontains": {" ilike ", "%", "%"},
	"startswith": {" like ", "", "%"}, "istartswith": {" ilike ", "", "%"},
	"endswith": {" like ", "%", ""}, "iendswith": {" ilike ", "%", ""},
}

var expressions = map[string]string{"like": " like ", "ilike": " ilike ", "regex": " ~ ", "iregex": " ~* "}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (c *compiler) operator(codec *schema.Codec, value, name string, operand any) string {
	switch name {
	case "isnull":
		if operand == true {
			return value + " is null"
		}
		return value + " is not null"
	case "in":
		return value + " = any(" + codec.ArraySQL(c.param(arrayOf(operand.([]any)))) + ")"
	case "nin":
		return value + " <> all(" + codec.ArraySQL(c.param(arrayOf(operand.([]any)))) + ")"
	}
	if sign, ok := comparisons[name]; ok {
		return value + sign + codec.ParameterSQL(c.param(textOf(operand)))
	}
	if p, ok := patterns[name]; ok {
		return value + p.operator + c.param(p.before+likeEscapes.Replace(textOf(operand))+p.after) + "::text"
	}
	return value + expressions[name] + c.param(textOf(operand)) + "::text"
}
