package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Build makes the schema of a catalog. It fails only on a collision of names that a person chose;
// everything else that cannot be shown is left out with a warning.
func Build(c *catalog.Catalog, options Options) (*Schema, error) {
	b := &builder{
		catalog: c, options: options,
		types:   map[string]*ast.Definition{},
		codecs:  map[codecKey]*Codec{},
		members: map[string]*ast.FieldDefinition{},
		byTable: map[*catalog.Table]*Object{}, entities: map[*catalog.Table]Entity{},
		schema: &Schema{Catalog: c, Objects: map[string]*Object{}, Roots: map[string]*Root{}, Choices: map[string]bool{}},
	}
	b.reserve()
	b.nameTables()
	if b.err != nil {
		return nil, b.err
	}
	for _, object := range slices.Clone(b.objects) {
		b.addColumns(object)
	}
	b.addRelations()
	for _, object := range b.objects {
		if object.Table != nil {
			b.addMeasures(object)
			b.addDerived(object)
		}
	}
	b.definePageInfo()
	b.addQuery()
	for _, object := range b.objects {
		b.schema.Objects[object.Name] = object
		b.defineObject(object)
	}
	return b.finish()
}

type builder struct {
	catalog *catalog.Catalog
	options Options
	schema  *Schema
	objects []*Object // tables in catalog order, then composites as they are met
	byTable map[*catalog.Table]*Object

	entities map[*catalog.Table]Entity // what comments and configuration say, read once
	types    map[string]*ast.Definition
	order    []string // type names as they were defined
	codecs   map[codecKey]*Codec
	members  map[string]*ast.FieldDefinition // of inputs and aggregates, by name and type
	err      error
}

// reserve keeps the names that tables must not take.
func (b *builder) reserve() {
	for _, name := range []string{"Query", "Mutation", "Subscription", "OrderDirection", "PageInfo", NodeType, metricType, nearTypeName, vectorOrderType} {
		b.keep(name)
	}
	for _, name := range append(slices.Collect(maps.Keys(scalarDocs)), "Int", "Float", "String", "Boolean", "ID") {
		b.keep(append(filterNames(name), name)...)
	}
	for _, name := range []string{"Presence", "Equality", "Label", "PlainJSON", "JSONPath"} {
		b.keep(filterNames(name)...)
	}
}

// keep takes names, so that nothing of a person's making gets them.
func (b *builder) keep(names ...string) {
	for _, name := range names {
		b.types[name] = &ast.Definition{}
	}
}

func (b *builder) taken(name string) bool { return b.types[name] != nil }

func (b *builder) warn(code, subject, message, hint string) {
	b.schema.Warnings = append(b.schema.Warnings, Warning{Code: code, Subject: subject, Message: message, Hint: hint})
}

// defined tells whether a name has its definition; one that is only kept free has none yet.
func (b *builder) defined(name string) bool { return b.types[name] != nil && b.types[name].Name != "" }

// define adds a definition under a name that was claimed, or that only we make.
func (b *builder) define(d *ast.Definition) {
	if existing := b.types[d.Name]; existing == nil || existing.Name == "" {
		b.types[d.Name] = d
		b.order = append(b.order, d.Name)
	}
}

// claimType takes a type name for something of a schema: as it is, or, when that is taken, with the
// schema's name before it. Empty when both are taken or the name is none. made, when there is one, tells the names of
// the types that will be made for it, which it takes, too.
func (b *builder) claimType(schemaName, name string, made func(typeName string) []string) string {
	if !ValidName(name) {
		return ""
	}
	for _, candidate := range []string{name, pascal(words(schemaName)) + name} {
		all := []string{candidate}
		if made != nil {
			all = append(all, made(candidate)...)
		}
		if !ValidName(candidate) || slices.ContainsFunc(all, b.taken) {
			continue
		}
		b.keep(all...)
		return candidate
	}
	return ""
}

// mostDimensions is how many dimensions an array of PostgreSQL can have (MAXDIM).
const mostDimensions = 6

// filterNames are the names of the conditions on values of a type, and on lists of them.
func filterNames(typeName string) []string {
	names := []string{typeName + "Filter"}
	for n := 1; n <= mostDimensions; n++ {
		names = append(names, typeName+strings.Repeat("List", n)+"Filter")
	}
	return names
}

// defineChoice makes an enum that says what a statement looks like.
func (b *builder) defineChoice(d *ast.Definition) {
	b.schema.Choices[d.Name] = true
	b.define(d)
}

func (b *builder) useScalar(name string) {
	if doc, ours := scalarDocs[name]; ours {
		b.define(scalarDefinition(name, doc.doc, doc.url))
	}
}

// nameTables gives each table its type name; configured names come first, so that no derived name takes them.
func (b *builder) nameTables() {
	entities := make([]Entity, len(b.catalog.Tables))
	names := make([]string, len(b.catalog.Tables))
	chosen := map[string]string{}
	for i, table := range b.catalog.Tables {
		entities[i] = b.entity(table)
		name := entities[i].Name
		if name == "" || entities[i].Omit {
			continue
		}
		if other := chosen[name]; other != "" || !ValidName(name) {
			b.err = nameError(name, table.Schema+"."+table.Name, other)
			return
		}
		chosen[name] = table.Schema + "." + table.Name
		names[i] = b.claimType("", name, nil)
	}
	for i, table := range b.catalog.Tables {
		entity := entities[i]
		if entity.Omit || len(table.Columns) == 0 {
			continue
		}
		name := names[i]
		if name == "" {
			name = b.claimType(table.Schema, TypeName(table.Name), nil)
		}
		if name == "" {
			b.warn("schema/no-name", table.Schema+"."+table.Name, "no GraphQL name can be derived that is not taken, so the table is left out",
				fmt.Sprintf(`comment on table %s is '@fraiseql {"name": "…"}'`, table.SQL()))
			continue
		}
		object := &Object{Name: name, Plural: pluralOf(name), Table: table, Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{}, Keys: table.Keys, foreignKeys: table.ForeignKeys}
		object.description = describe(entity.Description, defaultDescription(table))
		b.virtualKeys(object, entity)
		b.objects = append(b.objects, object)
		b.byTable[table] = object
	}
	b.keepNames()
}

// keepNames keeps the names of the types that are made for each table. A table that has got one of them, or
// for which one of them would be made once more, is left out: nobody could tell the two apart.
func (b *builder) keepNames() {
	byName, makers := map[string]*Object{}, map[string]*Object{}
	for _, o := range b.objects {
		byName[o.Name] = o
	}
	for _, o := range slices.Clone(b.objects) {
		if !slices.Contains(b.objects, o) {
			continue
		}
		for _, name := range o.madeNames() {
			if maker := makers[name]; maker != nil {
				b.leaveOut(o, "the name "+name+" of a type made for it is that of one made for "+maker.Name)
				break
			}
			if other := byName[name]; other != nil {
				b.leaveOut(other, "its name "+name+" is that of a type made for "+o.Name)
			}
			makers[name] = o
			b.keep(name)
		}
	}
}

func (b *builder) leaveOut(o *Object, why string) {
	b.objects = slices.DeleteFunc(b.objects, func(x *Object) bool { return x == o })
	delete(b.byTable, o.Table)
	b.warn("schema/no-name", o.Table.Schema+"."+o.Table.Name, why+", so the table is left out",
		fmt.Sprintf(`comment on table %s is '@fraiseql {"name": "…"}'`, o.Table.SQL()))
}

func defaultDescription(t *catalog.Table) string {
	kind := map[catalog.Kind]string{
		catalog.Ordinary: "table", catalog.Partitioned: "partitioned table", catalog.View: "view",
		catalog.MaterializedView: "materialized view", catalog.Foreign: "foreign table",
	}[t.Kind]
	return "A row of the " + kind + " " + t.Schema + "." + t.Name + "."
}

// addColumns gives an object a field for each column.
func (b *builder) addColumns(o *Object) {
	entity := b.entity(o.Table)
	for _, c := range o.Table.Columns {
		override := entity.Fields[c.Name]
		if override.Omit {
			o.codecs[c] = b.codecOf(c.Type, c.Dimensions) // it may be part of a key all the same
			continue
		}
		name := override.Name
		if name == "" {
			name = FieldName(c.Name)
		}
		b.addColumn(o, c, name, override.Description)
	}
}

func (b *builder) addColumn(o *Object, c *catalog.Column, name, description string) {
	o.codecs[c] = b.codecOf(c.Type, c.Dimensions)
	subject := o.Name + "." + c.Name
	if o.Table != nil {
		subject = o.Table.Schema + "." + o.Table.Name + "." + c.Name
	}
	if !ValidName(name) || o.Fields[name] != nil {
		b.warn("schema/no-field-name", subject, "no GraphQL name can be derived that is not taken, so the column is left out",
			fmt.Sprintf(`comment on column … is '@fraiseql {"name": "…"}' for %s`, subject))
		return
	}
	f := &Field{Name: name, Column: c, Codec: o.codecs[c], nonNull: c.NotNull, description: description}
	o.Fields[name] = f
	o.order = append(o.order, f)
}

// outputType gives the GraphQL type of a value as it is read; elements of arrays may always be null.
func (c *Codec) outputType() *ast.Type {
	if c.Elem == nil {
		return named(c.GraphQL)
	}
	t := c.Elem.outputType()
	for range c.Dimensions {
		t = listOf(t)
	}
	return t
}

func (b *builder) defineObject(o *Object) {
	d := &ast.Definition{Kind: ast.Object, Name: o.Name, Description: describe(o.description, "The composite type "+o.Name+"."), Position: position}
	for _, f := range o.order {
		switch {
		case f.NodeID:
			d.Interfaces = []string{NodeType}
			d.Fields = append(d.Fields, b.types[NodeType].Fields[0])
		case f.definition != nil:
			d.Fields = append(d.Fields, f.definition)
		case f.Relation != nil:
			d.Fields = append(d.Fields, b.relationDefinition(f))
		default:
			d.Fields = append(d.Fields, field(f.Name, f.description, nonNullIf(f.nonNull, f.Codec.outputType())))
		}
	}
	if len(d.Fields) == 0 {
		return
	}
	b.define(d)
	if o.Table != nil {
		b.defineWhere(o)
		b.defineOrderBy(o)
		b.defineAggregates(o)
		b.defineConnection(o)
	}
}

// finish lets gqlparser check the whole, as it would check a schema that a person wrote.
func (b *builder) finish() (*Schema, error) {
	prelude, err := parser.ParseSchema(validator.Prelude)
	if err != nil {
		return nil, fmt.Errorf("parse the built-in schema: %w", err)
	}
	// @defer is not part of the September 2025 specification, and we do not serve it.
	prelude.Directives = slices.DeleteFunc(prelude.Directives, func(d *ast.DirectiveDefinition) bool { return d.Name == "defer" })
	for _, name := range b.order {
		prelude.Definitions = append(prelude.Definitions, b.types[name])
	}
	checked, err := validator.ValidateSchemaDocument(prelude)
	if err != nil {
		return nil, fmt.Errorf("build schema of %s: %w", strings.Join(b.catalog.Schemas, ", "), err)
	}
	b.schema.AST = checked
	return b.schema, nil
}
