package subscribe

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

const (
	// busy is the wait between two looks while something happens.
	busy = 20 * time.Millisecond
	// page is how many events are read at once.
	page = 500
	// atWork is how many groups read rows at the same time.
	atWork = 32
	// atLate is how many who catch up look at the same time. The feed has a connection more than that, so that it waits for none.
	atLate = 2
	// patience is how long a statement of the feed may take.
	patience = 10 * time.Second
)

// Options are what a Hub works with.
type Options struct {
	Pool    *pgxpool.Pool // for the feed: three connections
	Log     *slog.Logger
	IdleMax time.Duration // longest wait between two looks; 0 is 200 ms
	Kept    time.Duration // how long events are kept; 0 is 7 days
	Known   int           // rows that a group knows of at most
	All     int64         // rows that all groups know of at most; 0 is 2,000,000
}

// Hub reads the feed, while somebody subscribes, and tells groups of it.
//
//	asleep ── the first subscription ──> reading ── the last one has gone ──> asleep
type Hub struct {
	options Options
	wake    chan struct{}
	reads   *semaphore.Weighted    // of groups
	running sync.WaitGroup         // runs of groups
	told    atomic.Bool            // Run runs
	late    *semaphore.Weighted    // looks of those who catch up
	key     atomic.Pointer[[]byte] // of tokens; nil before the first has begun
	memory  memory                 // of what groups know

	feed   sync.Mutex // guards what follows: who holds it knows where the feed is
	at     events.Position
	awake  bool
	ended  bool
	groups map[string]*group
	tables map[events.Relation]*table
	stop   context.Context // ends the runs of groups; nil before Run
}

// table is one that somebody subscribes to.
type table struct {
	key    []string
	groups map[*group]bool
}

// New makes a hub. Nothing is told before Run.
func New(o Options) *Hub {
	if o.IdleMax == 0 {
		o.IdleMax = 200 * time.Millisecond
	}
	if o.Kept == 0 {
		o.Kept = events.DefaultConfig().Retention
	}
	if o.All == 0 {
		o.All = 2_000_000
	}
	return &Hub{
		options: o, memory: memory{most: o.All}, wake: make(chan struct{}, 1), reads: semaphore.NewWeighted(atWork), late: semaphore.NewWeighted(atLate),
		groups: map[string]*group{}, tables: map[events.Relation]*table{},
	}
}

// Wake says that something was committed here, or that somebody subscribes: it is looked at once.
func (h *Hub) Wake() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run tells of changes until ctx ends, and waits for the groups that are at work.
func (h *Hub) Run(ctx context.Context) {
	h.feed.Lock()
	h.stop = ctx
	h.feed.Unlock()
	h.told.Store(true)
	defer h.running.Wait()
	defer h.end()
	wait, failing := busy, false
	for {
		reading, moved, err := h.tick(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			h.options.Log.Warn("the feed of subscriptions cannot be read; trying again", slog.Any("error", err))
		case err == nil && failing:
			h.options.Log.Info("the feed of subscriptions is back")
		}
		failing = err != nil
		wait = min(2*wait, h.options.IdleMax)
		if moved {
			wait = busy
		}
		var later <-chan time.Time
		if reading {
			later = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		case <-later:
		}
	}
}

// Running tells whether subscriptions are told of changes.
func (h *Hub) Running() bool { return h.told.Load() }

// end lets nobody subscribe any more.
func (h *Hub) end() {
	h.feed.Lock()
	defer h.feed.Unlock()
	h.ended = true
	h.told.Store(false)
}

// tick reads what is new, if somebody wants to know.
func (h *Hub) tick(ctx context.Context) (reading, moved bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h.feed.Lock()
	defer h.feed.Unlock()
	if h.awake = len(h.groups) > 0; !h.awake {
		return false, false, nil
	}
	moved, err = h.advance(ctx)
	return true, moved, err
}

// advance tells groups of all that is visible now. The feed is locked.
func (h *Hub) advance(ctx context.Context) (moved bool, err error) {
	r := &events.Reader{Pool: h.options.Pool, At: h.at}
	for {
		all, err := r.Next(ctx, page)
		if err != nil {
			return moved, err
		}
		h.at = r.At
		moved = moved || len(all) > 0
		h.spread(h.changes(r, all))
		if r.At.Whole() {
			return moved, nil
		}
	}
}

// changes turns events into what groups are told, by table. The feed is locked.
func (h *Hub) changes(r *events.Reader, all []*events.Event) map[*table][]*Change {
	now, by := time.Now(), map[*table][]*Change{}
	for _, e := range all {
		t := h.tables[events.Relation{Schema: e.Schema, Table: e.Table}]
		if t == nil {
			continue
		}
		if c := change(e, t.key, h.tokenOf(now, r.Behind(e))); c != nil {
			by[t] = append(by[t], c)
		}
	}
	return by
}

// spread hands changes to groups. The feed is locked.
func (h *Hub) spread(by map[*table][]*Change) {
	for t, changes := range by {
		for g := range t.groups {
			if fresh := g.fresh(changes); len(fresh) > 0 {
				h.queue(g, step{changes: fresh})
			}
		}
	}
}

// queue hands a step to a group. The feed is locked.
func (h *Hub) queue(g *group, s step) {
	if g.queue(s) {
		h.running.Go(func() { h.run(h.stop, g) })
	}
}

// remove takes a subscription out, and its group when it was the last.
func (h *Hub) remove(g *group, m *member) {
	h.feed.Lock()
	defer h.feed.Unlock()
	if g.leave(m) == 0 {
		h.drop(g)
	}
}

// drop forgets a group. The feed is locked.
func (h *Hub) drop(g *group) {
	if h.groups[g.name] != g {
		return
	}
	delete(h.groups, g.name)
	if g.known != nil {
		g.known.release()
	}
	relation := g.source.Relation()
	t := h.tables[relation]
	delete(t.groups, g)
	if len(t.groups) == 0 {
		delete(h.tables, relation)
	}
}

// leaving is the error for those who come too late.
func leaving() error {
	return fault.New(fault.Unavailable, "subscriptions/leaving", "the server is about to end: subscribe again, elsewhere")
}
