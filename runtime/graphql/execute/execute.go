package execute

import (
	"context"
	"errors"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Executor runs plans.
type Executor struct {
	pool     *pgxpool.Pool // for what is no request's
	log      *slog.Logger
	maxBytes int
	lanes    *lanes
}

// Options are the choices of an executor.
type Options struct {
	Pool        *pgxpool.Pool // how to reach the database; the connections for requests are made beside it
	Log         *slog.Logger
	Connections int  // for requests; 0 is 4
	Unnamed     bool // nothing may stay prepared: a transaction pooler stands between us and PostgreSQL
	MaxBytes    int  // of one answer; the pool's connections refuse single messages above it
	Positions   bool // tell where each mutation is in the log, for reads of replicas
}

// New makes an executor that opens its connections when they are needed; Warm opens them before.
func New(o Options) *Executor {
	config := o.Pool.Config().ConnConfig.Config
	if o.Connections == 0 {
		o.Connections = 4
	}
	dial := func(ctx context.Context) (*pgconn.PgConn, error) { return pgconn.ConnectConfig(ctx, config.Copy()) }
	e := &Executor{pool: o.Pool, log: o.Log, maxBytes: o.MaxBytes, lanes: newLanes(dial, o.Log, o.Connections, o.Unnamed)}
	e.lanes.positions = o.Positions
	return e
}

// Warm opens all connections, and does not wait for it.
func (e *Executor) Warm() { e.lanes.warm() }

// Close ends the connections, after what is on the way.
func (e *Executor) Close() { e.lanes.close() }

// Result is a response before it is put on the wire. Data is JSON, or nil when execution never began.
//
// When Stream is there, Body is only the beginning: then comes the stream, and then After.
type Result struct {
	Data   []byte
	Body   []byte // the whole response, Data in it, when there are no errors; it may be nil all the same
	Errors gqlerror.List
	Cost   *plan.Cost // nil where nobody asks
	Stream *Stream
	After  string

	KeyTaken    bool // another request had its key
	Replayed    bool // it is the answer that was given before to the same key
	Unavailable bool // worth another try later
	Busy        bool // it is unavailable because too many wait, not because the database is away
	Outdated    bool // the database is not as the schema has it: worth a look

	Position  postgres.Position // of a mutation: where it is in the log, if Options ask for that; Nowhere when nobody knows
	Timeline  uint32            // that Position is on; 0 when nobody knows
	Elsewhere error             // of a request that may fail on a replica: why it did. There is nothing else then
}

// failed is the result of a request for which no statement could be run.
func (e *Executor) failed(err error) Result {
	if other, ok := errors.AsType[elsewhereError](err); ok {
		return Result{Elsewhere: other.error}
	}
	return Result{Errors: gqlerror.List{e.problem(err)}, Unavailable: isUnavailable(err), Busy: errors.Is(err, errBusy)}
}

// answer is what came of one root field's statement.
type answer struct {
	json []byte
	err  error
}

// Release lets the memory of the response be used again. Nothing of it may be read after that.
func (r *Result) Release() {
	if r.Body != nil {
		releaseBuffer(r.Body)
		*r = Result{}
	}
}

// Request is a plan with all that running it takes.
type Request struct {
	plan.Bound
	Schema  *schema.Schema
	Session *Session // who asks; nil is the login, without claims
	Key     *Key     // of a mutation that is to be done once, however often it is sent
	Origin  string   // of a mutation: what triggers are told of where it comes from; empty is nothing
	Open    bool     // the answer may come in parts
	Room    int      // bytes that the answer may have, where that is less than the executor gives; 0 is what it gives

	Replica bool              // it is a read of a replica, which ends with Elsewhere where the primary is to be asked
	After   postgres.Position // up to which the replica must have replayed the log
	On      uint32            // the timeline that it must be on
}

// Execute runs a plan. It never fails as a whole without saying so in Errors.
func (e *Executor) Execute(ctx context.Context, r Request) Result {
	if r.Writes {
		return e.write(ctx, r)
	}
	if len(r.Fields) == 1 && len(r.Calls) == 1 {
		return e.one(ctx, r)
	}
	if r.Together != nil {
		if result, whole := e.together(ctx, r); whole {
			return result
		}
	}
	answers, err := e.answer(ctx, r)
	if err != nil {
		return e.failed(err)
	}
	return e.assemble(r, answers)
}

// room gives the bytes that the answer of a request may have.
func (e *Executor) room(r Request) int {
	if r.Room > 0 {
		return min(r.Room, e.maxBytes)
	}
	return e.maxBytes
}

// unit makes a unit of calls of a request.
func (r *Request) unit(calls []plan.Call, room int, open bool) *unit {
	u := newUnit(calls, room, open)
	u.session, u.origin, u.replica, u.after, u.on = r.Session, r.Origin, r.Replica, r.After, r.On
	return u
}

const beforeData = `{"data":`

// one runs a plan of one field: the response is written as it is read.
func (e *Executor) one(ctx context.Context, r Request) Result {
	u := r.unit(r.Calls, e.room(r), r.Open)
	u.before = r.Fields[0].Before
	o, stream, err := e.run(ctx, u)
	switch {
	case err != nil:
		return e.failed(err)
	case o.failed != nil:
		return e.assemble(r, []answer{{err: o.failed.err}})
	case stream != nil:
		return Result{Body: o.parts[0], Data: o.parts[0][len(beforeData):], Stream: stream, After: "}}"}
	}
	body := append(o.parts[0], "}}"...)
	return Result{Body: body, Data: body[len(beforeData) : len(body)-1]}
}

// together runs several fields as one statement; whole is false when that fails by a fault of one of them.
func (e *Executor) together(ctx context.Context, r Request) (_ Result, whole bool) {
	u := r.unit([]plan.Call{*r.Together}, e.room(r), false)
	u.before = beforeData
	o, _, err := e.run(ctx, u)
	switch {
	case err != nil:
		return e.failed(err), true
	case o.failed != nil:
		return Result{}, false
	}
	body := append(o.parts[0], '}')
	return Result{Body: body, Data: body[len(beforeData) : len(body)-1]}, true
}

// answer runs the statements of a plan, in one snapshot as far as they succeed. A failure ends the
// snapshot for those that come after it too; they are innocent and share the next one. err is set when
// the database could not be asked at all.
func (e *Executor) answer(ctx context.Context, r Request) ([]answer, error) {
	calls := r.Calls
	nonNull := make([]bool, 0, len(calls))
	for i := range r.Fields {
		if r.Fields[i].Statement != nil {
			nonNull = append(nonNull, r.Fields[i].NonNull())
		}
	}
	answers := make([]answer, len(calls))
	room := e.room(r)
	for next := 0; next < len(calls); {
		o, _, err := e.run(ctx, r.unit(calls[next:], room, false))
		if err == nil && o.failed != nil && o.failed.at < 0 {
			// What failed is what they share: a lock that one of them may not take, say. Alone each gets its own error.
			o, _, err = e.run(ctx, r.unit(calls[next:next+1], room, false))
		}
		if err != nil {
			return nil, err
		}
		for i, part := range o.parts {
			answers[next+i].json = part
			room -= len(part)
		}
		next += len(o.parts)
		if o.failed == nil {
			continue
		}
		answers[next].err = o.failed.err
		if nonNull[next] {
			break // data as a whole is null now: nothing else could be shown
		}
		next++
	}
	return answers, nil
}

// run sends a unit and waits for what comes of it: the answers before the one that failed. err is for what was
// no statement's fault.
func (e *Executor) run(ctx context.Context, u *unit) (outcome, *Stream, error) {
	o, stream := e.lanes.run(ctx, u)
	if o.failed == nil {
		return o, stream, nil
	}
	if u.replica && !isFinal(o.failed.err) {
		return outcome{}, nil, elsewhereError{o.failed.err}
	}
	if !isStatementError(o.failed.err) {
		return outcome{}, nil, o.failed.err
	}
	if o.failed.at >= 0 {
		o.parts = o.parts[:o.failed.at]
	} else {
		o.parts = nil
		if len(u.calls) == 1 {
			o.failed.at = 0
		}
	}
	return o, nil, nil
}
