package execute

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Executor runs plans on a pool of connections.
type Executor struct {
	Pool    *pgxpool.Pool
	Log     *slog.Logger
	Unnamed bool // nothing may stay prepared: a transaction pooler stands between us and PostgreSQL
}

// Result is a response before it is put on the wire. Data is JSON, or nil when execution never began.
type Result struct {
	Data        []byte
	Errors      gqlerror.List
	Unavailable bool // the database could not be reached: worth another try later
}

// Execute runs a plan. It never fails as a whole without saying so in Errors.
func (e *Executor) Execute(ctx context.Context, s *schema.Schema, p *plan.Plan) Result {
	var statements []*plan.Statement
	for i := range p.Fields {
		if p.Fields[i].Statement != nil {
			statements = append(statements, p.Fields[i].Statement)
		}
	}
	parts, problems, err := e.run(ctx, statements)
	if err != nil {
		problem := e.problem(err)
		return Result{Errors: gqlerror.List{problem}, Unavailable: isUnavailable(err)}
	}
	return e.assemble(s, p, parts, problems)
}

// run gives the JSON of each statement, or its error. err is set when nothing could be run at all.
func (e *Executor) run(ctx context.Context, statements []*plan.Statement) (parts [][]byte, problems []error, err error) {
	if len(statements) == 0 {
		return nil, nil, nil
	}
	parts, failed, err := e.try(ctx, statements)
	if err == nil {
		return parts, make([]error, len(statements)), nil
	}
	if !isStatementError(err) {
		return nil, nil, err
	}
	problems = make([]error, len(statements))
	if failed >= 0 {
		problems[failed] = err
	}
	// The failure ended the snapshot for its neighbours too. They are innocent: each gets its own try.
	for i, s := range statements {
		if i == failed {
			continue
		}
		alone, _, err := e.try(ctx, []*plan.Statement{s})
		if err != nil {
			problems[i] = err
			continue
		}
		parts[i] = alone[0]
	}
	return parts, problems, nil
}

// try runs statements once, and once more on a fresh connection when the first was lost while it lay
// idle. Reads may be repeated, and no byte has left yet.
func (e *Executor) try(ctx context.Context, statements []*plan.Statement) ([][]byte, int, error) {
	parts, failed, err := e.once(ctx, statements)
	if err != nil && ctx.Err() == nil && isLostConnection(err) {
		e.Pool.Reset()
		return e.once(ctx, statements)
	}
	return parts, failed, err
}

// staleTries bounds how often statements are prepared anew for one request: each change of the schema
// while it is at work takes one.
const staleTries = 3

// once runs statements on one connection. When the schema has changed since they were prepared there,
// they are prepared again on that very connection: any other one is as old.
func (e *Executor) once(ctx context.Context, statements []*plan.Statement) ([][]byte, int, error) {
	conn, err := e.Pool.Acquire(ctx)
	if err != nil {
		return make([][]byte, len(statements)), 0, err
	}
	defer conn.Release()
	for try := 1; ; try++ {
		parts := make([][]byte, len(statements))
		failed, err := run(ctx, conn.Conn().PgConn(), statements, !e.Unnamed, parts)
		if err == nil || !isStalePlan(err) || try == staleTries || ctx.Err() != nil {
			return parts, failed, err
		}
		delete(conn.Conn().PgConn().CustomData(), preparedKey)
		if err := conn.Conn().DeallocateAll(ctx); err != nil { // what the driver has prepared for itself goes, too
			return parts, failed, err
		}
	}
}

func isLostConnection(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57P01" || pg.Code == "57P02" // the server was told to end, or crashed
	}
	var network net.Error
	return pgconn.SafeToRetry(err) || errors.As(err, &network) || errors.Is(err, net.ErrClosed) || isEOF(err)
}

// assemble puts the root fields together in the order of the selection. A list is never null, so its
// error takes the whole of data with it (specification, section 6.4.4).
func (e *Executor) assemble(s *schema.Schema, p *plan.Plan, parts [][]byte, problems []error) Result {
	var result Result
	data := make([]byte, 0, 512)
	data = append(data, '{')
	next := 0
	for i := range p.Fields {
		f := &p.Fields[i]
		if i > 0 {
			data = append(data, ',')
		}
		data = appendQuoted(data, f.Key)
		data = append(data, ':')
		switch {
		case f.Typename != "":
			data = appendQuoted(data, f.Typename)
		case f.Introspection != nil:
			data = appendIntrospection(data, s.AST, f.Introspection)
		case f.Statement == nil:
			data = append(data, "null"...)
		case problems[next] != nil:
			result.Errors = append(result.Errors, e.fieldProblem(problems[next], f))
			data = append(data, "null"...)
			next++
		default:
			data = append(data, parts[next]...)
			next++
		}
	}
	result.Data = append(data, '}')
	for i := range p.Fields {
		if f := &p.Fields[i]; f.Statement != nil && f.Field.Definition.Type.NonNull && hasError(result.Errors, f.Key) {
			result.Data = []byte("null")
		}
	}
	return result
}

func hasError(list gqlerror.List, key string) bool {
	for _, e := range list {
		if len(e.Path) > 0 && e.Path[0] == ast.PathName(key) {
			return true
		}
	}
	return false
}
