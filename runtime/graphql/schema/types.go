package schema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// codecKey names a codec: of a type, and for arrays with so many dimensions.
type codecKey struct {
	oid        uint32
	dimensions int
}

// codecOf gives the codec of a database type; enums, ranges and composites get their GraphQL types made.
// dimensions are those that a column declares.
func (b *builder) codecOf(t *catalog.Type, dimensions int) *Codec {
	switch t.Kind {
	case catalog.Domain:
		dimensions = t.Dimensions
	case catalog.Array:
	default:
		dimensions = 0
	}
	key := codecKey{t.OID, dimensions}
	if c := b.codecs[key]; c != nil {
		return c
	}
	c := b.options.Shared.codec(b.newCodec(t, dimensions))
	b.codecs[key] = c
	return c
}

// nameTypes makes the types of what columns are made of in an order of their own, so that a table that is added changes
// none of their names.
func (b *builder) nameTypes() {
	var types []*catalog.Type
	for _, o := range b.objects {
		for _, c := range o.Table.Columns {
			t := c.Type
			for (t.Kind == catalog.Domain || t.Kind == catalog.Array) && t.Elem != nil {
				t = t.Elem
			}
			switch t.Kind {
			case catalog.Enum, catalog.Composite, catalog.Range, catalog.Multirange:
				types = append(types, t)
			}
		}
	}
	rank := func(t *catalog.Type) int {
		if at := slices.Index(b.catalog.Schemas, t.Schema); at >= 0 {
			return at
		}
		return len(b.catalog.Schemas)
	}
	slices.SortStableFunc(types, func(x, y *catalog.Type) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x.Schema, y.Schema), cmp.Compare(x.Name, y.Name))
	})
	for _, t := range types {
		b.codecOf(t, 0)
	}
}

// claimOwn takes a name for a type of the database, and tells when that is not its own.
func (b *builder) claimOwn(t *catalog.Type) string {
	own := b.options.prefixed(t.Schema, pascal(words(t.Name)))
	name := b.claimType(t.Schema, own, func(name string) []string {
		if b.listed(t) {
			return append(filterNames(name), madeNames(name)...)
		}
		return append(filterNames(name), inputName(name))
	})
	if name != "" && name != own {
		b.warn("schema/name-taken", t.Schema+"."+t.Name, "the name "+own+" is taken, so the type is shown as "+name, "rename it, or what has the name")
	}
	return name
}

func (b *builder) newCodec(t *catalog.Type, dimensions int) *Codec {
	switch t.Kind {
	case catalog.Domain:
		if t.Elem != nil {
			c := *b.codecOf(t.Elem, dimensions)
			c.Type = t
			return &c
		}
	case catalog.Array:
		if t.Elem != nil {
			return b.listCodec(t, max(dimensions, 1))
		}
	case catalog.Enum:
		if name := b.enumType(t); name != "" {
			return &Codec{GraphQL: name, Type: t, class: ordered}
		}
		return &Codec{GraphQL: "String", Type: t, text: true, class: ordered}
	case catalog.Range, catalog.Multirange:
		return b.rangeCodec(t)
	case catalog.Composite:
		if object := b.compositeType(t); object != nil {
			return &Codec{GraphQL: object.Name, Type: t, Object: object, operators: compositeOperators}
		}
	case catalog.Base:
		return b.baseCodec(t)
	}
	return &Codec{GraphQL: "String", Type: t, text: true, out: "%s::text"}
}

func (b *builder) listCodec(t *catalog.Type, dimensions int) *Codec {
	c := &Codec{Type: t, Elem: b.codecOf(t.Elem, 0), Dimensions: dimensions, operators: listOperators}
	switch {
	case !c.Elem.comparable():
	case c.Elem.in != "" && c.Elem.several == "" && dimensions > 1: // a list of parameters of such a type has one dimension
		c.operators = setOperators
	default:
		c.operators = arrayOperators
	}
	if t.Schema == "pg_catalog" && (t.Name == "int2vector" || t.Name == "oidvector") {
		c.compared = "%s::" + t.Elem.SQL + "[]" // they begin at 0 and are written in another way
	}
	return c
}

// rangeCodec makes the scalar of a range or multirange.
func (b *builder) rangeCodec(t *catalog.Type) *Codec {
	name := b.claimOwn(t)
	if name == "" {
		return &Codec{GraphQL: "String", Type: t, text: true, class: ordered}
	}
	b.define(scalarDefinition(name, describe(t.Comment, "A range in PostgreSQL's notation, such as [1,10) or (,5]; the word empty stands for none."),
		"https://www.postgresql.org/docs/current/rangetypes.html#RANGETYPES-IO"))
	return &Codec{GraphQL: name, Type: t, text: true, class: equality, operators: rangeOperators, bound: b.codecOf(t.Elem, 0)}
}

// baseCodec gives the codec of a type that is made of no others.
func (b *builder) baseCodec(t *catalog.Type) *Codec {
	c, known := b.options.Numbers.scalar(t.Name)
	if t.Schema != "pg_catalog" {
		c, known = extensionCodecs[t.Name]
	}
	switch {
	case known:
		b.useScalar(c.GraphQL)
		if c.GraphQL == "Vector" {
			b.nearType()
		}
	case namesThings(t):
		// To read such a name is to look it up: one that nobody has would be an error, not a value.
		c = Codec{GraphQL: "String", text: true, out: "%s::text", in: "%s::text", compared: "%s::text", operators: unorderedOperators, filter: "Equality"}
	default:
		c = Codec{GraphQL: "String", text: true, out: "%s::text"}
		switch {
		case t.Ordered:
			c.class = ordered
		case t.Operators != "":
			c.operators, c.filter = unorderedOperators, "Equality"
		}
	}
	c.Type = t
	return &c
}

// namesThings tells whether a type's values are names of what is in the database: regclass and the like, aclitem.
func namesThings(t *catalog.Type) bool {
	return t.Schema == "pg_catalog" && (strings.HasPrefix(t.Name, "reg") || t.Name == "aclitem")
}

// enumType makes the GraphQL enum of a database enum; empty when a label is not a GraphQL name,
// in which case values are plain strings.
func (b *builder) enumType(t *catalog.Type) string {
	for _, label := range t.Labels {
		if !validLabel(label) {
			b.warn("schema/enum-as-string", t.Schema+"."+t.Name, "label `"+label+"` is not a GraphQL name, so the enum is shown as String",
				"rename the label: alter type "+t.SQL+" rename value '"+strings.ReplaceAll(label, "'", "''")+"' to …")
			return ""
		}
	}
	if len(t.Labels) == 0 {
		return ""
	}
	name := b.claimOwn(t)
	if name == "" {
		b.warn("schema/enum-as-string", t.Schema+"."+t.Name, "no GraphQL name can be derived that is not taken, so the enum is shown as String",
			"rename the type: alter type "+t.SQL+" rename to …")
		return ""
	}
	b.define(enumDefinition(name, describe(t.Comment, "The enum "+t.Schema+"."+t.Name+"."), t.Labels))
	return name
}

// compositeType makes an object type of a composite type that is not a table's row; nil when there is no name for it or
// for any of its attributes, in which case values are plain strings.
func (b *builder) compositeType(t *catalog.Type) *Object {
	if len(t.Fields) == 0 || b.tableRow(t) {
		return nil
	}
	if !slices.ContainsFunc(t.Fields, func(a *catalog.Column) bool { return ValidName(FieldName(a.Name)) }) {
		b.warn("schema/composite-as-string", t.Schema+"."+t.Name, "no GraphQL name can be derived for any of its attributes, so the type is shown as String",
			"alter type "+t.SQL+" rename attribute "+catalog.QuoteIdent(t.Fields[0].Name)+" to …")
		return nil
	}
	name := b.claimOwn(t)
	if name == "" {
		b.warn("schema/composite-as-string", t.Schema+"."+t.Name, "no GraphQL name can be derived that is not taken, so the type is shown as String",
			"rename the type: alter type "+t.SQL+" rename to …")
		return nil
	}
	object := &Object{Name: name, typeSQL: t.SQL, attributes: t.Fields, Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{}}
	b.objects = append(b.objects, object)
	for _, attribute := range t.Fields {
		object.codecs[attribute] = b.codecOf(attribute.Type, attribute.Dimensions)
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
