package execute

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

const (
	// positionSQL gives the end of the log, and the timeline that it has there. It is asked after a commit, whose record is
	// before it then, also where the commit did not wait for the disk.
	positionSQL = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text, (" + postgres.WrittenTimeline + ")::text"

	// reachedSQL fails where the log was not replayed up to a place yet, or not on a timeline, and gives up to where it was.
	reachedSQL = `select l::text from (select coalesce(case when pg_is_in_recovery() then pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') end, 0) as l offset 0) s
where 1 / (l >= $1::numeric and ` + postgres.ReplayedTimeline + ` = $2::int8)::int = 1`
)

// errBehind ends a unit on a replica that has not got as far as the unit wants to see.
var errBehind = errors.New("the replica is behind")

// Position asks where the log is now, and on which timeline.
func (e *Executor) Position(ctx context.Context) (at postgres.Position, timeline uint32, err error) {
	var place, history string
	if err := e.pool.QueryRow(ctx, positionSQL).Scan(&place, &history); err != nil {
		return postgres.Nowhere, 0, fmt.Errorf("ask for the position of the log: %w", err)
	}
	return postgres.ParsePosition([]byte(place)), parseTimeline([]byte(history)), nil
}

// parseTimeline reads what PostgreSQL has written; 0 is none.
func parseTimeline(text []byte) uint32 {
	n, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// locates tells whether it is asked where a unit is in the log. One with a key is committed later: see settle.
func (l *lanes) locates(u *unit) bool { return l.positions && u.writes && u.key == nil }

// sendPosition queues the question where the log is, behind the synchronisation that has committed.
func sendPosition(p *pgconn.Pipeline) {
	p.SendQueryParams(positionSQL, nil, nil, nil, nil)
	p.SendPipelineSync()
}

// locate reads the answer. What goes wrong is nothing to the unit, whose end is known: then it is nowhere.
func (u *unit) locate(p *pgconn.Pipeline) error {
	for {
		result, err := p.GetResults()
		if err == nil {
			switch result := result.(type) {
			case *pgconn.PipelineSync:
				return nil
			case *pgconn.ResultReader:
				for result.NextRow() {
					u.timeline.Store(parseTimeline(result.Values()[1]))
					u.position.Store(uint64(postgres.ParsePosition(result.Values()[0])))
				}
				_, err = result.Close()
			case nil:
				return errEnded
			}
		}
		if err != nil && (!isServers(err) || isLostConnection(err)) {
			return err
		}
	}
}

// reach queues what makes sure that a replica has got as far as a unit wants to see. It is a transaction of its own: one
// that has a single snapshot would take it before the question is answered.
func (x *exchange) reach(u *unit) {
	if x.hasReached(u) {
		return
	}
	x.control(beginSQL)
	x.statement(reach, -1, reachedSQL, [][]byte{strconv.AppendUint(nil, uint64(u.after), 10), strconv.AppendUint(nil, uint64(u.on), 10)})
	x.control(commitSQL)
}

// hasReached tells whether the server of a connection is known to be as far as a unit wants to see.
func (w *worker) hasReached(u *unit) bool {
	return !u.replica || u.after <= w.reached && u.on == w.on
}

// note remembers how far the server of a connection is; behind a pooler the next unit may meet another one.
func (w *worker) note(u *unit, reached postgres.Position) {
	if !w.unnamed {
		w.reached, w.on = reached, u.on
	}
}

// elsewhereError ends a unit on a replica that the primary may well answer.
type elsewhereError struct{ error }

func (e elsewhereError) Unwrap() error { return e.error }

// isFinal tells whether what ended a unit on a replica would end it on the primary as well, or has taken its time.
func isFinal(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, errTooLarge) || isCancelled(err)
}

// Lost tells whether what ended a request on a replica says that the replica is away.
func Lost(err error) bool {
	return !errors.Is(err, errBehind) && !errors.Is(err, errBusy) && (isUnavailable(err) || isLostConnection(err))
}

// Never tells whether no replica can run the statements that ended with an error: they would write, or read what no replica
// has, such as an unlogged table.
func Never(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "25006" || pg.Code == "0A000" && !isStalePlan(pg))
}
