package app

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/observers"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// reaction is what follows changes of data. It is there when something is configured that hears of them.
type reaction struct {
	Events     *events.Store
	Observers  *observers.Service
	config     events.Config
	pool       *pgxpool.Pool // for what must never wait: leases and the loop that delivers
	work       *pgxpool.Pool // for functions that run as actions, routes, and what is looked after now and then
	feed       *pgxpool.Pool // for what subscriptions are told; nil without
	node       *cluster.Node
	dispatcher *dispatch.Dispatcher
	outbound   *outbound.Client
	ready      atomic.Bool
	altered    chan struct{} // the database has another schema than before

	mu    sync.Mutex
	heard []events.Interest // as was last declared
}

// Connections of one server for changes of data.
const (
	reactionConnections = 3
	workConnections     = 4
	feedConnections     = 3 // where there are subscriptions
)

// reacts tells whether anything hears of changes.
func (c *RuntimeConfig) reacts() bool {
	return c.Observers != nil && c.Observers.On() || c.Events != nil && c.Events.On() || c.subscribes()
}

// openReaction builds what hears of changes.
func (a *App) openReaction(ctx context.Context, address string, o Options) error {
	if !a.Config.reacts() {
		return nil
	}
	r := &reaction{config: events.DefaultConfig(), altered: make(chan struct{}, 1)}
	if a.Config.Events != nil {
		r.config = *a.Config.Events
	}
	var err error
	if r.pool, err = a.connect(ctx, address, reactionConnections); err != nil {
		return err
	}
	a.Reaction = r
	if r.work, err = a.connect(ctx, address, workConnections); err != nil {
		return err
	}
	if a.Config.subscribes() {
		if r.feed, err = a.connect(ctx, address, feedConnections); err != nil {
			return err
		}
	}
	r.Events = &events.Store{Pool: r.work}
	host, _ := os.Hostname()
	r.node = cluster.New(cluster.Options{Pool: r.pool, Log: o.Log, Name: host, Version: o.Version})
	r.dispatcher = dispatch.New(dispatch.Options{Pool: r.pool, Work: r.work, Node: r.node, Log: o.Log, IdleMax: r.config.IdlePollMax, Drain: a.Config.Lifecycle.ShutdownTimeout})
	rules := observers.Config{} // with none, those that were there before are switched off
	if a.Config.Observers != nil && a.Config.Observers.On() {
		rules = *a.Config.Observers
	}
	call := outbound.Config{}
	if a.Config.Outbound != nil {
		call = *a.Config.Outbound
	}
	if r.outbound, err = outbound.New(call, outbound.Deps{Log: o.Log, Loopback: o.Dev}); err != nil {
		return err
	}
	r.Observers = observers.New(rules, observers.Deps{
		Pool: r.work, Log: o.Log, Dir: o.Dir, Outbound: r.outbound, Know: r.node.Know, Relation: a.relation, Listen: a.listen,
	})
	return nil
}

// committed is what mutations tell that they are done: whoever hears of changes looks for them at once.
func (a *App) committed() {
	if a.Reaction != nil {
		a.Reaction.dispatcher.Wake()
	}
	if a.GraphQL != nil {
		a.GraphQL.Wake()
	}
}

// changed is told when tables are others than before: capturing functions are made anew.
func (a *App) changed() {
	if a.Reaction == nil {
		return
	}
	select {
	case a.Reaction.altered <- struct{}{}:
	default:
	}
}

// follow hears anew whenever the schema has changed, until ctx ends.
func (a *App) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.Reaction.altered:
		}
		err := untilAvailable(ctx, func() error {
			err := a.Reaction.Observers.Listen(ctx)
			if err == nil {
				err = a.uncaptured(ctx)
			}
			return err
		})
		if err != nil && ctx.Err() == nil {
			a.log.Error("the schema has changed, and not all that is heard of is captured", slog.Any("error", err))
		}
	}
}

// close lets go of connections, also when not all of it was built.
func (r *reaction) close() {
	r.pool.Close()
	for _, pool := range []*pgxpool.Pool{r.work, r.feed} {
		if pool != nil {
			pool.Close()
		}
	}
	if r.outbound != nil {
		r.outbound.Close()
	}
}

// installs tells whether this server may make triggers by itself: where the database is its own, and in development.
func (a *App) installs() bool { return a.Cluster != nil || a.dev && a.serves }

// listen says in the database what is heard, and has it delivered.
func (a *App) listen(ctx context.Context, names []string, all []events.Interest, consumers []dispatch.Consumer) error {
	names, all, err := a.subscribed(names, all)
	if err != nil {
		return err
	}
	columns, wrong, err := a.untold(ctx)
	switch {
	case err != nil:
		return err
	case len(wrong) > 0:
		return wrong[0].err
	}
	for i := range all {
		if all[i].Schema != "" {
			all[i].Entity = a.entity(all[i].Relation)
		}
	}
	if err := a.Reaction.Events.Declare(ctx, columns, names, all); err != nil {
		return postgres.Explain(err)
	}
	if err := a.untoldKeys(ctx, columns, all); err != nil {
		return err
	}
	a.Reaction.dispatcher.Register(consumers...)
	a.Reaction.mu.Lock()
	a.Reaction.heard = all
	a.Reaction.mu.Unlock()
	if a.installs() {
		return a.install(ctx)
	}
	return nil
}

// install makes and drops triggers as the owner of the tables.
func (a *App) install(ctx context.Context) error {
	all, err := a.Reaction.Events.Drift(ctx)
	if err != nil {
		return postgres.Explain(err)
	}
	a.Reaction.mu.Lock()
	heard := a.Reaction.heard
	a.Reaction.mu.Unlock()
	return a.Migrations.AsOwner(ctx, func(conn *pgx.Conn) error {
		if err := events.Filters(ctx, conn, heard); err != nil {
			return postgres.Explain(err)
		}
		done, err := events.Install(ctx, conn, all)
		for _, c := range done {
			a.log.Info("capture has changed", slog.String("table", c.String()), slog.Bool("captured", c.Wanted))
		}
		return err
	})
}

// Capture brings the triggers of tables to what the configuration hears of: for `migrate up`.
func (a *App) Capture(ctx context.Context) error {
	if a.Reaction == nil {
		return nil
	}
	if a.GraphQL != nil {
		if err := a.GraphQL.Load(ctx); err != nil {
			return err
		}
	}
	if err := a.Reaction.Observers.Reload(ctx); err != nil {
		return err
	}
	return a.install(ctx)
}

// ObserversFor gives the observers for a command, which listens to nothing.
func (a *App) ObserversFor(ctx context.Context) (*observers.Service, error) {
	if a.Reaction == nil {
		return nil, fault.New(fault.NotFound, "observers/none", "there are no observers in the configuration").WithHint("add [observers.NAME] with `event`, `entity` and [[observers.NAME.actions]]")
	}
	if a.GraphQL != nil {
		if err := a.GraphQL.Load(ctx); err != nil {
			return nil, err
		}
	}
	return a.Reaction.Observers, nil
}

// uncaptured tells which tables somebody hears of, and changes of which nobody would be told.
func (a *App) uncaptured(ctx context.Context) error {
	all, err := a.Reaction.Events.Drift(ctx)
	if err != nil {
		return postgres.Explain(err)
	}
	var missing []string
	for _, c := range all {
		switch {
		case c.Wanted && !c.There:
			return fault.New(fault.Invalid, "events/no-table", "there is no table "+c.String()+", of which an observer or a subscription hears").WithHint("create it, or correct `entity`")
		case c.Wanted && !c.Whole():
			missing = append(missing, c.String())
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.ActionNeeded, "events/not-captured", "changes of "+strings.Join(missing, ", ")+" are not captured: its triggers are missing or switched off").
			WithHint("fraiseql migrate up")
	}
	return nil
}

// react has changes of data heard until ctx ends. Its error ends the server: what is wrong does not mend itself.
func (a *App) react(ctx context.Context) error {
	r := a.Reaction
	if err := untilAvailable(ctx, func() error { return a.hear(ctx) }); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end
		}
		return err
	}
	r.ready.Store(true)
	beating, stopBeat := context.WithCancel(context.WithoutCancel(ctx))
	var beat, beside sync.WaitGroup
	beat.Go(func() { _ = r.node.Run(beating) })
	beside.Go(func() { r.Events.Keep(ctx, r.config, a.log) })
	beside.Go(func() { a.follow(ctx) })
	beside.Go(func() { _ = r.Observers.Run(ctx, r.config.Retention) })
	err := r.dispatcher.Run(ctx)
	stopBeat()
	beat.Wait()
	beside.Wait()
	return err
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

// hear says what is heard, once the schema is known by whose names it is said.
func (a *App) hear(ctx context.Context) error {
	if a.GraphQL != nil && a.GraphQL.AnySchema() == nil {
		return fault.New(fault.Unavailable, "graphql/not-loaded", "the schema of the database has not been read yet")
	}
	if err := a.Reaction.Observers.Reload(ctx); err != nil {
		if _, told := fault.As(err); told {
			return err
		}
		return unmigrated(err)
	}
	return a.uncaptured(ctx)
}

// unmigrated says what to do where our own tables are not there yet.
func unmigrated(err error) error {
	if postgres.IsMissing(err) {
		return fault.Wrap(fault.ActionNeeded, "migrations/pending", "the database lacks tables that observers need", err).WithHint("fraiseql migrate up")
	}
	return postgres.Explain(err)
}

// checkReaction tells whether changes are heard.
func (a *App) checkReaction(context.Context) error {
	if a.Reaction.ready.Load() {
		return nil
	}
	return fault.New(fault.Unavailable, "events/not-heard", "changes of data are not heard yet")
}
