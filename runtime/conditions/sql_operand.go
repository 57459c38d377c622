package conditions

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// class is how a column's type is compared in SQL.
type class uint8

const (
	classOther class = iota // only as what to_jsonb makes of it, which is what the event has
	classInt
	classNumeric
	classText
	classBool
)

// classOf has the types of which PostgreSQL's answer is ours. Not here are float4 and float8, which a literal is rounded to;
// bpchar, which loses its blanks as a text; and extensions' types, which have operators of their own.
var classOf = map[string]class{
	"int2": classInt, "int4": classInt, "int8": classInt, "numeric": classNumeric,
	"text": classText, "varchar": classText, "uuid": classText, "enum": classText, "bool": classBool,
}

var kindOfClass = map[class]Kind{classInt: Number, classNumeric: Number, classText: Text, classBool: Bool}

// operand is a side of a comparison: a constant, or a column.
type operand struct {
	constant *value
	column   string // quoted, with its row
	class    class
}

// operand gives what SQL can read: columns of a row that there is, and what is constant for the operation.
func (w *writer) operand(n node) (operand, bool) {
	switch n := n.(type) {
	case *literal:
		return operand{constant: n.value}, true
	case *operation:
		return operand{constant: w.op.value()}, true
	case *reference:
		if n.source == fromClaims {
			return operand{}, false
		}
		missing := n.source == fromOld && w.op == Insert || n.source == fromNew && w.op == Delete
		switch {
		case missing:
			return operand{constant: nothing}, true
		case len(n.path) == 0:
			return operand{constant: &value{kind: anObject}}, true // of which only is said that it is not null
		case len(n.path) > 1 || !n.known || !sayable(n.column.Name):
			return operand{}, false
		}
		o := operand{column: w.rows[n.source] + "." + identifier(n.column.Name), class: classOf[n.column.Type]}
		if kindOfClass[o.class] != n.column.Kind { // the event has it as something else
			o.class = classOther
		}
		return o, true
	}
	return operand{}, false
}

// compare writes a comparison; false is: PostgreSQL's answer may be another than ours.
func (w *writer) compare(operator string, left, right operand) (string, bool) {
	switch {
	case left.constant != nil && right.constant != nil:
		return constants(operator, left.constant, right.constant)
	case left.constant != nil:
		left, right = right, left
		operator = mirrored(operator)
	}
	order := operator != "==" && operator != "!="
	var sql string
	switch {
	case right.constant != nil && right.constant.kind == aNull && order:
		return never, true
	case right.constant != nil && right.constant.kind == aNull:
		sql = left.isNull()
	default:
		c := common(left, right)
		if c == classOther || order && c != classInt && c != classNumeric {
			return "", false
		}
		a, b := left.as(c), right.as(c)
		otherwise := "false"
		if right.constant == nil && !order {
			otherwise = "(" + left.column + " is null and " + right.column + " is null)"
		}
		sql = "coalesce(" + a + " operator(pg_catalog." + strings.NewReplacer("==", "=", "!=", "=").Replace(operator) + ") " + b + ", " + otherwise + ")"
	}
	if operator == "!=" {
		sql = opposite(sql)
	}
	return sql, true
}

func constants(operator string, a, b *value) (string, bool) {
	if a.kind == anObject && b.kind == anObject {
		return "", false
	}
	is, ok := answer(operator, a, b, false)
	return constantly(is), ok
}

func mirrored(operator string) string {
	return strings.NewReplacer("<", ">", ">", "<").Replace(operator)
}

// common gives what both sides are compared as.
func common(left, right operand) class {
	classes := []class{left.class, right.class}
	if v := right.constant; v != nil {
		classes[1] = classOfConstant(v)
	}
	slices.Sort(classes)
	switch {
	case classes[0] == classOther:
		return classOther
	case classes[0] == classes[1]:
		return classes[0]
	case classes[1] == classNumeric: // and an integer
		return classNumeric
	}
	return classOther
}

func classOfConstant(v *value) class {
	switch v.kind {
	case aBoolean:
		return classBool
	case aNumber:
		if v.whole {
			return classInt
		}
		if d := decimalOf(v.text, nil); d.point <= maxDigits && d.point >= -maxDigits && len(d.digits) <= maxDigits {
			return classNumeric
		}
	case aText:
		if sayable(string(v.text)) {
			return classText
		}
	}
	return classOther
}

// sayable tells whether a text can stand in a statement.
func sayable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// as writes an operand as one of a class.
func (o operand) as(c class) string {
	of := o.column
	if o.constant != nil {
		of = o.quoted()
	}
	switch c {
	case classInt:
		return of + "::pg_catalog.int8"
	case classNumeric:
		return of + "::pg_catalog.numeric"
	case classBool:
		return of + "::pg_catalog.bool"
	default: // byte by byte, whatever the collation of the column
		return of + `::pg_catalog.text collate pg_catalog."C"`
	}
}

func (o operand) quoted() string {
	switch v := o.constant; v.kind {
	case aBoolean:
		return constantly(v.yes)
	case aNumber:
		return quote(plain(v))
	default:
		return quote(string(v.text))
	}
}

// isNull tells whether an event has null for a column. Null of JSON is one too, and a composite value that is made of nulls
// is none, both otherwise than `is null` has it.
func (o operand) isNull() string {
	if o.class != classOther {
		return "(" + o.column + " is null)"
	}
	return "(" + o.json() + ` operator(pg_catalog.=) 'null'::pg_catalog.jsonb)`
}

func (o operand) json() string {
	return "coalesce(pg_catalog.to_jsonb(" + o.column + "), 'null'::pg_catalog.jsonb)"
}

// same tells whether two columns of one type have the same value in an event.
func (o operand) same(other operand) string {
	if o.class == classOther {
		return "(" + o.json() + " operator(pg_catalog.=) " + other.json() + ")"
	}
	return "coalesce(" + o.as(o.class) + " operator(pg_catalog.=) " + other.as(o.class) + ", (" + o.column + " is null and " + other.column + " is null))"
}

// plain writes a number without an exponent.
func plain(v *value) string {
	if v.whole {
		return string(v.digitsOf(nil))
	}
	d := decimalOf(v.text, nil)
	sign, all := "", string(d.digits)
	if d.sign < 0 {
		sign = "-"
	}
	switch point := int(d.point); {
	case d.sign == 0:
		return "0"
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + all
	case point >= len(all):
		return sign + all + strings.Repeat("0", point-len(all))
	default:
		return sign + all[:point] + "." + all[point:]
	}
}

// quote writes a text as a literal that is the same whatever standard_conforming_strings is.
func quote(s string) string {
	quoted := "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + quoted
	}
	return quoted
}

func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
