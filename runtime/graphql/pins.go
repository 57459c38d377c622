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
	order    list.List         // of *pin, the one whose caller has written the longest ago first
	unsure   map[*pin]struct{} // those of which something is unsure
	floor    pin
}

// pin is the last place of a caller.
type pin struct {
	caller string
	at     postgres.Position // of what is known to have been written
	made   time.Time
	unsure time.Time // when something was written last of which nobody knows whether it is there, and where; zero for nothing
}

func newPins() *pins {
	return &pins{byCaller: map[string]*list.Element{}, unsure: map[*pin]struct{}{}}
}

// put remembers what a caller has written; Nowhere is what nobody knows the end of.
func (p *pins) put(caller string, at postgres.Position, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.byCaller[caller]
	if e == nil {
		e = p.order.PushBack(&pin{caller: caller})
		p.byCaller[caller] = e
	}
	known := e.Value.(*pin)
	known.made = now
	p.order.MoveToBack(e)
	if at == postgres.Nowhere {
		known.unsure = now
		p.unsure[known] = struct{}{}
	} else {
		known.at = max(known.at, at)
	}
	if p.order.Len() > mostPins {
		p.forget()
	}
}

// of gives up to where the log must have been replayed for a caller.
func (p *pins) of(caller string) postgres.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.byCaller[caller]; e != nil {
		return max(p.floor.sees(), e.Value.(*pin).sees())
	}
	return p.floor.sees()
}

func (p *pin) sees() postgres.Position {
	if p.unsure.IsZero() {
		return p.at
	}
	return postgres.Nowhere
}

// everybody gives up to where the log must have been replayed for whoever has written nothing.
func (p *pins) everybody() postgres.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.floor.sees()
}

// settle tells that the log was at a place at some time: all that was written long enough before, and of which nobody
// knows where, is before that.
func (p *pins) settle(at postgres.Position, before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	settle := func(of *pin) bool {
		if of.unsure.IsZero() || !of.unsure.Before(before) {
			return false
		}
		of.at, of.unsure = max(of.at, at), time.Time{}
		return true
	}
	settle(&p.floor)
	for of := range p.unsure {
		if settle(of) {
			delete(p.unsure, of)
		}
	}
}

// rebase tells that the log was at a place at some time, and has another history than before: what was written until then
// is before that, or was lost.
func (p *pins) rebase(at postgres.Position, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.floor.at = min(p.floor.at, at)
	for e := p.order.Front(); e != nil && !e.Value.(*pin).made.After(until); e = e.Next() {
		known := e.Value.(*pin)
		known.at = min(known.at, at)
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
	delete(p.unsure, oldest)
	p.floor.at = max(p.floor.at, oldest.at)
	if oldest.unsure.After(p.floor.unsure) {
		p.floor.unsure = oldest.unsure
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
