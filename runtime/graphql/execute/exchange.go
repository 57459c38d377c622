package execute

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

const (
	snapshotSQL = "begin transaction isolation level repeatable read, read only"
	commitSQL   = "commit"
	// readOnlySQL makes the transaction that ends with the next synchronisation read-only: one statement in
	// place of begin and commit.
	readOnlySQL = "select set_config('transaction_read_only', 'on', true)"
)

// A pooler hands out connections whose intervals may be written in any style. As with a role, the command that takes no
// snapshot is for what begins a transaction.
const (
	intervalsSQL    = "set local intervalstyle = 'iso_8601'"
	intervalsNowSQL = "select set_config('intervalstyle', 'iso_8601', true)"
)

// lockSQL takes the locks of statements before their snapshot is taken: a snapshot from before an ALTER
// TABLE that rewrites a table would find it empty (PostgreSQL manual, section 13.6). It is empty for none.
func lockSQL(calls []plan.Call) string {
	tables := map[string]bool{}
	for _, c := range calls {
		for _, t := range c.Locks {
			tables[t] = true
		}
	}
	if len(tables) == 0 {
		return ""
	}
	return "lock table " + strings.Join(slices.Sorted(maps.Keys(tables)), ", ") + " in access share mode"
}

// exchange is one round trip: what was sent for each unit, in the order in which the server answers it. A worker
// uses one again and again.
type exchange struct {
	*worker
	units    []*unit
	role     string // that the unit at work has its statements prepared for
	undone   bool   // a statement was not prepared after all, as its unit failed before
	stale    bool   // what the connection has prepared no longer fits
	pipeline *pgconn.Pipeline
	steps    []step
	ends     []int // of each unit, in steps
	at       int   // the unit whose answer is being read
	again    []*unit
	settling *unit // its answer is to be kept, and its transaction to be ended
}

func (x *exchange) begin(w *worker, units []*unit) {
	*x = exchange{worker: w, units: units, steps: x.steps[:0], ends: x.ends[:0]}
}

// step is one thing that was sent.
type step struct {
	kind stepKind
	at   int        // the statement that it is for; -1 for none
	name *statement // of prepare and drop
}

// explain says of an error what it was that failed, where that is no statement of the request's.
func (s step) explain(err error) error {
	switch {
	case s.kind == session && !isStalePlan(err):
		return fmt.Errorf("%w: %w", errSession, err)
	case s.kind == reach && !isStalePlan(err):
		return fmt.Errorf("%w: %w", errBehind, err)
	case s.kind == keep, s.kind == prepare && s.name.key.sql == keepSQL:
		return keptError(err)
	}
	return err
}

type stepKind uint8

const (
	control stepKind = iota // begin, lock, commit
	session
	reach
	keep
	drop
	prepare
	estimate
	read
)

// run sends the units, each up to a synchronisation of its own, and gives each its answer. Those that must be sent
// again are in x.again.
func (x *exchange) run() {
	if known := x.single(); known != nil {
		x.execute(known)
		return
	}
	x.pipeline = x.conn.StartPipeline(background)
	for _, u := range x.units {
		x.send(u)
		x.pipeline.SendPipelineSync()
		x.ends = append(x.ends, len(x.steps))
		if x.locates(u) {
			sendPosition(x.pipeline)
		}
	}
	err := x.pipeline.Flush()
	begin := 0
	for ; err == nil && x.at < len(x.units); x.at++ {
		err = x.answer(x.units[x.at], x.steps[begin:x.ends[x.at]])
		if err == nil {
			begin = x.ends[x.at]
		}
	}
	if err != nil {
		x.lost(x.units[max(0, x.at-1):], err)
	}
	_ = x.pipeline.Close() // what it says is known, or that the connection is closed
}

// single gives the prepared statement that is all there is to run; else nil.
func (x *exchange) single() *pgconn.StatementDescription {
	u := x.units[0]
	if len(x.units) > 1 || len(u.calls) > 1 || u.session != nil || u.origin != "" || u.key != nil || !x.hasReached(u) || x.locates(u) || u.calls[0].Calls && !u.writes || u.calls[0].Estimate != nil {
		return nil
	}
	if s := x.known.get(statementKey{sql: u.calls[0].SQL}); s != nil {
		return s.description
	}
	return nil
}

// execute runs a single statement without the lists that a pipeline keeps.
func (x *exchange) execute(known *pgconn.StatementDescription) {
	u := x.units[0]
	a := answering{exchange: x, unit: u, room: u.room, parts: make([][]byte, 1)}
	err := a.rows(x.conn.ExecStatement(background, known, u.calls[0].Args, nil, nil), step{kind: read})
	switch {
	case err == nil || isAnswer(err):
		if err != nil {
			a.failed = &failure{err: err}
		}
		a.finish(nil)
	default:
		if tooLarge(err) && !u.writes { // the driver gives a connection up with a message that is too large
			u.finish(outcome{failed: &failure{err: errTooLarge}})
		}
		x.lost(x.units, err)
	}
}

// lost is the end of the connection. Whoever has no answer yet is sent again, but the first one not twice with the
// same end, as it may be the cause; nor others for ever, as the line may break again and again.
func (x *exchange) lost(units []*unit, err error) {
	if isLostConnection(err) && !x.watch.gaveUp() {
		x.lanes.losses.Add(1)
	}
	for i, u := range units {
		stream, blame := u.stream.Load(), int32(1)
		if i == 0 {
			blame = maxBlame/2 + 1
		}
		switch {
		case stream != nil:
			x.cut(stream, err)
		case u.replica:
			u.finish(outcome{failed: &failure{at: -1, err: err}})
		case u.writes:
			u.finish(outcome{failed: &failure{at: -1, err: fmt.Errorf("%w: %w", errUnsure, err)}})
		case u.blame.Add(blame) > maxBlame, i == 0 && !isLostConnection(err):
			u.finish(outcome{failed: &failure{at: -1, err: err}})
		default:
			u.last.Store(&failure{at: -1, err: err})
			x.again = append(x.again, u)
		}
	}
}

// panicked is the end of an exchange in a defect of ours: the unit at work is to blame.
func (x *exchange) panicked(err error) []*unit {
	if x.settling != nil {
		x.settling.finish(outcome{failed: &failure{at: -1, err: fmt.Errorf("%w: %w", errUnsure, err)}})
	}
	for i, u := range x.units[x.at:] {
		if i > 0 {
			u.last.Store(&failure{at: -1, err: err})
			x.again = append(x.again, u)
			continue
		}
		if stream := u.stream.Load(); stream != nil {
			x.cut(stream, err)
		}
		if u.writes {
			err = fmt.Errorf("%w: %w", errUnsure, err)
		}
		u.finish(outcome{failed: &failure{at: -1, err: err}})
	}
	return x.again
}

// errDone ends a unit that has written, and whose answer cannot be given.
var errDone = errors.New("the change was made, and its answer cannot be given")

// errUnsure ends a unit that writes when nobody can tell any more whether it has.
var errUnsure = errors.New("the connection was lost while something was written")

// send queues what a unit needs. Several reads share a snapshot; one alone has its own. What is written up to one
// synchronisation is one transaction (PostgreSQL manual, section 55.2.3).
func (x *exchange) send(u *unit) {
	several := len(u.calls) > 1 && !u.writes
	x.role = ""
	x.reach(u)
	if u.key != nil {
		x.control(beginSQL)
		x.statement(keep, -1, keepSQL, [][]byte{bytea(u.key.Scope), []byte(u.key.Name), bytea(u.key.Request)})
	}
	if several {
		x.control(snapshotSQL)
		if x.unnamed {
			x.control(intervalsSQL)
		}
		if u.session != nil {
			x.assume(u.session)
		}
		if locks := lockSQL(u.calls); locks != "" {
			x.control(locks)
		}
	}
	if x.unnamed && !several {
		x.control(intervalsNowSQL)
	}
	switch {
	case u.session != nil:
		x.take(u.session, !u.writes, several)
		x.role = u.session.Role
	case !u.writes && !several && u.calls[0].Calls:
		x.control(readOnlySQL)
	}
	if u.origin != "" {
		x.statement(session, -1, originSQL, [][]byte{[]byte(u.origin)})
	}
	for i, c := range u.calls {
		if c.Estimate != nil {
			x.statement(estimate, i, c.Estimate.SQL, c.Args[:c.Estimate.Params])
		}
		x.statement(read, i, c.SQL, c.Args)
	}
	if several {
		x.control(commitSQL)
	}
}

func (x *exchange) control(sql string) { x.statement(control, -1, sql, nil) }

// statement queues a statement, and first its preparation where the connection does not have it.
func (x *exchange) statement(kind stepKind, at int, sql string, args [][]byte) {
	if x.unnamed || len(sql) > maxPreparedText {
		x.pipeline.SendQueryParams(sql, args, nil, nil, nil)
		x.steps = append(x.steps, step{kind: kind, at: at})
		return
	}
	// PostgreSQL plans a statement anew when row security is in it and the role is another one than before.
	key := statementKey{x.role, sql}
	s := x.known.get(key)
	if s == nil {
		if old := x.known.evict(); old != nil {
			x.pipeline.SendDeallocate(old.name)
			x.steps = append(x.steps, step{kind: drop, at: -1, name: old})
		}
		s = x.known.add(key)
		x.pipeline.SendPrepare(s.name, sql, nil)
		x.steps = append(x.steps, step{kind: prepare, at: at, name: s})
	}
	if s.description != nil {
		x.pipeline.SendQueryStatement(s.description, args, nil, nil)
	} else {
		x.pipeline.SendQueryPrepared(s.name, args, nil, nil)
	}
	x.steps = append(x.steps, step{kind: kind, at: at})
}

// answer reads a unit's answer to its synchronisation and hands it over. An error is the end of the connection.
func (x *exchange) answer(u *unit, steps []step) error {
	a := answering{exchange: x, unit: u, room: u.room, parts: make([][]byte, len(u.calls))}
	done := 0
	for {
		result, err := x.pipeline.GetResults()
		if err == nil {
			switch result := result.(type) {
			case *pgconn.PipelineSync:
				if x.locates(u) {
					err = u.locate(x.pipeline)
				}
				a.finish(steps[done:])
				return err
			case *pgconn.StatementDescription:
				if fields := len(result.Fields); fields > 0 {
					result.Name = steps[done].name.name
					steps[done].name.description = result
				}
			case *pgconn.ResultReader:
				err = a.rows(result, steps[done])
			case nil:
				return errEnded
			}
		}
		switch {
		case err == nil:
			done++
		case isAnswer(err):
			at := -1 // while the synchronisation is awaited
			if done < len(steps) {
				at = steps[done].at
			}
			if done < len(steps) {
				err = steps[done].explain(err)
			}
			if a.failed == nil || isServers(err) && !isServers(a.failed.err) { // what the server says decides what was done
				a.failed = &failure{at: at, err: err}
			}
			if !isServers(err) {
				done++ // the server has taken the step
			}
		default:
			if tooLarge(err) && done < len(steps) && !u.writes { // the driver gives a connection up with a message that is too large
				u.finish(outcome{parts: a.parts, failed: &failure{at: steps[done].at, err: errTooLarge}})
			}
			return err
		}
	}
}

var errEnded = fmt.Errorf("the database ended an exchange early: %w", io.ErrUnexpectedEOF)

// isAnswer tells whether an error is of a statement, so that the exchange goes on after it.
func isAnswer(err error) bool {
	return errors.Is(err, errMisfit) || errors.Is(err, errTooLarge) || errors.Is(err, errLeft) || errors.Is(err, errSlow) || isServers(err) && !isLostConnection(err)
}

func isServers(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg)
}

// undo makes the list of prepared statements say what the server has, when it has not taken some steps. A
// failed prepare leaves nothing behind; everything after a failure is skipped until the synchronisation.
func (x *exchange) undo(steps []step) {
	for _, s := range slices.Backward(steps) {
		switch s.kind {
		case prepare:
			x.undone = true
			x.known.forget(s.name)
		case drop:
			x.known.restore(s.name)
		case control, session, reach, keep, estimate, read:
		}
	}
}

// tooLarge tells whether an answer was over its bound: in all, or in one row.
func tooLarge(err error) bool {
	var message *pgproto3.ExceededMaxBodyLenErr
	return errors.Is(err, errTooLarge) || errors.As(err, &message)
}
