package why

import (
	"context"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/observers"
)

// Node is a thing, with what came of it.
type Node struct {
	Kind     string     `json:"kind"` // request, schedule, transaction, event, action or job
	ID       string     `json:"id,omitempty"`
	What     string     `json:"what"`
	State    string     `json:"state,omitempty"`
	At       *time.Time `json:"at,omitempty"`
	Asked    bool       `json:"asked,omitempty"` // it is what was asked about
	Children []*Node    `json:"children,omitempty"`
}

func (n *Node) add(child *Node) *Node {
	n.Children = append(n.Children, child)
	return child
}

// Deps is where things are looked for. Observers and Jobs may be nil.
type Deps struct {
	Events    *events.Store
	Observers interface {
		LogsOf(ctx context.Context, event int64) ([]observers.Log, error)
	}
	Jobs interface {
		Get(ctx context.Context, id string) (jobs.Job, error)
		List(ctx context.Context, f jobs.Filter) ([]jobs.Job, error)
	}
}

// Bounds of what is looked at for one question.
const (
	most   = 500 // nodes
	newest = 5   // changes of a row
	around = time.Hour
)

// search is one question.
type search struct {
	deps  Deps
	since time.Time
	roots map[string]*Node
	order []*Node
	asked map[string]bool // kind and id
	seen  map[string]bool
	count int
}
