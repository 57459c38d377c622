package events

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	ID       int64     `json:"id,string"`
	Consumer string    `json:"consumer"`
	EventID  int64     `json:"event_id,string"`
	EventAt  time.Time `json:"event_at"`
	Step     int       `json:"step"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error"`
	DiedAt   time.Time `json:"died_at"`
}

const (
	deadSQL = `
select d.id, c.name, d.event_id, d.event_at, d.step, d.attempts, d.error, d.died_at
from _system.event_dead d
join _system.event_consumer c on c.id = d.consumer
where ($1 = '' or c.name = $1) and ($2 = 0 or d.id < $2)
order by d.id desc
limit $3`

	// They come back in the order of their events, from the step that failed on.
	reviveSQL = `
with risen as (
    delete from _system.event_dead d
    using _system.event_consumer c
    where c.id = d.consumer and ($1 = 0 or d.id = $1) and ($2 = '' or c.name = $2)
    returning d.*
), back as (
    insert into _system.event_delivery (consumer, event_id, part, event_at, lane, key, other, step)
    select consumer, event_id, part, event_at, (key & 15)::int2, key, other, step
    from risen
    on conflict (consumer, event_id, part) do nothing
    returning consumer
), told as (
    update _system.event_consumer
    set generation = generation + 1
    where id in (select consumer from back)
)
select count(*) from back`

	backlogSQL = `
select c.name, c.paused, coalesce(o.open, 0), o.oldest, coalesce(o.failing, 0), coalesce(x.dead, 0)
from _system.event_consumer c
left join lateral (
    select count(*) as open, min(event_at) as oldest, count(*) filter (where attempt > 0) as failing
    from (select event_at, attempt from _system.event_delivery d where d.consumer = c.id limit 100000) d
) o on true
left join lateral (select count(*) as dead from _system.event_dead d where d.consumer = c.id) x on true
order by c.name`

	forgetDeliveriesSQL = `
delete from _system.event_delivery
where consumer = (select id from _system.event_consumer where name = $1)`

	forgetConsumerSQL = `
delete from _system.event_consumer
where name = $1`

	pauseSQL = `
update _system.event_consumer
set paused = $2
where name = $1`
)

// Dead gives dead letters, the newest first; consumer empty is all, before 0 the newest.
func (s *Store) Dead(ctx context.Context, consumer string, before int64, limit int) ([]DeadLetter, error) {
	rows, err := s.Pool.Query(ctx, deadSQL, consumer, before, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetter])
}

// Revive has dead letters tried again: one by its id, or all of a consumer, or (0 and empty) all. It tells how many.
func (s *Store) Revive(ctx context.Context, id int64, consumer string) (int64, error) {
	var count int64
	err := s.Pool.QueryRow(ctx, reviveSQL, id, consumer).Scan(&count)
	return count, err
}

// Backlog is what a consumer still has to do.
type Backlog struct {
	Consumer string     `json:"consumer"`
	Paused   bool       `json:"paused"`
	Open     int64      `json:"open"` // at most 100,000 are counted
	Oldest   *time.Time `json:"oldest,omitempty"`
	Failing  int64      `json:"failing"` // of them those that failed at least once
	Dead     int64      `json:"dead"`
}

// Backlogs tells of all consumers.
func (s *Store) Backlogs(ctx context.Context) ([]Backlog, error) {
	rows, err := s.Pool.Query(ctx, backlogSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Backlog])
}

// Forget lets go of a consumer, with its dead letters and all that it had still to do.
func (s *Store) Forget(ctx context.Context, consumer string) error {
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		// Interests go first: what is written after that has nobody to be delivered to.
		for _, sql := range []string{"delete from _system.event_interest where consumer = (select id from _system.event_consumer where name = $1)", forgetDeliveriesSQL, forgetConsumerSQL} {
			if _, err := tx.Exec(ctx, sql, consumer); err != nil {
				return err
			}
		}
		return recapture(ctx, tx)
	})
}

// Pause lets a consumer wait, on all servers, or go on. What it hears is kept for it meanwhile.
func (s *Store) Pause(ctx context.Context, consumer string, paused bool) error {
	_, err := s.Pool.Exec(ctx, pauseSQL, consumer, paused)
	return err
}
