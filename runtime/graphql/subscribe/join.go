package subscribe

import (
	"context"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
)

// Request is a subscription to be.
type Request struct {
	Group  string // those of one name have the same source
	Source Source
	Out    *Outbox
	Of     string // as the client calls it
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
	at, err := h.begin(ctx, r.Token)
	if err != nil {
		return nil, err
	}
	m.seen, m.paced = at.Seen(), ctx
	g := &group{name: r.Group, source: r.Source, log: h.options.Log, most: h.options.Known, members: []*member{m}}
	if !r.Source.Whole() {
		keys, err := r.Source.Keys(ctx)
		if err != nil {
			return nil, err
		}
		g.known = make(map[mark]struct{}, len(keys))
		for _, key := range keys {
			g.learn(markOf(key))
		}
	}
	begun(tokenOf(time.Now(), at)) // what the client sees of rows from here on, the group knows, or will be told
	reader := &events.Reader{Pool: h.options.Pool, At: at}
	if err := h.catchUp(ctx, reader, g); err != nil {
		return nil, err
	}
	return h.enter(ctx, reader, g, m)
}

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
	return g, tokenOf(time.Now(), h.at)
}

// begin gives the position where a subscription begins.
func (h *Hub) begin(ctx context.Context, token string) (events.Position, error) {
	if token == "" {
		return events.Now(ctx, h.options.Pool)
	}
	at, err := positionOf(token, time.Now(), h.options.Kept)
	if err != nil {
		return at, err
	}
	return at, events.Judge(ctx, h.options.Pool, at)
}

// catchUp tells a group that nobody else knows of what is new.
func (h *Hub) catchUp(ctx context.Context, r *events.Reader, g *group) error {
	for {
		all, err := r.Next(ctx, page)
		if err != nil {
			return err
		}
		var changes []*Change
		now := time.Now()
		for _, e := range all {
			if (events.Relation{Schema: e.Schema, Table: e.Table}) != g.source.Relation() {
				continue
			}
			if c := change(e, g.source.Key(), tokenOf(now, r.Behind(e))); c != nil {
				changes = append(changes, c)
			}
		}
		if err := g.tell(ctx, changes); err != nil {
			return err
		}
		if len(all) == 0 && r.At.Whole() {
			return nil
		}
	}
}

// enter makes the group one of those that are told, or its member one of the group that is there already. What has come
// meanwhile is told before.
func (h *Hub) enter(ctx context.Context, r *events.Reader, g *group, m *member) (leave func(), err error) {
	h.feed.Lock()
	defer h.feed.Unlock()
	if h.ended || h.stop == nil {
		return nil, leaving()
	}
	m.paced = nil // the feed waits for nobody
	if err := h.catchUp(ctx, r, g); err != nil {
		return nil, err
	}
	m.seen = r.At.Seen()
	if other := h.groups[g.name]; other != nil {
		other.join(m)
		return h.leaver(other, m), nil
	}
	if !h.awake || len(h.groups) == 0 {
		h.at, h.awake = r.At, true
	}
	h.groups[g.name] = g
	relation := g.source.Relation()
	if h.tables[relation] == nil {
		h.tables[relation] = &table{groups: map[*group]bool{}}
	}
	h.tables[relation].key = g.source.Key()
	h.tables[relation].groups[g] = true
	h.Wake()
	return h.leaver(g, m), nil
}

func (h *Hub) leaver(g *group, m *member) func() {
	return sync.OnceFunc(func() { h.remove(g, m) })
}
