package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Preflight asks the database whether it has what the configuration names: schemas, tables, columns. What
// it lacks is told with its place in the file; the error is for a database that cannot be asked.
func (a *App) Preflight(ctx context.Context, file *config.File) (diag.List, error) {
	report, problems := file.Later()
	if err := a.checkSchemas(ctx, report.At("database")); err != nil {
		return nil, err
	}
	tables, err := catalog.Load(ctx, a.Pool, a.Config.Database.Schemas)
	if err != nil {
		return nil, postgres.Explain(err)
	}
	entities := report.At("graphql.entities")
	for name, entity := range a.Config.GraphQL.Entities {
		checkEntity(entities.Item(name), tables, name, entity)
	}
	return problems(), nil
}

const schemasSQL = `
select nspname, has_schema_privilege(oid, 'usage')
from pg_namespace
order by nspname`

func (a *App) checkSchemas(ctx context.Context, r *config.Report) error {
	rows, err := a.Pool.Query(ctx, schemasSQL)
	if err != nil {
		return postgres.Explain(err)
	}
	usable := map[string]bool{}
	var name string
	var may bool
	if _, err := pgx.ForEachRow(rows, []any{&name, &may}, func() error { usable[name] = may; return nil }); err != nil {
		return postgres.Explain(err)
	}
	for _, wanted := range a.Config.Database.Schemas {
		may, exists := usable[wanted]
		switch {
		case !exists:
			r.Error("schemas", "database/no-schema", "the database has no schema `"+wanted+"`", nearest(wanted, slices.Sorted(maps.Keys(usable)), "create schema "+catalog.QuoteIdent(wanted)+";"))
		case !may:
			r.Error("schemas", "database/no-privilege", "this login may not use the schema `"+wanted+"`", "grant usage on schema "+catalog.QuoteIdent(wanted)+" to "+catalog.QuoteIdent(a.Pool.Config().ConnConfig.User)+";")
		}
	}
	return nil
}

func checkEntity(r *config.Report, c *catalog.Catalog, name string, e graphql.Entity) {
	var known, meant []string
	var table *catalog.Table
	for _, t := range c.Tables {
		qualified, typeName := t.Schema+"."+t.Name, schema.TypeName(t.Name)
		if name == qualified || name == typeName {
			meant, table = append(meant, qualified), t
		}
		known = append(known, typeName, qualified)
	}
	switch len(meant) {
	case 0:
		r.Error("", "database/no-table", "the database has no table that is `"+name+"`", nearest(name, known, "write the type's name, or \"schema.table\""))
	case 1:
		checkColumns(r, c, table, e)
	default:
		r.Error("", "database/ambiguous-table", "`"+name+"` may be any of "+strings.Join(meant, ", "), "write the one that is meant: [graphql.entities.\""+meant[0]+"\"]")
	}
}

func checkColumns(r *config.Report, c *catalog.Catalog, t *catalog.Table, e graphql.Entity) {
	want := func(r *config.Report, key string, t *catalog.Table, column string) {
		if t.Column(column) == nil {
			var names []string
			for _, c := range t.Columns {
				names = append(names, c.Name)
			}
			r.Error(key, "database/no-column", fmt.Sprintf("%s.%s has no column `%s` that this login may read", t.Schema, t.Name, column), nearest(column, names, "it has: "+strings.Join(names, ", ")))
		}
	}
	for _, column := range e.Key {
		want(r, "key", t, column)
	}
	for column := range e.Fields {
		if slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool { return schema.FieldName(c.Name) == column }) {
			continue
		}
		want(r.At("fields").Item(column), "", t, column)
	}
	for i, reference := range e.References {
		at := r.At(fmt.Sprintf("references[%d]", i))
		for _, column := range reference.Columns {
			want(at, "columns", t, column)
		}
		target := c.Find(t.Schema, reference.Table)
		if target == nil {
			at.Error("table", "database/no-table", "the database has no table `"+reference.Table+"`", `table = "schema.table"`)
			continue
		}
		for _, column := range reference.To {
			want(at, "to", target, column)
		}
	}
}

// nearest helps with a name that is near, and otherwise in another way.
func nearest(name string, candidates []string, otherwise string) string {
	if near := config.Nearest(name, candidates); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return otherwise
}
