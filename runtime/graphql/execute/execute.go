package execute

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Executor runs plans on a pool of connections.
type Executor struct {
	Pool     *pgxpool.Pool
	Log      *slog.Logger
	Unnamed  bool // nothing may stay prepared: a transaction pooler stands between us and PostgreSQL
	MaxBytes int  // of one answer; the pool's connections refuse single messages above it
}

// Result is a response before it is put on the wire. Data is JSON, or nil when execution never began.
type Result struct {
	Data   []byte
	Errors gqlerror.List

	Unavailable bool // the database could not be reached: worth another try later
	Outdated    bool // the database is not as the schema has it: worth a look
}

// answer is what came of one root field's statement.
type answer struct {
	json []byte
	err  error
}

// Execute runs a plan. It never fails as a whole without saying so in Errors.
func (e *Executor) Execute(ctx context.Context, s *schema.Schema, p *plan.Plan, calls []plan.Call) Result {
	var fields []*plan.RootField
	for i := range p.Fields {
		if p.Fields[i].Statement != nil {
			fields = append(fields, &p.Fields[i])
		}
	}
	answers, err := e.answer(ctx, fields, calls)
	if err != nil {
		return Result{Errors: gqlerror.List{e.problem(err)}, Unavailable: isUnavailable(err)}
	}
	return e.assemble(s, p, answers)
}

// answer runs the statements of fields, in one snapshot as far as they succeed. A failure ends the
// snapshot for those that come after it too; they are innocent and share the next one. err is set when
// the database could not be asked at all.
func (e *Executor) answer(ctx context.Context, fields []*plan.RootField, calls []plan.Call) ([]answer, error) {
	answers := make([]answer, len(fields))
	room := e.MaxBytes
	for next := 0; next < len(fields); {
		parts, failed, err := e.try(ctx, calls[next:], room)
		if err != nil {
			return nil, err
		}
		for i, part := range parts {
			answers[next+i].json = part
			room -= len(part)
		}
		next += len(parts)
		if failed == nil {
			continue
		}
		answers[next].err = failed
		if fields[next].NonNull() {
			break // data as a whole is null now: nothing else could be shown
		}
		next++
	}
	return answers, nil
}

// try runs statements on one connection, and on a fresh one when the first was lost while it lay idle.
// Reads may be repeated, and no byte has left yet. parts are the answers before the one that failed;
// err is for what was no statement's fault.
func (e *Executor) try(ctx context.Context, statements []plan.Call, room int) (parts [][]byte, failed, err error) {
	parts, end := e.once(ctx, statements, room)
	if end != nil && ctx.Err() == nil && isLostConnection(end.err) {
		e.Pool.Reset()
		parts, end = e.once(ctx, statements, room)
	}
	switch {
	case end == nil:
		return parts, nil, nil
	case !isStatementError(end.err):
		return nil, nil, end.err
	case end.at >= 0:
		return parts[:end.at], end.err, nil
	case len(statements) > 1:
		// What failed is what they share: a lock that one of them may not take, say. Alone each gets its own error.
		return e.try(ctx, statements[:1], room)
	}
	return nil, end.err, nil
}

// staleTries bounds how often statements are prepared anew for one request: each change of the schema
// while it is at work takes one.
const staleTries = 3

// once runs statements on one connection. When the schema has changed since they were prepared there,
// they are prepared again on that very connection: any other one is as old.
func (e *Executor) once(ctx context.Context, statements []plan.Call, room int) ([][]byte, *failure) {
	conn, err := e.Pool.Acquire(ctx)
	if err != nil {
		return nil, &failure{at: -1, err: err}
	}
	defer conn.Release()
	for try := 1; ; try++ {
		parts := make([][]byte, len(statements))
		failed := run(ctx, conn.Conn().PgConn(), statements, e.Unnamed, room, parts)
		if failed == nil || !isStalePlan(failed.err) || try == staleTries || ctx.Err() != nil {
			return parts, failed
		}
		delete(conn.Conn().PgConn().CustomData(), preparedKey)
		if err := conn.Conn().DeallocateAll(ctx); err != nil { // what the driver has prepared for itself goes, too
			return nil, &failure{at: -1, err: err}
		}
	}
}
