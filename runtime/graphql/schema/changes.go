package schema

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Change is a way to change a value by what it is, as a member of `set`: {_inc: {plays: 1}}.
type Change struct {
	Name    string
	Operand ChangeOperand

	typeEnding string // of the input's name
	doc        string
	sql        string // %[1]s is the column, %[2]s the operand
}

// ChangeOperand is what a change takes.
type ChangeOperand uint8

// The operands.
const (
	Amount ChangeOperand = iota // a number of the column's type
	Items                       // a list, or JSON, of the column's type
	Names                       // names of members
	Places                      // paths and what is to be there
)

// changes lists them; those that take the same share a type.
var changes = []*Change{
	{"_inc", Amount, "Numbers", "Adds to numbers; null stays null.", "%[1]s + %[2]s"},
	{"_mul", Amount, "Numbers", "Multiplies numbers; null stays null.", "%[1]s * %[2]s"},
	{"_append", Items, "Lists", "Adds to the end of lists; members of JSON objects are put into them. Where there was nothing, there is then this.", "coalesce(%[1]s || %[2]s, %[2]s)"},
	{"_prepend", Items, "Lists", "Adds to the beginning of lists; JSON objects keep the members that they have. Where there was nothing, there is then this.", "coalesce(%[2]s || %[1]s, %[2]s)"},
	{"_delete_key", Names, "Keys", "Takes members out of JSON objects, and texts out of JSON lists.", "%[1]s - %[2]s"},
	{"_set_path", Places, "Paths", "Puts values at paths within JSON.", ""},
}

// PathInput is the input that says what is to be at a path within JSON.
const PathInput = "JSONPathInput"

// ChangeOf finds a change by its name, or gives nil.
func ChangeOf(name string) *Change {
	for _, c := range changes {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// SQL writes the new value of a column.
func (c *Change) SQL(column, operand string) string { return fmt.Sprintf(c.sql, column, operand) }

// takes tells whether values of a codec can be changed so.
func (c *Change) takes(of *Codec) bool {
	t := of.Type.Resolve()
	document := t.Schema == "pg_catalog" && t.Name == "jsonb"
	switch c.Operand {
	case Amount:
		switch t.Name {
		case "int2", "int4", "int8", "numeric", "float4", "float8":
			return t.Schema == "pg_catalog"
		}
		return false
	case Items:
		return document || of.Elem != nil && t.Kind == catalog.Array && of.compared == ""
	default:
		return document
	}
}

// defineSet makes the input of changes to a row.
func (b *builder) defineSet(o *Object) {
	d := inputDefinition(o.setName(), "Changes to a row of "+o.Name+"; what is left out stays as it is.")
	for _, in := range o.Inputs() {
		switch {
		case in.Relation != nil && (!in.Relation.Holds || canUpdate(in.Relation.Local)):
			b.addRelated(d, in)
		case in.Relation == nil && in.Column.Update:
			d.Fields = append(d.Fields, b.memberOf(in.Name, in.description, b.inputType(in.Codec)))
		}
	}
	for _, change := range changes {
		if name := b.changeType(o, change); name != "" && d.Fields.ForName(change.Name) == nil {
			d.Fields = append(d.Fields, b.member(change.Name, change.doc, name))
		}
	}
	b.defineData(d)
}

// changeType makes the input of a change; empty when no column can be changed so.
func (b *builder) changeType(o *Object, change *Change) string {
	name := o.setName() + change.typeEnding
	if b.defined(name) {
		return name
	}
	var fields ast.FieldList
	for _, in := range o.Inputs() {
		if in.Relation == nil && in.Column.Update && change.takes(in.Codec) {
			fields = append(fields, b.memberOf(in.Name, "", b.changeOperand(change, in.Codec)))
		}
	}
	if len(fields) == 0 {
		return ""
	}
	b.defineData(inputDefinition(name, "Columns of "+o.Name+" that are changed by what they are.", fields...))
	return name
}

func (b *builder) changeOperand(change *Change, c *Codec) *ast.Type {
	switch change.Operand {
	case Names:
		return listOf(nonNull(named("String")))
	case Places:
		if !b.defined(PathInput) {
			b.defineData(inputDefinition(PathInput, "What is to be at a path within JSON.",
				field("path", `The names of members and the places of elements that lead there: ["author", "emails", "0"].`, nonNull(listOf(nonNull(named("String"))))),
				field("value", "The value.", named("JSON"))))
		}
		return listOf(nonNull(named(PathInput)))
	default:
		return b.inputType(c)
	}
}
