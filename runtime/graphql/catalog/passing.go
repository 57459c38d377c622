package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// PassingView is a view that shows rows of tables with row security as its owner sees them: all of them.
type PassingView struct {
	Schema, Name string
	Owner        string // of the view, or of one below it
	Copies       bool   // it is materialized: it shows what there was when it was refreshed
	Tables       []string
}

// A view reads with the rights of its owner, and so do views below it with those of theirs; one with security_invoker
// (PostgreSQL 15) reads with those of whoever reads it.
const passingSQL = `
with recursive relation as (
  select c.oid, c.relkind, c.relowner,
         c.relkind = 'v' and coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o where o.option_name = 'security_invoker'), false) as invoker
  from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f')
), reads (view, oid, reader) as (
  select c.oid, c.oid, case when not c.invoker then c.relowner end from relation c
  where c.relkind in ('v', 'm') and exists (select from pg_class v join pg_namespace n on n.oid = v.relnamespace where v.oid = c.oid and n.nspname = any($1))
  union
  select r.view, b.oid, case when b.relkind in ('v', 'm') and not b.invoker then b.relowner else r.reader end
  from reads r
  join pg_rewrite w on w.ev_class = r.oid
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
  join relation b on b.oid = d.refobjid and b.oid <> r.oid
)
select n.nspname, v.relname, o.rolname, v.relkind = 'm', array_agg(distinct t.relname::text order by t.relname::text)
from reads r
join pg_class v on v.oid = r.view
join pg_namespace n on n.oid = v.relnamespace
join pg_class t on t.oid = r.oid and t.relkind in ('r', 'p') and t.relrowsecurity
join pg_roles o on o.oid = r.reader
where (o.rolsuper or o.rolbypassrls or not t.relforcerowsecurity and pg_has_role(o.oid, t.relowner, 'usage'))
  and exists (select from pg_roles a where a.rolname = any(coalesce($2, array[current_user])) and has_schema_privilege(a.oid, n.oid, 'usage') and has_any_column_privilege(a.oid, v.oid, 'select'))
group by 1, 2, 3, 4
order by 1, 2, 3`

// PassingViews finds such views of some schemas that one of the roles may read; no roles are the login.
func PassingViews(ctx context.Context, from interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, schemas, roles []string,
) ([]PassingView, error) {
	rows, err := from.Query(ctx, passingSQL, schemas, roles)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PassingView])
}
