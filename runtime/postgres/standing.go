package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Standing is what a server says of itself as one of several that hold the same data.
type Standing struct {
	System   string        // the cluster that it is, or is a copy of; empty when the login may not ask
	Database uint32        // the number of the database in it
	Recovers bool          // it replays the log of another server
	Paused   bool          // a person has stopped that
	Flushed  Position      // of the log: up to where it is on the disk of a primary, which sends no more than that
	Position Position      // where its log ends, or up to where it was replayed
	Age      time.Duration // since the commit that was replayed last
}

const (
	standingSQL = `
select SYSTEM, d.oid, pg_is_in_recovery(),
       case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end,
       coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end, '0/0'), 0)::text,
       coalesce(pg_wal_lsn_diff(case when not pg_is_in_recovery() then pg_current_wal_flush_lsn() end, '0/0'), 0)::text,
       coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::float8
from pg_database d
where d.datname = current_database()`

	systemSQL = "(select system_identifier from pg_control_system())::text"
)

// Stand asks a server for its standing.
func Stand(ctx context.Context, pool *pgxpool.Pool) (Standing, error) {
	s, err := stand(ctx, pool, systemSQL)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return stand(ctx, pool, "''")
	}
	return s, err
}

func stand(ctx context.Context, pool *pgxpool.Pool, system string) (Standing, error) {
	var s Standing
	var position, flushed string
	var age float64
	err := pool.QueryRow(ctx, strings.Replace(standingSQL, "SYSTEM", system, 1)).Scan(&s.System, &s.Database, &s.Recovers, &s.Paused, &position, &flushed, &age)
	s.Position, s.Flushed = ParsePosition([]byte(position)), ParsePosition([]byte(flushed))
	s.Age = time.Duration(age * float64(time.Second))
	return s, err
}

// Flush has a primary write the end of its log to the disk soon. Where little is written, records that belong to no commit
// may lie in memory for long, and replicas do not get past them: a transaction that only has a number is a commit that
// nobody waits for.
func Flush(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "select pg_current_xact_id()")
	return err
}

// ReplicaOf says why a server cannot be asked in place of a primary; nil when it can.
func (s Standing) ReplicaOf(primary Standing) *fault.Error {
	switch {
	case s.System != "" && primary.System != "" && s.System != primary.System:
		return fault.New(fault.Invalid, "database/foreign-replica", "it holds the data of another cluster than [database] url: what it answers would be something else").
			WithHint("let it name a standby of the server that [database] url names")
	case s.Database != primary.Database:
		return fault.New(fault.Invalid, "database/foreign-replica", "it is another database of the cluster than that of [database] url: what it answers would be something else").
			WithHint("end its address with the database that [database] url ends with")
	case !s.Recovers:
		return fault.New(fault.Invalid, "database/not-a-replica", "it is no standby: it does not follow the primary, or has been promoted").
			WithHint("let it name a standby, and [database] url the server that takes writes")
	case s.Position == 0:
		return fault.New(fault.Invalid, "database/not-a-replica", "it does not say up to where it has replayed the log: nobody could tell what may be read there").
			WithHint("let it name a standby that follows by streaming; some managed services have readers of another kind")
	}
	return nil
}
