package cluster

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// Term is how long a slot is held without a renewal, unless Options say otherwise. A sixth of it before its end its holder
	// stops, for what is on its way then; each twelfth of it a node says that it lives.
	Term = 12 * time.Second
	// sweep is how often nodes that have long been dead are removed.
	sweep = 10 * time.Minute
)

// Options say who a node is.
type Options struct {
	Pool    *pgxpool.Pool
	Log     *slog.Logger
	Name    string // for people, such as the host's
	Version string
	URL     string        // where it can be asked; may be empty
	Term    time.Duration // 0 is Term; the same for all nodes
}

// Node is this server among those on the same database. It is safe for use by many goroutines.
type Node struct {
	options Options
	id      string
	beating sync.Mutex // one at a time: each judges what the one before has left

	mu     sync.Mutex
	shares []*Share
	knows  map[string][]string
	ahead  time.Duration // of this machine's clock is the database's
	alive  time.Time     // this node may act until then, as of the last beat
	others int           // nodes beside this one
	away   bool          // that beats fail has been said
}

// New makes a node that nobody knows of yet: see Run.
func New(o Options) *Node {
	if o.Term == 0 {
		o.Term = Term
	}
	return &Node{options: o, id: newID(), knows: map[string][]string{}}
}

// until is how long what was asked for at a time may be acted on.
func (n *Node) until(asked time.Time) time.Time { return asked.Add(n.options.Term - n.options.Term/6) }

// ID is the node's own, new with each start of a server.
func (n *Node) ID() string { return n.id }

// Know says with the next beat which work of a kind, by names, this node can do: others may run with another configuration.
func (n *Node) Know(kind string, names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.knows[kind] = names
}

// Alive tells whether the database has heard of this node lately: if not, others take over what it does, and it has to stop.
func (n *Node) Alive() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Now().Before(n.alive)
}

// Run says that the node lives until ctx ends; then it gives back all that it holds and leaves. Whoever holds slots has
// to have finished before.
func (n *Node) Run(ctx context.Context) error {
	tick := time.NewTicker(n.options.Term / 12)
	defer tick.Stop()
	swept := time.Now()
	for {
		n.Beat(ctx)
		if time.Since(swept) > sweep {
			swept = time.Now()
			if _, err := n.options.Pool.Exec(ctx, forgetSQL); err != nil && ctx.Err() == nil {
				n.options.Log.Debug("nodes that are gone were not removed", slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			n.part(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
		}
	}
}

// part takes the node off, so that others need not wait until its slots expire.
func (n *Node) part(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := n.options.Pool.Exec(ctx, partSQL, n.id); err != nil {
		n.options.Log.Warn("other servers take over what this one did when its leases expire", slog.Any("error", err), slog.Duration("in", n.options.Term))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.shares {
		s.lose()
	}
}

// Beat is one pulse: it renews what is held, and takes or gives slots. It is exported for tests, and for whoever has just
// registered a share and would like it before the next second.
func (n *Node) Beat(ctx context.Context) {
	n.beating.Lock()
	defer n.beating.Unlock()
	asked := time.Now()
	ctx, cancel := context.WithTimeout(ctx, n.options.Term/2)
	defer cancel()
	n.mu.Lock()
	shares := append([]*Share(nil), n.shares...)
	knows := []string{}
	for _, names := range n.knows {
		knows = append(knows, names...)
	}
	n.mu.Unlock()
	leases, slots := []string{}, []int{}
	for _, s := range shares {
		for _, number := range s.numbers() {
			leases, slots = append(leases, s.name), append(slots, number)
		}
	}
	others, there, kept, err := n.beat(ctx, leases, slots, knows)
	answered := time.Now()
	n.tell(ctx, err)
	if err != nil {
		return
	}
	n.mu.Lock()
	n.others, n.alive = others, n.until(asked)
	if n.ahead = there.Sub(asked.Add(answered.Sub(asked) / 2)); n.ahead.Abs() < answered.Sub(asked) {
		n.ahead = 0 // not more than can be told
	}
	n.mu.Unlock()
	for _, s := range shares {
		s.renewed(kept, n.until(asked))
		if err := s.balance(ctx, others+1); err != nil && ctx.Err() == nil {
			n.options.Log.Debug("slots were not divided anew", slog.String("lease", s.name), slog.Any("error", err))
		}
	}
}

// tell logs once that beats fail, and once that they are back.
func (n *Node) tell(ctx context.Context, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err != nil && !n.away && ctx.Err() == nil:
		n.away = true
		n.options.Log.Warn("the database does not hear that this server lives; it lets go of its work soon", slog.Any("error", err), slog.Duration("in", n.options.Term-n.options.Term/6))
	case err == nil && n.away:
		n.away = false
		n.options.Log.Info("the database hears this server again")
	}
}

// Ahead tells how far the database's clock is before this machine's, as of the last beat: times that are kept in the database
// are by its clock.
func (n *Node) Ahead() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ahead
}

// Peers tells how many nodes there are, this one included, as of the last beat.
func (n *Node) Peers() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.others + 1
}
