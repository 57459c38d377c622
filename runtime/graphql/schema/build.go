package schema

import (
	"fmt"
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
	if options.Shared == nil {
		options.Shared = NewShared()
	}
	b := &builder{
		catalog: c, options: options,
		types:     map[string]*ast.Definition{},
		codecs:    map[codecKey]*Codec{},
		members:   map[string]*ast.FieldDefinition{},
		documents: map[string]*Object{}, views: map[*catalog.Table]*declaredType{}, hidden: map[*catalog.Table]bool{}, nested: map[string]bool{},
		byTable: map[*catalog.Table]*Object{}, entities: map[*catalog.Table]Entity{},
		references: map[*catalog.ForeignKey]Reference{}, chosen: map[*Object]map[string]bool{},
		schema: &Schema{Catalog: c, Objects: map[string]*Object{}, Roots: map[string]*Root{}, Writes: map[string]*Write{}, Feeds: map[string]*Feed{}, NewRows: map[string]bool{}, Data: map[string]bool{}, Choices: map[string]bool{}},
	}
	b.reserve()
	b.declare()
	if err := b.checkNames(); err != nil {
		return nil, err
	}
	if err := b.nameTables(); err != nil {
		return nil, err
	}
	tables := slices.Clone(b.objects)
	b.nameTypes()
	for _, object := range tables {
		b.addColumns(object)
	}
	b.addDocuments()
	b.addRelations()
	b.addFunctions()
	for _, object := range b.objects {
		if object.Table != nil {
			b.addDerived(object)
		}
	}
	b.definePageInfo()
	b.addQuery()
	b.addMutation()
	b.addSubscription()
	b.defineDocuments()
	if err := b.addResolved(); err != nil {
		return nil, err
	}
	for _, object := range b.objects {
		b.schema.Objects[object.Name] = object
		b.defineObject(object)
		b.options.Shared.settle(object)
	}
	return b.finish()
}

type builder struct {
	catalog *catalog.Catalog
	options Options
	schema  *Schema
	objects []*Object // tables in catalog order, then composites as they are met
	byTable map[*catalog.Table]*Object

	references map[*catalog.ForeignKey]Reference // what a person says of foreign keys
	chosen     map[*Object]map[string]bool       // names of relations by a person, which no derived name takes

	entities  map[*catalog.Table]Entity // what comments and configuration say, read once
	types     map[string]*ast.Definition
	order     []string // type names as they were defined
	codecs    map[codecKey]*Codec
	documents map[string]*Object // of declared types within JSON
	views     map[*catalog.Table]*declaredType
	visible   map[string]bool                 // declared types that the role sees
	hidden    map[*catalog.Table]bool         // views of those that it does not
	nested    map[string]bool                 // declared types that are members of others
	functions []*Function                     // those that are fields of Query and Mutation
	members   map[string]*ast.FieldDefinition // of inputs and aggregates, by name and type
}

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

// defineData makes an input whose members are values to be stored.
func (b *builder) defineData(d *ast.Definition) {
	b.schema.Data[d.Name] = true
	b.define(d)
}

// defineChoice makes an enum that says what a statement looks like.
func (b *builder) defineChoice(d *ast.Definition) {
	b.schema.Choices[d.Name] = true
	b.define(d)
}

func (b *builder) useScalar(name string) {
	if doc, ours := scalarDocs[name]; ours {
		if b.options.Numbers.of(name) {
			doc.doc = numberDocs[name]
		}
		b.define(scalarDefinition(name, doc.doc, doc.url))
	}
}

// addColumns gives an object a field for each column.
func (b *builder) addColumns(o *Object) {
	entity := b.entity(o.Table)
	var chosen []string // names by a person, which no derived name takes
	for _, f := range entity.Fields {
		if !f.Omit && f.Name != "" {
			chosen = append(chosen, f.Name)
		}
	}
	for _, c := range o.Table.Columns {
		override := entity.Fields[c.Name]
		dimensions := c.Dimensions
		if override.Dimensions > 0 && override.Dimensions <= mostDimensions {
			dimensions = override.Dimensions
		}
		o.codecs[c] = b.codecOf(c.Type, dimensions)
		if override.Omit || b.views[o.Table] != nil {
			continue // it may be part of a key all the same
		}
		name := override.Name
		if derived := FieldName(c.Name); name == "" && !slices.Contains(chosen, derived) {
			name = derived
		}
		b.addColumn(o, c, name, override.Description)
	}
}

func (b *builder) addColumn(o *Object, c *catalog.Column, name, description string) {
	subject := o.Name + "." + c.Name
	if o.Table != nil {
		subject = o.Table.Schema + "." + o.Table.Name + "." + c.Name
	}
	if !ValidName(name) || o.Fields[name] != nil {
		b.warn("schema/no-field-name", subject, "no GraphQL name can be derived that is not taken, so the column is left out", o.naming(c))
		return
	}
	f := &Field{Name: name, Column: c, Codec: o.codecs[c], nonNull: c.NotNull, description: description}
	o.Fields[name] = f
	o.order = append(o.order, f)
}

// naming writes the statement that gives a column its name in the API. An attribute of a composite type has none but
// its own.
func (o *Object) naming(c *catalog.Column) string {
	if o.Table == nil && o.typeSQL == "" {
		return "give the output parameter another name"
	}
	if o.Table == nil {
		return "alter type " + o.typeSQL + " rename attribute " + catalog.QuoteIdent(c.Name) + " to …"
	}
	return fmt.Sprintf(`comment on column %s.%s is '@fraiseql {"name": "…"}'`, o.Table.SQL(), catalog.QuoteIdent(c.Name))
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
	if o.Table != nil || o.listed {
		b.defineWhere(o)
		b.defineOrderBy(o)
		b.defineAggregates(o)
	}
	if o.Table != nil {
		b.defineToMany(o)
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
		prelude.Definitions = append(prelude.Definitions, b.options.Shared.definition(b.types[name]))
	}
	checked, err := validator.ValidateSchemaDocument(prelude)
	if err != nil {
		return nil, fmt.Errorf("build schema of %s: %w", strings.Join(b.catalog.Schemas, ", "), err)
	}
	checked.PossibleTypes = b.options.Shared.possible(checked)
	b.schema.AST = checked
	return b.schema, nil
}
