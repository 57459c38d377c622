package app

import (
	"context"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/why"
)

// Why tells what a thing came from, and what came of it: see why.Ask.
func (a *App) Why(ctx context.Context, thing string, since time.Time) ([]*why.Node, error) {
	d := why.Deps{Events: &events.Store{Pool: a.Pool}}
	if a.Reaction != nil {
		d.Observers = a.Reaction.Observers
	}
	if a.Jobs != nil {
		d.Jobs = a.Jobs
	}
	return why.Ask(ctx, d, thing, since)
}
