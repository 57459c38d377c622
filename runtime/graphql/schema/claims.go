package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

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
		if names[i] = b.claimType("", name, nil); names[i] == "" {
			b.err = nameError(name, table.Schema+"."+table.Name, "")
			return
		}
	}
	for i, table := range b.catalog.Tables {
		entity := entities[i]
		if entity.Omit || len(table.Columns) == 0 {
			continue
		}
		name := names[i]
		if name == "" {
			name = b.claimType(table.Schema, TypeName(table.Name), nil)
			switch name {
			case "":
				b.warn("schema/no-name", table.Schema+"."+table.Name, "no GraphQL name can be derived that is not taken, so the "+commented(table)+" is left out",
					commentOn(table, `{"name": "…"}`))
				continue
			case TypeName(table.Name):
			default:
				b.warn("schema/name-taken", table.Schema+"."+table.Name, "the name "+TypeName(table.Name)+" is taken, so the "+commented(table)+" is shown as "+name,
					commentOn(table, `{"name": "…"}`))
			}
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
	b.warn("schema/no-name", o.Table.Schema+"."+o.Table.Name, why+", so the "+commented(o.Table)+" is left out", commentOn(o.Table, `{"name": "…"}`))
}

// commentOn writes the statement by which a table's comment says something to us.
func commentOn(t *catalog.Table, said string) string {
	return "comment on " + commented(t) + " " + t.SQL() + " is '@fraiseql " + said + "'"
}

// commented names what a comment is on, as SQL does.
func commented(t *catalog.Table) string {
	switch t.Kind {
	case catalog.View:
		return "view"
	case catalog.MaterializedView:
		return "materialized view"
	case catalog.Foreign:
		return "foreign table"
	}
	return "table"
}

func defaultDescription(t *catalog.Table) string {
	kind := commented(t)
	if t.Kind == catalog.Partitioned {
		kind = "partitioned table"
	}
	return "A row of the " + kind + " " + t.Schema + "." + t.Name + "."
}
