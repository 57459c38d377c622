package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// reserve keeps the names that tables must not take.
func (b *builder) reserve() {
	for _, name := range []string{"Query", "Mutation", "Subscription", "OrderDirection", "PageInfo", errorClassName, NodeType, metricType, nearTypeName, vectorOrderType, PathInput} {
		b.keep(name)
	}
	if len(b.options.Subscribed) > 0 {
		b.keep(changeOp)
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
func (b *builder) nameTables() error {
	entities := make([]Entity, len(b.catalog.Tables))
	for i, table := range b.catalog.Tables {
		entities[i] = b.entity(table)
	}
	names, err := b.chosenNames(entities)
	if err != nil {
		return err
	}
	b.derivedNames(entities, names)
	for i, table := range b.catalog.Tables {
		if entities[i].Omit || len(table.Columns) == 0 {
			continue
		}
		if entities[i].Name == "" {
			b.warnOfName(table, names[i])
		}
		if names[i] == "" {
			continue
		}
		object := &Object{Name: names[i], Plural: pluralOf(names[i]), short: shortOf(entities[i], names[i], b.options.typeName(table), table), Table: table, Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{}, Keys: table.Keys, foreignKeys: distinct(table.ForeignKeys)}
		object.description = describe(entities[i].Description, defaultDescription(table))
		b.virtualKeys(object, entities[i])
		b.objects = append(b.objects, object)
		b.byTable[table] = object
	}
	return b.checkShown()
}

// shortOf gives the name of a table without the prefix of its schema, where it has that.
func shortOf(e Entity, name, prefixed string, t *catalog.Table) string {
	if e.Name == "" && name == prefixed {
		return TypeName(t.Name)
	}
	return name
}

// chosenNames takes the names that a person chose, then those of the types that are made for them.
func (b *builder) chosenNames(entities []Entity) ([]string, error) {
	names := make([]string, len(entities))
	owner := map[string]string{}
	for i, e := range entities {
		if e.Name == "" || e.Omit {
			continue
		}
		table := qualified(b.catalog.Tables[i])
		if owner[e.Name] != "" || !ValidName(e.Name) || b.taken(e.Name) {
			return nil, nameError(e.Name, table, owner[e.Name])
		}
		names[i], owner[e.Name] = e.Name, table
		b.keep(e.Name)
	}
	for i, name := range names {
		if name == "" {
			continue
		}
		made := madeNames(name)
		if at := slices.IndexFunc(made, b.taken); at >= 0 {
			err := nameError(name, qualified(b.catalog.Tables[i]), "")
			err.Message = fmt.Sprintf("the name `%s` that was chosen for %s needs `%s` for a type beside it, which is taken", name, qualified(b.catalog.Tables[i]), made[at])
			return nil, err
		}
		b.keep(made...)
	}
	return names, nil
}

// derivedNames names the tables that nobody named. Shorter names come first, as the types made for a table have longer
// ones, which no table must take; of one name, a table that is called just so comes before those whose plural or prefix
// had to go. Those that got none come after all others, with the schema's name before theirs or Row after it. So a table
// that is added later takes no name that is nearer to another.
func (b *builder) derivedNames(entities []Entity, names []string) {
	type candidate struct {
		at, schema int
		name       string
		bent       int // 1 when the table is called otherwise
	}
	var candidates []candidate
	for i, table := range b.catalog.Tables {
		if names[i] == "" && !entities[i].Omit && len(table.Columns) > 0 {
			c := candidate{at: i, schema: slices.Index(b.catalog.Schemas, table.Schema), name: b.options.typeName(table)}
			if c.name != b.options.prefixed(table.Schema, pascal(words(table.Name))) {
				c.bent = 1
			}
			candidates = append(candidates, c)
		}
	}
	slices.SortStableFunc(candidates, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(len(x.name), len(y.name)), cmp.Compare(x.name, y.name), cmp.Compare(x.schema, y.schema), cmp.Compare(x.bent, y.bent))
	})
	for _, c := range candidates {
		names[c.at] = b.claimType("", c.name, madeNames)
	}
	for _, c := range candidates {
		for n, schemaName := 0, b.catalog.Tables[c.at].Schema; names[c.at] == "" && ValidName(c.name); n++ {
			switch n {
			case 0:
				names[c.at] = b.claimType(schemaName, c.name, madeNames)
			case 1:
				names[c.at] = b.claimType("", c.name+"Row", madeNames)
			default:
				names[c.at] = b.claimType("", c.name+"Row"+strconv.Itoa(n), madeNames)
			}
		}
	}
}

// warnOfName tells of a table that has not the name that its own gives, or none.
func (b *builder) warnOfName(table *catalog.Table, name string) {
	subject, hint := qualified(table), commentOn(table, `{"name": "…"}`)
	switch derived := b.options.typeName(table); name {
	case "":
		b.warn("schema/no-name", subject, "no GraphQL name can be derived from its own, so the "+commented(table)+" is left out", hint)
	case derived:
	default:
		b.warn("schema/name-taken", subject, "the name "+derived+", or that of a type made for it, is taken, so the "+commented(table)+" is shown as "+name, hint)
	}
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

// qualified is a table's name as configuration and warnings have it.
func qualified(t *catalog.Table) string { return t.Schema + "." + t.Name }
