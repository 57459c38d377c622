package jobs

import (
	"encoding/json"
	"time"
)

// State is where a job stands.
type State string

// The states. The last three are ends.
const (
	Scheduled State = "scheduled"
	Available State = "available"
	Running   State = "running"
	Retryable State = "retryable"
	Completed State = "completed"
	Cancelled State = "cancelled"
	Dead      State = "dead"
)

// States are all of them.
var States = []State{Scheduled, Available, Running, Retryable, Completed, Cancelled, Dead}

// Over tells whether nothing more becomes of a job unless somebody asks for it.
func (s State) Over() bool { return s == Completed || s == Cancelled || s == Dead }

// Until says how long a unique key is taken.
type Until string

// A key is taken until its job is over, or until that is forgotten as well.
const (
	Finished  Until = "finished"
	Forgotten Until = "forgotten"
)

// DefaultPriority is that of a job which says nothing of it; 1 goes first, 4 last.
const DefaultPriority = 2

// Spec is a job to be enqueued. What is left out holds as for its kind.
type Spec struct {
	Kind        string          `json:"kind"`
	Args        json.RawMessage `json:"args,omitempty"` // an object; nil is an empty one
	Queue       string          `json:"queue,omitempty"`
	RunAt       time.Time       `json:"run_at,omitzero"` // the zero time is now
	Delay       time.Duration   `json:"-"`               // from now, by the database's clock; in place of RunAt
	Priority    int             `json:"priority,omitempty"`
	MaxAttempts int             `json:"max_attempts,omitempty"`
	UniqueKey   string          `json:"unique_key,omitempty"` // of the kind: while it is taken, no other job of it is made
	UniqueUntil Until           `json:"unique_until,omitempty"`
	Cause       Cause           `json:"-"`
}

// Cause is what a job came from, as far as it is known.
type Cause struct {
	Event    string `json:"event,omitempty"`    // events.Event.Ref
	Observer string `json:"observer,omitempty"` // that heard of it
	Schedule string `json:"schedule,omitempty"`
	Request  string `json:"request,omitempty"` // the id of the HTTP request
	Trace    string `json:"trace,omitempty"`   // its traceparent
	XID      string `json:"xid,omitempty"`     // the transaction that enqueued it by _system.enqueue
	Login    string `json:"login,omitempty"`   // the role of the database that did so
	By       string `json:"by,omitempty"`      // what of this program did so in a function: job/ID, or event/ID/OBSERVER
}

// Receipt is what became of a Spec.
type Receipt struct {
	ID        string `json:"id"`
	State     State  `json:"state"`
	Duplicate bool   `json:"duplicate,omitempty"` // the key was taken: ID is the job that has it
}

// Job is one as it stands.
type Job struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind"`
	Queue       string          `json:"queue"`
	State       State           `json:"state"`
	Args        json.RawMessage `json:"args"`
	Priority    int             `json:"priority"`
	Attempt     int             `json:"attempt"` // how often it was begun
	MaxAttempts int             `json:"max_attempts"`
	CreatedAt   time.Time       `json:"created_at"`
	RunAt       time.Time       `json:"run_at"`
	StartedAt   *time.Time      `json:"started_at,omitempty"` // the newest try
	FinishedAt  *time.Time      `json:"finished_at,omitempty"`
	Servers     []string        `json:"servers,omitempty"` // that tried it, the newest last
	UniqueKey   string          `json:"unique_key,omitempty"`
	Progress    *Progress       `json:"progress,omitempty"`
	Result      json.RawMessage `json:"result,omitempty"`
	Failures    []Failure       `json:"failures,omitempty"`
	Log         []Entry         `json:"log,omitempty"`
	Cause       *Cause          `json:"cause,omitempty"`
}

// Failure is a try that failed.
type Failure struct {
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	Error   string    `json:"error"`
}

// Entry is what a try said.
type Entry struct {
	Attempt int    `json:"attempt"`
	Text    string `json:"text"`
}

// Progress is how far a job says it is.
type Progress struct {
	Done    float64   `json:"done"` // 0 to 1
	Message string    `json:"message,omitempty"`
	At      time.Time `json:"at"`
}

// Filter chooses jobs of a list, the newest first. Empty fields are all.
type Filter struct {
	State  State
	Kind   string
	Queue  string
	Cause  Cause  // the fields of it that are not empty
	Before string // an id of a list before; those after it follow
	Limit  int
}

// QueueState is how much a queue has to do.
type QueueState struct {
	Name      string     `json:"name"`
	Paused    bool       `json:"paused"`
	PausedAt  *time.Time `json:"paused_at,omitempty"`
	Available int64      `json:"available"`
	Running   int64      `json:"running"`
	Scheduled int64      `json:"scheduled"`
	Retryable int64      `json:"retryable"`
	Dead      int64      `json:"dead"`
	Oldest    *time.Time `json:"oldest,omitempty"` // since when the job that waits longest could have begun
}
