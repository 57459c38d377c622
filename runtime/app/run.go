package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Run serves until ctx ends, then drains. ready is called once, when requests can be answered, with
// the server's address; it may be nil.
//
// Order of the end: the listener first (after its delay, with requests at work finished), then the
// loops, then the database.
func (a *App) Run(ctx context.Context, ready func(url string)) error {
	health := httpapi.NewHealth(a.checks()...)
	server := httpapi.New(a.Config.Server, a.Config.Lifecycle, health, a.log, a.routes(), a.identify)
	if a.GraphQL != nil {
		server.OnLeave(a.GraphQL.Leave)
	}
	if err := server.Listen(ctx); err != nil {
		return err
	}
	a.log.Info("listening", slog.String("url", server.URL()))
	loops, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoops()
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	var running errgroup.Group
	running.Go(func() error {
		if err := a.migrate(loops); err != nil {
			stopServing()
			return err
		}
		var following errgroup.Group
		if a.GraphQL != nil {
			following.Go(func() error { return a.GraphQL.Run(loops) })
		}
		if a.background != nil {
			following.Go(func() error { return a.runBackground(loops, stopServing) })
		}
		return following.Wait()
	})
	running.Go(func() error {
		a.announce(loops, health, server, ready)
		return nil
	})
	err := server.Run(serving)
	stopLoops()
	return errors.Join(err, running.Wait())
}

// announce waits until every check passes and says what is served.
func (a *App) announce(ctx context.Context, health *httpapi.Health, server *httpapi.Server, ready func(url string)) {
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(health.Ready(ctx)) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	attributes := []any{slog.String("url", server.URL()), slog.Duration("after", time.Since(began))}
	if a.GraphQL != nil {
		c := a.GraphQL.Catalog()
		attributes = append(attributes, slog.String("database", c.Database), slog.Any("schemas", c.Schemas),
			slog.Int("tables", len(c.Tables)), slog.Int("functions", len(c.Functions)))
	}
	a.log.Info("ready", attributes...)
	if ready != nil {
		ready(server.URL())
	}
}
