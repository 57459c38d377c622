package graphql

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// Deps is what a Service works with.
type Deps struct {
	Pool      *pgxpool.Pool
	Log       *slog.Logger
	Schemas   []string      // of the database, in order of precedence
	Unnamed   bool          // a transaction pooler stands before PostgreSQL: prepare nothing by name
	Dev       bool          // introspection and the playground are on unless the configuration says no
	BodyLimit int64         // bytes of a request; 0 is 256 KiB
	Timeout   time.Duration // of the statements of one request; 0 is none
	Interval  time.Duration // between looks for a changed schema; 0 is 2 s, in development 1 s
}

// Service answers GraphQL requests. It is safe for use by many goroutines.
type Service struct {
	config   Config
	deps     Deps
	executor *execute.Executor
	picture  atomic.Pointer[picture]
	lost     chan struct{}         // a request met a database that is away: look at once
	failure  atomic.Pointer[error] // why the last look at the database failed; nil after a good one
}

// picture is the schema at one moment and the documents that were checked against it.
type picture struct {
	schema      *schema.Schema
	fingerprint string
	documents   *documents
}

// keptDocuments bounds the cache of parsed documents: about 10 KB each.
const keptDocuments = 2000

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
	return &Service{
		config: config, deps: deps, lost: make(chan struct{}, 1),
		executor: &execute.Executor{Pool: deps.Pool, Log: deps.Log, Unnamed: deps.Unnamed},
	}
}

// Schema gives the schema as it is now, or nil before the first Load.
func (s *Service) Schema() *schema.Schema {
	if p := s.picture.Load(); p != nil {
		return p.schema
	}
	return nil
}

// Load looks at the database and takes its schema. Requests on the way keep the one they began with.
func (s *Service) Load(ctx context.Context) error {
	fingerprint, err := catalog.Fingerprint(ctx, s.deps.Pool, s.deps.Schemas)
	if err != nil {
		return err
	}
	tables, err := catalog.Load(ctx, s.deps.Pool, s.deps.Schemas)
	if err != nil {
		return err
	}
	built, err := schema.Build(tables, s.config.schemaOptions())
	if err != nil {
		return err
	}
	s.picture.Store(&picture{schema: built, fingerprint: fingerprint, documents: newDocuments(keptDocuments)})
	return nil
}

// Check tells whether requests can be answered now.
func (s *Service) Check(context.Context) error {
	if s.picture.Load() == nil {
		return fault.New(fault.Unavailable, "graphql/not-loaded", "the schema of the database has not been read yet")
	}
	if failure := s.failure.Load(); failure != nil {
		return fault.Wrap(fault.Unavailable, "graphql/database-down", "the database cannot be reached", *failure)
	}
	return nil
}

// retry is the longest wait between two tries to reach a database that is away.
const retry = 500 * time.Millisecond

// Run keeps the schema current until ctx ends. A database that cannot be reached is tried again, at
// first soon, then twice a second; it is said once when it goes and once when it is back.
func (s *Service) Run(ctx context.Context) error {
	wait := 50 * time.Millisecond
	for {
		err := s.look(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end, whatever the last look met
		}
		s.note(err)
		lost := s.lost
		if err == nil {
			wait = s.deps.Interval
		} else {
			wait, lost = min(wait*2, retry), nil // that it is away is known already
		}
		select {
		case <-ctx.Done():
			return nil
		case <-lost:
		case <-time.After(wait):
		}
	}
}

// look reads the fingerprint and, when it differs, the schema.
func (s *Service) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	before := s.picture.Load()
	if before != nil {
		fingerprint, err := catalog.Fingerprint(ctx, s.deps.Pool, s.deps.Schemas)
		if err != nil || fingerprint == before.fingerprint {
			return err
		}
	}
	if err := s.Load(ctx); err != nil {
		return err
	}
	now := s.Schema()
	s.deps.Log.Info("schema read", slog.String("database", now.Catalog.Database), slog.Int("tables", len(now.Catalog.Tables)), slog.Bool("changed", before != nil))
	for _, w := range now.Warnings {
		s.deps.Log.Warn(w.Message, slog.String("code", w.Code), slog.String("subject", w.Subject), slog.String("hint", w.Hint))
	}
	return nil
}

// note remembers how the last look ended and logs the change.
func (s *Service) note(err error) {
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

// Execute runs a request and never panics on its content.
func (s *Service) Execute(ctx context.Context, r transport.Request) transport.Response {
	p := s.picture.Load()
	if p == nil {
		problem := plan.Problem(plan.InternalError, "the server has not reached its database yet; try again soon", nil)
		return transport.Response{Result: execute.Result{Errors: gqlerror.List{problem}, Unavailable: true}}
	}
	document, op, compiled, list := s.prepare(p, r)
	if list != nil {
		return transport.Response{Result: execute.Result{Errors: list}, MethodNotAllowed: document != nil && r.QueryOnly && op != nil && op.Operation != ast.Query}
	}
	if s.deps.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.deps.Timeout)
		defer cancel()
	}
	result := s.executor.Execute(ctx, document.Schema, compiled)
	if result.Unavailable {
		select {
		case s.lost <- struct{}{}:
		default: // a look is due already
		}
	}
	return transport.Response{Result: result}
}

// Statements compiles a request without running it: for `explain`.
func (s *Service) Statements(r transport.Request) (*plan.Plan, error) {
	p := s.picture.Load()
	if p == nil {
		return nil, errors.New("explain: the schema has not been read")
	}
	_, _, compiled, list := s.prepare(p, r)
	if list != nil {
		return nil, list
	}
	return compiled, nil
}

func (s *Service) prepare(p *picture, r transport.Request) (*plan.Document, *ast.OperationDefinition, *plan.Plan, gqlerror.List) {
	document := p.documents.get(r.Query)
	if document == nil {
		parsed, list := plan.Parse(p.schema, r.Query, s.config.planLimits(), s.config.introspection(s.deps.Dev))
		if list != nil {
			return nil, nil, nil, list
		}
		document = parsed
		p.documents.put(r.Query, document)
	}
	op, problem := document.Operation(r.OperationName)
	if problem != nil {
		return document, nil, nil, gqlerror.List{problem}
	}
	if r.QueryOnly && op.Operation != ast.Query {
		return document, op, nil, gqlerror.List{plan.Problem(plan.BadUserInput, "GET runs queries only: send a "+string(op.Operation)+" by POST", op.Position)}
	}
	if problem := s.hidden(op); problem != nil {
		return document, op, nil, gqlerror.List{problem}
	}
	variables, list := plan.Variables(p.schema.AST, op, r.Variables)
	if len(list) > 0 {
		return document, op, nil, list
	}
	compiled, problem := plan.Compile(document, op, variables, s.config.paging())
	if problem != nil {
		return document, op, nil, gqlerror.List{problem}
	}
	return document, op, compiled, nil
}

// hidden refuses introspection where it is off.
func (s *Service) hidden(op *ast.OperationDefinition) *gqlerror.Error {
	if s.config.introspection(s.deps.Dev) {
		return nil
	}
	return plan.Introspects(op)
}

// Explain gives PostgreSQL's plan of a statement, a line each; with analyze it is run for real times.
func (s *Service) Explain(ctx context.Context, statement *plan.Statement, analyze bool) ([]string, error) {
	return s.executor.Explain(ctx, statement, analyze)
}
