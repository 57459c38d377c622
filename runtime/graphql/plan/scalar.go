package plan

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// scalar compiles a column: its text form where that is JSON's content already, else JSON that
// PostgreSQL makes.
func (c *compiler) scalar(codec *schema.Codec, sql string, selections ast.SelectionSet) (value, *gqlerror.Error) {
	if codec.Innermost().Object != nil {
		made, err := c.composite(codec, sql, selections)
		return value{row: made, json: made, encoding: schema.Raw}, err
	}
	if codec.IsList() {
		made := codec.JSONSQL(sql)
		return value{row: "to_json(" + made + ")", json: made, encoding: schema.Raw}, nil
	}
	return value{row: codec.RowSQL(sql), json: codec.JSONSQL(sql), encoding: codec.Encoding}, nil
}

// composite makes the JSON object of a composite value, or the list of objects of an array of them.
func (c *compiler) composite(codec *schema.Codec, sql string, selections ast.SelectionSet) (string, *gqlerror.Error) {
	if codec.JSON && codec.IsList() {
		return c.objects(codec.Elem, sql, selections)
	}
	if codec.IsList() {
		var problem *gqlerror.Error
		return codec.Nested(sql, c.alias("n")+"_", func(element string) string {
			made, err := c.composite(codec.Elem, element, selections)
			problem = err
			return made
		}), problem
	}
	var r record
	for _, f := range collect(selections, c.variables, codec.Object.Name) {
		v := value{constant: codec.Object.Name}
		if f.field.Name != "__typename" {
			stored := func(attribute *schema.Field, f selected) (value, *gqlerror.Error) {
				return c.scalar(attribute.Codec, column("("+sql+")", attribute.Column), f.selections)
			}
			leave := c.enter(f)
			attribute := codec.Object.Fields[f.field.Name]
			var err *gqlerror.Error
			if attribute.Resolved != nil {
				v, err = c.later(attribute, f, stored)
			} else {
				v, err = stored(attribute, f)
			}
			if leave(); err != nil {
				return "", err
			}
		}
		r = append(r, member{key: f.key, value: v})
	}
	list, json := r.selectList()
	if codec.JSON {
		return "(select " + json + " from (select " + list + ") r where jsonb_typeof(" + sql + ") = 'object')", nil
	}
	// "is not null" would be false for a value with any null attribute.
	return "(select " + json + " from (select " + list + ") r where " + sql + " is distinct from null)", nil
}

// objects makes the list of objects of a list in JSON; what is no list is null.
func (c *compiler) objects(elem *schema.Codec, sql string, selections ast.SelectionSet) (string, *gqlerror.Error) {
	n := c.alias("n")
	made, err := c.composite(elem, n+".e", selections)
	return "(case when jsonb_typeof(" + sql + ") = 'array' then (select coalesce(json_agg(" + made + " order by " + n + ".n), '[]') from jsonb_array_elements(" + sql +
		") with ordinality " + n + "(e, n)) end)", err
}
