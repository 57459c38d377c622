package doctor

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// The versions of PostgreSQL that we support: the first and the last major one.
const (
	oldest = 14
	newest = 18
)

// Database are the questions about the database and the login that the server has there.
type Database struct {
	Pool     *pgxpool.Pool
	Schemas  []string
	Roles    []string // of the database, that requests run as; none when that is the login
	PoolSize int      // connections that a server may open for requests
	Beside   int      // and for all else
	Private  bool     // the cluster is ours alone: its login is its superuser, on purpose
}

// Reach asks whether the database answers, and what it is.
func (d Database) Reach() Check {
	return Check{Name: "database", Run: func(ctx context.Context, found *Findings) {
		var database, version, encoding string
		var number int
		if err := d.Pool.Ping(ctx); err != nil {
			found.Fault(postgres.Explain(err))
			return
		}
		began := time.Now()
		err := d.Pool.QueryRow(ctx, "select current_database(), current_setting('server_version'), current_setting('server_version_num')::int, current_setting('server_encoding')").
			Scan(&database, &version, &number, &encoding)
		if err != nil {
			found.Fault(postgres.Explain(err))
			return
		}
		took := time.Since(began)
		switch major := number / 10000; {
		case major < oldest:
			found.Error(fmt.Sprintf("PostgreSQL %s is older than %d, the first version that is supported", version, oldest), "upgrade the server")
			return
		case major > newest:
			found.Warn(fmt.Sprintf("PostgreSQL %s is newer than %d, the last version that this program was tested with", version, newest), "look for a newer fraiseql")
		default:
			found.OK(fmt.Sprintf("PostgreSQL %s, database %s, answers in %s", version, database, took.Round(100*time.Microsecond)))
		}
		if encoding != "UTF8" {
			found.Warn("the database's encoding is "+encoding+": text that it cannot hold is refused", "create database … encoding 'UTF8' template template0;")
		}
	}}
}

// Checks are the questions that need a database that answers.
func (d Database) Checks() []Check {
	return []Check{
		{Name: "connections", Run: d.connections},
		{Name: "encryption", Run: d.encryption},
		{Name: "login", Run: d.login},
		{Name: "grants", Run: d.grants},
		{Name: "rls", Run: d.rowSecurity},
		{Name: "indexes", Run: d.indexes},
		{Name: "extensions", Run: d.extensions},
		{Name: "clocks", Run: d.clocks},
	}
}

const connectionsSQL = `
select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       (select sum(numbackends) from pg_stat_database)::int - 1, -- without ourselves
       (select rolconnlimit from pg_roles where rolname = current_user)`

func (d Database) connections(ctx context.Context, found *Findings) {
	var most, used, limit int
	if err := d.Pool.QueryRow(ctx, connectionsSQL).Scan(&most, &used, &limit); err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	if limit >= 0 {
		most = min(most, limit)
	}
	if free := most - used; d.PoolSize+d.Beside > free {
		found.Warn(fmt.Sprintf("a server may open %d connections, but only %d of %d are free", d.PoolSize+d.Beside, free, most),
			fmt.Sprintf("[database] pool_size = %d, or raise max_connections", max(3, (free-d.Beside)/2)))
		return
	}
	found.OK(fmt.Sprintf("%d of %d in use, a server may open %d", used, most, d.PoolSize+d.Beside))
}

func (d Database) encryption(ctx context.Context, found *Findings) {
	host := d.Pool.Config().ConnConfig.Host
	if ip := net.ParseIP(host); strings.HasPrefix(host, "/") || host == "localhost" || ip != nil && ip.IsLoopback() {
		found.OK("the connection stays on this machine")
		return
	}
	var encrypted bool
	err := d.Pool.QueryRow(ctx, "select coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)").Scan(&encrypted)
	switch {
	case err != nil:
		found.Fault(postgres.Explain(err))
	case !encrypted:
		found.Warn("passwords and rows cross the network to "+host+" in the open", "add ?sslmode=verify-full to the database's address")
	default:
		found.OK("the connection to " + host + " is encrypted")
	}
}

const loginSQL = `
select current_user, rolsuper, rolbypassrls,
       (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any($1) and c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'usage'))::int
from pg_roles
where rolname = current_user`

func (d Database) login(ctx context.Context, found *Findings) {
	var name string
	var super, bypass bool
	var owned int
	if err := d.Pool.QueryRow(ctx, loginSQL, d.Schemas).Scan(&name, &super, &bypass, &owned); err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	quoted := pgx.Identifier{name}.Sanitize()
	switch {
	case d.Private:
		found.OK("the private server has one login, its superuser; give requests roles of their own before others may send them")
	case super:
		found.Warn(name+" is a superuser: grants and row security mean nothing to it", d.loginFix())
	case bypass:
		found.Warn(name+" has BYPASSRLS: row security means nothing to it", "alter role "+quoted+" nobypassrls;")
	case owned > 0:
		found.Warn(fmt.Sprintf("%s owns %s: it may change and drop them, and row security does not hold for it", name, tables(owned)), d.loginFix())
	default:
		found.OK(name + " is neither superuser nor owner of the tables")
	}
}

// loginFix is the SQL for a login that may use the tables, or take on the roles, and nothing more.
func (d Database) loginFix() string {
	if len(d.Roles) > 0 {
		return "create role app login noinherit password '…';\ngrant " + identifiers(d.Roles) + " to app;"
	}
	var b strings.Builder
	b.WriteString("create role app login password '…';")
	for _, schema := range d.Schemas {
		quoted := pgx.Identifier{schema}.Sanitize()
		fmt.Fprintf(&b, "\ngrant usage on schema %s to app; grant select, insert, update, delete on all tables in schema %s to app;", quoted, quoted)
	}
	return b.String()
}

// whoSQL are those that requests run as.
const whoSQL = `with who as (select oid, rolname, rolsuper or rolbypassrls as bypasses from pg_roles where rolname = any(coalesce($2, array[current_user])))`

// who names them, in the singular or the plural, and to whom grants are to go.
func (d Database) who() (name, to string) {
	if len(d.Roles) == 0 {
		return "the login", identifiers([]string{d.Pool.Config().ConnConfig.User})
	}
	return "the roles of the API together", identifiers(d.Roles)
}

const grantsSQL = whoSQL + `
select n.nspname, exists (select from who where has_schema_privilege(who.oid, n.oid, 'usage')),
       count(c.oid)::int,
       coalesce(array_agg(c.relname::text order by c.relname) filter (where c.oid is not null and not exists (
         select from who where has_schema_privilege(who.oid, n.oid, 'usage') and has_any_column_privilege(who.oid, c.oid, 'select'))), '{}')
from pg_namespace n
left join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'v', 'm', 'p', 'f') and not c.relispartition
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
where n.nspname = any($1)
group by n.oid, n.nspname
order by array_position($1, n.nspname::text)`

func (d Database) grants(ctx context.Context, found *Findings) {
	rows, err := d.Pool.Query(ctx, grantsSQL, d.Schemas, d.Roles)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	who, to := d.who()
	missing := map[string]bool{}
	for _, s := range d.Schemas {
		missing[s] = true
	}
	var schema string
	var usable bool
	var count int
	var closed []string
	_, err = pgx.ForEachRow(rows, []any{&schema, &usable, &count, &closed}, func() error {
		delete(missing, schema)
		quoted := pgx.Identifier{schema}.Sanitize()
		switch {
		case !usable:
			found.Error(who+" may not use the schema "+schema, "grant usage on schema "+quoted+" to "+to+";")
		case count > 0 && len(closed) == count:
			found.Error(fmt.Sprintf("%s may read none of the %s in %s", who, tables(count), schema), "grant select on all tables in schema "+quoted+" to "+to+";")
		case len(closed) > 0:
			found.Warn(fmt.Sprintf("%d of the %s in %s cannot be read and are not shown: %s", len(closed), tables(count), schema, few(closed)),
				"grant select on "+quoted+"."+pgx.Identifier{closed[0]}.Sanitize()+" to "+to+"; leave it, if that is meant")
		default:
			found.OK(fmt.Sprintf("%s may read all %s in %s", who, tables(count), schema))
		}
		return nil
	})
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	for _, s := range d.Schemas {
		if missing[s] {
			found.Error("the database has no schema "+s, "create schema "+pgx.Identifier{s}.Sanitize()+"; or correct [database] schemas")
		}
	}
}

// It says for each table what row_security_active, which asks for ourselves alone, does for each.
const rowSecuritySQL = whoSQL + `
select coalesce(array_agg(c.relname::text order by c.relname) filter (where not passed), '{}'),
       coalesce(array_agg(c.relname::text order by c.relname) filter (where passed), '{}'),
       exists (select from who where bypasses)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (select exists (select from who where bypasses or not c.relforcerowsecurity and pg_has_role(who.oid, c.relowner, 'usage')) as passed) p
where n.nspname = any($1) and c.relrowsecurity`

func (d Database) rowSecurity(ctx context.Context, found *Findings) {
	var active, passed []string
	var bypass bool
	if err := d.Pool.QueryRow(ctx, rowSecuritySQL, d.Schemas, d.Roles).Scan(&active, &passed, &bypass); err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	whom, fix := "the login", "use a login that neither owns the tables nor has BYPASSRLS"
	if len(d.Roles) > 0 {
		whom, fix = "every role of the API", "use roles that neither own the tables nor have BYPASSRLS"
	}
	if !bypass && len(passed) > 0 { // who does is not forced either
		fix += ", or: alter table " + pgx.Identifier{passed[0]}.Sanitize() + " force row level security;"
	}
	views, err := catalog.PassingViews(ctx, d.Pool, d.Schemas, d.Roles)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	var passing []string
	for _, v := range views {
		passing = append(passing, fmt.Sprintf("%s (%s, as %s)", v.Name, few(v.Tables), v.Owner))
	}
	if len(views) > 0 {
		first := pgx.Identifier{views[0].Schema, views[0].Name}.Sanitize()
		fix := "alter view " + first + " set (security_invoker = true); from PostgreSQL 15 on"
		if views[0].Copies {
			fix = "revoke select on " + first + " from whom it is not for"
		}
		found.Warn("views show all rows of tables with row security, as they read with the rights of their owners: "+few(passing), fix+"; leave one that itself leaves out what is not to be seen")
	}
	switch {
	case len(passed) > 0:
		found.Warn("the policies of "+few(passed)+" do not hold for "+whom+": requests see every row", fix)
	case len(active) > 0:
		found.OK("policies hold for " + whom + " on " + few(active))
	default:
		found.OK("no table has row level security")
	}
}

func (d Database) extensions(ctx context.Context, found *Findings) {
	rows, err := d.Pool.Query(ctx, "select extname || ' ' || extversion from pg_extension order by extname")
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	installed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	found.OK("none is needed; installed: " + strings.Join(installed, ", "))
}

// skew is how far the clocks may be apart: half a second is seen in tokens and schedules.
const skew = 500 * time.Millisecond

func (d Database) clocks(ctx context.Context, found *Findings) {
	var theirs time.Time
	before := time.Now()
	if err := d.Pool.QueryRow(ctx, "select clock_timestamp()").Scan(&theirs); err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	took := time.Since(before)
	apart := theirs.Sub(before.Add(took / 2))
	if apart.Abs() > skew+took {
		found.Warn(fmt.Sprintf("this machine's clock and the database's are %s apart", apart.Abs().Round(10*time.Millisecond)), "run NTP on both, such as chrony or systemd-timesyncd")
		return
	}
	found.OK(fmt.Sprintf("this machine and the database agree within %s", max(time.Millisecond, (apart.Abs()+took).Round(time.Millisecond))))
}

func identifiers(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = pgx.Identifier{name}.Sanitize()
	}
	return strings.Join(list, ", ")
}

func tables(n int) string {
	if n == 1 {
		return "1 table"
	}
	return fmt.Sprintf("%d tables", n)
}

// few names the first ones of a list.
func few(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" and %d more", len(names)-5)
	}
	return strings.Join(names, ", ")
}
