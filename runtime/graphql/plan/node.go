package plan

import (
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// node reads the row that a global id names; known is false when no type and key can be what it means.
func (c *compiler) node(f selected, values map[string]any) (q query, known bool, err *gqlerror.Error) {
	argument := c.schema.NodeID
	typeName, keys, ok := reveal(textOf(values[argument]))
	object := c.schema.Objects[typeName]
	if !ok || object == nil || !object.HasNodeID() || len(keys) != len(object.PrimaryKey()) {
		return q, false, Problem(BadUserInput, "argument "+argument+": it is no id that this server has given", nil)
	}
	given := map[string]any{}
	fields := object.KeyFields()
	for i, k := range fields {
		if keys[i] == nil {
			return q, false, Problem(BadUserInput, "argument "+argument+": it is no id that this server has given", nil)
		}
		given[k.Name] = *keys[i]
	}
	from := source{object: object, alias: c.alias("t")}
	q, err = c.byKey(fields, from, f, given, argument)
	return q, true, err
}
