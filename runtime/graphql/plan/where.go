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
	inner := func(conditions map[string]any) (string, *inputError) { return c.where(o, t, conditions) }
	switch name {
	case "_and":
		return connect(given.([]any), " and ", "true", inner)
	case "_or":
		return connect(given.([]any), " or ", "false", inner)
	case "_not":
		sql, err := inner(given.(map[string]any))
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
func connect(list []any, word, empty string, write func(map[string]any) (string, *inputError)) (string, *inputError) {
	if len(list) == 0 {
		return empty, nil
	}
	parts := make([]string, len(list))
	for i, item := range list {
		sql, err := write(item.(map[string]any))
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
	case "aggregate":
		return c.aggregated(r, parent, conditions)
	default:
		return c.exists(r, parent, conditions)
	}
}

// aggregated compares aggregates of the related rows, or of those that meet a condition of their own.
func (c *compiler) aggregated(r *schema.Relation, parent string, conditions map[string]any) (string, *inputError) {
	if err := c.budget.relation(); err != nil {
		return "", err
	}
	from := c.correlate(r, parent)
	where := ""
	if given, ok := conditions["where"].(map[string]any); ok {
		sql, err := c.where(from.object, from.alias, given)
		if err != nil {
			return "", err.under(".where")
		}
		if sql != "" {
			where = " and " + group(sql)
		}
	}
	having, err := c.having(from.object, from.alias, conditions)
	if err != nil || having == "" {
		return "true", err
	}
	// Conditions may have no aggregate in them, as an empty _or: having makes one row of the rows all the same.
	return "(select " + having + " from " + c.table(from.object.Table) + " " + from.alias + from.join + " where " + from.condition + where + " having true)", nil
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
		sql, err := c.operator(codec, value, name, operand)
		if err != nil {
			return "", err.under("." + name)
		}
		parts = append(parts, sql)
	}
	return strings.Join(parts, " and "), nil
}

var comparisons = map[string]string{"eq": " = ", "neq": " <> ", "gt": " > ", "gte": " >= ", "lt": " < ", "lte": " <= "}

// patterns are the operators on text that take it literally: the SQL operator, and how the text is written.
var patterns = map[string]struct {
	operator string
	write    writer
}{
	"contains": {" like ", patternText("%", "%")}, "icontains": {" ilike ", patternText("%", "%")},
	"startswith": {" like ", patternText("", "%")}, "istartswith": {" ilike ", patternText("", "%")},
	"endswith": {" like ", patternText("%", "")}, "iendswith": {" ilike ", patternText("%", "")},
}

var expressions = map[string]string{"like": " like ", "ilike": " ilike ", "regex": " ~ ", "iregex": " ~* "}

// operator writes one operator on a value.
func (c *compiler) operator(codec *schema.Codec, value, name string, operand any) (string, *inputError) {
	var sql string
	var parameter string
	var err *inputError
	sign, compares := comparisons[name]
	pattern, literal := patterns[name]
	switch {
	case name == "isnull":
		sql = value + " is not null"
		if operand == true {
			sql = value + " is null"
		}
	case name == "in":
		parameter, err = c.param(operand, arrayText)
		sql = value + " = any(" + codec.ArraySQL(parameter) + ")"
	case name == "nin":
		parameter, err = c.param(operand, arrayText)
		sql = value + " <> all(" + codec.ArraySQL(parameter) + ")"
	case compares:
		parameter, err = c.param(operand, scalarText)
		sql = value + sign + codec.ParameterSQL(parameter)
	case literal:
		parameter, err = c.param(operand, pattern.write)
		sql = value + pattern.operator + parameter + "::text"
	default:
		parameter, err = c.param(operand, scalarText)
		sql = value + expressions[name] + parameter + "::text"
	}
	return sql, err
}
