// Package policy says why a role sees a row of a table, or does not: which grant or row security policy shows or hides
// it, and each of its columns, as a list that a person can read who has to answer for it.
package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Question is what to explain.
type Question struct {
	Role    string   // of the database
	Schemas []string // where a table without a schema is looked for
	Table   string   // "schema.table", or the table alone
	Key     []string // the primary key of the row: its values in the order of the key, or "column=value"; none for the table alone
	Claims  string   // JSON, as request.jwt.claims has it; empty is {"role": …}
}

// Line is one answer: whether, and why.
type Line struct {
	What    string `json:"what"`    // "schema", "select", "column", "policy", "row", …
	Subject string `json:"subject"` // which
	Answer  string `json:"answer"`  // "yes", "no", "true", …
	Why     string `json:"why"`
}

// Explain answers a question on a connection whose login sees all rows, as that of the tables' owner does. It writes
// nothing. Its errors are faults where the question is wrong.
func Explain(ctx context.Context, conn *pgx.Conn, q Question) ([]Line, error) {
	if q.Claims != "" && !json.Valid([]byte(q.Claims)) {
		return nil, fault.New(fault.Usage, "policy/bad-claims", "the claims are no JSON").WithHint(`--claims '{"sub": "42"}'`)
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it only read
	x := &explanation{tx: tx, q: q}
	for _, step := range []func(context.Context) error{x.find, x.grants, x.columns, x.row, x.policies, x.verdicts} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return x.lines, nil
}

type explanation struct {
	tx    pgx.Tx
	q     Question
	lines []Line

	oid      uint32
	schema   string
	table    string
	secured  bool   // row security is on
	passes   string // why it does not hold for the role; empty when it does
	key      []string
	document []byte          // the row as JSON; nil where it was not asked for, or not found
	granted  map[string]bool // by privilege, on the table or any of its columns
	found    []policy
}

type policy struct {
	name, command string
	permissive    bool
	mine          bool
	roles         []string
	using, check  string
	truth         *bool  // of using, for the row
	failed        string // why it could not be computed
}

func (x *explanation) say(what, subject, answer, why string) {
	x.lines = append(x.lines, Line{What: what, Subject: subject, Answer: answer, Why: why})
}

func (x *explanation) name() string { return x.schema + "." + x.table }

func (x *explanation) sql() string { return pgx.Identifier{x.schema, x.table}.Sanitize() }

const findSQL = `
select c.oid, n.nspname, c.relname, c.relrowsecurity,
       case when r.rolsuper then 'the role is a superuser' when r.rolbypassrls then 'the role has BYPASSRLS'
            when not c.relforcerowsecurity and pg_has_role(r.oid, c.relowner, 'usage') then 'the role owns the table, which does not force row security' else '' end,
       coalesce((select array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum)) from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
                 where i.indrelid = c.oid and i.indisprimary), '{}')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_roles r on r.rolname = $1
where c.relkind in ('r', 'v', 'm', 'p', 'f') and c.relname = $2 and n.nspname = any($3)
order by array_position($3, n.nspname::text)
limit 1`

func (x *explanation) find(ctx context.Context) error {
	var known bool
	if err := x.tx.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", x.q.Role).Scan(&known); err != nil {
		return err
	}
	if !known {
		return fault.New(fault.NotFound, "policy/no-role", "the database has no role `"+x.q.Role+"`").WithHint("create role %s nologin;", pgx.Identifier{x.q.Role}.Sanitize())
	}
	schemas, table := x.q.Schemas, x.q.Table
	if s, t, qualified := strings.Cut(table, "."); qualified {
		schemas, table = []string{s}, t
	}
	err := x.tx.QueryRow(ctx, findSQL, x.q.Role, table, schemas).Scan(&x.oid, &x.schema, &x.table, &x.secured, &x.passes, &x.key)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "policy/no-table", "there is no table `"+x.q.Table+"` in "+strings.Join(schemas, ", ")).WithHint(`write it as "schema.table", by its name in the database`)
	}
	return err
}

// Whose grants count are PUBLIC's, and those of roles whose rights the role has of itself.
const grantsSQL = `
select s.privilege, array_agg(distinct case g.grantee when 0 then 'PUBLIC' else g.grantee::regrole::text end)
from (
  select 'usage' as privilege, nspacl as acl, acldefault('n', nspowner) as otherwise from pg_namespace where oid = (select relnamespace from pg_class where oid = $1)
  union all
  select lower(p), relacl, acldefault('r', relowner) from pg_class, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p where oid = $1
) s
cross join lateral aclexplode(coalesce(s.acl, s.otherwise)) g
where lower(g.privilege_type) = s.privilege and (g.grantee = 0 or pg_has_role($2::name, g.grantee, 'usage'))
group by 1`

const maySQL = `
select r.rolsuper, json_build_object('usage', has_schema_privilege(r.oid, c.relnamespace, 'usage'), 'select', has_table_privilege(r.oid, c.oid, 'select'),
       'insert', has_table_privilege(r.oid, c.oid, 'insert'), 'update', has_table_privilege(r.oid, c.oid, 'update'), 'delete', has_table_privilege(r.oid, c.oid, 'delete'))
from pg_roles r, pg_class c where r.rolname = $1 and c.oid = $2`

func (x *explanation) grants(ctx context.Context) error {
	rows, err := x.tx.Query(ctx, grantsSQL, x.oid, x.q.Role)
	if err != nil {
		return err
	}
	by := map[string][]string{}
	var privilege string
	var grantees []string
	if _, err := pgx.ForEachRow(rows, []any{&privilege, &grantees}, func() error { by[privilege] = grantees; return nil }); err != nil {
		return err
	}
	var super bool
	may := map[string]bool{}
	if err := x.tx.QueryRow(ctx, maySQL, x.q.Role, x.oid).Scan(&super, &may); err != nil {
		return err
	}
	x.granted = map[string]bool{}
	for _, privilege := range []string{"usage", "select", "insert", "update", "delete"} {
		what, subject := privilege, x.name()
		if privilege == "usage" {
			what, subject = "schema", x.schema
		}
		switch who := by[privilege]; {
		case super:
			x.granted[privilege] = true
			x.say(what, subject, "yes", "the role is a superuser")
		case len(who) > 0:
			x.granted[privilege] = true
			x.say(what, subject, "yes", "granted to "+strings.Join(who, ", "))
		case may[privilege]:
			x.granted[privilege] = true
			x.say(what, subject, "yes", "the role has the rights of pg_read_all_data or pg_write_all_data")
		case privilege == "usage", privilege == "delete":
			x.say(what, subject, "no", "not granted to "+x.q.Role+", to a role that it has the rights of, or to PUBLIC")
		default:
			x.say(what, subject, "no", "not granted on the whole table: see the columns")
		}
	}
	return nil
}

const columnsSQL = `
select a.attname, array_remove(array[
         case when has_column_privilege($2::name, $1::oid, a.attnum, 'select') then 'select' end, case when has_column_privilege($2::name, $1::oid, a.attnum, 'insert') then 'insert' end,
         case when has_column_privilege($2::name, $1::oid, a.attnum, 'update') then 'update' end], null),
       coalesce((select array_agg(distinct lower(g.privilege_type) || ' granted to ' || case g.grantee when 0 then 'PUBLIC' else g.grantee::regrole::text end)
                 from aclexplode(a.attacl) g where g.grantee = 0 or pg_has_role($2::name, g.grantee, 'usage')), '{}')
from pg_attribute a where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
order by a.attnum`

func (x *explanation) columns(ctx context.Context) error {
	rows, err := x.tx.Query(ctx, columnsSQL, x.oid, x.q.Role)
	if err != nil {
		return err
	}
	var name string
	var may, own []string
	_, err = pgx.ForEachRow(rows, []any{&name, &may, &own}, func() error {
		answer, why := strings.Join(may, ", "), "by the grant on the table"
		for _, privilege := range may {
			x.granted[privilege+" some"] = true
		}
		switch {
		case len(may) == 0:
			answer, why = "nothing", "no grant names the column, nor the table"
		case len(own) > 0:
			why = strings.Join(own, ", ")
		}
		x.say("column", name, answer, why)
		return nil
	})
	return err
}

// row reads the row as whoever asks this sees it.
func (x *explanation) row(ctx context.Context) error {
	if len(x.q.Key) == 0 {
		return nil
	}
	conditions, values, err := x.keyed()
	if err != nil {
		return err
	}
	err = x.tx.QueryRow(ctx, "select to_jsonb(t) from "+x.sql()+" t where "+conditions, values...).Scan(&x.document)
	if errors.Is(err, pgx.ErrNoRows) {
		var login string
		if err := x.tx.QueryRow(ctx, "select current_user").Scan(&login); err != nil {
			return err
		}
		return fault.New(fault.NotFound, "policy/no-row", "there is no row with this key that "+login+" may see").
			WithHint("look as the tables' owner: [migrations] url_env, or --database-url")
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && strings.HasPrefix(pg.Code, "22") {
		return fault.Wrap(fault.Invalid, "policy/bad-key", "the key is none of the table's", err)
	}
	return err
}

// keyed writes the condition that a row has the key.
func (x *explanation) keyed() (condition string, values []any, err error) {
	if len(x.key) == 0 {
		return "", nil, fault.New(fault.Invalid, "policy/no-key", x.name()+" has no primary key to find a row by").WithHint("leave --key out: the table alone is explained")
	}
	given := map[string]string{}
	for i, text := range x.q.Key {
		name, value, named := strings.Cut(text, "=")
		if !named || !slices.Contains(x.key, name) {
			if i >= len(x.key) {
				break
			}
			name, value = x.key[i], text
		}
		given[name] = value
	}
	var parts []string
	for i, name := range x.key {
		value, there := given[name]
		if !there || len(x.q.Key) != len(x.key) {
			return "", nil, fault.New(fault.Usage, "usage", "the primary key of "+x.name()+" is ("+strings.Join(x.key, ", ")+")").WithHint("--key %s=…", strings.Join(x.key, "=… --key "))
		}
		parts = append(parts, fmt.Sprintf("t.%s::text = $%d", pgx.Identifier{name}.Sanitize(), i+1))
		values = append(values, value)
	}
	return strings.Join(parts, " and "), values, nil
}
