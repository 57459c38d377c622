package graphql

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Replica is a copy of the database that queries may read from.
type Replica struct {
	Name   string // where it is, for people
	Pool   *pgxpool.Pool
	Weight int           // its share of the queries; 0 is none
	MaxLag time.Duration // behind the primary; further behind it gets no queries. 0 is no bound
}

// replicas have the queries that they can answer as the primary would as far as the caller can tell. Each request has a
// place in the log from which on it must see everything:
//
//	what the caller has written through this server ─┐
//	what the request's version header says ──────────┼─ the furthest ─> a replica that has got there, else the primary
//	what the schema was made of ─────────────────────┘
//
// Where a replica is, is asked in the background. That only chooses one: a connection that has not told that it is that
// far is asked again before the statements of the request (execute.Request.After), as behind one address there may
// be several servers. What fails on a replica is asked of the primary.
//
// Places are compared within one history of the cluster: when the primary is another one than before, each connection is
// asked anew.
type replicas struct {
	primary *pgxpool.Pool
	log     *slog.Logger
	all     []*replica
	pins    *pins
	turn    atomic.Uint64
	hurry   chan struct{} // somebody was turned away
	unsure  time.Duration // after which what nobody knows the end of has ended

	timeline atomic.Uint32 // that the primary writes
	schema   atomic.Uint64 // from which place on a replica has what the schema is made of

	mu     sync.Mutex         // guards what follows
	stands *postgres.Standing // of the primary, when it was asked last
	asked  time.Time
	marks  []mark // up to where others could follow the primary, the oldest first
}

// replica is one of them.
type replica struct {
	Replica
	executor *execute.Executor
	position atomic.Uint64 // up to where it has replayed the log, at least; 0 while it gets no queries
	hurry    chan struct{} // somebody was turned away: ask soon where it is
	failure  string        // why it gets none; of its loop
	begun    bool          // there is a failure or a success to compare with; of its loop
}

func newReplicas(deps Deps, maxBytes int) *replicas {
	if len(deps.Replicas) == 0 {
		return nil
	}
	r := &replicas{primary: deps.Pool, log: deps.Log, pins: newPins(), hurry: make(chan struct{}, 1), unsure: deps.Timeout + 5*time.Second}
	if deps.Timeout == 0 {
		r.unsure = 35 * time.Second
	}
	for _, one := range deps.Replicas {
		r.all = append(r.all, &replica{
			Replica: one, hurry: make(chan struct{}, 1),
			executor: execute.New(execute.Options{Pool: one.Pool, Log: deps.Log, Connections: deps.Connections, Unnamed: deps.Unnamed, MaxBytes: maxBytes}),
		})
	}
	return r
}

func (r *replicas) close() {
	for _, one := range r.all {
		one.executor.Close()
	}
}

// run executes a request where that is right.
func (s *Service) run(ctx context.Context, a admitted, asked transport.Request, r execute.Request) execute.Result {
	switch {
	case s.replicas == nil, len(r.Calls) == 0:
		return s.executor.Execute(ctx, r)
	case r.Writes:
		result := s.executor.Execute(ctx, r)
		if result.Position > 0 {
			caller, _ := callerOf(asked.Principal, a.name)
			s.replicas.pins.put(caller, result.Position, time.Now())
			s.replicas.written(result.Timeline)
		}
		return result
	case r.OnPrimary.Load():
		return s.executor.Execute(ctx, r)
	}
	result, answered, never := s.replicas.run(ctx, s.replicas.sees(a.name, asked), r)
	if answered {
		return result
	}
	result = s.executor.Execute(ctx, r)
	if never && len(result.Errors) == 0 { // else it may be the values of this request that no server takes
		r.OnPrimary.Store(true)
	}
	return result
}

// written tells which timeline a mutation is on. A later one than was known is that of another primary.
func (r *replicas) written(timeline uint32) {
	for known := r.timeline.Load(); timeline > known; known = r.timeline.Load() {
		if r.timeline.CompareAndSwap(known, timeline) {
			signal(r.hurry)
		}
	}
}

// sees gives up to where the log must have been replayed for whoever asks. Who has no name, but says what it has seen, has
// said all that there is to know of it.
func (r *replicas) sees(role string, asked transport.Request) postgres.Position {
	if asked.Version.Timeline > r.timeline.Load() { // another server has met another primary already, or a client says so
		signal(r.hurry)
		return postgres.Nowhere
	}
	version := max(r.settled(asked.Version.At), postgres.Position(r.schema.Load()))
	caller, named := callerOf(asked.Principal, role)
	if !named && asked.Version.At > 0 {
		return max(r.pins.everybody(), version)
	}
	return max(r.pins.of(caller), version)
}

// run executes a query on a replica. When none has answered the primary is to; never says that none can.
func (r *replicas) run(ctx context.Context, after postgres.Position, request execute.Request) (result execute.Result, answered, never bool) {
	request.Replica, request.After, request.On = true, after, r.timeline.Load()
	for range r.all {
		one := r.choose(after)
		if one == nil {
			break
		}
		result := one.executor.Execute(ctx, request)
		if result.Elsewhere == nil {
			return result, true, false
		}
		if !execute.Lost(result.Elsewhere) {
			r.log.Debug("a replica could not answer, and the primary does", slog.String("replica", one.Name), slog.Any("error", result.Elsewhere))
			return execute.Result{}, false, execute.Never(result.Elsewhere)
		}
		one.position.Store(0) // until it answers its loop again
		signal(one.hurry)
	}
	return execute.Result{}, false, false
}

// choose gives a replica that has got to a place, in turn by their weights; nil for none.
func (r *replicas) choose(after postgres.Position) (chosen *replica) {
	total := 0
	for _, one := range r.all {
		if one.has(after) {
			total += one.Weight
		} else {
			signal(one.hurry)
		}
	}
	if total == 0 {
		signal(r.hurry)
		return nil
	}
	at := int(r.turn.Add(1) % uint64(total))
	for _, one := range r.all {
		if one.Weight == 0 || !one.has(after) {
			continue
		}
		if chosen = one; at < one.Weight {
			break
		}
		at -= one.Weight
	}
	return chosen
}

func (r *replica) has(after postgres.Position) bool {
	at := postgres.Position(r.position.Load())
	return at > 0 && at >= after
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is due already
	}
}
