package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// Qualified quotes a name that may have a schema before it: app.on_order is "app"."on_order".
func Qualified(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }

// to_regprocedure fails where the login has no usage on the schema.
const callableSQL = `
select p.oid is not null, coalesce(has_function_privilege(p.oid, 'execute') and has_schema_privilege(f.pronamespace, 'usage'), false)
from (
    select case when $1 = '' then to_regprocedure($3)::oid
                else (select f.oid from pg_proc f join pg_namespace n on n.oid = f.pronamespace
                      where n.nspname = $1 and f.proname = $2 and f.pronargs = 1 and f.proargtypes[0] = 'jsonb'::regtype) end as oid
) p
left join pg_proc f on f.oid = p.oid`

// rower is a pool, or a transaction.
type rower interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Callable tells whether there is a function of one argument of jsonb, and whether this login may call it.
func Callable(ctx context.Context, db rower, name string) (there, may bool, err error) {
	schema, bare, has := strings.Cut(name, ".")
	if !has {
		schema, bare = "", name
	}
	err = db.QueryRow(ctx, callableSQL, schema, bare, Qualified(name)+"(jsonb)").Scan(&there, &may)
	return there, may, err
}

// GrantHint says what a login needs that may not call a function.
func GrantHint(name string) string {
	hint := "grant execute on function " + Qualified(name) + "(jsonb) to the login"
	if schema, _, has := strings.Cut(name, "."); has {
		hint += "; grant usage on schema " + pgx.Identifier{schema}.Sanitize() + " to the login"
	}
	return hint
}

// elsewhereSQL lists functions of one argument of jsonb, as they have to be called: without a schema where the search_path finds them.
const elsewhereSQL = `
select p.proname, n.nspname, pg_function_is_visible(p.oid)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.pronargs = 1 and p.proargtypes[0] = 'jsonb'::regtype and p.prokind = 'f'
  and n.nspname <> 'information_schema' and n.nspname !~ '^(pg_|_system$)'
order by 2, 1`

// FunctionHint says what to do where no function of one argument of jsonb has this name: one of another schema or with a name that
// is near is meant, or it has to be made, to give what is wanted of it.
func FunctionHint(ctx context.Context, pool *pgxpool.Pool, name, returns string) (string, error) {
	rows, err := pool.Query(ctx, elsewhereSQL)
	if err != nil {
		return "", err
	}
	_, bare, has := strings.Cut(name, ".")
	if !has {
		bare = name
	}
	var all []string
	var called, in string
	var visible bool
	_, err = pgx.ForEachRow(rows, []any{&called, &in, &visible}, func() error {
		full := called
		if !visible || has {
			full = in + "." + called
		}
		if called == bare {
			all = append([]string{full}, all...)
		} else {
			all = append(all, full)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(all) > 0 && (all[0] == bare || strings.HasSuffix(all[0], "."+bare)) {
		return "did you mean \"" + all[0] + "\"?", nil
	}
	hint := "create function " + Qualified(name) + "(jsonb) returns " + returns + " …"
	if !has {
		hint += ", or write its schema: \"app." + name + "\""
	}
	return diag.DidYouMean(name, all, hint), nil
}
