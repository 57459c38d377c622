package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Queue is where jobs wait. Its methods are safe for use by many goroutines. An id that it does not have is NotFound; what
// a job's state does not allow is a Conflict.
type Queue interface {
	Caps() Caps

	// Enqueue makes jobs, all or none, and tells of each in the same order.
	Enqueue(ctx context.Context, jobs []Spec) ([]Receipt, error)
	// EnqueueTx makes them with a transaction of the caller's: when it is rolled back there are none.
	EnqueueTx(ctx context.Context, tx pgx.Tx, jobs []Spec) ([]Receipt, error)
	// Load makes many jobs without unique keys by the fastest way there is, and tells how many.
	Load(ctx context.Context, jobs []Spec) (int, error)

	Get(ctx context.Context, id string) (Job, error)
	List(ctx context.Context, f Filter) ([]Job, error)
	// Cancel ends a job; one that is running is told to stop.
	Cancel(ctx context.Context, id string) (Job, error)
	// Retry has a job that is over, or waits, begin now, with one try at least.
	Retry(ctx context.Context, id string) (Job, error)
	// Delete forgets a job that is not running.
	Delete(ctx context.Context, id string) (Job, error)

	Queues(ctx context.Context) ([]QueueState, error)
	Pause(ctx context.Context, queue string) error
	Resume(ctx context.Context, queue string) error

	// Work takes jobs and has them worked until ctx ends; then it waits for those at work, and ends them when they take
	// longer than drain: they are available again then.
	Work(ctx context.Context, w Work, drain time.Duration) error
}

// Caps are the things that not every queue can do.
type Caps struct {
	TransactionalEnqueue bool `json:"transactional_enqueue"` // EnqueueTx: with the caller's transaction, or not at all
	ExactlyOnce          bool `json:"exactly_once"`          // Try.Complete: a job ends with a transaction of its handler's
	GlobalConcurrency    bool `json:"global_concurrency"`    // bounds over all servers
	RateLimit            bool `json:"rate_limit"`
	UniqueForgotten      bool `json:"unique_until_forgotten"`
	History              bool `json:"history"` // finished jobs can be listed
}

// Work is what a queue needs to know to work jobs.
type Work struct {
	Kinds  []string // those that Do knows; others are left to other programs
	Queues map[string]Bounds
	Do     func(ctx context.Context, t *Try) Outcome
}

// Bounds say how much of a queue is at work at once.
type Bounds struct {
	Concurrency int // in this server
	Global      int // on all servers; 0 is no bound
	Rate        float64
}

// Try is one attempt at a job. It is for the goroutine that works it.
type Try struct {
	Job
	// Key is the same at each attempt at a job, also after a database was restored.
	Key string
	// Complete ends the job within a transaction of the handler's, as soon as that commits; nil where the queue cannot do
	// that. An error says that the job is not this server's any more: roll back then.
	Complete func(ctx context.Context, tx pgx.Tx, result []byte) error
	// Report keeps how far the job is; nil where that cannot be kept. A conflict, jobs/lost, says that the job is not this
	// server's any more.
	Report func(ctx context.Context, p Progress) error
	// Say adds a line to the job's log.
	Say func(text string)
}

// Outcome is what came of a try.
type Outcome struct {
	Result    []byte        // JSON, or nil
	Completed bool          // Complete has been called, and its transaction was committed
	Err       error         // why it failed; nil is success
	Final     bool          // no other try would help
	Wait      time.Duration // before the next try
	Snooze    bool          // not a failure: later again, without counting
}

// NoJob says that a queue has no job of an id: for queues.
func NoJob(id string) error {
	return fault.New(fault.NotFound, "jobs/not-found", "there is no job "+id).WithHint("fraiseql jobs list")
}

// BadState says that a job's state does not allow what is asked: for queues.
func BadState(id string, is State, wanted string) error {
	return fault.New(fault.Conflict, "jobs/state", "job "+id+" is "+string(is)+": "+wanted)
}
