package app

import (
	"context"
	"log/slog"
	"slices"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// subscriptions is the consumer of events that subscriptions are.
const subscriptions = "subscriptions"

// subscribes tells whether clients may subscribe to something.
func (c *RuntimeConfig) subscribes() bool {
	return (c.GraphQL.Enabled == nil || *c.GraphQL.Enabled) && len(c.GraphQL.Subscribed()) > 0
}

// feed is where subscriptions get what they tell of; nil where there are none.
func (a *App) feed() *graphql.Feed {
	if a.Reaction == nil || a.background.feed == nil {
		return nil
	}
	f := &graphql.Feed{Pool: a.background.feed, IdleMax: a.Reaction.config.IdlePollMax, Kept: a.Reaction.config.Retention}
	if a.Auth != nil {
		f.Verify, f.Nobody = a.Auth.Verify, a.Auth.Nobody()
	}
	if c := a.Config.Server.CORS; c != nil && c.On() {
		f.Origins, f.Cookies = c.Origins, c.Credentials
	}
	return f
}

// subscribed adds what subscriptions hear of to what is heard. A command that has none says so as well, so that their triggers
// go; a server without them leaves alone what another one needs.
func (a *App) subscribed(ctx context.Context, columns map[events.Relation]events.Columns, names []string, all []events.Interest) ([]string, []events.Interest, error) {
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
		relation := events.Relation{Schema: t.Schema, Table: t.Name}
		if named := a.Config.GraphQL.Subscribed(); !slices.Contains(named, relation.String()) && !slices.Contains(named, a.entity(relation)) {
			column, err := a.untoldKey(ctx, columns[relation], t)
			if err != nil {
				return nil, nil, err
			}
			if column != "" { // it is one of all
				a.log.Warn("changes of a table cannot be subscribed to: events leave out or hash a column of its key", slog.String("table", relation.String()), slog.String("column", column))
				continue
			}
		}
		all = append(all, events.Interest{
			Relation: relation, Consumer: subscriptions,
			Ops: events.SetOf(events.Insert, events.Update, events.Delete, events.Truncate),
		})
	}
	return append(names, subscriptions), all, nil
}

// untoldKey gives a column of a table's key that events leave out or hash; empty when they tell all of it.
func (a *App) untoldKey(ctx context.Context, c events.Columns, t *catalog.Table) (string, error) {
	var key []string
	for _, column := range t.PrimaryKey().Columns {
		key = append(key, column.Name)
	}
	omitted := c.Omit
	if omitted == nil {
		var err error
		if omitted, err = events.Secrets(ctx, a.background.work, key); err != nil {
			return "", postgres.Explain(err)
		}
	}
	for _, name := range key {
		if slices.Contains(omitted, name) || slices.Contains(c.Hash, name) {
			return name, nil
		}
	}
	return "", nil
}

// untoldKeys refuses tables that subscriptions hear of and whose keys events leave out: nobody could say which row has changed.
func (a *App) untoldKeys(ctx context.Context, columns map[events.Relation]events.Columns, all []events.Interest) error {
	if !a.Config.subscribes() {
		return nil
	}
	tables, err := a.Reaction.Events.Drift(ctx)
	if err != nil {
		return postgres.Explain(err)
	}
	for _, t := range tables {
		if !slices.ContainsFunc(all, func(i events.Interest) bool { return i.Consumer == subscriptions && i.Relation == t.Relation }) {
			continue
		}
		for _, column := range t.Key {
			if !slices.Contains(t.Told, column) || slices.Contains(columns[t.Relation].Hash, column) {
				return fault.New(fault.Invalid, "subscriptions/key-left-out", "events leave out or hash the column "+column+" of "+t.String()+", which is of its key: changes cannot be subscribed to").
					WithHint("[events.columns.%q] omit = [] tells it, or take the table out of [graphql.subscriptions]", t.String())
			}
		}
	}
	return nil
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
