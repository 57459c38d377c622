package schema

import (
	"fmt"
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
	case c.Elem != nil && (c.Elem.text || c.Elem.Type.Kind == catalog.Range || c.Elem.Type.Kind == catalog.Multirange):
		return value + "::text[]"
	case c.Elem != nil && c.Elem.out != "":
		return "case when " + value + " is not null then array(select " + fmt.Sprintf(c.Elem.out, "e") + " from unnest(" + value + ") with ordinality as u(e, n) order by n) end"
	case c.Elem != nil:
		return value
	case c.out != "":
		return fmt.Sprintf(c.out, value)
	case c.text:
		return value + "::text"
	}
	return value
}

// ParameterSQL writes a parameter of the type; PostgreSQL parses its text form.
func (c *Codec) ParameterSQL(parameter string) string {
	if c.in != "" {
		return fmt.Sprintf(c.in, parameter)
	}
	return parameter + "::" + c.Type.SQL
}

// ArraySQL writes a parameter that is a list of values of the type.
func (c *Codec) ArraySQL(parameter string) string {
	if c.in != "" {
		return "array(select " + fmt.Sprintf(c.in, "e") + " from unnest(" + parameter + "::text[]) as u(e))"
	}
	return parameter + "::" + c.Type.SQL + "[]"
}

// codecOf gives the codec of a database type; enums, ranges and composites get their GraphQL types made.
func (b *builder) codecOf(t *catalog.Type) *Codec {
	if c := b.codecs[t.OID]; c != nil {
		return c
	}
	c := b.newCodec(t)
	b.codecs[t.OID] = c
	return c
}

func (b *builder) newCodec(t *catalog.Type) *Codec {
	base := t.Resolve()
	switch base.Kind {
	case catalog.Array:
		if base.Elem != nil {
			return &Codec{Type: t, Elem: b.codecOf(base.Elem)}
		}
	case catalog.Enum:
		if name := b.enumType(base); name != "" {
			return &Codec{GraphQL: name, Type: t, class: equality}
		}
		return &Codec{GraphQL: "String", Type: t, text: true, class: equality}
	case catalog.Range, catalog.Multirange:
		return &Codec{GraphQL: b.rangeType(base), Type: t, text: true, class: equality}
	case catalog.Composite:
		if object := b.compositeType(base); object != nil {
			return &Codec{GraphQL: object.Name, Type: t, Object: object}
		}
	case catalog.Base:
		if c, ok := scalarCodecs[base.Name]; ok && (base.Schema == "pg_catalog" || base.Name == "citext") {
			c.Type = t
			b.useScalar(c.GraphQL)
			return &c
		}
	}
	return &Codec{GraphQL: "String", Type: t, text: true, out: "%s::text"}
}

// enumType makes the GraphQL enum of a database enum; empty when a label is not a GraphQL name,
// in which case values are plain strings.
func (b *builder) enumType(t *catalog.Type) string {
	for _, label := range t.Labels {
		if !ValidName(label) || label == "true" || label == "false" || label == "null" {
			b.warn("schema/enum-as-string", t.Schema+"."+t.Name, "label `"+label+"` is not a GraphQL name, so the enum is shown as String",
				"rename the label: alter type "+t.SQL+" rename value '"+strings.ReplaceAll(label, "'", "''")+"' to …")
			return ""
		}
	}
	name := b.claimType(t.Schema, pascal(words(t.Name)))
	if name == "" || len(t.Labels) == 0 {
		return ""
	}
	b.define(enumDefinition(name, describe(t.Comment, "The enum "+t.Schema+"."+t.Name+"."), t.Labels))
	return name
}

func (b *builder) rangeType(t *catalog.Type) string {
	name := pascal(words(t.Name))
	if b.types[name] == nil {
		b.define(scalarDefinition(name, "A range in PostgreSQL's notation, such as [1,10) or (,5]; the word empty stands for none.",
			"https://www.postgresql.org/docs/current/rangetypes.html#RANGETYPES-IO"))
	}
	return name
}

// compositeType makes an object type of a composite type that is not a table's row.
func (b *builder) compositeType(t *catalog.Type) *Object {
	if len(t.Fields) == 0 || b.tableRow(t) {
		return nil
	}
	name := b.claimType(t.Schema, pascal(words(t.Name)))
	if name == "" {
		return nil
	}
	object := &Object{Name: name, Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{}}
	b.objects = append(b.objects, object)
	for _, attribute := range t.Fields {
		b.addColumn(object, attribute, FieldName(attribute.Name), attribute.Comment)
	}
	return object
}

// tableRow tells whether a composite type is the row type of a table.
func (b *builder) tableRow(t *catalog.Type) bool {
	for _, table := range b.catalog.Tables {
		if table.Schema == t.Schema && table.Name == t.Name {
			return true
		}
	}
	return false
}
