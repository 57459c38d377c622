package subscribe

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

const (
	// mostQueued is how many changes wait for a group at most: one that is further behind ends. Groups share them.
	mostQueued = 100_000
	// atOnce is how many changes a group is told of at once: their rows are in memory, also while a client is waited for.
	atOnce = 250
)

// Source is what the subscriptions of a group read, as one role.
type Source interface {
	Relation() events.Relation
	Key() []string // the columns of the table's primary key
	Ops() events.Ops

	// Whole tells whether every row of the table counts, as the schema has it.
	Whole() bool
	// All tells whether that is so as the database has it now: whether the role may read the keys of all rows.
	All(ctx context.Context) (bool, error)
	// Keys lists the keys of the rows that count.
	Keys(ctx context.Context) ([][]json.RawMessage, error)
	// Rows reads the rows that count of those with the keys, by the number of the key.
	Rows(ctx context.Context, keys []json.RawMessage) (map[int][]json.RawMessage, error)
	// Shows tells whether one of the columns is shown to the role.
	Shows(columns []string) bool
	// Payload writes what members are told.
	Payload(ctx context.Context, t Told) []byte
	// Altered tells whether the schema is another one than when the source was made.
	Altered() bool
	// Problem writes an error as a client may see it: a list of errors of GraphQL.
	Problem(err error) []byte
}

// Told is a change as a group is told of it.
type Told struct {
	*Change
	Key     json.RawMessage
	Changed []string
	Rows    []json.RawMessage // the row, for each time that it is selected; nil where it is gone
}

// member is a subscription in a group.
type member struct {
	of    *Operation
	out   *Outbox
	ended func()
	seen  events.Seen
	paced context.Context // of one that catches up: it waits for room; else nil
}

// group is subscriptions that read alike.
type group struct {
	name   string
	source Source
	reads  *semaphore.Weighted // the hub's
	from   events.Seen         // what it was told of before it was one of the hub's

	mu      sync.Mutex // guards what follows
	members []*member
	queued  []step
	waiting int  // changes that are queued
	busy    bool // a run is on the way

	// Of the run alone, or of whoever makes the group.
	known *known // nil where all are told of all
}

// step is what a run does at once.
type step struct {
	changes []*Change

	// Of one that has caught up by itself: it is told of the changes alone, and the group knows from then on what it does.
	joining *group
	as      *member // of the group
}

func (g *group) join(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = append(g.members, m)
}

// leave gives how many are left.
func (g *group) leave(m *member) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = slices.DeleteFunc(slices.Clone(g.members), func(other *member) bool { return other == m })
	return len(g.members)
}

func (g *group) all() []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members // never changed in place, but appended to
}

// queue adds what is to be done; the answer is whether somebody has to call run.
func (g *group) queue(next step) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting <= mostQueued { // else it ends, whatever else comes
		g.waiting += len(next.changes)
		if last := len(g.queued) - 1; last >= 0 && next.joining == nil && g.queued[last].joining == nil {
			g.queued[last].changes = append(g.queued[last].changes, next.changes...)
		} else {
			next.changes = slices.Clone(next.changes) // other groups have the same
			g.queued = append(g.queued, next)
		}
	}
	idle := !g.busy
	g.busy = true
	return idle
}

// next takes what is queued; when there is nothing the run is over. behind: it is more than a group may be behind.
func (g *group) next() (steps []step, behind bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	steps, behind = g.queued, g.waiting > mostQueued
	g.queued, g.waiting = nil, 0
	g.busy = len(steps) > 0
	return steps, behind
}

// fresh leaves out changes that the group was told of before it was one of the hub's.
func (g *group) fresh(changes []*Change) []*Change {
	had := func(c *Change) bool { return g.from.Has(c.XID, c.ID) }
	if slices.ContainsFunc(changes, had) {
		return slices.DeleteFunc(slices.Clone(changes), had)
	}
	return changes
}

// run tells a group of all that is queued. While the database is away it tries again.
func (h *Hub) run(ctx context.Context, g *group) {
	for {
		steps, behind := g.next()
		if len(steps) == 0 {
			return
		}
		err := error(errBehind)
		if !behind {
			err = g.do(ctx, &steps)
		}
		for wait := busy; err != nil && fault.KindOf(err) == fault.Unavailable && ctx.Err() == nil && !behind; wait = min(2*wait, time.Second) {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
			err = g.do(ctx, &steps)
		}
		switch {
		case ctx.Err() != nil: // the server ends, and so do all outboxes
			return
		case err != nil:
			h.fail(g, err)
			return
		}
	}
}

// do takes steps, and leaves those that are to be tried again.
func (g *group) do(ctx context.Context, steps *[]step) error {
	for len(*steps) > 0 {
		next := &(*steps)[0]
		if next.joining != nil && !slices.Contains(g.all(), next.as) { // it has left
			*steps = (*steps)[1:]
			continue
		}
		to := g
		if next.joining != nil {
			to = next.joining
		}
		for len(next.changes) > 0 {
			some := next.changes[:min(atOnce, len(next.changes))]
			if err := to.tell(ctx, some); err != nil {
				return err
			}
			next.changes = next.changes[len(some):]
		}
		if next.joining != nil && g.known != nil {
			for m := range next.joining.known.rows {
				g.known.learn(m)
			}
		}
		*steps = (*steps)[1:]
	}
	return nil
}

// errAltered ends a group whose schema is of yesterday.
var errAltered = errors.New("the schema has changed")

// errBehind ends a group that more is to be told of than it can read.
var errBehind = fault.New(fault.Unavailable, "subscriptions/behind", "more has changed than could be read: read the rows anew, and subscribe again")

// fail ends a group with all its members. It takes no others, and is told of nothing any more.
func (h *Hub) fail(g *group, err error) {
	h.feed.Lock()
	h.drop(g)
	members := g.all()
	h.feed.Unlock()
	problem := g.source.Problem(err)
	for _, m := range members {
		if errors.Is(err, errAltered) {
			m.out.End(Altered)
		} else {
			m.ended()
			m.out.Put(Item{Of: m.of, Kind: Failed, Payload: problem})
		}
	}
}

// tell tells members of changes, in their order.
func (g *group) tell(ctx context.Context, changes []*Change) error {
	switch {
	case len(changes) == 0:
		return nil
	case g.source.Altered():
		return errAltered
	}
	rows, all, err := g.read(ctx, changes)
	if err != nil {
		return err
	}
	last := lasts(changes)
	for i, c := range changes {
		g.judge(ctx, c, rows, all, last.after(i, c))
	}
	return nil
}

// read asks the database for what is told of changes, as one of some groups at a time.
func (g *group) read(ctx context.Context, changes []*Change) (rows map[mark][]json.RawMessage, all bool, err error) {
	if err := g.reads.Acquire(ctx, 1); err != nil {
		return nil, false, err
	}
	defer g.reads.Release(1)
	if rows, err = g.rows(ctx, changes); err != nil {
		return nil, false, err
	}
	all = g.known == nil
	if all && slices.ContainsFunc(changes, func(c *Change) bool { return c.Op == events.Delete || c.Op == events.Truncate || c.Was != nil }) {
		all, err = g.source.All(ctx)
	}
	return rows, all, err
}

// last is where rows are deleted: the last change of each that does it, and the last that does it to all.
type last struct {
	deleted   map[mark]int
	truncated int
}

func lasts(changes []*Change) last {
	l := last{deleted: map[mark]int{}, truncated: -1}
	for i, c := range changes {
		switch c.Op {
		case events.Delete:
			l.deleted[c.key] = i
		case events.Truncate:
			l.truncated = i
		case events.Insert, events.Update, events.Custom:
		}
	}
	return l
}

// after tells whether the row of a change is deleted by a later one.
func (l last) after(i int, c *Change) bool {
	at, deleted := l.deleted[c.key]
	return deleted && at > i || l.truncated > i
}

// rows reads the rows that were changed and are there.
func (g *group) rows(ctx context.Context, changes []*Change) (map[mark][]json.RawMessage, error) {
	var keys []json.RawMessage
	var marks []mark
	asked := map[mark]bool{}
	for _, c := range changes {
		if c.Key != nil && c.Op != events.Delete && !asked[c.key] {
			asked[c.key] = true
			keys, marks = append(keys, c.Key), append(marks, c.key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	read, err := g.source.Rows(ctx, keys)
	if err != nil {
		return nil, err
	}
	rows := make(map[mark][]json.RawMessage, len(read))
	for i, m := range marks {
		if row, there := read[i]; there {
			rows[m] = row
		}
	}
	return rows, nil
}

// judge tells members of one change, as far as they may know of it. all: everybody knows of every row. going: a later change
// deletes it.
func (g *group) judge(ctx context.Context, c *Change, rows map[mark][]json.RawMessage, all, going bool) {
	if c.Op == events.Truncate {
		if all || g.known != nil && len(g.known.rows) > 0 {
			g.send(ctx, Told{Change: c})
		}
		if g.known != nil {
			g.known.clear()
		}
		return
	}
	if c.Was != nil && g.forget(c.was, all) {
		first := *c
		first.Token = "" // who is cut off here is to hear of both again
		g.send(ctx, Told{Change: &first, Key: c.Was})
	}
	row, there := rows[c.key]
	switch {
	case c.Op != events.Delete && !there && (going || !g.source.Ops().Has(c.Op)):
		// It is told with another change, if with any: what is known of the row stays known until then.
	case c.Op == events.Delete || !there:
		// Where all are known, what an INSERT or UPDATE does not find was deleted since: that is told by its own event.
		if g.forget(c.key, all && c.Op == events.Delete) {
			g.send(ctx, Told{Change: c, Key: c.Key})
		}
	case g.learn(c.key) && c.Changed != nil && !g.source.Shows(c.Changed):
		// It knows the row, and what has changed of it is not for its eyes.
	default:
		g.send(ctx, Told{Change: c, Key: c.Key, Changed: c.Changed, Rows: row})
	}
}

// learn notes that members know of a row, and tells whether they did.
func (g *group) learn(m mark) bool { return g.known == nil || g.known.learn(m) }

// forget notes that a row is gone for members, and tells whether they knew of it.
func (g *group) forget(m mark, all bool) bool {
	return g.known != nil && g.known.forget(m) || all
}

// send gives members a change; those that have had it are left out.
func (g *group) send(ctx context.Context, t Told) {
	if !g.source.Ops().Has(t.Op) {
		return
	}
	i := Item{Kind: Next, Token: t.Token}
	for _, m := range g.all() {
		if m.seen.Has(t.XID, t.ID) {
			continue
		}
		if i.Payload == nil {
			i.Payload = g.source.Payload(ctx, t)
		}
		i.Of = m.of
		if m.paced != nil {
			m.out.PutWhenRoom(m.paced, i)
		} else {
			m.out.PutPatiently(i)
		}
	}
}
