package app

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/notifications/smtp"
	"github.com/fraiseql/fraiseql/runtime/observers"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// reaction is what follows changes of data. It is there when something is configured that hears of them.
type reaction struct {
	Events     *events.Store
	Observers  *observers.Service
	config     events.Config
	dispatcher *dispatch.Dispatcher
	mail       *smtp.Mailer // nil without [notifications.email]
	ready      atomic.Bool
	altered    chan struct{} // the database has another schema than before

	mu    sync.Mutex
	heard []events.Interest // as was last declared
}

// reacts tells whether anything hears of changes.
func (c *RuntimeConfig) reacts() bool {
	return c.Observers != nil && c.Observers.On() || c.Events != nil && c.Events.On() || c.subscribes()
}

// openReaction builds what hears of changes.
func (a *App) openReaction(o Options) error {
	if !a.Config.reacts() {
		return nil
	}
	r := &reaction{config: events.DefaultConfig(), altered: make(chan struct{}, 1)}
	if a.Config.Events != nil {
		r.config = *a.Config.Events
	}
	a.Reaction = r
	b := a.background
	r.Events = &events.Store{Pool: b.work}
	r.dispatcher = dispatch.New(dispatch.Options{Pool: b.leases, Work: b.work, Node: b.node, Log: o.Log, IdleMax: r.config.IdlePollMax, Drain: a.Config.Lifecycle.ShutdownTimeout})
	rules := observers.Config{} // with none, those that were there before are switched off
	if a.Config.Observers != nil && a.Config.Observers.On() {
		rules = *a.Config.Observers
	}
	deps := observers.Deps{
		Pool: b.work, Log: o.Log, Dir: o.Dir, Outbound: b.outbound, Relation: a.relation, Judge: a.mistaken, Listen: a.listen, Templates: a.Config.Templates,
		Know: func(consumers []string) { b.node.Know("observers", consumers) },
	}
	if channel := a.Config.email(); channel != nil {
		mailer, err := newMailer(channel, o.Dir)
		if err != nil {
			return err
		}
		r.mail, deps.Mailer = mailer, newPost(channel, mailer)
	}
	if a.Jobs != nil {
		deps.Jobs = a.Jobs
	}
	r.Observers = observers.New(rules, deps)
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

// close lets go of connections.
func (r *reaction) close() {
	if r.mail != nil {
		r.mail.Close()
	}
}

// installs tells whether this server may make triggers by itself: where the database is its own, and in development.
func (a *App) installs() bool { return a.Cluster != nil || a.dev && a.serves }

// listen says in the database what is heard, and has it delivered.
func (a *App) listen(ctx context.Context, names []string, all []events.Interest, consumers []dispatch.Consumer) error {
	columns, wrong, err := a.untold(ctx)
	switch {
	case err != nil:
		return err
	case len(wrong) > 0:
		return wrong[0].err
	}
	if names, all, err = a.subscribed(ctx, columns, names, all); err != nil {
		return err
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
	if r == nil {
		return nil
	}
	if err := untilAvailable(ctx, func() error { return a.hear(ctx) }); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end
		}
		return err
	}
	r.ready.Store(true)
	var beside sync.WaitGroup
	beside.Go(func() { r.Events.Keep(ctx, r.config, a.log) })
	beside.Go(func() { a.follow(ctx) })
	beside.Go(func() { _ = r.Observers.Run(ctx, r.config.Retention) })
	var err error
	if a.paused {
		<-ctx.Done()
	} else {
		err = r.dispatcher.Run(ctx)
	}
	beside.Wait()
	return err
}

// hear says what is heard, once the schema is known by whose names it is said.
func (a *App) hear(ctx context.Context) error {
	if a.GraphQL != nil && a.GraphQL.AnySchema() == nil {
		return fault.New(fault.Unavailable, "graphql/not-loaded", "the schema of the database has not been read yet")
	}
	if err := a.Reaction.Observers.Fits(ctx); err != nil {
		return unmigrated(err)
	}
	if err := a.Reaction.Observers.Reload(ctx); err != nil {
		return unmigrated(err)
	}
	return a.uncaptured(ctx)
}

// checkReaction tells whether changes are heard.
func (a *App) checkReaction(context.Context) error {
	if a.Reaction.ready.Load() {
		return nil
	}
	return fault.New(fault.Unavailable, "events/not-heard", "changes of data are not heard yet")
}
