package graphql

import (
	"container/list"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// mostPins bounds the callers of whom it is remembered what they have written.
const mostPins = 10_000

// pins remember up to where in the log each caller has written, so that it reads no less. What is forgotten becomes the
// floor, which is what everybody is to see: forgetting never shows anybody what was there before.
type pins struct {
	mu       sync.Mutex // guards what follows
	byCaller map[string]*list.Element
	order    list.List // of *pin, the oldest first
	floor    pin
}

// pin is the last place of a caller.
type pin struct {
	caller string
	at     postgres.Position // Nowhere when nobody knows where it is, or whether there is any
	made   time.Time
}

func newPins() *pins { return &pins{byCaller: map[string]*list.Element{}} }

// put remembers what a caller has written.
func (p *pins) put(caller string, at postgres.Position, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.byCaller[caller]; e != nil {
		known := e.Value.(*pin)
		known.at, known.made = max(known.at, at), now
		p.order.MoveToBack(e)
		return
	}
	p.byCaller[caller] = p.order.PushBack(&pin{caller, at, now})
	if p.order.Len() > mostPins {
		p.forget()
	}
}

// of gives up to where the log must have been replayed for a caller.
func (p *pins) of(caller string) postgres.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.byCaller[caller]; e != nil {
		return max(p.floor.at, e.Value.(*pin).at)
	}
	return p.floor.at
}

// everybody gives up to where the log must have been replayed for whoever has written nothing.
func (p *pins) everybody() postgres.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.floor.at
}

// settle tells that the log was at a place at some time: all that was written long enough before, and of which nobody
// knows where, is before that.
func (p *pins) settle(at postgres.Position, before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.floor.at == postgres.Nowhere && p.floor.made.Before(before) {
		p.floor.at = at
	}
	for e := p.order.Front(); e != nil; e = e.Next() {
		known := e.Value.(*pin)
		if !known.made.Before(before) {
			break
		}
		if known.at == postgres.Nowhere {
			known.at = at
		}
	}
}

// age forgets what is older.
func (p *pins) age(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.order.Front(); e != nil && e.Value.(*pin).made.Before(before); e = p.order.Front() {
		p.forget()
	}
}

// forget takes the oldest one out.
func (p *pins) forget() {
	oldest := p.order.Remove(p.order.Front()).(*pin)
	delete(p.byCaller, oldest.caller)
	if oldest.at > p.floor.at {
		p.floor = *oldest
	}
}

// callerOf names who asks: the subject, whatever role and address it comes with. Those without one are one caller for each
// role, as nothing tells them apart for certain.
func callerOf(who *httpapi.Principal, role string) (caller string, named bool) {
	if who == nil || who.Subject == "" {
		return "\x00" + role, false
	}
	return who.Issuer + "\x00" + who.Subject, true
}
