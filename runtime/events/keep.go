package events

import (
	"context"
	"log/slog"
	"time"
)

const (
	// ahead is how many days have their partitions before they come.
	ahead = 7
	// keeping is how often days are made and dropped.
	keeping = 10 * time.Minute
	// heldLong is from when on a transaction is told of that holds events back from being cleaned up.
	heldLong = 30 * time.Second
)

const (
	daysSQL   = `select _system.event_days($1)`
	forgetSQL = `select _system.event_forget($1)`
	deadAge   = `delete from _system.event_dead where died_at < $1`

	// What was committed for a consumer after it was forgotten.
	orphansSQL = `
delete from _system.event_delivery d
where not exists (select from _system.event_consumer c where c.id = d.consumer)`

	settingSQL = `
insert into _system.event_setting as s (name, value)
values ('capture_replicated', $1)
on conflict (name) do update
set value = excluded.value
where s.value is distinct from excluded.value`

	// The transaction that has been open for longest of those that have written something, or hold a snapshot.
	heldSQL = `
select pid, coalesce(usename, ''), coalesce(application_name, ''), coalesce(state, ''), extract(epoch from clock_timestamp() - xact_start)::float8
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and xact_start < clock_timestamp() - $1::interval
  and (backend_xid is not null or backend_xmin is not null) and backend_type = 'client backend'
order by xact_start
limit 1`
)

// Held is a transaction that has been open for long: what it writes is delivered when it commits, and meanwhile neither
// events nor deliveries can be cleaned up.
type Held struct {
	PID         int
	User        string
	Application string
	State       string
	Age         time.Duration
}

// HeldBack tells of the oldest such transaction; nil when there is none, or none that this login may see: see SeesAll.
func (s *Store) HeldBack(ctx context.Context) (*Held, error) {
	rows, err := s.Pool.Query(ctx, heldSQL, heldLong)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	var h Held
	var age float64
	if err := rows.Scan(&h.PID, &h.User, &h.Application, &h.State, &age); err != nil {
		return nil, err
	}
	h.Age = time.Duration(age * float64(time.Second))
	return &h, nil
}

// SeesAll tells whether this login sees the transactions of others.
func (s *Store) SeesAll(ctx context.Context) (bool, error) {
	var sees bool
	err := s.Pool.QueryRow(ctx, "select pg_has_role(current_user, 'pg_read_all_stats', 'usage')").Scan(&sees)
	return sees, err
}

// Keep makes the days to come and drops those that are over, until ctx ends. It says when a transaction has been open for
// long, once each.
func (s *Store) Keep(ctx context.Context, c Config, log *slog.Logger) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var kept time.Time
	told := 0
	for {
		if time.Since(kept) > keeping {
			if err := s.keep(ctx, c); err == nil {
				kept = time.Now()
			} else if ctx.Err() == nil {
				log.Warn("the days of events were not made or dropped; trying again", slog.Any("error", err))
			}
		}
		held, err := s.HeldBack(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			log.Debug("it was not seen whether a transaction has been open for long", slog.Any("error", err))
		case err == nil && held != nil && held.PID != told:
			told = held.PID
			log.Warn("a transaction has been open for long: what it changes is delivered when it commits, and nothing is cleaned up meanwhile",
				slog.Int("pid", held.PID), slog.String("user", held.User), slog.String("application", held.Application),
				slog.String("state", held.State), slog.Duration("age", held.Age.Round(time.Second)),
				slog.String("hint", "idle_in_transaction_session_timeout ends such sessions"))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Store) keep(ctx context.Context, c Config) error {
	value := "false"
	if c.CaptureReplicated {
		value = "true"
	}
	if _, err := s.Pool.Exec(ctx, settingSQL, value); err != nil {
		return err
	}
	if _, err := s.Pool.Exec(ctx, daysSQL, ahead); err != nil {
		return err
	}
	before := time.Now().Add(-c.Retention)
	if _, err := s.Pool.Exec(ctx, deadAge, before); err != nil {
		return err
	}
	if _, err := s.Pool.Exec(ctx, orphansSQL); err != nil {
		return err
	}
	for dropped := 1; dropped > 0; {
		if err := s.Pool.QueryRow(ctx, forgetSQL, before).Scan(&dropped); err != nil {
			return err
		}
	}
	return nil
}
