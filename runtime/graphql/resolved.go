package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/resolve"
)

// mostFailures is how many fields without a value are told of: a list has as many as it has rows.
const mostFailures = 100

// resolve gives the fields of an answer their values that code has, once the database has given all others. What a
// mutation has changed stays changed, whatever becomes of them.
func (s *Service) resolve(ctx context.Context, r execute.Request, before execute.Result) execute.Result {
	if before.Data == nil {
		return before
	}
	request := resolve.Request{Data: before.Data, Later: r.Later, Types: r.Schema.AST}
	if r.Session != nil {
		request.Role, request.Claims = r.Session.Role, json.RawMessage(r.Session.Claims)
	}
	data, failures := resolve.Run(ctx, request, s.valuesOf)
	after := before
	after.Body, after.Data = nil, data
	if s.executor.TooLarge(r, len(data)) {
		after.Data = []byte("null")
		after.Errors = append(after.Errors, execute.TooLargeProblem(r.Writes))
	}
	told := map[*resolve.Cause]*gqlerror.Error{}
	for i, f := range failures {
		if i == mostFailures {
			rest := plan.Problem(plan.InternalError, fmt.Sprintf("%d more fields have no value", len(failures)-i), nil)
			after.Errors = append(after.Errors, rest)
			break
		}
		if told[f.Cause] == nil {
			told[f.Cause] = s.unresolved(ctx, f.Cause.Err)
		}
		problem := *told[f.Cause]
		problem.Path = f.Path
		if f.Place != nil {
			problem.Locations = []gqlerror.Location{{Line: f.Place.Line, Column: f.Place.Column}}
		}
		after.Errors = append(after.Errors, &problem)
	}
	if len(after.Errors) == 0 {
		after.Body = append(append([]byte(`{"data":`), data...), '}')
		after.Data = after.Body[len(`{"data":`) : len(after.Body)-1]
	}
	before.Release()
	return after
}

// valuesOf finds the code of a field.
func (s *Service) valuesOf(field string) resolve.Func {
	for i := range s.deps.Resolvers {
		if s.deps.Resolvers[i].String() == field {
			return s.deps.Resolvers[i].Values
		}
	}
	return func(context.Context, resolve.Batch) ([]resolve.Value, error) {
		return nil, errors.New("there is no code for " + field)
	}
}

// unresolved is what a client may know of an error of code. What a database has told that code is no word about the
// request.
func (s *Service) unresolved(ctx context.Context, err error) *gqlerror.Error {
	if gone := ctx.Err(); gone != nil && errors.Is(err, gone) {
		return s.executor.Problem(gone)
	}
	if e, known := fault.As(err); known && faultCodes[e.Kind] != "" {
		return plan.Problem(faultCodes[e.Kind], e.Message, nil)
	}
	return s.executor.Masked(err)
}

// faultCodes are those of the errors that clients are told of.
var faultCodes = map[fault.Kind]string{
	fault.Invalid:         plan.BadUserInput,
	fault.Unauthenticated: plan.Unauthenticated,
	fault.Forbidden:       plan.Forbidden,
	fault.NotFound:        plan.NotFound,
	fault.Conflict:        plan.Conflict,
	fault.RateLimited:     plan.RateLimited,
	fault.Timeout:         plan.Timeout,
}
