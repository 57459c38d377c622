package execute

import (
	"bytes"
	"context"
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// write runs a mutation: all of its statements in one transaction and one way to the server and back. A failure of any
// of them undoes all, so that none of the fields has data then.
func (e *Executor) write(ctx context.Context, r Request) Result {
	if len(r.Calls) == 0 {
		return e.assemble(r.Schema, r.Plan, nil)
	}
	u := r.unit(r.Calls, e.maxBytes, false)
	u.writes = true
	alone := len(r.Fields) == 1
	if alone {
		u.before = r.Fields[0].Before
	}
	o, _ := e.lanes.run(ctx, u)
	if o.failed != nil {
		return e.unwritten(r.Schema, r.Bound, o.failed)
	}
	answers := make([]answer, 0, len(r.Fields))
	for i, call := range r.Calls {
		switch {
		case call.Discard:
		case call.Must && bytes.HasSuffix(o.parts[i], []byte("null")):
			// A trigger of a view without a key did what it did, and gave nothing back.
			return Result{Data: []byte("null"), Errors: gqlerror.List{e.masked(errNothingBack, "the change was made, but the database gave no row back")}}
		default:
			answers = append(answers, answer{json: o.parts[i]})
		}
	}
	if alone {
		body := append(answers[0].json, "}}"...)
		return Result{Body: body, Data: body[len(beforeData) : len(body)-1]}
	}
	return e.assemble(r.Schema, r.Plan, answers)
}

var errNothingBack = errors.New("a trigger returned no row")

// unwritten is the answer when nothing was written, or when nobody knows.
func (e *Executor) unwritten(s *schema.Schema, p plan.Bound, f *failure) Result {
	result := Result{Unavailable: isUnavailable(f.err) && !errors.Is(f.err, errUnsure), Busy: errors.Is(f.err, errBusy), Outdated: isOutdated(f.err)}
	if isStatementError(f.err) || errors.Is(f.err, errUnsure) || errors.Is(f.err, errSession) {
		result.Data = []byte("null") // it was tried
	}
	if f.at < 0 {
		result.Errors = gqlerror.List{e.writeProblem(s, f.err, nil)}
		return result
	}
	call := p.Calls[f.at].Statement
	problem := refusedValue(f.err, call)
	if problem == nil {
		problem = e.writeProblem(s, f.err, call)
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
