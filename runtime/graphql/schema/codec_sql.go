package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// RowSQL writes a value as a column of its own, whose text form Encoding then describes.
func (c *Codec) RowSQL(value string) string {
	if c.out != "" && c.Elem == nil {
		return fmt.Sprintf(c.out, value)
	}
	return value
}

// JSONSQL writes a value as PostgreSQL's JSON functions shall take it, with the same result in JSON
// as RowSQL and Encoding give.
func (c *Codec) JSONSQL(value string) string {
	switch {
	case c.Elem != nil:
		return c.listSQL(value)
	case c.out != "":
		return fmt.Sprintf(c.out, value)
	case c.text:
		return value + "::text"
	}
	return value
}

// listSQL writes an array for PostgreSQL's JSON functions: as it is where they make of its elements what we do.
func (c *Codec) listSQL(value string) string {
	switch elem := c.Elem; {
	case elem.text:
		return c.guarded(value, value+"::text[]", "text[]")
	case elem.IsList() || elem.out != "":
		depth := 1 // the lists within have aliases of their own
		for inner := elem; inner.IsList(); inner = inner.Elem {
			depth++
		}
		return c.Nested(value, strings.Repeat("e", depth), elem.JSONSQL)
	}
	return c.guarded(value, value, c.Type.SQL)
}

// Nested writes an array as JSON lists, one level for each dimension of the schema, with element for each of its
// values. The aliases in it begin with prefix; they are written n.n, as n alone could be a column of that name.
func (c *Codec) Nested(value, prefix string, element func(value string) string) string {
	value = "(" + value + ")"
	if c.Dimensions == 1 && c.Elem.Object == nil {
		// To take elements by their number reads the whole array for each. Composites stay with that: unnest would take
		// them apart.
		n := prefix + "1"
		return c.nested(value, "(select coalesce(json_agg("+element(n+".e")+" order by "+n+".n), '[]') from unnest("+value+") with ordinality "+n+"(e, n))")
	}
	at := make([]string, c.Dimensions)
	for i := range at {
		n := prefix + strconv.Itoa(i+1)
		at[i] = "[" + n + "." + n + "]"
	}
	sql := element(value + strings.Join(at, ""))
	for i := c.Dimensions; i > 0; i-- {
		n := prefix + strconv.Itoa(i)
		sql = "(select coalesce(json_agg(" + sql + " order by " + n + "), '[]') from generate_subscripts(" + value + ", " + strconv.Itoa(i) + ") " + n + ")"
	}
	return c.nested(value, sql)
}

// nested lets sql make lists of a value that is there.
func (c *Codec) nested(value, sql string) string {
	return c.guarded(value, "case when "+value+" is not null then "+sql+" end", "integer[]::text::json")
}

// Selects tells whether a value is read by a sub-select.
func (c *Codec) Selects() bool {
	return c.Innermost().Object != nil || c.IsList() && !c.Elem.text && (c.Elem.IsList() || c.Elem.out != "")
}

// guarded lets only arrays with the dimensions of the schema pass: PostgreSQL lets a column have any. The cast
// that fails says so; it is never tried on another value, as its text has the value's dimensions in it.
func (c *Codec) guarded(value, sql, typeName string) string {
	n := strconv.Itoa(c.Dimensions)
	return "case when coalesce(array_ndims(" + value + "), " + n + ") = " + n + " then " + sql +
		" else ('an array of ' || array_ndims(" + value + ") || ' dimensions, declared with " + n + "')::" + typeName + " end"
}

// ComparedSQL writes a value as conditions compare it with parameters.
func (c *Codec) ComparedSQL(value string) string {
	if c.compared != "" {
		return fmt.Sprintf(c.compared, value)
	}
	return c.Type.Compared(value)
}

// ParameterSQL writes a parameter of the type; PostgreSQL parses its text form. A domain would round it, or refuse what
// a condition may well ask for: it is taken for what the domain is made of.
func (c *Codec) ParameterSQL(parameter string) string {
	switch {
	case c.Elem != nil && (c.Elem.in != "" || c.compared != ""):
		return c.Elem.ArraySQL(parameter)
	case c.in != "":
		return fmt.Sprintf(c.in, parameter)
	}
	return parameter + "::" + c.Type.Resolve().SQL
}

// EqualSQL writes that a value is that of a parameter, in the text form that the API gave out.
func (c *Codec) EqualSQL(value, parameter string) string {
	if c.IsList() {
		return value + " = " + parameter + "::" + c.Type.Resolve().SQL
	}
	return c.ComparedSQL(value) + c.Type.Operator("=") + c.ParameterSQL(parameter)
}

// ArraySQL writes a parameter that is a list of values of the type.
func (c *Codec) ArraySQL(parameter string) string {
	switch {
	case c.several != "":
		return fmt.Sprintf(c.several, parameter)
	case c.in != "":
		return "array(select " + fmt.Sprintf(c.in, "e") + " from unnest(" + parameter + "::text[]) as u(e))"
	}
	return parameter + "::" + c.Type.Resolve().SQL + "[]"
}

// operandSQL writes a parameter as an operator takes it.
func (c *Codec) operandSQL(o *Operator, parameter string) string {
	switch o.Operand {
	case One, Elements:
		return c.ParameterSQL(parameter)
	case Several:
		return c.ArraySQL(parameter)
	case Whole:
		return parameter + "::integer"
	case Texts:
		return parameter + "::text[]"
	case Element:
		sql := c.bound.ParameterSQL(parameter)
		if c.bound.Type.Kind == catalog.Domain {
			sql += "::" + c.bound.Type.SQL // a range over a domain takes values of no other type
		}
		return sql
	case Address:
		return parameter + "::inet"
	case Query:
		return parameter + "::" + catalog.QuoteIdent(c.Type.Resolve().Schema) + "." + o.cast
	default:
		return parameter + "::text"
	}
}

// StoredSQL writes a parameter as a value to be stored: a text that PostgreSQL reads by the type. What a domain asks for
// the column checks, and says which one it was.
func (c *Codec) StoredSQL(parameter string) string {
	if c.money() {
		return fmt.Sprintf(c.in, parameter)
	}
	return parameter + "::" + c.Type.Resolve().SQL
}

// EachSQL writes a parameter with the values of several rows, and how one of them is written when unnest gave it a name.
func (c *Codec) EachSQL(parameter string) (all string, one func(value string) string) {
	if c.Elem != nil || c.Object != nil || c.money() || c.Type.Between() != "," {
		return parameter + "::text[]", c.StoredSQL
	}
	return parameter + "::" + c.Type.Resolve().SQL + "[]", func(value string) string { return value }
}

// money tells whether PostgreSQL reads texts of the type by the locale, and numbers must be made of them first.
func (c *Codec) money() bool { return c.GraphQL == "Decimal" && c.in != "" }
