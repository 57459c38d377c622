package plan

import (
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// orderKey is one key of an order.
type orderKey struct {
	name       string // as the request has it: "artist.name"
	sql        string
	codec      *schema.Codec   // of its values
	column     *catalog.Column // when it is one of the level itself
	notNull    bool
	desc       bool
	nullsFirst bool
	distance   bool // from a vector that is given
}

func (k *orderKey) directed(direction string) {
	k.desc = strings.HasPrefix(direction, "DESC")
	k.nullsFirst = k.desc && direction == "DESC" || strings.HasSuffix(direction, "NULLS_FIRST")
}

// direction writes the direction. PostgreSQL's own place of nulls is left unsaid, and any place where there
// are none, so that an ordinary index serves.
func (k *orderKey) direction() string {
	switch {
	case k.desc && (k.nullsFirst || k.notNull):
		return " desc"
	case k.desc:
		return " desc nulls last"
	case k.nullsFirst && !k.notNull:
		return " asc nulls first"
	}
	return ""
}

func orderSQL(keys []orderKey) string {
	if len(keys) == 0 {
		return ""
	}
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.sql + k.direction()
	}
	return " order by " + strings.Join(parts, ", ")
}

// orderBy reads the order of a level. What the caller leaves open the object's identity decides, so that
// pages never overlap; a view without a key keeps what is left open. It goes the way of the last key: one index
// over both then serves the order, read from either end, and a cursor is one comparison of rows.
func (c *compiler) orderBy(o *schema.Object, t string, given any) ([]orderKey, *inputError) {
	list, _ := given.([]any)
	var keys []orderKey
	known := func(column *catalog.Column) bool {
		return slices.ContainsFunc(keys, func(k orderKey) bool { return k.column != nil && k.column == column })
	}
	for _, item := range list {
		key, err := c.orderKey(o, t, item.(map[string]any))
		if err != nil {
			return nil, err
		}
		if key.column == nil || !known(key.column) { // the same column again decides nothing
			keys = append(keys, key)
		}
	}
	desc := len(keys) > 0 && keys[len(keys)-1].desc
	for _, k := range o.Identity() {
		if !known(k) {
			keys = append(keys, orderKey{name: k.Name, sql: column(t, k), codec: o.CodecOf(k), column: k, notNull: k.NotNull, desc: desc, nullsFirst: desc})
		}
	}
	return keys, nil
}

// columnKey reads a key that is a column: a direction, or of a vector how far it is from another one.
func (c *compiler) columnKey(f *schema.Field, t string, given any) (orderKey, *inputError) {
	if distance, far := given.(map[string]any); far {
		sql, err := c.distance(f.Codec, column(t, f.Column), distance)
		if err != nil {
			return orderKey{}, err.under("." + f.Name)
		}
		return orderKey{name: f.Name + " " + distance["metric"].(string), sql: sql, codec: schema.Distance, notNull: f.Column.NotNull, distance: true}, nil
	}
	key := orderKey{name: f.Name, sql: column(t, f.Column), codec: f.Codec, column: f.Column, notNull: f.Column.NotNull}
	key.directed(given.(string))
	return key, nil
}

// orderKey reads one key: a column of the level itself, or of the row that to-one relations lead to at any
// depth, or an aggregate of the rows that a relation leads to.
func (c *compiler) orderKey(o *schema.Object, t string, given map[string]any) (key orderKey, err *inputError) {
	if err := c.budget.condition(); err != nil {
		return key, err
	}
	for name, inner := range given { // exactly one: the input type is a OneOf
		if inner == nil {
			return key, wrong("null is no direction").under("." + name)
		}
		f := o.Fields[name]
		if f.Function != nil {
			key := orderKey{name: name, codec: f.Codec}
			key.directed(inner.(string))
			key.sql, err = c.computedValue(f, t)
			return key, err
		}
		if f.Relation == nil && f.Codec.JSON {
			key, err = c.orderKey(f.Codec.Object, column(t, f.Column), inner.(map[string]any))
			if err != nil {
				return key, err.under("." + name)
			}
			key.name, key.column = name+"."+key.name, nil
			return key, nil
		}
		if f.Relation == nil {
			return c.columnKey(f, t, inner)
		}
		if err := c.budget.relation(); err != nil {
			return key, err
		}
		from := c.correlate(f.Relation, t)
		if f.Relation.Many {
			key, err = c.measureKey(from.object, from.alias, inner.(map[string]any))
		} else {
			key, err = c.orderKey(from.object, from.alias, inner.(map[string]any))
		}
		if err != nil {
			return key, err.under("." + name)
		}
		sql := "(select " + key.sql + " from " + c.table(from.object.Table) + " " + from.alias + from.join + " where " + from.condition
		if !f.Relation.Many {
			sql += " limit 1"
		}
		key.name, key.sql, key.column = name+"."+key.name, sql+")", nil
		key.notNull = f.Relation.Many && key.notNull // there may be no row to take a column of
	}
	return key, nil
}
