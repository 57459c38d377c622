package app

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

const (
	maySQL = `select has_function_privilege('pg_control_system()', 'execute')`

	sameSQL = `
select i.database = d.oid and ($1::int8 = 0 or i.system = $1)
from _system.identity i, pg_database d
where d.datname = current_database()`

	systemSQL = `select system_identifier from pg_control_system()`

	waitingSQL = `
select (select count(*) from _system.event_delivery where event_at <= $1::timestamptz),
    (select count(*) from _system.river_job where state not in ('completed', 'cancelled', 'discarded') and created_at <= $1::timestamptz)
        + (select count(*) from _system.job_outbox where created_at <= $1::timestamptz)`

	dropDeliveriesSQL = `delete from _system.event_delivery where event_at <= $1::timestamptz`

	dropOutboxSQL = `delete from _system.job_outbox where created_at <= $1::timestamptz`

	dropJobsSQL = `
update _system.river_job
set state = 'cancelled', finalized_at = clock_timestamp()
where state not in ('completed', 'cancelled', 'discarded') and created_at <= $1::timestamptz`

	// The Redis that has jobs is the original's.
	dropPlaceSQL = `update _system.job_backend set place = null`

	adoptSQL = `
update _system.identity
set system = case when $1::int8 = 0 then system else $1 end, database = (select oid from pg_database where datname = current_database()), adopted_at = clock_timestamp()`
)

// system tells which cluster this is; 0 where the login may not ask.
func system(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (id int64, err error) {
	var may bool
	if err := q.QueryRow(ctx, maySQL).Scan(&may); err != nil || !may {
		return 0, err
	}
	err = q.QueryRow(ctx, systemSQL).Scan(&id)
	return id, err
}

// isCopy tells whether the database is another one than it was when it was migrated or adopted: a dump that was restored, or a
// clone. What follows a primary and takes its place is none.
func (a *App) isCopy(ctx context.Context) (bool, error) {
	id, err := system(ctx, a.Pool)
	if err != nil {
		return false, err
	}
	var same bool
	err = a.Pool.QueryRow(ctx, sameSQL, id).Scan(&same)
	return !same, err
}

// original refuses to act on what a copy of a database has still to do: its original does so as well.
func (a *App) original(ctx context.Context) error {
	var is bool
	err := untilAvailable(ctx, func() (err error) {
		is, err = a.isCopy(ctx)
		return unmigrated(err)
	})
	if err != nil || !is {
		return err
	}
	return fault.New(fault.ActionNeeded, "effects/copy", "this database is a copy of another one (a dump that was restored, or a clone): what it has still to do, the other one may be doing").
		WithHint("fraiseql adopt --drop, or --keep when the other one is gone, or events release --after TIME for what came later; serve --paused-effects serves it as it is")
}

// Adopted is what was still to be done when a database was adopted, and what of it is its original's.
type Adopted struct {
	Copy              bool  `json:"copy"` // it was one
	Deliveries        int64 `json:"deliveries"`
	Jobs              int64 `json:"jobs"`
	DroppedDeliveries int64 `json:"dropped_deliveries"`
	DroppedJobs       int64 `json:"dropped_jobs"`
}

// Everything and Nothing are bounds for Adopt.
const (
	Everything = "infinity"
	Nothing    = "-infinity"
)

// Adopt makes a copy of a database one that is acted on. Of what it has still to do, that of changes, and of jobs enqueued, up
// to a time is dropped: deliveries are forgotten, jobs cancelled, and a Redis that has jobs is the original's. upTo is Everything,
// Nothing, or a time in RFC 3339. With dry it only counts. What does not look like a copy has nothing dropped, unless somebody
// says that it is one: a copy of files cannot be told from its original.
func (a *App) Adopt(ctx context.Context, upTo string, dry, isCopy bool) (Adopted, error) {
	var made Adopted
	var err error
	if made.Copy, err = a.isCopy(ctx); err != nil {
		return made, unmigrated(err)
	}
	if upTo != Nothing && !dry && !made.Copy && !isCopy {
		return made, fault.New(fault.Conflict, "effects/original", "this database does not look like a copy: what it has still to do is its own, and was not dropped").
			WithHint("--copy, if it is one all the same, as a copy of its files is")
	}
	err = pgx.BeginFunc(ctx, a.Pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, waitingSQL, Everything).Scan(&made.Deliveries, &made.Jobs); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, waitingSQL, upTo).Scan(&made.DroppedDeliveries, &made.DroppedJobs); err != nil || dry {
			return err
		}
		if upTo != Nothing {
			for _, sql := range []string{dropDeliveriesSQL, dropJobsSQL, dropOutboxSQL} {
				if _, err := tx.Exec(ctx, sql, upTo); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, dropPlaceSQL); err != nil {
				return err
			}
		}
		id, err := system(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, adoptSQL, id)
		return err
	})
	if err != nil {
		return made, postgres.Explain(err)
	}
	return made, nil
}
