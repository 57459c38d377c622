package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// addQuery makes the fields of Query: a list of each table, and a look-up by each key.
func (b *builder) addQuery() {
	query := &ast.Definition{Kind: ast.Object, Name: "Query", Description: "Everything that can be read.", Position: position}
	b.defineChoice(enumDefinition("OrderDirection", "Which way a key orders. Without a word on nulls they are last when ascending and first when descending.",
		[]string{"ASC", "ASC_NULLS_FIRST", "ASC_NULLS_LAST", "DESC", "DESC_NULLS_FIRST", "DESC_NULLS_LAST"}))
	for _, o := range b.objects {
		if o.Table == nil || len(o.Fields) == 0 {
			continue
		}
		b.addKeys(query, o)
		b.addRoot(query, &Root{Name: o.Plural, Object: o},
			field(o.Plural, "Rows of "+o.Name+".", nonNull(listOf(nonNull(named(o.Name)))), b.listArguments(o)...))
		for _, f := range b.derived(o, o.Plural, "rows of "+o.Name) {
			b.addRoot(query, &Root{Name: f.definition.Name, Form: f.form, Object: o}, f.definition)
		}
	}
	b.addNodes(query)
	b.addQueries(query)
	if len(query.Fields) == 0 {
		// GraphQL wants at least one field; an empty database still answers who it is.
		b.warn("schema/empty", strings.Join(b.catalog.Schemas, ", "), "there is no table that "+b.catalog.User+" may read: the API is empty",
			"fraiseql migrate up, when migrations are pending; else grant select on the tables to it, or choose [database] schemas")
		query.Fields = append(query.Fields, field("_empty", "There is no table that you may read.", named("Boolean")))
	}
	b.define(query)
}

// derived is another form of a list.
type derived struct {
	form       Form
	definition *ast.FieldDefinition
}

// derived gives the other forms of a list: by cursors, its aggregates, and aggregates of groups.
func (b *builder) derived(o *Object, name, rows string) []derived {
	list := []derived{{Aggregate, field(name+"Aggregate", "What "+rows+" come to.", nonNull(named(o.aggregateName())), b.aggregateArguments(o)...)}}
	if len(o.groupable()) > 0 {
		list = append(list, derived{Groups, field(name+"GroupBy", "What groups of "+rows+" come to.", nonNull(listOf(nonNull(named(o.groupName())))), b.groupArguments(o)...)})
	}
	if o.Ordered() {
		list = append(list, derived{Connection, field(name+"Connection", "A part of the list of "+rows+", by cursors.", nonNull(named(o.connectionName())), b.connectionArguments(o)...)})
	}
	return list
}

// addKeys adds `album(albumId:)` for the primary key and `userByEmail(email:)` for each unique one.
func (b *builder) addKeys(query *ast.Definition, o *Object) {
	for i, key := range o.Keys {
		if slices.ContainsFunc(o.Keys[:i], func(k *catalog.Key) bool { return !k.Primary && slices.Equal(k.Columns, key.Columns) }) {
			continue // another index over the same columns
		}
		name := lowerFirst(o.Name)
		if !key.Primary {
			name += "By" + joinedColumns(key.Columns)
		}
		root := &Root{Name: name, Form: ByKey, Object: o}
		var arguments []*ast.ArgumentDefinition
		for _, c := range key.Columns {
			f := o.FieldOf(c.Name)
			if f == nil || f.Codec.Elem != nil || f.Codec.Object != nil {
				break
			}
			root.Key = append(root.Key, f)
			arguments = append(arguments, argument(f.Name, f.description, nonNull(named(f.Codec.GraphQL))))
		}
		if len(root.Key) < len(key.Columns) {
			continue // a part of the key is not shown, so nobody could give it
		}
		b.addRoot(query, root, field(name, "The "+o.Name+" with this key, or null.", named(o.Name), arguments...))
	}
}

func (b *builder) addRoot(query *ast.Definition, root *Root, d *ast.FieldDefinition) {
	if taken := b.schema.Roots[root.Name]; taken != nil {
		b.warn("schema/no-root-name", "Query."+root.Name, "the name is taken by "+taken.of()+", so this field for "+root.of()+" is left out", renaming(root.Function))
		return
	}
	b.schema.Roots[root.Name] = root
	query.Fields = append(query.Fields, d)
}

// renaming says how a field gets another name.
func renaming(f *Function) string {
	if f != nil {
		return naming(f.Function)
	}
	return "give one of the two types another name in [graphql.entities] or in the table's comment"
}
