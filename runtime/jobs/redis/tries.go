package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	errLost      = errors.New("fraiseql: another server has the job") // asynq's messages are searched for it
	errCancelled = errors.New("the job was cancelled")
	errDraining  = errors.New("the server ends")
)

// try is one at work in this server. What is kept of it is set by its goroutine before asynq hears that it ended.
type try struct {
	id, queue string
	fields    map[string]string // of the task, as it was taken
	over      func()            // called when it has ended

	keep    []any         // fields and values
	waits   bool          // it is to be tried again, or goes on later
	wait    time.Duration // before that
	release bool          // it is given back at once

	mu     sync.Mutex // guards what follows
	cancel context.CancelCauseFunc
	cause  error // it was stopped before it began
	lost   bool
	ended  time.Time
}

func (t *try) token() string { return t.fields["token"] }

// stop tells it to end, and why.
func (t *try) stop(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cause = cause
	if t.cancel != nil {
		t.cancel(cause)
	}
}

// start gives the try its context.
func (t *try) start(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel = cancel
	if t.cause != nil {
		cancel(t.cause)
	}
	return ctx, cancel
}

// end says that all is set that is to be kept, and tells whether the job is this try's still.
func (t *try) end() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = time.Now()
	t.over()
	return !t.lost
}

// tries are those at work in this server, and those of which Redis has not heard yet how they ended.
type tries struct {
	mu     sync.Mutex
	newest map[string]*try
	busy   sync.WaitGroup
}

// begin notes a try; when there is one at the same job already, that has lost it.
func (a *tries) begin(t *try) {
	a.busy.Add(1) // before its handler begins, so that it is waited for
	a.mu.Lock()
	before := a.newest[t.id]
	if a.newest == nil {
		a.newest = map[string]*try{}
	}
	a.newest[t.id] = t
	a.mu.Unlock()
	if before != nil {
		a.lose(before)
	}
}

// lose says that others have a try's job.
func (*tries) lose(t *try) {
	t.mu.Lock()
	t.lost = true
	t.mu.Unlock()
	t.stop(errLost)
}

func (a *tries) of(id string) *try {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.newest[id]
}

// ended gives the newest try at a job, and tells whether it has ended.
func (a *tries) ended(id string) (*try, bool) {
	t := a.of(id)
	if t == nil {
		return nil, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t, !t.ended.IsZero()
}

// forget removes a try of whose end Redis has heard; when it has not, asynq says it again.
func (a *tries) forget(t *try, err error) {
	if err != nil && !redis.HasErrorPrefix(err, "NOT FOUND") {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.newest[t.id] == t {
		delete(a.newest, t.id)
	}
}

// sweep removes those of whose end Redis has not heard for so long that others have their jobs.
func (a *tries) sweep() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, t := range a.newest {
		t.mu.Lock()
		if !t.ended.IsZero() && time.Since(t.ended) > time.Minute {
			delete(a.newest, id)
		}
		t.mu.Unlock()
	}
}

// cancel stops the try at a job, when it is here.
func (a *tries) cancel(id string) {
	if t := a.of(id); t != nil {
		t.stop(errCancelled)
	}
}

// drain waits until all have ended; when that takes longer than it may, they are told to.
func (a *tries) drain(limit time.Duration) {
	done := make(chan struct{})
	go func() { a.busy.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-time.After(limit):
	}
	a.mu.Lock()
	for _, t := range a.newest {
		t.stop(errDraining)
	}
	a.mu.Unlock()
	<-done // a Service leaves behind what does not end
}
