package app

import (
	"context"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/status"
)

// Server is the section of this process.
type Server struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Node      string    `json:"node,omitempty"`  // as jobs and leases call it
	Nodes     int       `json:"nodes,omitempty"` // servers that share the work, this one included
	Paused    bool      `json:"paused_effects"`  // changes are captured, and nothing is done about them
	Clients   int       `json:"subscribers"`     // open connections of subscriptions
}

// Events is the section of what has changed and who is still to act on it.
type Events struct {
	Here     dispatch.Stats   `json:"here"` // of this server
	Backlogs []events.Backlog `json:"consumers"`
}

// sections are what the features that are on tell.
func (a *App) sections() []status.Section {
	all := []status.Section{{Name: "server", Read: func(context.Context) (any, error) {
		s := Server{Version: a.version, StartedAt: a.started, Paused: a.paused}
		if a.background != nil {
			s.Node, s.Nodes = a.background.node.ID(), a.background.node.Peers()
		}
		if a.GraphQL != nil {
			s.Clients = a.GraphQL.Subscribers()
		}
		return s, nil
	}}}
	if r := a.Reaction; r != nil {
		all = append(all, status.Section{Name: "events", Read: func(ctx context.Context) (any, error) {
			backlogs, err := r.Events.Backlogs(ctx)
			if err != nil {
				return nil, unmigrated(err)
			}
			return Events{Here: r.dispatcher.Stats(), Backlogs: backlogs}, nil
		}}, status.Section{Name: "observers", Read: func(ctx context.Context) (any, error) {
			all, err := r.Observers.States(ctx)
			if err != nil {
				return nil, unmigrated(err)
			}
			return all, nil
		}})
	}
	if a.Jobs != nil {
		all = append(all, status.Section{Name: "jobs", Read: func(ctx context.Context) (any, error) {
			s, err := a.Jobs.Section(ctx)
			if err != nil {
				return nil, unmigrated(err)
			}
			return s, nil
		}})
	}
	return all
}
