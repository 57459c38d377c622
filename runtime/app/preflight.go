package app

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Preflight asks the database whether it has what the configuration names: schemas, tables, columns. What
// it lacks is told with its place in the file; the error is for a database that cannot be asked.
func (a *App) Preflight(ctx context.Context, file *config.File) (diag.List, error) {
	report, problems := file.Later()
	if err := a.checkSchemas(ctx, report.At("database")); err != nil {
		return nil, err
	}
	tables, err := catalog.Load(ctx, a.Pool, a.Config.Database.Schemas, "")
	if err != nil {
		return nil, postgres.Explain(err)
	}
	entities := report.At("graphql.entities")
	for _, m := range a.Config.GraphQL.Misnomers(tables) {
		at := entities.Item(m.Entity)
		if m.Field != "" {
			at = at.At("fields").Item(m.Field)
		}
		at.Error(m.Key, m.Code, m.Message, m.Hint)
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
			r.Error("schemas", "database/no-schema", "the database has no schema `"+wanted+"`", diag.DidYouMean(wanted, slices.Sorted(maps.Keys(usable)), "create schema "+catalog.QuoteIdent(wanted)+";"))
		case !may:
			r.Error("schemas", "database/no-privilege", "this login may not use the schema `"+wanted+"`", "grant usage on schema "+catalog.QuoteIdent(wanted)+" to "+catalog.QuoteIdent(a.Pool.Config().ConnConfig.User)+";")
		}
	}
	return nil
}
