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
}

// Misnomers looks for all names of entities in a catalog.
func Misnomers(c *catalog.Catalog, entities map[string]Entity) []Misnomer {
	var found []Misnomer
	for _, name := range slices.Sorted(maps.Keys(entities)) {
		l := look{catalog: c, entity: name}
		l.table(entities[name])
		found = append(found, l.found...)
	}
	return found
}

// look is at one entry.
type look struct {
	catalog *catalog.Catalog
	entity  string
	found   []Misnomer
}

func (l *look) report(field, key, code, message, hint string) {
	l.found = append(l.found, Misnomer{Entity: l.entity, Field: field, Key: key, Code: code, Message: message, Hint: hint})
}

func (l *look) table(e Entity) {
	var known []string
	var meant []*catalog.Table
	for _, t := range l.catalog.Tables {
		if l.entity == TypeName(t.Name) || l.entity == qualified(t) {
			meant = append(meant, t)
		}
		known = append(known, TypeName(t.Name), qualified(t))
	}
	switch len(meant) {
	case 0:
		l.report("", "", "database/no-table", "the database has no table that is `"+l.entity+"` and that this login may read", nearest(l.entity, known, "write the type's name, or \"schema.table\""))
	case 1:
		l.columns(meant[0], e)
	default:
		var names []string
		for _, t := range meant {
			names = append(names, qualified(t))
		}
		l.report("", "", "database/ambiguous-table", "`"+l.entity+"` may be any of "+strings.Join(names, ", "), "write the one that is meant: [graphql.entities.\""+names[0]+"\"]")
	}
}

func (l *look) columns(t *catalog.Table, e Entity) {
	for _, column := range e.Key {
		l.column(t, column, "", "key")
	}
	for _, column := range slices.Sorted(maps.Keys(e.Fields)) {
		if !slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool { return FieldName(c.Name) == column }) {
			l.column(t, column, column, "")
		}
	}
	for i, reference := range e.References {
		at := fmt.Sprintf("references[%d].", i)
		for _, column := range reference.Columns {
			l.column(t, column, "", at+"columns")
		}
		target := l.catalog.Find(t.Schema, reference.Table)
		if target == nil {
			l.report("", at+"table", "database/no-table", "the database has no table `"+reference.Table+"`", `table = "schema.table"`)
			continue
		}
		for _, column := range reference.To {
			l.column(target, column, "", at+"to")
		}
	}
}

func (l *look) column(t *catalog.Table, name, field, key string) {
	if t.Column(name) != nil {
		return
	}
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	l.report(field, key, "database/no-column", fmt.Sprintf("%s has no column `%s` that this login may read", qualified(t), name), nearest(name, names, "it has: "+strings.Join(names, ", ")))
}

// nearest helps with a name that is near, and otherwise in another way.
func nearest(name string, candidates []string, otherwise string) string {
	if near := diag.Nearest(name, candidates); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return otherwise
}

// checkNames warns of entries that say nothing. One that was to keep something out of the API is an error: what it
// means may well be in the database under another name, and would be shown.
func (b *builder) checkNames() error {
	for _, m := range Misnomers(b.catalog, b.options.Entities) {
		switch {
		case m.Key != "": // virtualKeys tells
		case m.Code != "database/ambiguous-table" && m.omits(b.options.Entities[m.Entity]):
			return fault.New(fault.Invalid, m.Code, m.Message+", so what [graphql.entities."+m.Entity+"] omits may be shown under another name").
				WithHint("%s; or remove the entry", m.Hint)
		default: // an ambiguous one holds for all that it may mean
			b.warn(m.Code, "graphql.entities."+m.Entity, m.Message, m.Hint)
		}
	}
	return nil
}

// omits tells whether what has not been found was to be kept out.
func (m Misnomer) omits(e Entity) bool {
	if m.Field != "" {
		return e.Fields[m.Field].Omit
	}
	if e.Omit {
		return true
	}
	for _, f := range e.Fields {
		if f.Omit {
			return true
		}
	}
	return false
}
