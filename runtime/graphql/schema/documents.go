package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// A declared type has one GraphQL type and up to two objects here: one for rows of its view, whose fields are columns or
// values in the view's JSON, and one for values of the type within other JSON.

// seen gives the declared types that the role of the schema sees: those that are for it and of which it sees a field. A
// field of a type that is not seen is not, either.
func (b *builder) seen() map[string]bool {
	names := map[string]bool{}
	for _, d := range b.options.Declared.types {
		names[d.Name] = b.sees(d.roles)
	}
	for changed := true; changed; {
		changed = false
		for _, d := range b.options.Declared.types {
			if names[d.Name] && !slices.ContainsFunc(d.fields, func(f *declaredField) bool { return b.shows(f, names) }) {
				names[d.Name], changed = false, true
			}
		}
	}
	return names
}

// shows tells whether the role sees a field.
func (b *builder) shows(f *declaredField, seen map[string]bool) bool {
	ofType, declared := seen[f.Type.Name()]
	return b.sees(f.roles) && (ofType || !declared)
}

// sees tells whether the role of the schema is among those that a declaration is for.
func (b *builder) sees(roles []string) bool {
	return len(roles) == 0 || slices.Contains(roles, b.options.Role)
}

// viewOf finds the view of a declared type; nil where it has none, or none that the role may read.
func (b *builder) viewOf(d *declaredType) *catalog.Table {
	if d.view == "" || !b.visible[d.Name] {
		return nil
	}
	if t := d.table(b.catalog); b.views[t] == d {
		return t
	}
	return nil
}

// table finds the view of a declared type.
func (d *declaredType) table(c *catalog.Catalog) *catalog.Table {
	for _, schemaName := range c.Schemas {
		if t := c.Find(schemaName, d.view); t != nil {
			return t
		}
	}
	return nil
}

// declare takes the names of declared types, and gives views theirs.
func (b *builder) declare() {
	if b.options.Declared == nil {
		return
	}
	b.visible = b.seen()
	for _, e := range b.options.Declared.enums {
		b.keep(filterNames(e.Name)...)
		b.define(e)
	}
	for _, d := range b.options.Declared.types {
		t := d.table(b.catalog)
		if !b.visible[d.Name] {
			b.keep(d.Name)
			b.hidden[t] = true
			continue
		}
		if t != nil && b.views[t] != nil {
			b.warn("schema/no-view", d.Name, "the view "+qualified(t)+" is that of "+b.views[t].Name+" already, so "+d.Name+" is only part of others", "let it have a view of its own")
			t = nil
		}
		b.documents[d.Name] = &Object{Name: d.Name, json: true, description: describe(d.Description, "A value of "+d.Name+"."), Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{}}
		b.keep(dataNames(d.Name)...)
		if t != nil {
			b.views[t] = d
		} else {
			b.keep(append(filterNames(d.Name), d.Name)...)
		}
	}
}

// declaredEntity is what a schema file says of a table. A table whose name is that of a declared type gives way to it.
func (b *builder) declaredEntity(t *catalog.Table, e Entity) Entity {
	if d := b.views[t]; d != nil {
		e.Name, e.Omit = d.Name, false
		if d.Description != "" {
			e.Description = d.Description
		}
		switch {
		case len(d.key) > 0:
			e.Key = d.key
		case len(e.Key) == 0 && t.PrimaryKey() == nil && t.Column("id") != nil:
			e.Key = []string{"id"}
		}
		return e
	}
	e.Omit = e.Omit || b.hidden[t] // its type is for others
	if e.Name == "" && b.options.Declared != nil {
		name := b.options.typeName(t)
		e.Omit = e.Omit || slices.ContainsFunc(b.options.Declared.types, func(d *declaredType) bool { return d.Name == name })
	}
	return e
}

// addDocuments gives declared types their fields.
func (b *builder) addDocuments() {
	if b.options.Declared == nil {
		return
	}
	for _, d := range b.options.Declared.types {
		inner := b.documents[d.Name]
		if inner == nil {
			continue
		}
		row := b.rowsOf(d)
		if row != nil {
			row.made = true
		}
		for _, f := range d.fields {
			if !b.shows(f, b.visible) {
				continue
			}
			if row != nil {
				b.addValue(row, f, b.columnOf(row, d, f))
			}
			b.addValue(inner, f, &catalog.Column{Within: &catalog.Within{Path: f.path}})
		}
		if row == nil || len(row.order) == 0 { // the type is defined once, by its rows or by itself
			b.objects = append(b.objects, inner)
		}
	}
}

// rowsOf gives the object for rows of a declared type's view; nil where the role sees none.
func (b *builder) rowsOf(d *declaredType) *Object {
	if t := b.viewOf(d); t != nil && b.byTable[t] != nil {
		return b.byTable[t]
	}
	return nil
}

// columnOf gives where a row of a view has a field: in a column of that name, else in its JSON.
func (b *builder) columnOf(o *Object, d *declaredType, f *declaredField) *catalog.Column {
	own, other := f.columnIn(o.Table)
	if own != nil {
		return own
	}
	if other != nil {
		b.warn("schema/other-type", o.Name+"."+f.Name, "the view's column "+other.Name+" is "+other.Type.SQL+", which is no "+f.Type.Name()+", so the field is read from the JSON", "correct the type, or say where it is: @json(path: \"…\")")
	}
	data := o.Table.Column(d.data)
	if data == nil || data.Type.Resolve().Name != "jsonb" && data.Type.Resolve().Name != "json" {
		return nil
	}
	return &catalog.Column{Within: &catalog.Within{Column: data, Path: f.path}}
}

// columnIn finds the column of a view that has a field; other is one of its name that is of another type.
func (f *declaredField) columnIn(t *catalog.Table) (own, other *catalog.Column) {
	c := t.Column(f.path[0])
	if c == nil || f.given {
		return nil, nil
	}
	of, wanted := c.Type.Resolve(), f.Type
	if wanted.Elem != nil {
		if of.Kind != catalog.Array || c.Dimensions > 1 {
			return nil, c
		}
		of, wanted = of.Elem.Resolve(), wanted.Elem
	}
	codec, known := scalarCodecs[of.Name]
	if known && of.Schema == "pg_catalog" && (codec.GraphQL == wanted.NamedType || wanted.NamedType == "ID" && f.Type.Elem == nil && codec.class > presence) {
		return c, nil
	}
	return nil, c
}

// addValue gives an object a field that is a column, or a value in JSON.
func (b *builder) addValue(o *Object, f *declaredField, c *catalog.Column) {
	if c == nil {
		b.warn("schema/no-json", o.Name+"."+f.Name, "the view has neither such a column nor one of JSON for it, so the field is left out",
			`let it have a column data of type jsonb, or name another: @view(name: "…", data: "doc")`)
		return
	}
	codec := b.valueCodec(f.Type, c)
	if c.Name == "" {
		c.Name, c.Type = "json "+f.Name, codec.Type
	}
	o.codecs[c] = codec
	definition := field(f.Name, describe(f.Description, ""), f.Type)
	definition.Directives = deprecation(f.Directives)
	added := &Field{Name: f.Name, Column: c, Codec: codec, cost: f.cost, definition: definition}
	o.Fields[f.Name] = added
	o.order = append(o.order, added)
}

// deprecation gives what of directives clients are told.
func deprecation(list ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(list), func(d *ast.Directive) bool { return d.Name != "deprecated" })
}

// valueCodec gives how a value crosses that is a column, or in JSON where that has no type yet.
func (b *builder) valueCodec(t *ast.Type, c *catalog.Column) *Codec {
	if c.Type != nil {
		codec := *b.codecOf(c.Type, c.Dimensions)
		if t.NamedType == "ID" {
			if plain, known := scalarCodecs[c.Type.Resolve().Name]; known {
				codec.Encoding, codec.out = plain.Encoding, plain.out // an id is a text, whatever numbers are
			}
			codec.GraphQL, codec.text = "ID", true
			if codec.Encoding == Raw {
				codec.Encoding = Quoted
			}
		}
		return &codec
	}
	of := t
	if t.Elem != nil {
		of = t.Elem
	}
	if inner := b.documents[of.NamedType]; inner != nil {
		codec := &Codec{GraphQL: of.NamedType, Type: JSON.Type, Object: inner, JSON: true}
		if t.Elem == nil {
			b.nested[of.NamedType] = true
			return codec
		}
		return &Codec{GraphQL: "JSON", Type: JSON.Type, Elem: codec, Dimensions: 1, JSON: true, operators: jsonOperators}
	}
	b.useScalar(of.NamedType)
	if t.Elem != nil {
		b.useScalar("JSON")
		return JSON
	}
	name, known := jsonTypes[of.NamedType]
	if !known { // an enum
		return &Codec{GraphQL: of.NamedType, Type: builtin("text", "text"), class: ordered}
	}
	codec, _ := b.options.Numbers.scalar(name)
	codec.GraphQL, codec.Type = of.NamedType, builtin(name, name)
	return &codec
}

// JSON is how any value in JSON crosses.
var JSON = func() *Codec {
	c := scalarCodecs["jsonb"]
	c.Type = builtin("jsonb", "jsonb")
	return &c
}()

// The names of the conditions on, and orders by, values of a type within JSON.
func (o *Object) dataWhereName() string   { return o.Name + "DataWhere" }
func (o *Object) dataOrderByName() string { return o.Name + "DataOrderBy" }

func dataNames(name string) []string {
	o := &Object{Name: name}
	return []string{o.dataWhereName(), o.dataOrderByName()}
}

// defineDocuments makes the conditions and orders of declared types within others.
func (b *builder) defineDocuments() {
	if b.options.Declared == nil {
		return
	}
	for _, d := range b.options.Declared.types {
		o := b.documents[d.Name]
		if o == nil || !b.nested[d.Name] {
			continue
		}
		list := b.connectives(o.dataWhereName())
		order := inputDefinition(o.dataOrderByName(), "One key of an order: exactly one field.")
		for _, f := range o.order {
			if name := b.valueWhere(f); list.ForName(f.Name) == nil {
				list = append(list, b.member(f.Name, "", name))
			}
			if name := f.valueOrder(); name != "" {
				order.Fields = append(order.Fields, b.member(f.Name, "", name))
			}
		}
		b.define(inputDefinition(o.dataWhereName(), "Conditions on a value of "+o.Name+"; all of those given must hold.", list...))
		if len(order.Fields) > 0 {
			b.define(oneOf(order))
		}
	}
}

// valueWhere names the conditions on a column or a value in JSON.
func (b *builder) valueWhere(f *Field) string {
	switch {
	case f.Codec.JSON && f.Codec.Object != nil:
		return f.Codec.Object.dataWhereName()
	case f.Codec.JSON:
		return b.filterType(JSON)
	}
	return b.filterType(f.Codec)
}

// valueOrder names the order by a column or a value in JSON; empty where there is none.
func (f *Field) valueOrder() string {
	if f.Codec.JSON {
		if o := f.Codec.Object; o != nil && o.orders(map[*Object]bool{}) {
			return o.dataOrderByName()
		}
		return ""
	}
	return f.Codec.Orders()
}

// orders tells whether rows can be ordered by a value within JSON of the type.
func (o *Object) orders(seen map[*Object]bool) bool {
	if seen[o] {
		return false
	}
	seen[o] = true
	return slices.ContainsFunc(o.order, func(f *Field) bool {
		return f.Codec != nil && (f.Codec.JSON && f.Codec.Object != nil && f.Codec.Object.orders(seen) || !f.Codec.JSON && f.Codec.Orders() != "")
	})
}
