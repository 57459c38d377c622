package dispatch

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events"
)

// Delivery is one event for one consumer.
type Delivery struct {
	Event   *events.Event
	Part    int // 0; of a replay its number
	Step    int // what has been done of several steps
	Attempt int // tries of this step that have failed
	Note    any // for Record, from whoever works

	// Of an event that was cut New is the row as it is now. Judged tells whether the condition was asked when it was changed.
	Judged bool
}

// Outcome is how the work on a delivery ended.
type Outcome uint8

// The outcomes. The zero value tries again, so that a forgotten one loses nothing.
const (
	Again Outcome = iota // after Result.Wait; the key waits
	Done                 // for good
	Next                 // this step is done, the next begins at once
	Dead                 // given up: it becomes a dead letter, and the key goes on
	Rest                 // nothing was tried: whoever it is for cannot be reached; all of the consumer waits for Result.Wait
)

// Result is what a worker says of a delivery.
type Result struct {
	Outcome Outcome
	Wait    time.Duration
	Err     error
}

// Settled is a delivery whose result has been marked.
type Settled struct {
	Delivery *Delivery
	Result   Result
	Took     time.Duration
}

// Consumer is who events are delivered to. Either Work or Batch is given.
type Consumer struct {
	Name        string
	Concurrency int  // deliveries at work at once, on all servers together, and of Batch transactions; 0 is 10
	Immediate   bool // what has not been tried yet does not wait for its turn: Concurrency bounds further tries only

	// Work does one delivery. Its context ends when the server loses the lane: nothing may be sent after that.
	Work func(ctx context.Context, d *Delivery) Result

	// Within gives work on a step that is to be done in the transaction that marks it as then says, Done or Next; nil for steps
	// that Work does. An error of it is judged by Failed. It may be nil.
	Within func(d *Delivery) (work func(ctx context.Context, tx pgx.Tx) error, then Result)

	// Batch does deliveries within the transaction that marks them. An error undoes them all; they are then done one by one.
	Batch func(ctx context.Context, tx pgx.Tx, ds []*Delivery) error
	// Failed says what becomes of a delivery that Batch refused alone, or Within.
	Failed func(d *Delivery, err error) Result

	// Record notes what was settled, in the transaction that marks it; nil for nothing to note.
	Record func(ctx context.Context, tx pgx.Tx, all []Settled) error
}
