package dispatch

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// found is a row of event_delivery.
type found struct {
	consumer int
	id       int64
	part     int
	at       time.Time
	lane     int
	key      int64
	other    *int64
	step     int
	attempt  int
	wait     time.Duration // until it is due
}

const deliveryColumns = `d.consumer, d.event_id, d.part, d.event_at, d.lane, d.key, d.other, d.step, d.attempt,
    coalesce(greatest(extract(epoch from d.due_at - clock_timestamp()), 0), 0)::float8`

const (
	snapshotSQL = `select pg_current_snapshot()::text`

	// Rows of all lanes that change a key are read: they hold up others.
	tailSQL = `
with now as materialized (select pg_current_snapshot() as s)
select now.s::text, d.*
from now
left join lateral (
    select ` + deliveryColumns + `
    from _system.event e
    join _system.event_delivery d on d.event_id = e.id and d.part = 0 and d.consumer = any ($2)
    where (e.xid >= pg_snapshot_xmax($1::pg_snapshot) or e.xid = any (array(select pg_snapshot_xip($1::pg_snapshot))))
      and (d.lane = any ($3) or d.other is not null)
    limit $4
) d on true`

	catchUpSQL = `
select ` + deliveryColumns + `
from _system.event_delivery d
where d.consumer = $1 and (d.event_id, d.part) > ($2, $3) and (d.lane = any ($4) or d.other is not null)
order by d.event_id, d.part
limit $5`

	refillSQL = `
select ` + deliveryColumns + `
from _system.event_delivery d
where d.consumer = $1 and (d.event_id, d.part) > ($2, $3) and d.event_id <= $4 and d.key = $5 and d.lane = any ($6)
order by d.event_id, d.part
limit $7`

	unfinishedSQL = `
select event_id, part
from _system.event_delivery
where consumer = $1 and event_id = any ($2)`

	earlierSQL = `
select exists (
    select from _system.event_delivery
    where consumer = $1 and (event_id, part) < ($2, $3) and (key = $4 or $4 = 0)
)`
)

func scanFound(row pgx.CollectableRow) (found, error) {
	var f found
	var wait float64
	err := row.Scan(&f.consumer, &f.id, &f.part, &f.at, &f.lane, &f.key, &f.other, &f.step, &f.attempt, &wait)
	f.wait = time.Duration(wait * float64(time.Second))
	return f, err
}

// tail gives what has become visible since a snapshot, and the snapshot of this look. more says that there was more than
// the limit.
func (d *Dispatcher) tail(ctx context.Context, since string, consumers, lanes []int, limit int) (all []found, now string, more bool, err error) {
	rows, err := d.options.Pool.Query(ctx, tailSQL, since, consumers, lanes, limit+1)
	if err != nil {
		return nil, "", false, err
	}
	defer rows.Close()
	for rows.Next() {
		var f found
		var consumer, part, lane, step, attempt *int
		var id, key *int64
		var at *time.Time
		var wait *float64
		if err := rows.Scan(&now, &consumer, &id, &part, &at, &lane, &key, &f.other, &step, &attempt, &wait); err != nil {
			return nil, "", false, err
		}
		if consumer == nil {
			break
		}
		f.consumer, f.id, f.part, f.at, f.lane, f.key, f.step, f.attempt = *consumer, *id, *part, *at, *lane, *key, *step, *attempt
		f.wait = time.Duration(*wait * float64(time.Second))
		all = append(all, f)
	}
	if len(all) > limit {
		return nil, now, true, rows.Err()
	}
	return all, now, false, rows.Err()
}

func (d *Dispatcher) query(ctx context.Context, sql string, args ...any) ([]found, error) {
	rows, err := d.options.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanFound)
}
