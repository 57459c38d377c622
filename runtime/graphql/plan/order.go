package plan

import (
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// orderBy writes the order of a level. What the caller leaves open the object's identity decides, so that
// pages never overlap; a view without a key keeps what is left open.
func (c *compiler) orderBy(o *schema.Object, t string, given any) (string, *inputError) {
	list, _ := given.([]any)
	var parts []string
	var used []*catalog.Column
	for _, item := range list {
		value, direction, direct, err := c.orderKey(o, t, item.(map[string]any))
		if err != nil {
			return "", err
		}
		if direct != nil && slices.Contains(used, direct) {
			continue // the same column again decides nothing
		}
		used = append(used, direct)
		parts = append(parts, value+" "+schema.Directions[direction])
	}
	for _, k := range o.Identity() {
		if !slices.Contains(used, k) {
			parts = append(parts, column(t, k))
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	return " order by " + strings.Join(parts, ", "), nil
}

// orderKey writes the value and the direction of one key: a column of the level itself, which direct then
// is, or one of the row that to-one relations lead to, at any depth.
func (c *compiler) orderKey(o *schema.Object, t string, key map[string]any) (value, direction string, direct *catalog.Column, err *inputError) {
	if err := c.budget.condition(); err != nil {
		return "", "", nil, err
	}
	for name, given := range key { // exactly one: the input type is a OneOf
		f := o.Fields[name]
		nested, related := given.(map[string]any)
		if !related {
			return column(t, f.Column), given.(string), f.Column, nil
		}
		if err := c.budget.relation(); err != nil {
			return "", "", nil, err
		}
		from := c.correlate(f.Relation, t)
		value, direction, _, err = c.orderKey(from.object, from.alias, nested)
		value = "(select " + value + " from " + c.table(from.object.Table) + " " + from.alias + " where " + from.condition + " limit 1)"
	}
	return value, direction, nil, err
}
