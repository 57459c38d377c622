package watch

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Database is what keeping and reading notes needs of a pool.
type Database interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

const keepSQL = `
insert into _system.findings as f (kind, subject, message, fix, rows, schema, relation, columns, equal, seen, first_seen, last_seen)
select * from json_to_recordset($1) as x (kind text, subject text, message text, fix text, rows bigint, schema text, relation text,
  columns text[], equal int, seen bigint, first_seen timestamptz, last_seen timestamptz)
on conflict (kind, subject) do update set message = excluded.message, fix = excluded.fix, rows = greatest(f.rows, excluded.rows),
  seen = f.seen + excluded.seen, last_seen = greatest(f.last_seen, excluded.last_seen)`

const keptSQL = `
select kind, subject, message, fix, rows, schema, relation, columns, equal, seen, first_seen, last_seen
from _system.findings where last_seen > now() - interval '7 days' order by kind, subject`

const forgetSQL = "delete from _system.findings where last_seen < now() - interval '7 days'"

// indexesSQL gives the columns of the indexes of a table that serve all of its rows, each with its direction: of those by
// which values are found that are equal, where $3 says so, else of those that have the order of the values.
const indexesSQL = `
select array(
  select pg_get_indexdef(i.indexrelid, k, false) ||
         case i.indoption[k - 1] & 3 when 1 then ' DESC NULLS LAST' when 2 then ' NULLS FIRST' when 3 then ' DESC' else '' end
  from generate_series(1, i.indnkeyatts) k order by k)
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_am m on m.oid = x.relam
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2 and i.indisvalid and i.indpred is null
  and (m.amname = 'btree' and ($3 or not exists (select from unnest(i.indclass::oid[]) o(oid) join pg_opclass p on p.oid = o.oid where not p.opcdefault))
       or m.amname = 'hash' and $3)`

// Keep writes notes into the table of them, for whoever asks later and elsewhere. A database without that table, or
// where the login may not write it, is none to fail for.
func Keep(ctx context.Context, db Database, notes []Note) error {
	rows := make([]map[string]any, len(notes))
	for i, n := range notes {
		rows[i] = map[string]any{
			"kind": n.Kind, "subject": n.Subject, "message": n.Message, "fix": n.Fix, "rows": n.Rows,
			"seen": n.Seen, "first_seen": n.First, "last_seen": n.Last,
		}
		if x := n.Index; x != nil {
			rows[i]["schema"], rows[i]["relation"], rows[i]["columns"], rows[i]["equal"] = x.Schema, x.Table, x.Columns, x.Equal
		}
	}
	if _, err := db.Exec(ctx, keepSQL, rows); err != nil && !tableless(err) {
		return fmt.Errorf("keep what was found: %w", err)
	}
	return nil
}

// Forget removes what was not seen for a week.
func Forget(ctx context.Context, db Database) error {
	if _, err := db.Exec(ctx, forgetSQL); err != nil && !tableless(err) {
		return fmt.Errorf("forget what was found: %w", err)
	}
	return nil
}

// Kept reads the notes of the last week that still hold: where an index was missing, there is none yet. none tells that
// the database has no table of them that the login may read.
func Kept(ctx context.Context, db Database) (notes []Note, none bool, err error) {
	rows, err := db.Query(ctx, keptSQL)
	if err == nil {
		notes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Note, error) {
			var n Note
			var schema, table *string
			var columns []string
			var equal *int
			err := row.Scan(&n.Kind, &n.Subject, &n.Message, &n.Fix, &n.Rows, &schema, &table, &columns, &equal, &n.Seen, &n.First, &n.Last)
			if schema != nil && table != nil && equal != nil {
				n.Index = &Index{Schema: *schema, Table: *table, Columns: columns, Equal: *equal}
			}
			return n, err
		})
	}
	if tableless(err) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read what was found: %w", err)
	}
	var still []Note
	for _, n := range notes {
		missing, err := Missing(ctx, db, n.Index)
		if err != nil {
			return nil, false, err
		}
		if missing {
			still = append(still, n)
		}
	}
	return still, false, nil
}

// Missing tells whether no index of the table serves as one would; nil is one that is not needed.
func Missing(ctx context.Context, db Database, x *Index) (bool, error) {
	if x == nil {
		return true, nil
	}
	rows, err := db.Query(ctx, indexesSQL, x.Schema, x.Table, x.Equal > 0)
	if err != nil {
		return false, fmt.Errorf("read the indexes of %s.%s: %w", x.Schema, x.Table, err)
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
	if err != nil {
		return false, fmt.Errorf("read the indexes of %s.%s: %w", x.Schema, x.Table, err)
	}
	for _, other := range others {
		if x.ServedBy(other) {
			return false, nil
		}
	}
	return true, nil
}

// tableless tells whether there is no table of findings that the login may use.
func tableless(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000" || pg.Code == "42501")
}
