package events

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// columns are those of an event with its source, for Scan.
const columns = `e.id, e.at, e.xid::text::int8, e.op::text, e.cut, e.key, e.old, e.new, e.changed, e.login, coalesce(e.claims, ''), coalesce(e.request, ''),
       s.id, s.entity, s.schema_name, s.table_name`

const loadSQL = `
select ` + columns + `
from unnest($1::int8[], $2::timestamptz[]) as u(id, at)
join _system.event e on e.id = u.id and e.at = u.at
join _system.event_source s on s.id = e.source`

const rereadSQL = `
select u.n::int, _system.event_reread(u.source, u.key)
from unnest($1::int4[], $2::json[]) with ordinality as u(source, key, n)`

// Queryer is a pool, a connection or a transaction.
type Queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Scan reads one row of columns.
func scan(row pgx.CollectableRow) (*Event, error) {
	var e Event
	var op, claims, request string
	var xid int64
	var key, old, now []byte
	var besides []string
	err := row.Scan(&e.ID, &e.At, &xid, &op, &e.Cut, &key, &old, &now, &besides, &e.Login, &claims, &request, &e.Source, &e.Entity, &e.Schema, &e.Table)
	if err != nil {
		return nil, err
	}
	e.Op, e.XID = ops[op[0]], uint64(xid)
	e.Key, e.Old, e.New = json.RawMessage(key), json.RawMessage(old), json.RawMessage(now)
	if e.Op == Update {
		e.Changed = changed(e.Old, e.New, besides, e.Cut)
	}
	e.claims(claims)
	e.request(request)
	return &e, nil
}

// Load reads events by their numbers and times; those that are gone are left out. Of one that was cut, New is the row as it is
// now: nil when it is gone.
func Load(ctx context.Context, q Queryer, ids []int64, at []time.Time) ([]*Event, error) {
	rows, err := q.Query(ctx, loadSQL, ids, at)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, err
	}
	return all, reread(ctx, q, all)
}

// reread reads the rows of events that were cut.
func reread(ctx context.Context, q Queryer, all []*Event) error {
	var cut []*Event
	var sources []int
	var keys []string
	for _, e := range all {
		if e.Cut && e.Key != nil && e.Op != Delete {
			cut, sources, keys = append(cut, e), append(sources, e.Source), append(keys, string(e.Key))
		}
	}
	if len(cut) == 0 {
		return nil
	}
	rows, err := q.Query(ctx, rereadSQL, sources, keys)
	if err != nil {
		return err
	}
	var n int
	var row []byte
	_, err = pgx.ForEachRow(rows, []any{&n, &row}, func() error {
		cut[n-1].New = json.RawMessage(slices.Clone(row))
		return nil
	})
	return err
}

// Store reads and writes the tables of events.
type Store struct{ Pool *pgxpool.Pool }
