package app

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// background is what features have in common that work beside requests. It is there when one of them is.
type background struct {
	leases   *pgxpool.Pool // for what must never wait: leases and the loop that delivers
	work     *pgxpool.Pool // for functions that run as actions and jobs, routes, and what is looked after now and then
	feed     *pgxpool.Pool // for what subscriptions are told; nil without
	node     *cluster.Node
	outbound *outbound.Client
}

// Connections of one server beside those of requests.
const (
	leaseConnections   = 3
	workConnections    = 4
	jobConnections     = 4 // more, when there are jobs
	mostJobConnections = 16
	feedConnections    = 3 // and where there are subscriptions
)

// behind tells whether anything works beside requests.
func (c *RuntimeConfig) behind() bool { return c.reacts() || c.worksJobs() }

// workConnections is how many functions run at once: those of jobs have places of their own.
func (c *RuntimeConfig) workConnections() int {
	if !c.worksJobs() {
		return workConnections
	}
	for _, h := range c.Jobs.Handlers {
		if h.On() && (h.Type == "function" || h.Type == "sql") {
			return workConnections + min(c.Jobs.Concurrency, mostJobConnections)
		}
	}
	return workConnections
}

// openBackground makes what they have in common.
func (a *App) openBackground(ctx context.Context, address string, o Options) error {
	if !a.Config.behind() {
		return nil
	}
	a.background = &background{}
	b := a.background
	var err error
	if b.leases, err = a.connect(ctx, address, leaseConnections); err != nil {
		return err
	}
	if b.work, err = a.connect(ctx, address, a.Config.workConnections()); err != nil {
		return err
	}
	if a.Config.subscribes() {
		if b.feed, err = a.connect(ctx, address, feedConnections); err != nil {
			return err
		}
	}
	host, _ := os.Hostname()
	b.node = cluster.New(cluster.Options{Pool: b.leases, Log: o.Log, Name: host, Version: o.Version})
	call := outbound.Config{}
	if a.Config.Outbound != nil {
		call = *a.Config.Outbound
	}
	b.outbound, err = outbound.New(call, outbound.Deps{Log: o.Log, Loopback: o.Dev})
	return err
}

// pools are those that are there, also when not all of it was built.
func (b *background) pools() []*pgxpool.Pool { return []*pgxpool.Pool{b.leases, b.work, b.feed} }

// close lets go of other connections than those of pools.
func (b *background) close() {
	if b.outbound != nil {
		b.outbound.Close()
	}
}

// runBackground runs what works beside requests until ctx ends. The first error ends the server: what is wrong does not mend
// itself. The node lives longer than those who work in its name.
func (a *App) runBackground(ctx context.Context, failed func()) error {
	err := untilAvailable(ctx, func() error {
		_, err := a.background.leases.Exec(ctx, "select from _system.node limit 0")
		return unmigrated(err)
	})
	if err == nil && !a.paused {
		err = a.original(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end
		}
		failed()
		return err
	}
	if a.paused {
		a.log.Warn("effects are paused: changes are captured, observers and jobs wait")
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beat, working sync.WaitGroup
	beat.Go(func() { _ = a.background.node.Run(beating) })
	var errs [2]error
	for i, run := range []func(context.Context) error{a.react, a.workJobs} {
		working.Go(func() {
			if errs[i] = run(ctx); errs[i] != nil {
				failed()
			}
		})
	}
	working.Wait()
	stop()
	beat.Wait()
	if errs[0] != nil {
		return errs[0]
	}
	return errs[1]
}

// untilAvailable does what may have to wait for the database, until it is done, cannot be done, or ctx ends.
func untilAvailable(ctx context.Context, work func() error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := work()
		if err == nil || fault.KindOf(err) != fault.Unavailable && !postgres.IsUnavailable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// unmigrated says what to do where our own tables are not there yet.
func unmigrated(err error) error {
	if _, told := fault.As(err); err == nil || told {
		return err
	}
	switch {
	case postgres.IsMissing(err):
		return fault.Wrap(fault.ActionNeeded, "migrations/pending", "the database lacks tables of this program", err).WithHint("fraiseql migrate up")
	}
	return postgres.Explain(err)
}
