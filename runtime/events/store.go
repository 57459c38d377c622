package events

import (
	"context"
	"encoding/json"
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

// judged: the capturing function has asked the whole condition of the consumer.
const rereadSQL = `
select e.r, coalesce(e.problem, ''),
       exists (select from _system.event_interest i
               join _system.event_consumer c on c.id = i.consumer
               join _system.event_filter f on f.name = i.filter
               where i.source = $1 and c.name = $3 and f.exact & (case $4 when 'I' then 1 when 'U' then 2 else 4 end) <> 0)
from (select) one
left join lateral _system.event_reread($1, $2) e on $4 <> 'D'`

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

// Load reads events by their numbers and times; those that are gone are left out.
func Load(ctx context.Context, q Queryer, ids []int64, at []time.Time) ([]*Event, error) {
	rows, err := q.Query(ctx, loadSQL, ids, at)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// Reread is an event that was cut, with its row as it is now.
type Reread struct {
	Event   *Event // New is nil when the row is gone, or cannot be read
	Problem string // why it cannot be read; empty where it was, or is gone
	Judged  bool   // the condition of the consumer was asked in full when the change was made: nobody can ask it again
}

// ReadAnew reads the row of an event that was cut, as this login may, for a consumer.
func ReadAnew(ctx context.Context, q Queryer, e *Event, consumer string) (Reread, error) {
	rows, err := q.Query(ctx, rereadSQL, e.Source, text(e.Key), consumer, string(e.Op[:1]))
	if err != nil {
		return Reread{}, err
	}
	type answer struct {
		Row     []byte
		Problem string
		Judged  bool
	}
	read, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[answer])
	if err != nil {
		return Reread{}, err
	}
	again := *e
	again.New = read.Row
	return Reread{&again, read.Problem, read.Judged}, nil
}

// Store reads and writes the tables of events.
type Store struct{ Pool *pgxpool.Pool }
