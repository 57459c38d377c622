package jobs

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// Deps is what a Service works with.
type Deps struct {
	Queue    Queue
	Pool     *pgxpool.Pool // for handlers in the database and routes
	Steady   *pgxpool.Pool // for schedules, which must not wait for handlers; nil is Pool
	Log      *slog.Logger
	Dir      string // of the project: programs run there, relative files begin there
	Outbound *outbound.Client
	Handlers map[string]Handler // that a program of one's own registers, by kind
	Node     string             // the id of this server among those on the database; empty where no jobs are worked

	// Know is told which kinds this server works and which schedules it has, for others to see.
	Know func(names []string)
	// Alive tells whether this server may still act: when it was not heard of for too long, others have taken over.
	Alive func() bool
}

// Service knows kinds of jobs and has them worked. It is safe for use by many goroutines.
type Service struct {
	config   Config
	deps     Deps
	store    store
	handlers map[string]*handler
	planned  []planned // the schedules

	working, done, failed atomic.Int64
}

// handler is what does the jobs of a kind.
type handler struct {
	do      Handler
	queue   string
	timeout time.Duration
	retry   retry.Policy
}

// New makes a service of a configuration that was checked. It refuses what its queue cannot do.
func New(c Config, d Deps) (*Service, error) {
	steady := d.Steady
	if steady == nil {
		steady = d.Pool
	}
	s := &Service{config: c, deps: d, store: store{steady}, handlers: map[string]*handler{}}
	policy := retry.Default()
	if c.Retry != nil {
		policy = *c.Retry
	}
	timeout := cmp.Or(c.Timeout, time.Minute)
	for kind, do := range d.Handlers {
		s.handlers[kind] = &handler{do: do, queue: DefaultQueue, timeout: timeout, retry: policy}
	}
	for kind, rule := range c.Handlers {
		if !rule.On() {
			continue
		}
		if s.handlers[kind] != nil {
			return nil, fault.New(fault.Invalid, "jobs/two-handlers", "jobs of kind "+kind+" have a handler in the program and one in the configuration").WithHint("remove [jobs.handlers.%s]", kind)
		}
		h := &handler{queue: cmp.Or(rule.Queue, DefaultQueue), timeout: timeout, retry: policy}
		if rule.Timeout != nil {
			h.timeout = *rule.Timeout
		}
		if rule.Retry != nil {
			h.retry = *rule.Retry
		}
		s.handlers[kind] = h
	}
	if err := s.schedules(); err != nil {
		return nil, err
	}
	return s, s.able()
}

// build makes the handlers of the configuration, with their secrets: whoever only enqueues needs none.
func (s *Service) build() error {
	for kind, rule := range s.config.Handlers {
		h := s.handlers[kind]
		if h == nil || h.do != nil {
			continue
		}
		maker := makers[rule.Type]
		if maker == nil {
			return fault.New(fault.NotSupported, "jobs/not-built", "this version has no handlers of type "+rule.Type+" yet")
		}
		var err error
		if h.do, err = maker(s, rule); err != nil {
			return err
		}
	}
	return nil
}

// callable refuses functions that are not there: a job would find out at each of its tries.
func (s *Service) callable(ctx context.Context) error {
	for _, kind := range s.Kinds() {
		rule := s.config.Handlers[kind]
		if rule.Type != "function" {
			continue
		}
		name := postgres.Qualified(rule.Function) + "(jsonb)"
		there, may, err := postgres.Callable(ctx, s.deps.Pool, rule.Function)
		if err != nil {
			return err
		}
		switch {
		case !there:
			hint, err := postgres.FunctionHint(ctx, s.deps.Pool, rule.Function, "jsonb")
			if err != nil {
				return err
			}
			return fault.New(fault.Invalid, "jobs/no-function", "jobs of kind "+kind+" call the function "+name+", which is not there").WithHint("%s", hint)
		case !may:
			return fault.New(fault.Invalid, "jobs/no-function", "jobs of kind "+kind+" call the function "+name+", which this login may not").WithHint("%s", postgres.GrantHint(rule.Function))
		}
	}
	return nil
}

// able refuses what the queue cannot do.
func (s *Service) able() error {
	caps := s.deps.Queue.Caps()
	for _, name := range slices.Sorted(maps.Keys(s.config.Queues)) {
		b := s.config.Queues[name]
		for what, lacks := range map[string]bool{
			"`global_concurrency`": b.Global > 0 && !caps.GlobalConcurrency, "`rate_limit`": b.RateLimit != "" && !caps.RateLimit,
		} {
			if lacks && b.On() {
				return fault.New(fault.Invalid, "jobs/not-able", "the queue "+name+" has "+what+", which jobs in "+s.config.Backend+" cannot keep").WithHint(`remove it, or keep jobs in PostgreSQL: backend = "postgres"`)
			}
		}
	}
	return nil
}

// bounds gives the queues of this server.
func (s *Service) bounds() map[string]Bounds {
	all := map[string]Bounds{DefaultQueue: {Concurrency: s.config.Concurrency}}
	for name, b := range s.config.Queues {
		if !b.On() {
			continue
		}
		one := Bounds{Concurrency: s.config.Concurrency, Global: b.Global, Rate: config.PerSecond(b.RateLimit)}
		if b.Concurrency != nil {
			one.Concurrency = *b.Concurrency
		}
		all[name] = one
	}
	return all
}

// Kinds gives the kinds that this server works, in order.
func (s *Service) Kinds() []string { return slices.Sorted(maps.Keys(s.handlers)) }

// Get gives a job.
func (s *Service) Get(ctx context.Context, id string) (Job, error) { return s.deps.Queue.Get(ctx, id) }

// List gives jobs, the newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Job, error) {
	if f.State != "" && !slices.Contains(States, f.State) {
		var names []string
		for _, state := range States {
			names = append(names, string(state))
		}
		return nil, bad("no-state", "there is no state `"+string(f.State)+"`").WithHint("one of: %s", strings.Join(names, ", "))
	}
	if f.Limit < 1 || f.Limit > 1000 {
		return nil, bad("bad-limit", "a list has 1 to 1000 jobs").WithHint("the next ones follow the last one's id")
	}
	return s.deps.Queue.List(ctx, f)
}

// Cancel ends a job; one that is running is told to stop, and is cancelled when it does.
func (s *Service) Cancel(ctx context.Context, id string) (Job, error) {
	before, err := s.deps.Queue.Get(ctx, id)
	if err != nil {
		return before, err
	}
	if before.State.Over() {
		return before, BadState(id, before.State, "only what is not over can be cancelled")
	}
	return s.deps.Queue.Cancel(ctx, id)
}

// Retry has a job begin now.
func (s *Service) Retry(ctx context.Context, id string) (Job, error) {
	return s.deps.Queue.Retry(ctx, id)
}

// RetryDead has all dead jobs of a kind begin anew, and tells how many; an empty kind is all. Those whose key another job has by
// now are left.
func (s *Service) RetryDead(ctx context.Context, kind string) (count, left int, err error) {
	for before := ""; ; {
		page, err := s.List(ctx, Filter{State: Dead, Kind: kind, Before: before, Limit: 500})
		if err != nil || len(page) == 0 {
			return count, left, err
		}
		for _, j := range page {
			_, err := s.Retry(ctx, j.ID)
			switch kind := fault.KindOf(err); {
			case err == nil:
				count++
			case kind == fault.Conflict:
				left++
			case kind != fault.NotFound: // it has been forgotten meanwhile
				return count, left, err
			}
		}
		before = page[len(page)-1].ID
	}
}

// Delete forgets a job that is not running.
func (s *Service) Delete(ctx context.Context, id string) (Job, error) {
	return s.deps.Queue.Delete(ctx, id)
}

// Queues gives how much there is to do.
func (s *Service) Queues(ctx context.Context) ([]QueueState, error) {
	return s.deps.Queue.Queues(ctx)
}

// Pause has no server begin jobs of a queue until it is resumed.
func (s *Service) Pause(ctx context.Context, queue string) error {
	return s.deps.Queue.Pause(ctx, queue)
}

// Resume ends that.
func (s *Service) Resume(ctx context.Context, queue string) error {
	return s.deps.Queue.Resume(ctx, queue)
}

// Run works jobs and schedules, which were declared, until ctx ends, and drains: what takes longer than drain then begins anew
// on another server.
func (s *Service) Run(ctx context.Context, drain time.Duration) error {
	scheduling, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.runSchedules(scheduling)
	}()
	err := s.deps.Queue.Work(ctx, Work{Kinds: s.Kinds(), Queues: s.bounds(), Do: s.do}, drain)
	stop()
	<-done
	return err
}

// Declare makes what Run needs, refuses a database whose jobs are kept elsewhere, and says in the database what holds for
// kinds, for whoever enqueues by SQL, and when schedules are next.
func (s *Service) Declare(ctx context.Context) error {
	if err := s.build(); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.callable(ctx); err != nil {
		return err
	}
	if s.deps.Know != nil {
		s.deps.Know(append(s.Kinds(), s.scheduled()...))
	}
	for kind, h := range s.handlers {
		if err := s.store.keepKind(ctx, kind, h.queue, h.retry.MaxAttempts); err != nil {
			return err
		}
	}
	return s.keepSchedules(ctx)
}
