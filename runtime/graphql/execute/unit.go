package execute

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// unit is what one request sends in one go: a statement, or several that share a snapshot. Whoever asks waits
// until it is done or has no more time; a unit that nobody waits for is dropped.
//
//	queued ──> on the way ──> done
//	   │            │  ▲
//	   │            └──┘ again: a stale plan, a lost connection, a neighbour's failure
//	   └── left: the waiter has gone; a statement that runs alone is cancelled
type unit struct {
	calls []plan.Call
	room  int  // bytes that the answers may have in all
	open  bool // the answer may leave before it is complete

	before string // what stands before the answer in the response, when it is the only one

	claimed atomic.Bool // somebody gives, or has given, the answer: a unit may be on two connections at once
	left    atomic.Bool
	done    chan struct{}
	outcome
	stream *Stream // set before done when the rest of the answer is still to come

	tries  atomic.Int32
	losses atomic.Int32 // connections that were lost with it
}

// outcome is what came of a unit: the answers up to the first failure.
type outcome struct {
	parts  [][]byte
	failed *failure
}

// failure is the end of a unit that did not give everything it was asked for.
type failure struct {
	at  int // which of the statements it was; -1 when it was none of them
	err error
}

// errTooLarge ends a unit whose answer is larger than it may be.
var errTooLarge = errors.New("the answer is too large")

func newUnit(calls []plan.Call, room int, open bool) *unit {
	return &unit{calls: calls, room: room, open: open && len(calls) == 1 && !calls[0].One, done: make(chan struct{})}
}

// claim takes the right to give the answer.
func (u *unit) claim() bool { return u.claimed.CompareAndSwap(false, true) }

// finish gives the answer, unless somebody else has.
func (u *unit) finish(o outcome) {
	if u.claim() {
		u.outcome = o
		close(u.done)
	}
}

// wait waits for the answer. When ctx ends first, the unit is left.
func (u *unit) wait(ctx context.Context) (outcome, *Stream, error) {
	select {
	case <-u.done:
		return u.outcome, u.stream, nil
	case <-ctx.Done():
	}
	u.left.Store(true)
	if u.claim() {
		return outcome{}, nil, ctx.Err()
	}
	<-u.done // its answer has just come
	return u.outcome, u.stream, nil
}

// gone tells whether nobody waits for the unit any more.
func (u *unit) gone() bool { return u.left.Load() || u.stream != nil && u.stream.closed() }
