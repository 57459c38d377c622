package execute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// background is the context of what belongs to a connection and not to a request: watch ends what takes too long.
var background = context.Background() // requests share a round trip: the end of one must not cut off the others

// answering is a unit whose answer is being read.
type answering struct {
	*exchange
	unit     *unit
	room     int
	parts    [][]byte
	estimate []byte
	failed   *failure
}

// rows takes the rows of one step.
func (a *answering) rows(rows *pgconn.ResultReader, s step) error {
	var err error
	switch s.kind {
	case estimate:
		for rows.NextRow() {
			a.estimate = planRows(rows.Values()[0])
		}
	case reach:
		for rows.NextRow() {
			a.note(a.unit, postgres.ParsePosition(rows.Values()[0]))
		}
	case read:
		err = a.result(rows, s.at)
	case control, session, keep, drop, prepare:
	}
	switch _, closed := rows.Close(); {
	case closed == nil:
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", err, closed) // it was cancelled because of err
	default:
		return closed
	}
}

// result writes a statement's rows as the JSON value of its root field.
func (a *answering) result(r *pgconn.ResultReader, at int) error {
	call := a.unit.calls[at]
	if call.Discard {
		for r.NextRow() {
		}
		return nil
	}
	if types := r.FieldDescriptions(); len(types) > 0 && !fits(call.Statement, types) { // there are none where it failed
		return errMisfit
	}
	parts := a.unit.open && a.unit.handed
	expected := call.Pace.Bytes()
	if parts {
		expected = min(expected, streamFrom) // of a larger answer, only the first part is held
	}
	b := append(newBuffer(expected), a.unit.before...)
	if call.One {
		if r.NextRow() {
			b = appendRow(b, call.Statement, r.Values(), a.estimate)
		} else {
			b = append(b, "null"...)
		}
		return a.keep(at, b)
	}
	b = append(b, '[')
	writer := newRowWriter(call.Statement, a.estimate)
	for r.NextRow() {
		b = writer.row(b, r.Values())
		if len(b) > a.room {
			return a.keep(at, b)
		}
		if len(b) >= streamFrom && parts {
			return a.open(r, writer, at, b)
		}
	}
	return a.keep(at, writer.end(b))
}

// keep takes an answer that is complete, unless it is too large.
func (a *answering) keep(at int, b []byte) error {
	if len(b) > a.room && a.unit.writes {
		return errTooLarge // the synchronisation tells what has become of it
	}
	if len(b) > a.room {
		// Nobody waits for the rest: watch cancels the statement, and what is on the way is read and dropped.
		a.unit.finish(outcome{parts: a.parts[:at], failed: &failure{at: at, err: errTooLarge}})
		a.unit.left.Store(true)
		a.watch.soon()
		return errTooLarge
	}
	a.room -= len(b)
	a.parts[at] = b
	return nil
}

// open lets an answer leave while the rest of it is read. From here on nobody else may give it, and a client
// that is slower than the database makes the database wait.
func (a *answering) open(r *pgconn.ResultReader, writer *rowWriter, at int, b []byte) error {
	if !a.unit.claim() {
		return errLeft
	}
	call := a.unit.calls[at]
	stream := newStream()
	a.unit.stream.Store(stream)
	a.unit.outcome = outcome{parts: [][]byte{b}}
	close(a.unit.done)
	const size = 256 << 10
	total := len(b)
	b = make([]byte, 0, size+size/8)
	for r.NextRow() {
		b = writer.row(b, r.Values())
		if len(b) < size {
			continue
		}
		if total += len(b); total > a.room {
			a.unit.left.Store(true)
			a.watch.soon()
			return errTooLarge
		}
		if err := stream.put(a.unit.ctx, b); err != nil {
			a.watch.soon()
			return err
		}
		b = make([]byte, 0, size+size/8)
	}
	call.Pace.Sized(total + len(b))
	return stream.put(a.unit.ctx, writer.end(b))
}

// finish hands the answer over, or has the unit sent again. left are the steps that the server has not taken.
func (a *answering) finish(left []step) {
	took := a.watch.next()
	u := a.unit
	stream := u.stream.Load()
	if a.failed == nil && stream == nil {
		for i := range u.calls {
			u.calls[i].Pace.Note(took/time.Duration(len(u.calls)), len(a.parts[i]))
		}
	}
	if a.failed != nil {
		a.undo(left)
		u.last.Store(a.failed)
	}
	switch {
	case stream != nil && a.failed != nil:
		a.cut(stream, a.failed.err)
	case stream != nil:
		stream.finish(nil)
	case a.failed == nil && u.key != nil:
		u.key.parts = a.parts
		a.settling = u
	case a.failed == nil:
		u.finish(outcome{parts: a.parts})
	case u.gone() && isCancelled(a.failed.err) && !u.writes: // who asked knows why it was cancelled
	case a.undone && isMissing(a.failed.err): // a neighbour was to prepare its statement, and failed first
		a.again = append(a.again, u)
	case isStalePlan(a.failed.err):
		a.stale, a.again = true, append(a.again, u)
	case isNeighbours(a.failed.err), isPassing(a.failed.err) && !u.replica, isCancelled(a.failed.err) && a.watch.interrupted():
		a.again = append(a.again, u)
	default:
		a.fail()
	}
}

// fail ends the unit with what failed.
func (a *answering) fail() {
	if tooLarge(a.failed.err) {
		a.failed.err = errTooLarge
	}
	if a.unit.writes && a.unit.key == nil && !isServers(a.failed.err) { // the server has committed
		a.failed.err = fmt.Errorf("%w: %w", errDone, a.failed.err)
	}
	a.unit.finish(outcome{parts: a.parts, failed: a.failed})
}

// cut ends an answer that has begun to leave. The client sees that it is not whole, and the log why.
func (w *worker) cut(s *Stream, err error) {
	if !errors.Is(err, errLeft) {
		w.log.Error("an answer was cut: it had begun to leave when its statement failed", slog.Any("error", err))
	}
	s.finish(err)
}

// planRows reads the planner's estimate out of `explain (format json)`.
func planRows(text []byte) []byte {
	_, after, found := bytes.Cut(text, []byte(`"Plan Rows": `))
	if !found {
		return nil
	}
	return bytes.Clone(after[:bytes.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })])
}

// isNeighbours tells whether a unit failed because one before it has left its transaction failed.
func isNeighbours(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "25P02"
}

// isPassing tells whether a read fails only because of others that are at work at the same time.
func isPassing(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// isMissing tells whether a statement is not prepared on the connection.
func isMissing(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "26000"
}

func isCancelled(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "57014"
}
