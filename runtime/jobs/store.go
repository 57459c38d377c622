package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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

	keepScheduleSQL = `
insert into _system.job_schedule as s (name, definition, next_at)
values ($1, $2, $3)
on conflict (name) do update
set definition = excluded.definition, updated_at = now(),
  next_at = case when s.definition = excluded.definition then s.next_at else excluded.next_at end
where s.definition <> excluded.definition`

	soonestSQL = `
select clock_timestamp(), min(next_at)
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

func (s store) keepSchedule(ctx context.Context, name, definition string, next time.Time) error {
	_, err := s.pool.Exec(ctx, keepScheduleSQL, name, definition, next)
	return err
}

// soonest tells in how long the next of some schedules is due.
func (s store) soonest(ctx context.Context, names, definitions []string) (time.Duration, error) {
	var now time.Time
	var next *time.Time
	if err := s.pool.QueryRow(ctx, soonestSQL, names, definitions).Scan(&now, &next); err != nil {
		return 0, err
	}
	if next == nil { // another server has another definition
		return time.Minute, nil
	}
	return next.Sub(now), nil
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
