package subscribe

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Kind is what sort of message an item is.
type Kind uint8

// The kinds.
const (
	Next     Kind = iota // a payload: a response of GraphQL
	Failed               // errors of GraphQL, as a list: the operation has ended
	Complete             // the operation has ended
	Pong                 // the answer to a ping
)

// Operation is what a client has asked for, and calls by an id.
type Operation struct {
	ID   string
	over atomic.Bool
}

// End says that the client wants to hear no more of it: its id may be another one's from then on.
func (o *Operation) End() { o.over.Store(true) }

// Over tells whether the client wants to hear no more. The operation of one that has no id never is.
func (o *Operation) Over() bool { return o != nil && o.over.Load() }

// Item is one message to a client.
type Item struct {
	Of      *Operation // nil where the client has but one
	Kind    Kind
	Payload []byte // shared: nobody writes to it
	Token   string // where to resume behind it; empty where that cannot be
}

// Why tells why an outbox has ended.
type Why uint8

// The reasons.
const (
	Open    Why = iota // it has not
	Slow               // its client takes less than comes
	Altered            // the schema has changed: what was subscribed to may be something else
	Leaving            // the server ends
	Expired            // the token of who asks
	Gone               // the client
)

// frame is what an item takes beside its payload.
const frame = 64

// Outbox is what waits for one client: so many bytes at most. When more comes, it ends: its client would miss something
// otherwise. Any number of goroutines may put, one takes.
type Outbox struct {
	most  int
	ready chan struct{} // has one when there is something to look at

	mu    sync.Mutex // guards what follows
	items []Item
	bytes int // of them, and of what is being written
	taken int // of what was taken last, until it is written
	why   Why
	room  chan struct{} // is closed when there is room again; nil where nobody waits

	// Of what PutPatiently waits by.
	moved  time.Time     // when something was taken last, or the first of what waits was put
	waited time.Duration // by others, since there was nothing
}

// NewOutbox makes one for so many bytes.
func NewOutbox(most int) *Outbox { return &Outbox{most: most, ready: make(chan struct{}, 1)} }

// Put adds an item. One alone may be larger than the outbox.
func (o *Outbox) Put(i Item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.why != Open:
		return
	case !o.fits(i):
		o.end(Slow)
	default:
		o.items, o.bytes = append(o.items, i), o.bytes+frame+len(i.Payload)
	}
	o.nudge()
}

const (
	// atRest is how long a client that takes nothing is waited for when its outbox is full.
	atRest = time.Second
	// lagging is how long, in all, one that takes less than comes holds others up until it has taken all.
	lagging = 2 * time.Second
)

// PutPatiently adds an item as Put does, and waits for room: a burst is no sign of a client that is slow. Who takes nothing for
// a while, or has others wait for long, is not waited for.
func (o *Outbox) PutPatiently(i Item) {
	for {
		o.mu.Lock()
		now := time.Now()
		if o.bytes == 0 {
			o.moved, o.waited = now, 0
		}
		patience := min(atRest-now.Sub(o.moved), lagging-o.waited)
		if o.why != Open || o.fits(i) || patience <= 0 {
			o.mu.Unlock()
			o.Put(i)
			return
		}
		room := o.waiting()
		o.mu.Unlock()
		late := time.NewTimer(patience)
		select {
		case <-room:
			late.Stop()
		case <-late.C:
		}
		o.mu.Lock()
		o.waited += time.Since(now)
		o.mu.Unlock()
	}
}

// PutWhenRoom adds an item when half of the outbox is free; false when it has ended, or ctx has.
func (o *Outbox) PutWhenRoom(ctx context.Context, i Item) bool {
	for {
		o.mu.Lock()
		switch {
		case o.why != Open:
			o.mu.Unlock()
			return false
		case o.bytes <= o.most/2:
			o.items, o.bytes = append(o.items, i), o.bytes+frame+len(i.Payload)
			o.nudge()
			o.mu.Unlock()
			return true
		}
		room := o.waiting()
		o.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return false
		}
	}
}

// fits tells whether there is room for an item. It is locked, as it is for the next.
func (o *Outbox) fits(i Item) bool { return o.bytes == 0 || o.bytes+frame+len(i.Payload) <= o.most }

// waiting gives what is closed when there is room again.
func (o *Outbox) waiting() <-chan struct{} {
	if o.room == nil {
		o.room = make(chan struct{})
	}
	return o.room
}

// End ends it: what waits is dropped. Only the first reason counts.
func (o *Outbox) End(why Why) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.why == Open {
		o.end(why)
		o.nudge()
	}
}

func (o *Outbox) end(why Why) {
	o.items, o.bytes, o.taken, o.why = nil, 0, 0, why
	o.freed()
}

func (o *Outbox) freed() {
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

func (o *Outbox) nudge() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// Ready has something when Take is worth a call.
func (o *Outbox) Ready() <-chan struct{} { return o.ready }

// Take gives all that waits, and why the outbox has ended, if it has. It counts until Written says that it has gone.
func (o *Outbox) Take(into []Item) ([]Item, Why) {
	o.mu.Lock()
	defer o.mu.Unlock()
	into = append(into[:0], o.items...)
	clear(o.items)
	o.items, o.taken = o.items[:0], o.bytes
	return into, o.why
}

// Written says that what was taken has gone.
func (o *Outbox) Written() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes -= o.taken
	o.taken, o.moved = 0, time.Now()
	o.freed()
}
