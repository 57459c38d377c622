package app

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Preflight asks the database whether it has what the configuration names: schemas, tables, columns, and roles that
// requests can run as. What it lacks is told with its place in the file; the error is for a database that cannot be
// asked.
func (a *App) Preflight(ctx context.Context, file *config.File) (diag.List, error) {
	report, problems := file.Later()
	if err := a.checkSchemas(ctx, report.At("database")); err != nil {
		return nil, err
	}
	if err := a.judgeReplicas(ctx, report.At("database")); err != nil {
		return nil, err
	}
	if err := a.checkReactionLive(ctx, report); err != nil {
		return nil, err
	}
	if a.Config.worksJobs() {
		for kind, h := range a.Config.Jobs.Handlers {
			if h.On() && h.Type == "function" {
				if err := a.checkFunction(ctx, report.At("jobs.handlers").Item(kind), h.Function); err != nil {
					return nil, postgres.Explain(err)
				}
			}
		}
	}
	a.checkRedises(ctx, report)
	if a.GraphQL == nil {
		return problems(), nil
	}
	seen, err := a.checkRoles(ctx, report.At("graphql"))
	if err != nil {
		return nil, err
	}
	for _, w := range a.Config.GraphQL.Misprefixed(a.Config.Database.Schemas) {
		report.At("graphql.prefixes").Item(w.Subject).Error("", w.Code, w.Message, w.Hint)
	}
	entities := report.At("graphql.entities")
	for _, m := range a.Config.GraphQL.Misnomers(slices.Collect(maps.Values(seen))) {
		at := entities.Item(m.Entity)
		if m.Field != "" {
			at = at.At("fields").Item(m.Field)
		}
		at.Error(m.Key, m.Code, m.Message, m.Hint)
	}
	mistakes, err := a.GraphQL.LookAtViews(ctx, seen)
	if err != nil {
		return nil, postgres.Explain(err)
	}
	for _, m := range mistakes {
		report.At("graphql").Error("schema_files", "graphql/schema-file", m.Place()+m.Message, m.Hint)
	}
	if err := a.checkDocuments(ctx, report.At("graphql.persisted")); err != nil {
		return nil, err
	}
	return problems(), nil
}

// checkRedises asks those that are named: without the one of jobs none is worked, and without the other servers go on.
func (a *App) checkRedises(ctx context.Context, r *config.Report) {
	if a.Config.worksJobs() && a.Jobs.redis != nil {
		if told, wrong := fault.As(a.Jobs.redis.Ping(ctx)); wrong {
			r.At("jobs").Error(keyOf("redis_url", a.Config.Jobs.RedisURL), told.Code, told.Message+": "+a.Jobs.redis.Address(), told.Hint)
		}
	}
	if a.redis != nil {
		if err := a.redis.Check(ctx, a.Config.GraphQL.Persisted.Prefix+"preflight"); err != nil {
			p := a.Config.GraphQL.Persisted
			r.At("graphql.persisted").Warn(keyOf("redis_url", p.RedisURL), "redis/away", "servers cannot share what clients register, and go on without: "+err.Error(), "start Redis 6.2 or newer, correct the address, or let the user SET and GETEX")
		}
	}
}

// keyOf is how the file names a secret.
func keyOf(key string, s config.Secret) string {
	if s.Env != "" {
		return key + "_env"
	}
	return key + "_file"
}

// checkDocuments holds the trusted documents against the schema. Where there can be none, that is what has to be mended
// first, and it is told as what serving would meet.
func (a *App) checkDocuments(ctx context.Context, r *config.Report) error {
	if a.Config.GraphQL.DocumentsDir("") == "" {
		return nil
	}
	err := a.GraphQL.Load(ctx)
	if refusal, refused := fault.As(err); refused {
		r.Warn("dir", refusal.Code, "the trusted documents were not judged, as there is no schema: "+refusal.Message, refusal.Hint)
		return nil
	}
	if err != nil {
		return postgres.Explain(err)
	}
	for _, w := range a.GraphQL.Misfits() {
		r.Warn("dir", w.Code, w.Subject+": "+w.Message, w.Hint)
	}
	return nil
}

// checkRoles gives what the roles see as which requests can run, by their names in tokens.
func (a *App) checkRoles(ctx context.Context, r *config.Report) (map[string]*catalog.Catalog, error) {
	seen := map[string]*catalog.Catalog{}
	roles := a.Config.GraphQL.DatabaseRoles()
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		tables, err := a.GraphQL.Look(ctx, name, roles[name])
		refusal, refused := fault.As(err)
		switch {
		case refused && name == "":
			r.Error("roles", refusal.Code, refusal.Message, refusal.Hint)
		case refused:
			r.At("roles").Item(name).Error("role", refusal.Code, refusal.Message, refusal.Hint)
		case err != nil:
			return nil, postgres.Explain(err)
		default:
			seen[name] = tables
		}
	}
	return seen, nil
}

const schemasSQL = `
select n.nspname, coalesce((select bool_or(has_schema_privilege(r.oid, n.oid, 'usage')) from pg_roles r
                           where r.rolname = any(coalesce($1, array[current_user]))), true) -- of roles that are not there, checkRoles tells
from pg_namespace n
order by n.nspname`

func (a *App) checkSchemas(ctx context.Context, r *config.Report) error {
	roles := a.roles()
	refusal, to := "this login may not use", catalog.QuoteIdent(a.Pool.Config().ConnConfig.User)
	if len(roles) > 0 {
		refusal, to = "none of the roles in [graphql.roles] may use", catalog.QuoteIdent(roles[0])
	}
	rows, err := a.Pool.Query(ctx, schemasSQL, roles)
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
			r.Error("schemas", "database/no-privilege", refusal+" the schema `"+wanted+"`", "grant usage on schema "+catalog.QuoteIdent(wanted)+" to "+to+";")
		}
	}
	return nil
}

// roles gives the database's roles that requests run as; none when that is the login.
func (a *App) roles() []string {
	if a.GraphQL == nil || len(a.Config.GraphQL.Roles) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(maps.Values(a.Config.GraphQL.DatabaseRoles())))
}
