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
	null := func(name string) string {
		switch f := o.Fields[name]; {
		case f == nil: // _and, _or, _not
			return noCondition
		case f.Relation == nil:
			return noCondition + ", or use isnull"
		case f.Relation.Many:
			return noCondition + "; rows without any are those with {" + name + ": {none: {}}}"
		}
		return noCondition + "; rows without one are those with _not: {" + name + ": {}}"
	}
	return c.all(conditions, null, func(name string, given any) (string, *inputError) {
		return c.condition(o, t, name, given)
	})
}

const noCondition = "null is no condition: leave it out"

// notNull is for conditions that have nothing else to say.
func notNull(string) string { return noCondition }

// all joins the members of an object of conditions, all of which must hold; what null says of one that is null.
func (c *compiler) all(conditions map[string]any, null func(name string) string, write func(name string, given any) (string, *inputError)) (string, *inputError) {
	var parts []string
	what := c.what
	defer func() { c.what = what }()
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		given := conditions[name]
		c.what = what + "." + name
		if given == nil {
			return "", wrong("%s", null(name)).under("." + name)
		}
		if err := c.budget.condition(); err != nil {
			return "", err
		}
		sql, err := write(name, given)
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
	case f.Function != nil:
		sql, err := c.computedValue(f, t)
		if err != nil {
			return "", err
		}
		return c.compare(f.Codec, sql, conditions)
	case f.Relation == nil && f.Codec.JSON && f.Codec.Object != nil:
		return c.where(f.Codec.Object, column(t, f.Column), conditions)
	case f.Relation == nil && f.Codec.JSON:
		return c.compare(schema.JSON, column(t, f.Column), conditions)
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
	return c.all(conditions, notNull, func(word string, given any) (string, *inputError) {
		return c.quantified(word, r, parent, given.(map[string]any))
	})
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
	if given, present := conditions["where"]; present {
		chosen, is := given.(map[string]any)
		if !is {
			return "", wrong(noCondition).under(".where")
		}
		what := c.what
		c.what += ".where"
		sql, err := c.where(from.object, from.alias, chosen)
		c.what = what
		if err != nil {
			return "", err.under(".where")
		}
		if sql != "" {
			where = " and " + group(sql)
		}
		conditions = maps.Clone(conditions)
		delete(conditions, "where")
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
	null := func(name string) string {
		if name == "isnull" {
			return "isnull is true or false"
		}
		return "null equals nothing in SQL: leave the operator out, or use isnull"
	}
	return c.all(operators, null, func(name string, operand any) (string, *inputError) {
		return c.operator(codec, value, name, operand)
	})
}

// operator writes one operator on a value.
func (c *compiler) operator(codec *schema.Codec, value, name string, operand any) (string, *inputError) {
	o := codec.Operator(name)
	switch o.Operand {
	case schema.Truth:
		return o.SQL(codec, value, textOf(operand)), nil
	case schema.Path:
		return c.atPath(codec.ComparedSQL(value), operand.(map[string]any))
	case schema.Near:
		return c.near(codec, value, operand.(map[string]any))
	}
	parameter, err := c.param(operand, writerOf(codec, o.Operand))
	return o.SQL(codec, value, parameter), err
}

// writerOf gives how an operand is written.
func writerOf(codec *schema.Codec, operand schema.Operand) writer {
	switch operand {
	case schema.Several:
		return listText(codec, 1)
	case schema.Elements:
		return listText(codec.Elem, 1)
	case schema.Texts:
		return arrayText
	case schema.Inside:
		return patternText("%", "%")
	case schema.Start:
		return patternText("", "%")
	case schema.End:
		return patternText("%", "")
	case schema.One:
		if codec.IsList() {
			return listText(codec.Elem, codec.Dimensions)
		}
	}
	return scalarText
}

// atPath writes conditions on what is at a path within a JSON value.
func (c *compiler) atPath(value string, conditions map[string]any) (string, *inputError) {
	if len(conditions) == 1 {
		return "true", nil // a path alone is no condition, and PostgreSQL takes no parameter that has no place
	}
	conditions = maps.Clone(conditions)
	path, err := c.param(conditions["at"], arrayText)
	if err != nil {
		return "", err.under(".at")
	}
	delete(conditions, "at")
	sql, err := c.compare(schema.AtPath, "("+value+" #> "+path+"::text[])", conditions)
	return group(sql), err
}

// near writes the condition that a vector is not far from another one.
func (c *compiler) near(codec *schema.Codec, value string, given map[string]any) (string, *inputError) {
	distance, err := c.distance(codec, value, given)
	if err != nil {
		return "", err
	}
	within, err := c.param(given["within"], scalarText)
	return distance + " <= " + schema.Distance.ParameterSQL(within), err
}

// distance writes how far a vector is from one that is given.
func (c *compiler) distance(codec *schema.Codec, value string, given map[string]any) (string, *inputError) {
	metric, chosen := given["metric"].(string)
	if !chosen {
		return "", wrong("null is no metric: leave it out").under(".metric")
	}
	to, err := c.param(given["to"], scalarText)
	return codec.DistanceSQL(value, to, metric), err
}
