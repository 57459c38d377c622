package plan

import (
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// orderBy writes the order of a level. What the caller leaves open the key decides, so that pages
// never overlap; a view without a key keeps what is left open.
func (c *compiler) orderBy(o *schema.Object, t string, given any) string {
	list, _ := given.([]any)
	var parts []string
	var used []*catalog.Column
	for _, item := range list {
		sql, direct := c.orderKey(o, t, item.(map[string]any))
		if direct != nil && slices.Contains(used, direct) {
			continue // the same column again decides nothing
		}
		if direct != nil {
			used = append(used, direct)
		}
		parts = append(parts, sql)
	}
	if len(o.Keys) > 0 {
		for _, k := range o.Keys[0].Columns {
			if !slices.Contains(used, k) {
				parts = append(parts, column(t, k))
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " order by " + strings.Join(parts, ", ")
}

// orderKey writes one key. direct is the level's own column when the key is one.
func (c *compiler) orderKey(o *schema.Object, t string, key map[string]any) (sql string, direct *catalog.Column) {
	var value string
	var direction string
	for name, given := range key { // exactly one: the input type is a OneOf
		f := o.Fields[name]
		if nested, ok := given.(map[string]any); ok {
			value, direction = c.relatedKey(f.Relation, t, nested)
		} else {
			direct = f.Column
			value, direction = column(t, f.Column), given.(string)
		}
	}
	return value + " " + schema.Directions[direction], direct
}

// relatedKey is a column of the row that a to-one relation leads to, at any depth.
func (c *compiler) relatedKey(r *schema.Relation, parent string, key map[string]any) (sql, direction string) {
	from := c.correlate(r, parent)
	for name, given := range key {
		f := r.Target.Fields[name]
		var value string
		if nested, ok := given.(map[string]any); ok {
			value, direction = c.relatedKey(f.Relation, from.alias, nested)
		} else {
			value, direction = column(from.alias, f.Column), given.(string)
		}
		sql = "(select " + value + " from " + c.table(r.Target.Table) + " " + from.alias + " where " + from.condition + " limit 1)"
	}
	return sql, direction
}
