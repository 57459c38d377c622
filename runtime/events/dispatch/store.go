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
select now, more, consumer, event_id, part, event_at, lane, key, other, step, attempt, wait
from _system.event_look($1, $2, $3, $4)`

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
    where consumer = $1 and (event_id, part) < ($2, $3) and (key = $4 or other in ($4, 0) or $4 = 0)
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
	rows, err := d.options.Pool.Query(ctx, tailSQL, since, consumers, lanes, limit)
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
		if err := rows.Scan(&now, &more, &consumer, &id, &part, &at, &lane, &key, &f.other, &step, &attempt, &wait); err != nil {
			return nil, "", false, err
		}
		if consumer == nil {
			continue // only to tell the snapshot
		}
		f.consumer, f.id, f.part, f.at, f.lane, f.key, f.step, f.attempt = *consumer, *id, *part, *at, *lane, *key, *step, *attempt
		f.wait = time.Duration(*wait * float64(time.Second))
		all = append(all, f)
	}
	return all, now, more, rows.Err()
}

func (d *Dispatcher) query(ctx context.Context, sql string, args ...any) ([]found, error) {
	rows, err := d.options.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanFound)
}
