package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Standing is what a server says of itself as one of several that hold the same data.
type Standing struct {
	System   string        // the cluster that it is, or is a copy of
	Database uint32        // the number of the database in it
	Recovers bool          // it replays the log of another server
	Timeline uint32        // of the log; of what recovers the latest that it is known to have got to
	Paused   bool          // a person has stopped that
	Flushed  Position      // of the log: up to where it is on the disk of a primary, which sends no more than that
	Position Position      // where its log ends, or up to where it was replayed
	Age      time.Duration // since the commit that was replayed last
}

const (
	standingSQL = `
select (select system_identifier from pg_control_system())::text, d.oid, pg_is_in_recovery(),
       case when pg_is_in_recovery() then ` + ReplayedTimeline + ` else ` + WrittenTimeline + ` end,
       case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end,
       coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end, '0/0'), 0)::text,
       coalesce(pg_wal_lsn_diff(case when not pg_is_in_recovery() then pg_current_wal_flush_lsn() end, '0/0'), 0)::text,
       coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::float8
from pg_database d
where d.datname = current_database()`
)

// Timelines are the histories that the log of a cluster may have: a server that is promoted begins one (PostgreSQL manual,
// section 26.3.6). One that was further then, and follows nobody since, holds changes that never were, at positions that
// the new history has as well.
const (
	// WrittenTimeline is an expression for the one that a primary writes.
	WrittenTimeline = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int8"

	// ReplayedTimeline is an expression for the latest that a standby is known to have got to. What it receives tells it at
	// once, to who has the rights of pg_read_all_stats; what it has on the disk does with the next restartpoint.
	ReplayedTimeline = `(select greatest(c.timeline_id, r.min_recovery_end_timeline, (select received_tli from pg_stat_wal_receiver))
         from pg_control_checkpoint() c, pg_control_recovery() r)::int8`
)

// Stand asks a server for its standing. Its error is one to be shown.
func Stand(ctx context.Context, pool *pgxpool.Pool) (Standing, error) {
	var s Standing
	var position, flushed string
	var age float64
	err := pool.QueryRow(ctx, standingSQL).Scan(&s.System, &s.Database, &s.Recovers, &s.Timeline, &s.Paused, &position, &flushed, &age)
	if err != nil {
		told := Explain(err)
		if told.Kind == fault.Forbidden {
			told.Hint = "grant execute on function pg_control_system(), pg_control_checkpoint(), pg_control_recovery() to the login"
		}
		return Standing{}, told
	}
	s.Position, s.Flushed = ParsePosition([]byte(position)), ParsePosition([]byte(flushed))
	s.Age = time.Duration(age * float64(time.Second))
	return s, nil
}

// Flush has a primary write the end of its log to the disk soon. Where little is written, records that belong to no commit
// may lie in memory for long, and replicas do not get past them: a transaction that only has a number is a commit that
// nobody waits for.
func Flush(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "select pg_current_xact_id()")
	return err
}

// OtherTimeline is the code of a server that may have left the history of its primary.
const OtherTimeline = "database/other-timeline"

// ReplicaOf says why a server cannot be asked in place of a primary; nil when it can.
func (s Standing) ReplicaOf(primary Standing) *fault.Error {
	switch {
	case s.System != primary.System:
		return fault.New(fault.Invalid, "database/foreign-replica", "it holds the data of another cluster than [database] url: what it answers would be something else").
			WithHint("let it name a standby of the server that [database] url names")
	case s.Database != primary.Database:
		return fault.New(fault.Invalid, "database/foreign-replica", "it is another database of the cluster than that of [database] url: what it answers would be something else").
			WithHint("end its address with the database that [database] url ends with")
	case !s.Recovers:
		return fault.New(fault.Invalid, "database/not-a-replica", "it is no standby: it does not follow the primary, or has been promoted").
			WithHint("let it name a standby, and [database] url the server that takes writes")
	case s.Timeline != primary.Timeline:
		return fault.New(fault.Unavailable, OtherTimeline, fmt.Sprintf("the primary writes timeline %d of the cluster, and it is known to have got to %d: it may hold what the primary never had", primary.Timeline, s.Timeline)).
			WithHint("after a failover a standby says so with its next restartpoint (checkpoint; on the primary hastens it), or at once to a login that has the rights of pg_read_all_stats; one that stays behind has left the history of the cluster: pg_rewind it, or copy it anew")
	case s.Position == 0:
		return fault.New(fault.Invalid, "database/not-a-replica", "it does not say up to where it has replayed the log: nobody could tell what may be read there").
			WithHint("let it name a standby that follows by streaming; some managed services have readers of another kind")
	}
	return nil
}
