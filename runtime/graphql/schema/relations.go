package schema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// addRelations makes fields of the foreign keys, in both directions and across join tables. Names that a person chose
// come first, then those that rules give; each later kind yields to what is there. Where several ways lead from one table
// to the rows of another, none has the plain name: a key that is added later then takes the meaning of no name.
func (b *builder) addRelations() {
	tables := slices.DeleteFunc(slices.Clone(b.objects), func(o *Object) bool { return o.Table == nil })
	names, ways := map[*catalog.ForeignKey]string{}, map[way]int{}
	for _, o := range tables {
		b.chooseRelations(o)
	}
	for _, o := range tables {
		b.addToOne(o, names)
		for _, key := range o.foreignKeys {
			ways[way{key.Target, o.Table}]++
		}
		for _, a := range across(o) {
			ways[way{a.near.Target, a.far.Target}]++
		}
	}
	for _, o := range tables {
		b.addReverse(o, names, ways)
	}
	for _, o := range tables {
		for _, a := range across(o) {
			b.addAcross(o, a, ways)
		}
	}
}

// way leads from a row of one table to rows of another.
type way struct{ from, to *catalog.Table }

// chooseRelations notes the names that a person chose for relations by o's keys.
func (b *builder) chooseRelations(o *Object) {
	choose := func(at *catalog.Table, name string) {
		if object := b.byTable[at]; object != nil && name != "" {
			if b.chosen[object] == nil {
				b.chosen[object] = map[string]bool{}
			}
			b.chosen[object][name] = true
		}
	}
	for _, key := range o.foreignKeys {
		if b.byTable[key.Target] != nil {
			choose(o.Table, b.references[key].Name)
			choose(key.Target, b.references[key].Reverse)
		}
	}
	joins := across(o)
	for _, at := range joins {
		choose(at.near.Target, b.references[at.far].Across)
	}
	for _, key := range o.foreignKeys {
		if r := b.references[key]; r.Across != "" && !slices.ContainsFunc(joins, func(e ends) bool { return e.far == key }) {
			b.warn("schema/bad-reference", qualified(o.Table), "nothing leads across it to "+r.Table+": the primary key of a join table is the columns of two references",
				"leave `across` out, or give the table such a key")
		}
	}
}

// addToOne gives o a field for each of its foreign keys and notes the name for the way back.
func (b *builder) addToOne(o *Object, names map[*catalog.ForeignKey]string) {
	plain, count := map[*catalog.ForeignKey]string{}, map[string]int{}
	for _, key := range o.foreignKeys {
		target := b.byTable[key.Target]
		if target == nil {
			continue
		}
		plain[key] = lowerFirst(target.short)
		if len(key.Columns) == 1 {
			plain[key] = toOneName(key.Columns[0].Name, key.References[0].Name)
		}
		count[plain[key]]++
	}
	for _, key := range o.foreignKeys {
		target := b.byTable[key.Target]
		if target == nil {
			continue
		}
		name := plain[key]
		if name == "" || count[name] > 1 || o.Fields[name] != nil || b.chosen[o][name] {
			name = lowerFirst(target.short) + "By" + joinedColumns(key.Columns)
		}
		names[key] = cmp.Or(b.references[key].Name, name)
		local := (&catalog.Key{Columns: key.Columns}).NotNull()
		b.addRelation(o, b.references[key].Name, &Field{
			Name:     name,
			Relation: &Relation{Target: target, Holds: true, Local: key.Columns, Remote: key.References},
			// Row security may hide the row that a key points to, and an unvalidated key may point nowhere.
			nonNull:     local && key.Validated && !key.Target.RowSecurity && !o.Table.IsView(),
			description: "The " + target.Name + " that " + columnNames(key.Columns) + " names.",
		})
	}
}

func joinedColumns(columns []*catalog.Column) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString(upperFirst(FieldName(c.Name)))
	}
	return b.String()
}

func columnNames(columns []*catalog.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// addReverse gives each target of o's foreign keys the way back: one row where the key is unique, else a list.
func (b *builder) addReverse(o *Object, names map[*catalog.ForeignKey]string, ways map[way]int) {
	for _, key := range o.foreignKeys {
		target := b.byTable[key.Target]
		if target == nil {
			continue
		}
		many := !isUnique(o, key.Columns)
		called := b.called(o, target)
		name, article := lowerFirst(called), "The "+o.Name+" whose "
		if many {
			name, article = pluralOf(called), "The rows of "+o.Name+" whose "
		}
		if ways[way{key.Target, o.Table}] > 1 || target == o || target.Fields[name] != nil || b.chosen[target][name] {
			name += "By" + upperFirst(names[key])
		}
		b.addRelation(target, b.references[key].Reverse, &Field{
			Name:        name,
			Relation:    &Relation{Target: o, Many: many, Local: key.References, Remote: key.Columns},
			nonNull:     many,
			description: article + columnNames(key.Columns) + " names this one.",
		})
	}
}

// called gives the name of a type for the relations that lead from another one to it: without the prefix of its schema,
// unless that one has a way to another type of the same name.
func (b *builder) called(o, from *Object) string {
	if o.short == o.Name {
		return o.Name
	}
	for _, other := range b.objects {
		if other == o || other.Table == nil || other.short != o.short {
			continue
		}
		if b.leads(from, other) {
			return o.Name
		}
	}
	return o.short
}

// leads tells whether rows of one table have rows of another, by its keys or across a join table.
func (b *builder) leads(from, to *Object) bool {
	if slices.ContainsFunc(to.foreignKeys, func(k *catalog.ForeignKey) bool { return k.Target == from.Table }) {
		return true
	}
	return slices.ContainsFunc(b.objects, func(join *Object) bool {
		return join.Table != nil && slices.ContainsFunc(across(join), func(a ends) bool { return a.near.Target == from.Table && a.far.Target == to.Table })
	})
}

// isUnique tells whether at most one row of o has given values in the columns, by a key or a person's word.
func isUnique(o *Object, columns []*catalog.Column) bool {
	return slices.ContainsFunc(o.Keys, func(k *catalog.Key) bool { return k.In(columns) })
}

// ends are the two foreign keys of a join table, as seen from one side.
type ends struct{ near, far *catalog.ForeignKey }

// across finds the ways over a join table: its primary key is exactly the columns of two foreign keys.
func across(o *Object) []ends {
	primary := o.Table.PrimaryKey()
	if primary == nil {
		return nil
	}
	var found []ends
	for i, left := range o.foreignKeys {
		for _, right := range o.foreignKeys[i+1:] {
			if len(left.Columns)+len(right.Columns) == len(primary.Columns) &&
				primary.In(slices.Concat(left.Columns, right.Columns)) {
				found = append(found, ends{left, right}, ends{right, left})
			}
		}
	}
	return found
}

func (b *builder) addAcross(join *Object, at ends, ways map[way]int) {
	near, far := at.near, at.far
	from, to := b.byTable[near.Target], b.byTable[far.Target]
	if from == nil || to == nil {
		return
	}
	name := pluralOf(b.called(to, from))
	if from == to || ways[way{near.Target, far.Target}] > 1 || from.Fields[name] != nil || b.chosen[from][name] {
		name += "By" + join.short
		if from == to {
			name += joinedColumns(far.Columns)
		}
	}
	b.addRelation(from, b.references[far].Across, &Field{
		Name: name,
		Relation: &Relation{
			Target: to, Many: true, Local: near.References, Remote: far.References,
			Join: &Join{Table: join.Table, Local: near.Columns, Remote: far.Columns},
		},
		nonNull:     true,
		description: "The rows of " + to.Name + " that " + join.Table.Name + " joins to this one.",
	})
}

// addRelation adds a relation by the name that a person chose, or else by the derived one that it has.
func (b *builder) addRelation(o *Object, chosen string, f *Field) {
	if b.views[o.Table] != nil {
		return // its fields are those that are declared
	}
	derived := f.Name
	f.Name = cmp.Or(chosen, derived)
	if !ValidName(f.Name) || o.Fields[f.Name] != nil || chosen == "" && b.chosen[o][derived] {
		b.warn("schema/no-relation-name", o.Name+"."+f.Name,
			"the name of the relation to "+f.Relation.Target.Name+" is taken, so the relation is left out",
			"choose another for it by `references` in the comment of its table, or rename what has the name")
		return
	}
	o.Fields[f.Name] = f
	o.order = append(o.order, f)
}

func (b *builder) relationDefinition(f *Field) *ast.FieldDefinition {
	if !f.Relation.Many {
		return field(f.Name, f.description, nonNullIf(f.nonNull, named(f.Relation.Target.Name)))
	}
	return field(f.Name, f.description, nonNull(listOf(nonNull(named(f.Relation.Target.Name)))), b.listArguments(f.Relation.Target)...)
}

// addDerived gives an object the other forms of its relations to many rows. Names that are taken stay what
// they are: a table's own columns and relations come first.
func (b *builder) addDerived(o *Object) {
	for _, f := range slices.Clone(o.order) {
		if f.Relation == nil || !f.Relation.Many {
			continue
		}
		for _, d := range b.derived(f.Relation.Target, f.Name, lowerFirst(strings.TrimSuffix(f.description, "."))) {
			added := &Field{Name: d.definition.Name, Relation: f.Relation, Form: d.form, definition: d.definition}
			if o.Fields[added.Name] != nil {
				b.warn("schema/no-relation-name", o.Name+"."+added.Name, "the name is taken, so this form of the relation "+f.Name+" is left out",
					"rename the column or field that has the name, by comment or in [graphql.entities."+o.Name+".fields]")
				continue
			}
			o.Fields[added.Name] = added
			o.order = append(o.order, added)
		}
	}
}
