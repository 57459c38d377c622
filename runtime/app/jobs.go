package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	jobspostgres "github.com/fraiseql/fraiseql/runtime/jobs/postgres"
	jobsredis "github.com/fraiseql/fraiseql/runtime/jobs/redis"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// work is the durable queue, and what works it.
type work struct {
	*jobs.Service
	pool  *pgxpool.Pool    // the queue's own
	redis *jobsredis.Queue // nil where jobs are in PostgreSQL
	ready atomic.Bool
	waits atomic.Pointer[error] // what for, before it is ready
}

// worksJobs tells whether there are jobs.
func (c *RuntimeConfig) worksJobs() bool { return c.Jobs != nil && c.Jobs.On() }

// openJobs builds the queue and what is known of kinds.
func (a *App) openJobs(ctx context.Context, address string, o Options) error {
	if !a.Config.worksJobs() {
		return nil
	}
	c := *a.Config.Jobs
	w := &work{}
	options := a.poolOptions(jobConnections)
	options.Listens = true
	var err error
	if w.pool, err = postgres.Connect(ctx, address, options); err != nil {
		return err
	}
	a.Jobs = w
	queue, err := w.open(a, o)
	if err != nil {
		return err
	}
	w.Service, err = jobs.New(c, jobs.Deps{
		Queue: queue, Pool: a.background.work, Steady: a.background.leases, Log: o.Log, Dir: o.Dir, Outbound: a.background.outbound, Handlers: o.Jobs,
		Know: func(names []string) { a.background.node.Know("jobs", names) }, Alive: a.background.node.Alive, Node: a.background.node.ID(),
	})
	return err
}

// open makes the queue that the configuration names.
func (w *work) open(a *App, o Options) (jobs.Queue, error) {
	c := a.Config.Jobs
	if c.Backend != "redis" {
		return jobspostgres.New(jobspostgres.Options{
			Pool: w.pool, Log: o.Log, Node: a.background.node, PollInterval: c.PollInterval, Retention: c.Retention,
			PollOnly: a.Config.Database.Pooler == "transaction",
		})
	}
	address, err := c.RedisURL.Resolve(os.LookupEnv, o.Dir)
	if err != nil {
		return nil, err
	}
	w.redis, err = jobsredis.New(jobsredis.Options{
		Address: address, Pool: w.pool, Log: o.Log, Node: a.background.node, PollInterval: c.PollInterval, Retention: c.Retention,
	})
	return w.redis, err
}

// close lets go of Redis; the pool is closed with the others.
func (w *work) close() {
	if w.redis != nil {
		w.redis.Close()
	}
}

// workJobs works jobs until ctx ends.
func (a *App) workJobs(ctx context.Context) error {
	if a.Jobs == nil {
		return nil
	}
	said := false
	err := untilAvailable(ctx, func() error {
		err := unmigrated(a.Jobs.Declare(ctx))
		a.Jobs.waits.Store(&err)
		if code := fault.CodeOf(err); !said && (code == jobsredis.Away || code == jobsredis.Refuses) {
			said = true
			a.log.Warn("jobs wait for Redis", slog.String("address", a.Jobs.redis.Address()), slog.Any("error", err))
		}
		return err
	})
	if said && err == nil {
		a.log.Info("Redis is there, and jobs wait for it no more", slog.String("address", a.Jobs.redis.Address()))
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end
		}
		return err
	}
	a.Jobs.ready.Store(true)
	if a.paused {
		<-ctx.Done()
		return nil
	}
	return unmigrated(a.Jobs.Run(ctx, a.Config.Lifecycle.ShutdownTimeout))
}

// checkJobs tells whether jobs are worked, and what they wait for when the server starts. A queue that goes away later takes
// nothing from requests that need none.
func (a *App) checkJobs(context.Context) error {
	if a.Jobs.ready.Load() {
		return nil
	}
	if why := a.Jobs.waits.Load(); why != nil && *why != nil {
		return *why
	}
	return fault.New(fault.Unavailable, "jobs/not-worked", "jobs are not worked yet")
}

// doctorJobs tells whether jobs are safe where they are, what failed for good, and what waits for nobody.
func (a *App) doctorJobs(ctx context.Context, found *doctor.Findings) {
	queues, err := a.Jobs.Queues(ctx)
	var orphans []jobs.Orphan
	if err == nil {
		orphans, err = a.Jobs.Orphans(ctx)
	}
	switch {
	case postgres.IsMissing(err):
		found.Warn("what jobs there are is not known: our own tables are not there", "fraiseql migrate up")
		return
	case err != nil:
		told, is := fault.As(err)
		if !is {
			told = postgres.Explain(err)
		}
		found.Fault(told)
		return
	}
	waiting := int64(0)
	for _, q := range queues {
		waiting += q.Available + q.Scheduled + q.Retryable
		if q.Dead > 0 {
			found.Warn(fmt.Sprintf("%d jobs of the queue %s failed for the last time", q.Dead, q.Name), "fraiseql jobs dead --queue "+q.Name)
		}
		if q.Paused && q.Available > 0 {
			found.Warn(fmt.Sprintf("the queue %s is paused, and %d jobs wait in it", q.Name, q.Available), "fraiseql jobs resume "+q.Name)
		}
	}
	for _, o := range orphans {
		if o.NoKind {
			found.Warn(fmt.Sprintf("%d jobs of kind %s wait, which nobody works", o.Count, o.Kind), "add [jobs.handlers."+o.Kind+"], or name it in [jobs] external_kinds")
		} else {
			found.Warn(fmt.Sprintf("%d jobs of kind %s wait in the queue %s, which nobody works", o.Count, o.Kind, o.Queue), "add [jobs.queues."+o.Queue+"]")
		}
	}
	if a.Jobs.redis != nil {
		warnings, err := a.Jobs.redis.Durability(ctx)
		if err != nil {
			found.Fault(err)
			return
		}
		for _, w := range warnings {
			found.Warn(w[0], w[1])
		}
	}
	found.OK(fmt.Sprintf("%d wait", waiting))
}

// JobsFor gives the jobs for a command, which works none.
func (a *App) JobsFor() (*jobs.Service, error) {
	if a.Jobs == nil {
		return nil, fault.New(fault.NotFound, "jobs/none", "there are no jobs in the configuration").WithHint("add [jobs] and [jobs.handlers.KIND], or go to the folder of the project's fraiseql.toml")
	}
	return a.Jobs.Service, nil
}
