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
select (select count(*) from _system.event_delivery),
    (select count(*) from _system.river_job where state not in ('completed', 'cancelled', 'discarded')) + (select count(*) from _system.job_outbox)`

	dropDeliveriesSQL = `delete from _system.event_delivery`

	dropOutboxSQL = `delete from _system.job_outbox`

	// The Redis that has jobs is the original's.
	dropPlaceSQL = `update _system.job_backend set place = null`

	dropJobsSQL = `
update _system.river_job
set state = 'cancelled', finalized_at = clock_timestamp()
where state not in ('completed', 'cancelled', 'discarded')`

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
		WithHint("fraiseql adopt --drop, or --keep when the other one is gone; serve --paused-effects serves it as it is")
}

// Adopted is what was still to be done when a database was adopted.
type Adopted struct {
	Copy       bool  `json:"copy"` // it was one
	Deliveries int64 `json:"deliveries"`
	Jobs       int64 `json:"jobs"`
	Dropped    bool  `json:"dropped"`
}

// Adopt makes a copy of a database one that is acted on. What it has still to do is kept, or dropped: deliveries are forgotten,
// jobs cancelled, and a Redis that has jobs is the original's. With dry it only counts.
func (a *App) Adopt(ctx context.Context, drop, dry bool) (Adopted, error) {
	made := Adopted{Dropped: drop && !dry}
	var err error
	if made.Copy, err = a.isCopy(ctx); err != nil {
		return made, unmigrated(err)
	}
	err = pgx.BeginFunc(ctx, a.Pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, waitingSQL).Scan(&made.Deliveries, &made.Jobs); err != nil || dry {
			return err
		}
		if drop {
			for _, sql := range []string{dropDeliveriesSQL, dropJobsSQL, dropOutboxSQL, dropPlaceSQL} {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return err
				}
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
