package execute

import (
	"context"
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// write runs a mutation: all of its statements in one transaction and, without a key, one way to the server and back. A
// failure of any of them undoes all, so that none of the fields has data then.
func (e *Executor) write(ctx context.Context, r Request) Result {
	if len(r.Calls) == 0 {
		return e.assemble(r, nil)
	}
	for range maxTries {
		var result Result
		u := r.unit(r.Calls, e.room(r), false)
		u.writes = true
		if len(r.Fields) == 1 {
			u.before = r.Fields[0].Before
		}
		if r.Key != nil {
			u.key = &keyed{Key: r.Key, answer: func(parts [][]byte) []byte {
				result = e.written(r, parts)
				return result.Data
			}}
		}
		o, _ := e.lanes.run(ctx, u)
		switch {
		case o.failed == nil && r.Key == nil:
			result = e.written(r, o.parts)
			e.locate(&result, u)
			return result
		case o.failed == nil:
			e.locate(&result, u)
			return result
		case !errors.Is(o.failed.err, errKept):
			result = e.unwritten(r, o.failed)
			if errors.Is(o.failed.err, errUnsure) || errors.Is(o.failed.err, errDone) {
				e.locate(&result, u)
			}
			return result
		}
		answer, other, none, err := e.kept(ctx, r.Key)
		switch {
		case err != nil:
			return e.failed(err)
		case other:
			problem := plan.Problem(plan.Conflict, "the Idempotency-Key was sent with another request before: use a new one for each", nil)
			return Result{Errors: gqlerror.List{problem}, KeyTaken: true}
		case !none:
			result = Result{Data: answer, Replayed: true}
			if e.lanes.positions {
				result.Position, result.Timeline, _ = e.Position(ctx) // Nowhere when that fails
			}
			return result
		}
		// It was taken away between the two: it is a day old.
	}
	return e.failed(errBusy)
}

// locate tells where in the log is what was written, or may have been.
func (e *Executor) locate(result *Result, u *unit) {
	if !e.lanes.positions {
		return
	}
	result.Position, result.Timeline = postgres.Position(u.position.Load()), u.timeline.Load()
	if result.Position == 0 {
		result.Position = postgres.Nowhere
	}
}

// written is the answer of what was written.
func (e *Executor) written(r Request, parts [][]byte) Result {
	answers := make([]answer, 0, len(r.Fields))
	for i, call := range r.Calls {
		if !call.Discard {
			answers = append(answers, answer{json: parts[i]})
		}
	}
	if len(r.Fields) == 1 {
		body := append(answers[0].json, "}}"...)
		return Result{Body: body, Data: body[len(beforeData) : len(body)-1]}
	}
	return e.assemble(r, answers)
}

// unwritten is the answer when nothing was written, or when nobody knows.
func (e *Executor) unwritten(r Request, f *failure) Result {
	result := Result{Unavailable: isUnavailable(f.err) && !errors.Is(f.err, errUnsure), Busy: errors.Is(f.err, errBusy), Outdated: isOutdated(f.err)}
	if isStatementError(f.err) || errors.Is(f.err, errUnsure) || errors.Is(f.err, errSession) {
		result.Data = []byte("null") // it was tried
	}
	if f.at < 0 {
		result.Errors = gqlerror.List{e.writeProblem(r.Schema, f.err, nil)}
		return result
	}
	call := r.Calls[f.at].Statement
	problem := refusedValue(f.err, call)
	if problem == nil {
		problem = e.writeProblem(r.Schema, f.err, call)
		place(problem, call.Path(), call.Place())
	}
	result.Errors = gqlerror.List{problem}
	return result
}

// place gives an error its place, unless it has one.
func place(problem *gqlerror.Error, path ast.Path, at *ast.Position) {
	if problem.Path == nil {
		problem.Path = path
	}
	if problem.Locations == nil && at != nil {
		problem.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
}
