package graphql

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Execute answers a request that brings its text, whatever [graphql.persisted] says: it is for those who may have any
// text run, such as whoever types a command. Clients are for Serve.
func (s *Service) Execute(ctx context.Context, r transport.Request) transport.Response {
	a, refused := s.admit(r.Principal)
	if refused != nil {
		return *refused
	}
	return s.execute(ctx, a, r)
}

func (s *Service) execute(ctx context.Context, a admitted, r transport.Request) transport.Response {
	d, op, list := s.operation(a, r)
	if list != nil {
		return transport.Response{Result: execute.Result{Errors: list}}
	}
	if r.QueryOnly && op.Operation != ast.Query {
		problem := plan.Problem(plan.BadUserInput, "GET runs queries only: send a "+string(op.Operation)+" by POST", op.Position)
		return transport.Response{Result: execute.Result{Errors: gqlerror.List{problem}}, MethodNotAllowed: true}
	}
	if op.Operation == ast.Subscription && len(a.schema.Feeds) > 0 {
		problem := plan.Problem(plan.BadUserInput, "a subscription is answered by a stream: ask with `Accept: text/event-stream`, or by a WebSocket that speaks graphql-transport-ws", op.Position)
		return transport.Response{Result: execute.Result{Errors: gqlerror.List{problem}}}
	}
	if r.Digest != "" {
		s.known.register(ctx, a.name, r)
	}
	key, keeps := a.documents.introspected.keeps(op, r)
	if keeps {
		if k, known := a.documents.introspected.get(key); known {
			return transport.Response{Kept: k}
		}
	}
	bound, list := s.prepare(a.picture, d, op, r)
	if list != nil {
		return transport.Response{Result: execute.Result{Errors: list}}
	}
	answered := transport.Response{Result: s.answer(ctx, a, op, &bound, r)}
	if keeps {
		return a.documents.introspected.keep(key, answered)
	}
	return answered
}

// answer runs what a request has become.
func (s *Service) answer(ctx context.Context, a admitted, op *plan.Operation, bound *plan.Bound, r transport.Request) execute.Result {
	ctx, done := s.limited(ctx)
	request := execute.Request{Bound: *bound, Schema: a.schema, Session: a.session, Open: r.Open && !r.Cost && bound.Later == nil, Room: r.Room}
	if bound.Writes && r.IdempotencyKey != "" {
		request.Key = keyOf(r)
	}
	if bound.Writes && s.deps.Committed != nil {
		request.Origin = origin(ctx, r)
	}
	result := s.run(ctx, a, r, request)
	if bound.Writes && len(result.Errors) == 0 && s.deps.Committed != nil {
		s.deps.Committed()
	}
	if bound.Later != nil {
		result = s.resolve(ctx, request, result)
	}
	if len(result.Errors) == 0 && len(bound.Fields) > 0 {
		s.watchRequest(a, op, bound, r)
	}
	if r.Cost {
		result.Cost = &bound.Cost
	}
	if result.Stream != nil {
		result.Stream.OnClose(done)
	} else {
		done()
	}
	if result.Unavailable && !result.Busy || result.Outdated {
		signal(s.hurry)
	}
	return result
}

// origin is what events tell of the request that they come from: its id, and its place in a trace.
func origin(ctx context.Context, r transport.Request) string {
	id := httpapi.RequestID(ctx)
	if id == "" || r.Trace == "" {
		return id
	}
	return id + " " + r.Trace
}

// limited gives a request its time, unless it has less already.
func (s *Service) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, bound := ctx.Deadline(); s.deps.Timeout <= 0 || bound && time.Until(end) <= s.deps.Timeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.deps.Timeout)
}
