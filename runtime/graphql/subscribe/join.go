package subscribe

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Request is a subscription to be.
type Request struct {
	Group  string // those of one name have the same source
	Source Source
	Out    *Outbox
	Of     *Operation
	Token  string // where to resume; empty is now
	Ended  func() // is called when it has failed, before that is told
}

// Subscribe begins to tell of changes, until leave is called. What there was since the token is told first, at the pace at
// which the client takes it, before Subscribe returns. begun is a token for where it begins.
func (h *Hub) Subscribe(ctx context.Context, r Request, begun func(token string)) (leave func(), err error) {
	m := &member{of: r.Of, out: r.Out, ended: r.Ended}
	if r.Token == "" {
		if g, at := h.joined(r.Group, m); g != nil {
			begun(at)
			return h.leaver(g, m), nil
		}
	}
	var at events.Position
	err = h.look(ctx, func(ctx context.Context) (err error) {
		if err = h.captured(ctx, r.Source); err == nil {
			at, err = h.begin(ctx, r.Token)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	m.seen, m.paced = at.Seen(), ctx
	g := &group{name: r.Group, source: r.Source, reads: h.reads, members: []*member{m}}
	defer func() {
		if leave == nil && g.known != nil {
			g.known.release()
		}
	}()
	if !r.Source.Whole() {
		keys, err := h.keys(ctx, r.Source)
		if err != nil {
			return nil, err
		}
		g.known = h.remember(len(keys))
		for _, key := range keys {
			g.learn(markOf(key))
		}
	}
	begun(h.tokenOf(time.Now(), at)) // what the client sees of rows from here on, the group knows, or will be told
	reader := &events.Reader{Pool: h.options.Pool, At: at}
	for range mostRounds {
		if err := h.catchUp(ctx, reader, g); err != nil {
			return nil, err
		}
		leave, missed, err := h.enter(ctx, reader, g, m)
		if leave != nil || err != nil {
			return leave, err
		}
		if err := g.tell(ctx, missed); err != nil {
			return nil, err
		}
	}
	return nil, errBehind
}

const (
	// mostRounds is how often one tries to catch up with the feed.
	mostRounds = 100
	// mostPages is how many pages one may lag behind the feed and enter it: reading them holds up everybody.
	mostPages = 4
)

// joined adds a member to a group that is there.
func (h *Hub) joined(name string, m *member) (_ *group, token string) {
	h.feed.Lock()
	defer h.feed.Unlock()
	g := h.groups[name]
	if g == nil || h.ended || !h.at.Whole() {
		return nil, ""
	}
	m.seen = h.at.Seen()
	g.join(m)
	return g, h.tokenOf(time.Now(), h.at)
}

// look has somebody who catches up ask the database, for a while at most, and not many at once: the feed goes on beside.
func (h *Hub) look(ctx context.Context, ask func(ctx context.Context) error) error {
	if err := h.late.Acquire(ctx, 1); err != nil {
		return err
	}
	defer h.late.Release(1)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return ask(ctx)
}

// keys lists the rows that count, as one of some groups that read at a time.
func (h *Hub) keys(ctx context.Context, s Source) ([][]json.RawMessage, error) {
	if err := h.reads.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer h.reads.Release(1)
	return s.Keys(ctx)
}

// captured refuses a table of whose changes nobody would be told. Where others subscribe to it, they were asked that.
func (h *Hub) captured(ctx context.Context, s Source) error {
	relation := s.Relation()
	h.feed.Lock()
	heard := h.tables[relation] != nil
	h.feed.Unlock()
	if heard {
		return nil
	}
	all, err := (&events.Store{Pool: h.options.Pool}).Drift(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Relation == relation && c.Wanted && c.Whole() && !slices.ContainsFunc(s.Key(), func(column string) bool { return !slices.Contains(c.Told, column) }) {
			return nil
		}
	}
	return fault.New(fault.ActionNeeded, "subscriptions/not-captured", "changes of "+relation.String()+" are not captured, or not by its key: nothing would be told").
		WithHint("fraiseql migrate up makes triggers; `fraiseql doctor` says what is missing")
}

// begin gives the position where a subscription begins.
func (h *Hub) begin(ctx context.Context, token string) (events.Position, error) {
	if err := h.readKey(ctx); err != nil {
		return events.Position{}, err
	}
	if token == "" {
		return events.Now(ctx, h.options.Pool)
	}
	at, err := h.positionOf(token, time.Now())
	if err != nil {
		return at, err
	}
	return at, events.Judge(ctx, h.options.Pool, at)
}

// catchUp tells a group that nobody else knows of what is new, until one page had all of it.
func (h *Hub) catchUp(ctx context.Context, r *events.Reader, g *group) error {
	for {
		begins := r.At.Whole()
		var all []*events.Event
		err := h.look(ctx, func(ctx context.Context) (err error) {
			all, err = r.Next(ctx, page)
			return err
		})
		if err != nil {
			return err
		}
		if err := g.tell(ctx, h.changesOf(g, r, all)); err != nil {
			return err
		}
		if begins && r.At.Whole() {
			return nil
		}
	}
}

// changesOf turns events into what a group is told.
func (h *Hub) changesOf(g *group, r *events.Reader, all []*events.Event) (changes []*Change) {
	now := time.Now()
	for _, e := range all {
		if (events.Relation{Schema: e.Schema, Table: e.Table}) != g.source.Relation() {
			continue
		}
		if c := change(e, g.source.Key(), h.tokenOf(now, r.Behind(e))); c != nil {
			changes = append(changes, c)
		}
	}
	return changes
}

// enter makes the group one of those that are told, or its member one of the group that is there already. What has come
// meanwhile is told before, by the run: nobody waits for that. Where it is too much, the member is not in, and has missed it.
func (h *Hub) enter(ctx context.Context, r *events.Reader, g *group, m *member) (leave func(), missed []*Change, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h.feed.Lock()
	defer h.feed.Unlock()
	if h.ended || h.stop == nil {
		return nil, nil, leaving()
	}
	if h.awake && len(h.groups) > 0 {
		if missed, err = h.between(ctx, r, g); err != nil || !r.At.Whole() {
			return nil, missed, err
		}
	} else {
		h.at, h.awake = r.At, true
	}
	m.paced = nil // the feed waits for nobody
	if other := h.groups[g.name]; other != nil {
		as := &member{of: m.of, out: m.out, ended: m.ended, seen: r.At.Seen()}
		other.join(as)
		if g.known != nil {
			g.known.release() // it is the other's soon
		}
		h.queue(other, step{changes: missed, joining: g, as: as})
		return h.leaver(other, as), nil, nil
	}
	g.from = r.At.Seen()
	h.groups[g.name] = g
	relation := g.source.Relation()
	if h.tables[relation] == nil {
		h.tables[relation] = &table{groups: map[*group]bool{}}
	}
	h.tables[relation].key = g.source.Key()
	h.tables[relation].groups[g] = true
	if len(missed) > 0 {
		h.queue(g, step{changes: missed})
	}
	h.Wake()
	return h.leaver(g, m), nil, nil
}

// between reads what groups were told of and the reader has not read. A position that is not whole then says that there is
// more. The feed is locked.
func (h *Hub) between(ctx context.Context, r *events.Reader, g *group) (missed []*Change, err error) {
	if !h.at.Whole() {
		if _, err := h.advance(ctx); err != nil {
			return nil, err
		}
	}
	if r.At.Covers(h.at) {
		return nil, nil
	}
	r.Last = h.at
	defer func() { r.Last = events.Position{} }()
	for range mostPages {
		all, err := r.Next(ctx, page)
		if err != nil {
			return nil, err
		}
		missed = append(missed, h.changesOf(g, r, all)...)
		if r.At.Whole() {
			break
		}
	}
	return missed, nil
}

func (h *Hub) leaver(g *group, m *member) func() {
	return sync.OnceFunc(func() { h.remove(g, m) })
}
