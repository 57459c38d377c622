package execute

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// unit is what one request sends in one go: a statement, or several that share a snapshot. Whoever asks waits
// until it is done or has no more time; a unit that nobody waits for is dropped.
//
//	queued ──> on the way ──> done
//	   │            │  ▲
//	   │            └──┘ again: a stale plan, a lost connection, a neighbour's failure
//	   └── left: whoever asked has gone; what runs is cancelled
type unit struct {
	ctx     context.Context // of whoever asks
	calls   []plan.Call
	writes  bool              // it is done once or not at all: nobody may send it again who does not know that it was not
	session *Session          // who asks; nil is the login, without claims
	origin  string            // what triggers are told of where it comes from
	key     *keyed            // of a unit that is to be done once, however often it is sent
	room    int               // bytes that the answers may have in all
	replica bool              // what fails is asked elsewhere: nothing is tried again here
	after   postgres.Position // that the server must have reached
	on      uint32            // the timeline that it must have reached it on
	open    bool              // the answer may leave before it is complete
	handed  bool              // another one reads than who asked, so that it can

	before string // what stands before the answer in the response, when it is the only one

	claimed atomic.Bool // somebody gives, or has given, the answer: a unit may be on two connections at once
	left    atomic.Bool
	done    chan struct{}
	outcome
	position atomic.Uint64          // of what was written, once it is known
	timeline atomic.Uint32          // that it was written on
	stream   atomic.Pointer[Stream] // set before done when the rest of the answer is still to come

	elsewhere chan struct{}         // of the quick lane: has one when it is to be run elsewhere, too
	moved     atomic.Bool           // it runs elsewhere, or is about to
	slow      atomic.Bool           // it was to be quick, and is not
	stranger  atomic.Pointer[lanes] // whose quick lane it is in although nobody knows whether it is quick
	tried     bool                  // it was a stranger
	returns   int                   // how often it went from the slow lane to the quick one

	last  atomic.Pointer[failure] // of a run
	tries atomic.Int32
	blame atomic.Int32 // for connections that were lost with it
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
	return &unit{ctx: background, calls: calls, room: room, open: open && len(calls) == 1 && !calls[0].One, done: make(chan struct{})}
}

// claim takes the right to give the answer.
func (u *unit) claim() bool {
	u.known()
	return u.claimed.CompareAndSwap(false, true)
}

// known gives back the place in the quick lane of a unit that nobody knew.
func (u *unit) known() {
	if l := u.stranger.Swap(nil); l != nil {
		l.strangers.Add(-1)
	}
}

// finish gives the answer, unless somebody else has.
func (u *unit) finish(o outcome) {
	if u.claim() {
		u.outcome = o
		close(u.done)
	}
}

// answer waits for the answer, which somebody is about to give.
func (u *unit) answer() (outcome, *Stream) {
	<-u.done
	return u.outcome, u.stream.Load()
}

// leave gives up waiting, unless the answer has just come.
func (u *unit) leave(why error) {
	u.left.Store(true)
	u.finish(outcome{failed: &failure{at: -1, err: why}})
}

// move tells whoever waits for a unit of the quick lane to run it elsewhere.
func (u *unit) move() {
	u.moved.Store(true)
	signal(u.elsewhere)
}

// gone tells whether nobody waits for the unit any more.
func (u *unit) gone() bool {
	stream := u.stream.Load()
	return u.left.Load() || u.ctx.Err() != nil || stream != nil && stream.closed()
}
