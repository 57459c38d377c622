package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/cluster"
)

// store has the tables that are not the queue's.
type store struct{ pool *pgxpool.Pool }

const (
	kindSQL = `
insert into _system.job_kind as k (kind, queue, max_attempts)
values ($1, $2, $3)
on conflict (kind) do update
set queue = excluded.queue, max_attempts = excluded.max_attempts, updated_at = now()
where (k.queue, k.max_attempts) is distinct from (excluded.queue, excluded.max_attempts)`

	nowSQL = `select clock_timestamp()`

	// What another server that lives has in its file stays, until that one has gone. What was due long ago, as the schedule was
	// in no file meanwhile, is not made up for.
	keepScheduleSQL = `
insert into _system.job_schedule as s (name, definition, next_at)
values ($1, $2, $3)
on conflict (name) do update
set definition = excluded.definition, next_at = excluded.next_at, updated_at = now()
where s.next_at < $4 or s.definition <> excluded.definition and not exists (
    select from _system.node n
    where n.seen_at > clock_timestamp() - $5::interval and 'schedule:' || s.name || ':' || s.definition = any (n.knows))`

	soonestSQL = `
select clock_timestamp(), min(next_at), count(*) = cardinality($1::text[])
from _system.job_schedule
where (name, definition) in (select * from unnest($1::text[], $2::text[]))`

	// A schedule is its servers' in turns: whoever has its row enqueues, and says so in the same transaction.
	dueSQL = `
select name, next_at, clock_timestamp()
from _system.job_schedule
where (name, definition) in (select * from unnest($1::text[], $2::text[])) and next_at <= clock_timestamp()
for update skip locked`

	ranSQL = `
update _system.job_schedule
set next_at = $2, last_at = coalesce($3, last_at), last_job = coalesce($4, last_job), runs = runs + $5, updated_at = now()
where name = $1`

	listSchedulesSQL = `
select name, next_at, last_at, coalesce(last_job, ''), runs
from _system.job_schedule
where name = any ($1)
order by name`
)

func (s store) keepKind(ctx context.Context, kind, queue string, attempts int) error {
	_, err := s.pool.Exec(ctx, kindSQL, kind, queue, attempts)
	return err
}

// now is the time by the database's clock, which decides.
func (s store) now(ctx context.Context) (at time.Time, err error) {
	err = s.pool.QueryRow(ctx, nowSQL).Scan(&at)
	return at, err
}

func (s store) keepSchedule(ctx context.Context, name, definition string, next, forgotten time.Time) error {
	_, err := s.pool.Exec(ctx, keepScheduleSQL, name, definition, next, forgotten, cluster.Term)
	return err
}

// soonest tells in how long the next of some schedules is due, and whether the database has all of them.
func (s store) soonest(ctx context.Context, names, definitions []string) (wait time.Duration, all bool, err error) {
	var now time.Time
	var next *time.Time
	if err := s.pool.QueryRow(ctx, soonestSQL, names, definitions).Scan(&now, &next, &all); err != nil {
		return 0, false, err
	}
	if next == nil {
		return time.Minute, all, nil
	}
	return next.Sub(now), all, nil
}

// due is a schedule whose time has come.
type due struct {
	name      string
	next, now time.Time
}

func (store) due(ctx context.Context, tx pgx.Tx, names, definitions []string) ([]due, error) {
	rows, err := tx.Query(ctx, dueSQL, names, definitions)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (due, error) {
		var d due
		return d, row.Scan(&d.name, &d.next, &d.now)
	})
}

func (store) ran(ctx context.Context, tx pgx.Tx, name string, next time.Time, last *time.Time, job *string, runs int) error {
	_, err := tx.Exec(ctx, ranSQL, name, next, last, job, runs)
	return err
}
