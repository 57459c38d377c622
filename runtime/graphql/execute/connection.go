package execute

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

const (
	snapshotSQL = "begin transaction isolation level repeatable read, read only"
	readOnlySQL = "begin transaction read only"
	commitSQL   = "commit"
)

// lockSQL takes the locks of statements before their snapshot is taken: a snapshot from before an ALTER
// TABLE that rewrites a table would find it empty (PostgreSQL manual, section 13.6). It is empty for none.
func lockSQL(statements []plan.Call) string {
	tables := map[string]bool{}
	for _, s := range statements {
		for _, t := range s.Locks {
			tables[t] = true
		}
	}
	if len(tables) == 0 {
		return ""
	}
	return "lock table " + strings.Join(slices.Sorted(maps.Keys(tables)), ", ") + " in access share mode"
}

// errTooLarge ends a run whose answer is larger than it may be.
var errTooLarge = errors.New("the answer is too large")

// failure is the end of a run that did not give everything it was asked for.
type failure struct {
	at  int // which of the statements it was; -1 when it was none of them
	err error
}

// exchange is one round trip: what was sent, in the order in which the server answers it.
type exchange struct {
	statements []plan.Call
	known      *prepared
	unnamed    bool
	room       int // bytes that the answers may still take
	steps      []step
}

// step is one thing that was sent.
type step struct {
	kind stepKind
	at   int       // the statement that it is for; -1 for none
	name statement // of prepare and drop
}

type stepKind uint8

const (
	control stepKind = iota // begin, lock, commit
	drop
	prepare
	read
)

// run sends statements in one round trip and puts what each gives into out, room bytes at most in all.
// With more than one they share a snapshot. The first failure ends the run: what came before it is in
// out, and the connection is fit for use again unless it is closed.
func run(ctx context.Context, conn *pgconn.PgConn, statements []plan.Call, unnamed bool, room int, out [][]byte) *failure {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	x := exchange{statements: statements, known: preparedOn(conn), unnamed: unnamed, room: room}
	pipeline := conn.StartPipeline(within)
	inside := x.send(pipeline)
	done, failed := x.receive(pipeline, cancel, out)
	if err := pipeline.Close(); failed == nil && err != nil {
		failed = &failure{at: -1, err: err}
	}
	if failed == nil {
		return nil
	}
	x.undo(done)
	if tooLarge(failed.err) {
		failed.err = errTooLarge
	}
	if inside && !conn.IsClosed() {
		rollback(ctx, conn, failed)
	}
	return failed
}

// rollback leaves the transaction, also when the request's own time is over.
func rollback(ctx context.Context, conn *pgconn.PgConn, failed *failure) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "rollback").ReadAll(); err != nil {
		failed.err = errors.Join(failed.err, fmt.Errorf("roll back: %w", err))
	}
}

// send queues everything; inside tells that it is in a transaction block.
func (x *exchange) send(pipeline *pgconn.Pipeline) (inside bool) {
	begin := ""
	switch {
	case len(x.statements) > 1:
		begin = snapshotSQL
	case x.statements[0].Calls:
		begin = readOnlySQL
	}
	inside = begin != ""
	if inside {
		x.control(pipeline, begin)
	}
	if begin == snapshotSQL {
		if locks := lockSQL(x.statements); locks != "" {
			x.control(pipeline, locks)
		}
	}
	for i, s := range x.statements {
		x.statement(pipeline, i, s)
	}
	if inside {
		x.control(pipeline, commitSQL)
	}
	return inside
}

func (x *exchange) control(pipeline *pgconn.Pipeline, sql string) {
	pipeline.SendQueryParams(sql, nil, nil, nil, nil)
	x.steps = append(x.steps, step{kind: control, at: -1})
}

func (x *exchange) statement(pipeline *pgconn.Pipeline, at int, s plan.Call) {
	if x.unnamed || len(s.SQL) > maxPreparedText {
		pipeline.SendQueryParams(s.SQL, s.Args, nil, nil, nil)
		x.steps = append(x.steps, step{kind: read, at: at})
		return
	}
	name, there := x.known.name(s.SQL)
	if !there {
		if old, full := x.known.evict(); full {
			pipeline.SendDeallocate(old.name)
			x.steps = append(x.steps, step{kind: drop, at: -1, name: old})
		}
		fresh := x.known.add(s.SQL)
		pipeline.SendPrepare(fresh.name, s.SQL, nil)
		x.steps = append(x.steps, step{kind: prepare, at: at, name: fresh})
		name = fresh.name
	}
	pipeline.SendQueryPrepared(name, s.Args, nil, nil)
	x.steps = append(x.steps, step{kind: read, at: at})
}

// receive reads the answers. done is how many steps have certainly been taken by the server.
func (x *exchange) receive(pipeline *pgconn.Pipeline, cancel func(), out [][]byte) (done int, _ *failure) {
	if err := pipeline.Sync(); err != nil {
		return 0, &failure{at: -1, err: err}
	}
	for _, s := range x.steps {
		result, err := pipeline.GetResults()
		if err != nil {
			return done, &failure{at: s.at, err: err}
		}
		if rows, ok := result.(*pgconn.ResultReader); ok {
			if err := x.rows(rows, s, cancel, out); err != nil {
				return done, &failure{at: s.at, err: err}
			}
		}
		done++
	}
	return done, nil
}

// rows takes the rows of one step.
func (x *exchange) rows(rows *pgconn.ResultReader, s step, cancel func(), out [][]byte) error {
	if s.kind == read {
		var whole bool
		if out[s.at], whole = appendResult(out[s.at], x.statements[s.at], rows, x.room); !whole {
			cancel() // the server need not go on; what is on the way is read and dropped
			_, _ = rows.Close()
			out[s.at] = nil
			return errTooLarge
		}
		x.room -= len(out[s.at])
	}
	_, err := rows.Close()
	return err
}

// undo makes the list of prepared statements say what the server has, when it took only the first steps.
// A failed prepare leaves nothing behind; everything after a failure is skipped until the end of the trip.
func (x *exchange) undo(done int) {
	for _, s := range slices.Backward(x.steps[done:]) {
		switch s.kind {
		case prepare:
			x.known.forget(s.name)
		case drop:
			x.known.restore(s.name)
		case control, read:
		}
	}
}

// appendResult writes a statement's rows as the JSON value of its root field; whole is false as soon as
// they need more than room.
func appendResult(b []byte, s plan.Call, r *pgconn.ResultReader, room int) (_ []byte, whole bool) {
	if s.One {
		if !r.NextRow() {
			return append(b, "null"...), true
		}
		b = appendRow(b, s.Statement, r.Values())
		return b, len(b) <= room
	}
	b = append(b, '[')
	for first := true; r.NextRow(); first = false {
		if !first {
			b = append(b, ',')
		}
		if b = appendRow(b, s.Statement, r.Values()); len(b) > room {
			return b, false
		}
	}
	return append(b, ']'), true
}

// tooLarge tells whether an answer was over its bound: in all, or in one row.
func tooLarge(err error) bool {
	var message *pgproto3.ExceededMaxBodyLenErr
	return errors.Is(err, errTooLarge) || errors.As(err, &message)
}
