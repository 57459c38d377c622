package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// checkEvents tells whether all changes are captured of which somebody hears, and what of them is still to be done.
func (a *App) checkEvents(ctx context.Context, found *doctor.Findings) {
	all, err := a.Reaction.Events.Drift(ctx)
	switch {
	case postgres.IsMissing(err):
		found.Warn("what is captured is not known: our own tables are not there", "fraiseql migrate up")
		return
	case err != nil:
		found.Fault(postgres.Explain(err))
		return
	}
	if is, err := a.isCopy(ctx); err == nil && is {
		found.Warn("this database is a copy of another one, and nothing is done about its changes", "fraiseql adopt")
	}
	captured := 0
	for _, c := range all {
		if !c.Wanted {
			if len(c.Triggers) > 0 {
				found.Warn(c.String()+" is captured, and nobody hears of it", "fraiseql migrate up")
			}
			continue
		}
		captured++
		switch {
		case !c.There:
			found.Error("there is no table "+c.String()+", of which somebody hears", "create it, or correct the entity in [observers]")
			continue
		case !c.Whole():
			found.Error("changes of "+c.String()+" are not captured: triggers are missing or switched off", "fraiseql migrate up")
			continue
		}
		if c.Persistence == "u" {
			found.Warn(c.String()+" is UNLOGGED: a crash of PostgreSQL empties it, and no event tells of that", "alter table "+c.String()+" set logged")
		}
		if len(c.Key) == 0 {
			found.Warn(c.String()+" has no key: its changes are acted on one after the other, as if they were of one row", "alter table "+c.String()+" add primary key (…)")
		}
		var left []string
		for _, column := range c.Columns {
			if !slices.Contains(c.Told, column) {
				left = append(left, column)
			}
		}
		if len(left) > 0 {
			found.OK("events of " + c.String() + " leave out " + strings.Join(left, ", "))
		}
	}
	a.checkObservers(ctx, found)
	a.checkBacklog(ctx, found)
	a.checkHeldBack(ctx, found)
	found.OK(fmt.Sprintf("%d tables are captured", captured))
}

// checkObservers tells which observers do not fit the database, and which are off because a receiver wants no more.
func (a *App) checkObservers(ctx context.Context, found *doctor.Findings) {
	misfits, err := a.Reaction.Observers.Misfits(ctx)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(misfits)) {
		for _, m := range misfits[name] {
			found.Error(fmt.Sprintf("observer %s, %s: %s", name, m.Key, m.Fault.Message), m.Fault.Hint)
		}
	}
	all, err := a.Reaction.Observers.List(ctx)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	for _, o := range all {
		if o.Refused() {
			found.Warn(fmt.Sprintf("observer %s is off since %s: %s; it hears nothing of what is changed meanwhile", o.Name, o.UpdatedAt.UTC().Format(time.RFC3339), o.Reason), "fraiseql observers enable "+o.Name)
		}
	}
}

// checkHeldBack tells of a transaction that has been open for long, or that nobody would tell.
func (a *App) checkHeldBack(ctx context.Context, found *doctor.Findings) {
	held, err := a.Reaction.Events.HeldBack(ctx)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	if held != nil {
		found.Warn(fmt.Sprintf("session %d (%s, %s) has had a transaction open for %s: what it changes is heard when it commits, and nothing is cleaned up meanwhile",
			held.PID, held.User, held.State, held.Age.Round(time.Second)), "set idle_in_transaction_session_timeout, or end it: "+fmt.Sprintf("select pg_terminate_backend(%d);", held.PID))
	}
	sees, err := a.Reaction.Events.SeesAll(ctx)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	if !sees {
		found.Warn("this login sees no transactions of others: of one that has been open for long, and holds back what is to be cleaned up, nobody is told", "grant pg_read_all_stats to the login")
	}
}

// checkBacklog tells of deliveries that wait for long, and of dead letters.
func (a *App) checkBacklog(ctx context.Context, found *doctor.Findings) {
	backlogs, err := a.Reaction.Events.Backlogs(ctx)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	for _, b := range backlogs {
		name := strings.TrimPrefix(b.Consumer, "observer:")
		if b.Dead > 0 {
			found.Warn(fmt.Sprintf("%s has %d dead letters", name, b.Dead), "fraiseql observers dead "+name+"; then fraiseql observers retry --observer "+name)
		}
		if b.Oldest != nil && !b.Paused && time.Since(*b.Oldest) > time.Minute {
			found.Warn(fmt.Sprintf("%s has %d deliveries open, the oldest for %s", name, b.Open, time.Since(*b.Oldest).Round(time.Second)), "is a server running? fraiseql observers logs "+name+" --status pending")
		}
	}
}
