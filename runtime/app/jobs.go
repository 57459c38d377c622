package app

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	jobspostgres "github.com/fraiseql/fraiseql/runtime/jobs/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// work is the durable queue, and what works it.
type work struct {
	*jobs.Service
	pool  *pgxpool.Pool // the queue's own
	ready atomic.Bool
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
	queue, err := jobspostgres.New(jobspostgres.Options{
		Pool: w.pool, Log: o.Log, Node: a.background.node, PollInterval: c.PollInterval, Retention: c.Retention,
		PollOnly: a.Config.Database.Pooler == "transaction",
	})
	if err != nil {
		return err
	}
	w.Service, err = jobs.New(c, jobs.Deps{
		Queue: queue, Pool: a.background.work, Steady: a.background.leases, Log: o.Log, Dir: o.Dir, Outbound: a.background.outbound, Handlers: o.Jobs,
		Know: func(names []string) { a.background.node.Know("jobs", names) }, Alive: a.background.node.Alive,
	})
	return err
}

// workJobs works jobs until ctx ends.
func (a *App) workJobs(ctx context.Context) error {
	if a.Jobs == nil {
		return nil
	}
	err := untilAvailable(ctx, func() error { return unmigrated(a.Jobs.Declare(ctx)) })
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

// checkJobs tells whether jobs are worked.
func (a *App) checkJobs(context.Context) error {
	if a.Jobs.ready.Load() {
		return nil
	}
	return fault.New(fault.Unavailable, "jobs/not-worked", "jobs are not worked yet")
}

// JobsFor gives the jobs for a command, which works none.
func (a *App) JobsFor() (*jobs.Service, error) {
	if a.Jobs == nil {
		return nil, fault.New(fault.NotFound, "jobs/none", "there are no jobs in the configuration").WithHint("add [jobs] and [jobs.handlers.KIND]")
	}
	return a.Jobs.Service, nil
}
