package plan

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// scalar compiles a column: its text form where that is JSON's content already, else JSON that
// PostgreSQL makes.
func (c *compiler) scalar(codec *schema.Codec, sql string, selections ast.SelectionSet) (value, *gqlerror.Error) {
	object := codec
	for object.Elem != nil {
		object = object.Elem
	}
	if object.Object != nil {
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
	if codec.Elem != nil {
		n := c.alias("n")
		element, err := c.composite(codec.Elem, "("+sql+")["+n+"]", selections)
		return "case when " + sql + " is not null then (select coalesce(json_agg(" + element + " order by " + n + "), '[]') from generate_subscripts(" +
			sql + ", 1) " + n + ") end", err
	}
	fields := collect(selections, c.variables)
	var values []value
	for _, f := range fields {
		if f.field.Name == "__typename" {
			values = append(values, value{constant: codec.Object.Name})
			continue
		}
		attribute := codec.Object.Fields[f.field.Name]
		v, err := c.scalar(attribute.Codec, column("("+sql+")", attribute.Column), f.selections)
		if err != nil {
			return "", err
		}
		values = append(values, v)
	}
	list, record := object(fields, values)
	if record == "" {
		record = "row_to_json(r)"
	}
	// "is not null" would be false for a value with any null attribute.
	return "(select " + record + " from (select " + strings.Join(list, ", ") + ") r where " + sql + " is distinct from null)", nil
}

// textOf gives a coerced scalar in the form in which PostgreSQL reads it.
func textOf(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return string(v)
	case json.RawMessage:
		return string(v)
	default:
		return v.(string)
	}
}

// arrayOf gives a list in PostgreSQL's array notation, every element quoted.
func arrayOf(items []any) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(arrayEscapes.Replace(textOf(item)))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func intOf(v any) int {
	n, _ := strconv.Atoi(textOf(v)) // Int has been coerced: it is a whole number of 32 bits
	return n
}
