package graphql

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/resolve"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/graphql/trusted"
	"github.com/fraiseql/fraiseql/runtime/graphql/watch"
)

// Deps is what a Service works with.
type Deps struct {
	Pool        *pgxpool.Pool
	Log         *slog.Logger
	Connections int              // for requests, beside those of the pool; 0 is 4
	Schemas     []string         // of the database, in order of precedence
	Declared    *schema.Declared // by schema files; nil for none
	Unnamed     bool             // a transaction pooler stands before PostgreSQL: prepare nothing by name
	Dev         bool             // introspection and the playground are on unless the configuration says no
	BodyLimit   int64            // bytes of a request; 0 is 256 KiB
	Timeout     time.Duration    // of the statements of one request; 0 is none
	Interval    time.Duration    // between looks for a changed schema; 0 is 2 s, in development 1 s

	Documents *trusted.Documents // those of [graphql.persisted] dir; nil is none
	Texts     SharedTexts        // of [graphql.persisted] redis_url; nil is none
	Resolvers []resolve.Field    // fields whose values code gives
	Replicas  []Replica          // of the database; they get queries while Run runs
	Committed func()             // is told of each mutation that was committed; nil is nobody
	Feed      *Feed              // of changes, for subscriptions; nil is none: they are in the schema all the same
	Changed   func()             // is told when the database has another schema than before; nil is nobody
}

// Service answers GraphQL requests. It is safe for use by many goroutines.
type Service struct {
	config   Config
	deps     Deps
	executor *execute.Executor
	replicas *replicas // nil is none
	known    persisted
	hub      *subscribe.Hub     // nil is none
	streams  *transport.Streams // nil is none
	watching *watching
	pictures atomic.Pointer[pictures]
	refused  atomic.Pointer[refused] // what the database is now, when no schema can be made of it
	hurry    chan struct{}           // a request met a database that is away or has changed: look at once
	failure  atomic.Pointer[error]   // why the last look at the database failed; nil after a good one
}

// refused is a state of the database that has no schema, such as one where two tables want one name.
type refused struct {
	fingerprint string
	err         error
}

// New makes a service that has not looked at the database yet: see Load and Run.
func New(config Config, deps Deps) *Service {
	if deps.Interval == 0 {
		deps.Interval = 2 * time.Second
		if deps.Dev {
			deps.Interval = time.Second
		}
	}
	if deps.BodyLimit == 0 {
		deps.BodyLimit = 256 << 10
	}
	maxBytes := int(config.Limits.Response)
	s := &Service{
		config: config, deps: deps, hurry: make(chan struct{}, 1), known: newPersisted(config, deps), watching: newWatching(),
		executor: execute.New(execute.Options{
			Pool: deps.Pool, Log: deps.Log, Connections: deps.Connections, Unnamed: deps.Unnamed, MaxBytes: maxBytes,
			Positions: len(deps.Replicas) > 0,
		}),
		replicas: newReplicas(deps, maxBytes),
	}
	s.openFeed()
	return s
}

// Close lets go of the connections, after the requests that are on the way.
func (s *Service) Close() {
	s.executor.Close()
	if s.replicas != nil {
		s.replicas.close()
	}
}

// Check tells whether requests can be answered now.
func (s *Service) Check(context.Context) error {
	if s.pictures.Load() == nil {
		return s.notLoaded()
	}
	if failure := s.failure.Load(); failure != nil {
		return fault.Wrap(fault.Unavailable, "graphql/database-down", "the database cannot be reached", *failure)
	}
	return nil
}

// notLoaded says why there is no schema.
func (s *Service) notLoaded() *fault.Error {
	if r := s.refused.Load(); r != nil {
		return fault.Wrap(fault.Unavailable, "graphql/no-schema", "no API can be made of the database as it is", r.err)
	}
	return fault.New(fault.Unavailable, "graphql/not-loaded", "the schema of the database has not been read yet")
}

// retry is the longest wait between two tries to reach a database that is away.
const retry = 500 * time.Millisecond

// recount is how often tables are asked how many rows they have.
const recount = time.Minute

// Run keeps the schema current until ctx ends. A database that cannot be reached is tried again, at
// first soon, then twice a second; it is said once when it goes and once when it is back.
func (s *Service) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(func() { s.watchStatements(ctx) })
	if s.hub != nil {
		beside.Go(func() {
			s.hub.Run(ctx)
			s.streams.Leave()
			s.streams.Wait()
		})
	}
	if s.replicas != nil {
		beside.Go(func() { s.replicas.watch(ctx) })
	}
	defer func() {
		beside.Wait()
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), sampleTime)
		defer cancel()
		s.keep(late, true)
	}()
	return s.follow(ctx)
}

// follow looks at the database until ctx ends.
func (s *Service) follow(ctx context.Context) error {
	counted := time.Now()
	wait := 50 * time.Millisecond
	for {
		err := s.look(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end, whatever the last look met
		}
		if err == nil && time.Since(counted) > recount {
			counted, err = time.Now(), s.count(ctx)
			if forget := s.executor.ForgetKeys(ctx); forget != nil && err == nil {
				s.deps.Log.Warn("idempotency keys that are a day old could not be removed; trying again", slog.Any("error", forget))
			}
			if forget := watch.Forget(ctx, s.deps.Pool); forget != nil && err == nil {
				s.deps.Log.Warn("findings that are a week old could not be removed; trying again", slog.Any("error", forget))
			}
		}
		s.tellState(err)
		if err == nil {
			s.keep(ctx, false)
			s.executor.Warm() // the first connection works: the rest behind it
		}
		hurry := s.hurry
		if err == nil {
			wait = s.deps.Interval
		} else {
			wait, hurry = min(wait*2, retry), nil // that it is away is known already
		}
		select {
		case <-ctx.Done():
			return nil
		case <-hurry:
		case <-time.After(wait):
		}
	}
}

// look reads the fingerprint and, when it is new, the schema. Its error is that of a database that cannot
// be read; one that has no schema is logged once, and looked at again when it has changed.
func (s *Service) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	fingerprint, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	before, bad := s.pictures.Load(), s.refused.Load()
	if before != nil && before.fingerprint == fingerprint || bad != nil && bad.fingerprint == fingerprint {
		return nil
	}
	err = s.Load(ctx)
	if now := s.refused.Load(); err != nil && now != bad {
		hint := ""
		if e, known := fault.As(now.err); known {
			hint = e.Hint
		}
		s.deps.Log.Error("no API can be made of the database as it is now", slog.Any("error", now.err), slog.String("hint", hint), slog.Bool("serving_the_one_before", s.pictures.Load() != nil))
		return nil
	}
	if err != nil {
		return err
	}
	s.tell(before != nil)
	if before != nil && s.deps.Changed != nil {
		s.deps.Changed()
	}
	return nil
}

// tellState remembers how the last look ended and logs the change.
func (s *Service) tellState(err error) {
	before := s.failure.Load()
	switch {
	case err != nil && before == nil:
		s.failure.Store(&err)
		s.deps.Log.Warn("the database cannot be read; trying again", slog.Any("error", err))
	case err != nil:
		s.failure.Store(&err)
	case before != nil:
		s.failure.Store(nil)
		s.deps.Log.Info("the database is back")
	}
}

// Statements compiles a request without running it: for `explain`.
func (s *Service) Statements(r transport.Request) (plan.Bound, error) {
	bound, _, err := s.statements(r)
	return bound, err
}

func (s *Service) statements(r transport.Request) (plan.Bound, admitted, error) {
	a, refused := s.admit(r.Principal)
	if refused != nil {
		return plan.Bound{}, a, refused.Errors
	}
	d, op, list := s.operation(a, r)
	if list != nil {
		return plan.Bound{}, a, list
	}
	bound, list := s.prepare(a.picture, d, op, r)
	if list != nil {
		return plan.Bound{}, a, list
	}
	return bound, a, nil
}

// operation finds the operation that a request means, in a document that is valid.
func (s *Service) operation(p admitted, r transport.Request) (*document, *plan.Operation, gqlerror.List) {
	introspects := s.config.introspection(s.deps.Dev, p.name)
	d, known := p.documents.get(r.Query)
	if !known {
		text := r.Query
		if len(text) <= keptText {
			text = strings.Clone(text) // it may be a piece of something larger, such as the address of a GET
		}
		parsed, list := plan.Parse(p.schema, text, s.config.planLimits(), introspects)
		if list != nil {
			return nil, nil, list
		}
		d = &document{Document: parsed, text: text, plans: map[planKey]*plan.Plan{}}
		if len(text) <= keptText {
			d = p.documents.put(d)
		}
	}
	op, problem := d.Operation(r.OperationName)
	if problem != nil {
		return nil, nil, gqlerror.List{problem}
	}
	if op.Introspects != nil && !introspects {
		return nil, nil, gqlerror.List{plan.Problem(plan.ValidationFailed, "introspection is off on this server: `[graphql] introspection = true` or `serve --dev` turns it on", op.Introspects)}
	}
	return d, op, nil
}

// prepare gives the plan of an operation and its statements with the request's values. Plans are kept for
// each shape of variables.
func (s *Service) prepare(p *picture, d *document, op *plan.Operation, r transport.Request) (plan.Bound, gqlerror.List) {
	variables, list := plan.Variables(p.schema.AST, op.OperationDefinition, r.Variables)
	if len(list) > 0 {
		return plan.Bound{}, list
	}
	paging := s.config.paging()
	var buffer [128]byte
	shape := op.Shape(buffer[:0], variables)
	planned := d.plan(op, shape)
	if planned == nil {
		compiled, problem := op.Compile(variables, paging)
		if problem != nil {
			return plan.Bound{}, gqlerror.List{problem}
		}
		planned = compiled
		s.note(watch.Repeats(planned, p.schema)...)
		if !op.Alone {
			p.documents.putPlan(d, planKey{op, string(shape)}, planned)
		}
	}
	bound, problem := planned.Bind(variables, paging.Rows)
	if problem != nil {
		return plan.Bound{}, gqlerror.List{problem}
	}
	return bound, nil
}

// Explain compiles a request and gives PostgreSQL's plan of each of its statements, in the order of its Calls, a line
// each; with analyze they are run for real times, and what they write is undone. found is what
// looks slow about each.
func (s *Service) Explain(ctx context.Context, r transport.Request, analyze bool) (bound plan.Bound, lines [][]string, found [][]watch.Finding, err error) {
	bound, a, err := s.statements(r)
	if err != nil {
		return bound, nil, nil, err
	}
	calls := bound.Calls
	if bound.Together != nil {
		calls = []plan.Call{*bound.Together}
	}
	if lines, err = s.executor.Explain(ctx, a.session, calls, bound.Writes, analyze); err != nil {
		return bound, nil, nil, err
	}
	found = make([][]watch.Finding, len(calls))
	for i, call := range calls {
		if bound.Writes {
			break
		}
		if found[i], err = s.judgeStatement(ctx, sample{call: call, session: a.session, catalog: a.schema.Catalog}); err != nil {
			return bound, nil, nil, err
		}
	}
	if len(calls) > 0 {
		found[0] = append(watch.Repeats(bound.Plan, a.schema), found[0]...)
	}
	return bound, lines, found, nil
}
