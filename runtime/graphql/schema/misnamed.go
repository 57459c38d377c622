package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Misnomer is a name in an entry of Options.Entities that is nothing of the database, or more than one thing.
type Misnomer struct {
	Entity string // the entry's own name
	Field  string // a name in its Fields; empty when the trouble is elsewhere
	Key    string // "key", "references[0].table"; empty when it is the entry's name, or Field

	Code, Message, Hint string

	omits bool // what has the name was to be kept out of the API
}

// Misnomers looks for all names of entities in what the roles see of a database. One role need not see what another
// does: a name is wrong where it is nothing to any of those who see the table.
func Misnomers(seen []*catalog.Catalog, o Options) []Misnomer {
	var found []Misnomer
	for _, name := range slices.Sorted(maps.Keys(o.Entities)) {
		found = append(found, misnomers(seen, name, o)...)
	}
	return found
}

func misnomers(seen []*catalog.Catalog, name string, o Options) []Misnomer {
	e := o.Entities[name]
	var common []Misnomer
	found := false // the table, by one of them
	for i, c := range seen {
		l := look{catalog: c, options: o, entity: name}
		sees := l.table(e)
		switch {
		case i == 0 || sees && !found:
			common = l.found
		case sees:
			common = slices.DeleteFunc(common, func(m Misnomer) bool { return !slices.ContainsFunc(l.found, m.same) })
		}
		found = found || sees
	}
	return common
}

// same tells whether two are of the same name: what roles see instead, which the hint tells, may differ.
func (m Misnomer) same(other Misnomer) bool {
	return m.Field == other.Field && m.Key == other.Key && m.Code == other.Code && m.Message == other.Message
}

// look is at one entry.
type look struct {
	catalog *catalog.Catalog
	options Options
	entity  string
	found   []Misnomer
}

func (l *look) report(m Misnomer) {
	m.Entity = l.entity
	l.found = append(l.found, m)
}

// table looks for the entry's table, and in it; it tells whether there is one.
func (l *look) table(e Entity) bool {
	var known []string
	var meant []*catalog.Table
	for _, t := range l.catalog.Tables {
		if l.entity == l.options.typeName(t) || l.entity == qualified(t) {
			meant = append(meant, t)
		}
		known = append(known, l.options.typeName(t), qualified(t))
	}
	switch len(meant) {
	case 0:
		closed := slices.ContainsFunc(l.catalog.Closed, func(c catalog.Closed) bool {
			return c.Column == "" && (l.entity == l.options.tableName(c.Schema, c.Table) || l.entity == c.Schema+"."+c.Table)
		})
		if closed && e.Omit {
			return false // it is there, and not shown anyway
		}
		l.report(Misnomer{
			Code: "database/no-table", Message: "the database has no table that is `" + l.entity + "` and that may be read",
			Hint: diag.DidYouMean(l.entity, known, "write the type's name, or \"schema.table\""), omits: e.omits() && !closed,
		})
	case 1:
		l.columns(meant[0], e)
	default:
		l.several(meant, e)
	}
	return len(meant) > 0
}

// several tells of an entry that may mean more than one table; it holds for all of them.
func (l *look) several(meant []*catalog.Table, e Entity) {
	var names []string
	for _, t := range meant {
		names = append(names, qualified(t))
	}
	list := strings.Join(names, ", ")
	l.report(Misnomer{
		Code: "database/ambiguous-table", Message: "`" + l.entity + "` may be any of " + list,
		Hint: "write the one that is meant: [graphql.entities.\"" + names[0] + "\"]",
	})
	for _, column := range slices.Sorted(maps.Keys(e.Fields)) {
		omits := e.Fields[column].Omit
		if !slices.ContainsFunc(meant, func(t *catalog.Table) bool { return has(t, column) || omits && l.hides(t, column) }) {
			l.report(Misnomer{
				Field: column, Code: "database/no-column", Message: "none of " + list + " has a column `" + column + "` that may be read",
				Hint: "write the column's name", omits: omits,
			})
		}
	}
}

func (l *look) columns(t *catalog.Table, e Entity) {
	for _, column := range e.Key {
		l.column(t, column, Misnomer{Key: "key"})
	}
	for _, column := range slices.Sorted(maps.Keys(e.Fields)) {
		l.column(t, column, Misnomer{Field: column, omits: e.Fields[column].Omit})
	}
	for i, reference := range e.References {
		at := fmt.Sprintf("references[%d].", i)
		for _, column := range reference.Columns {
			l.column(t, column, Misnomer{Key: at + "columns", omits: reference.Omit})
		}
		target := l.catalog.Find(t.Schema, reference.Table)
		if target == nil {
			if !reference.Omit || !l.closed(t.Schema, reference.Table) {
				l.report(Misnomer{
					Key: at + "table", Code: "database/no-table", Message: "the database has no table `" + reference.Table + "`",
					Hint: `table = "schema.table"`, omits: reference.Omit,
				})
			}
			continue
		}
		for _, column := range reference.To {
			l.column(target, column, Misnomer{Key: at + "to", omits: reference.Omit})
		}
	}
}

// closed tells whether a table is there and not shown.
func (l *look) closed(schemaName, table string) bool {
	return slices.ContainsFunc(l.catalog.Closed, func(c catalog.Closed) bool {
		return c.Column == "" && (table == c.Schema+"."+c.Table || table == c.Table && schemaName == c.Schema)
	})
}

// has tells whether a table has a column that is, or would be shown as, name.
func has(t *catalog.Table, name string) bool {
	return slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool { return c.Name == name || FieldName(c.Name) == name })
}

// hides tells whether it has one that is not shown anyway.
func (l *look) hides(t *catalog.Table, name string) bool {
	return slices.ContainsFunc(l.catalog.Closed, func(c catalog.Closed) bool {
		return c.Schema == t.Schema && c.Table == t.Name && c.Column != "" && (c.Column == name || FieldName(c.Column) == name)
	})
}

// column reports what a column's name stands in, unless there is such a column.
func (l *look) column(t *catalog.Table, name string, m Misnomer) {
	if t.Column(name) != nil || m.Field != "" && has(t, name) || m.omits && l.hides(t, name) {
		return
	}
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	m.Code, m.Message = "database/no-column", fmt.Sprintf("%s has no column `%s` that may be read", qualified(t), name)
	m.Hint = diag.DidYouMean(name, names, "it has: "+strings.Join(names, ", "))
	l.report(m)
}

// checkNames refuses entries that were to keep something out of the API and say nothing: what they mean may well be in
// the database under another name, and would be shown. Of others [Misnomers] tells, who sees what all roles do.
func (b *builder) checkNames() error {
	for _, m := range Misnomers([]*catalog.Catalog{b.catalog}, b.options) {
		if m.omits {
			return fault.New(fault.Invalid, m.Code, m.Message+", so what [graphql.entities."+m.Entity+"] omits may be shown under another name").
				WithHint("%s; or remove the entry", m.Hint)
		}
	}
	return nil
}

// omits tells whether an entry keeps anything out.
func (e Entity) omits() bool {
	for _, f := range e.Fields {
		if f.Omit {
			return true
		}
	}
	return e.Omit || slices.ContainsFunc(e.References, func(r Reference) bool { return r.Omit })
}

// checkShown looks for entries that have the name which another table than theirs is shown by.
func (b *builder) checkShown() error {
	for _, o := range b.objects {
		e, said := b.options.Entities[o.Name]
		if !said || o.Name == b.options.typeName(o.Table) {
			continue
		}
		message := "`" + o.Name + "` is what " + qualified(o.Table) + " is shown as, and [graphql.entities." + o.Name + "] is for another table"
		hint := "write the one that is meant: [graphql.entities.\"" + qualified(o.Table) + "\"]"
		if e.omits() {
			return fault.New(fault.Invalid, "database/ambiguous-table", message+", so what it omits may be shown").WithHint("%s", hint)
		}
		b.warn("database/ambiguous-table", "graphql.entities."+o.Name, message, hint)
	}
	return nil
}
