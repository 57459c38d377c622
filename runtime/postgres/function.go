package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Qualified quotes a name that may have a schema before it: app.on_order is "app"."on_order".
func Qualified(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }

const callableSQL = `
select p.oid is not null, coalesce(has_function_privilege(p.oid, 'execute'), false)
from (select to_regprocedure($1)::oid as oid) p`

// Callable tells whether there is a function of one argument of jsonb, and whether this login may call it.
func Callable(ctx context.Context, pool *pgxpool.Pool, name string) (there, may bool, err error) {
	err = pool.QueryRow(ctx, callableSQL, Qualified(name)+"(jsonb)").Scan(&there, &may)
	return there, may, err
}
