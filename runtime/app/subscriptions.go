package app

import (
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/graphql"
)

// subscriptions is the consumer of events that subscriptions are.
const subscriptions = "subscriptions"

// subscribes tells whether clients may subscribe to something.
func (c *RuntimeConfig) subscribes() bool {
	return (c.GraphQL.Enabled == nil || *c.GraphQL.Enabled) && len(c.GraphQL.Subscribed()) > 0
}

// feed is where subscriptions get what they tell of; nil where there are none.
func (a *App) feed() *graphql.Feed {
	if a.Reaction == nil || a.Reaction.feed == nil {
		return nil
	}
	f := &graphql.Feed{Pool: a.Reaction.feed, IdleMax: a.Reaction.config.IdlePollMax, Kept: a.Reaction.config.Retention}
	if a.Auth != nil {
		f.Verify = a.Auth.Verify
	}
	if c := a.Config.Server.CORS; c != nil && c.On() {
		f.Origins = c.Origins
	}
	return f
}

// subscribed adds what subscriptions hear of to what is heard. A command that has none says so as well, so that their triggers
// go; a server without them leaves alone what another one needs.
func (a *App) subscribed(names []string, all []events.Interest) ([]string, []events.Interest, error) {
	if !a.Config.subscribes() {
		if !a.serves {
			names = append(names, subscriptions)
		}
		return names, all, nil
	}
	tables, strange := a.GraphQL.Interests()
	if len(strange) > 0 {
		return nil, nil, graphql.NoEntity(strange[0])
	}
	for _, t := range tables {
		all = append(all, events.Interest{
			Relation: events.Relation{Schema: t.Schema, Table: t.Name}, Consumer: subscriptions,
			Ops: events.SetOf(events.Insert, events.Update, events.Delete, events.Truncate),
		})
	}
	return append(names, subscriptions), all, nil
}

// checkSubscriptionsLive tells of entities that cannot be subscribed to.
func (a *App) checkSubscriptionsLive(r *config.Report) {
	if !a.Config.subscribes() {
		return
	}
	_, strange := a.GraphQL.Interests()
	for _, name := range strange {
		e := graphql.NoEntity(name)
		r.Error("entities", e.Code, e.Message, e.Hint)
	}
}
