package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// Handler does one try at a job. When ctx ends it has to return; one that does not is left behind, and the job is tried again
// beside it.
type Handler func(ctx context.Context, t *Try) Outcome

// Done is success; result may be nil, or anything that JSON can hold.
func Done(result any) Outcome {
	if result == nil {
		return Outcome{}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return Outcome{Err: fault.Wrap(fault.Internal, "jobs/bad-result", "the result of the job is nothing that JSON can hold", err), Final: true}
	}
	return Outcome{Result: text}
}

// Failed has the job tried again later.
func Failed(err error) Outcome { return Outcome{Err: err} }

// Final makes the job dead: no other try would help.
func Final(err error) Outcome { return Outcome{Err: err, Final: true} }

// Later has the job begin again after a while, without counting this try.
func Later(wait time.Duration) Outcome { return Outcome{Snooze: true, Wait: wait} }

const (
	// resultLimit is how long the result of a job may be.
	resultLimit = 256 << 10
	// grace is how long a handler may take to return after it was told to.
	grace = 5 * time.Second
	// errorLimit is how much is kept of why a try failed.
	errorLimit = 4 << 10
)

var errFenced = errors.New("the database has not heard of this server for too long, so others may work the job")

// do is one try at a job of any kind.
func (s *Service) do(ctx context.Context, t *Try) Outcome {
	h := s.handlers[t.Kind]
	if h == nil { // the queue was told which kinds there are
		return Outcome{Err: bad("no-kind", "this server does not work jobs of kind "+t.Kind)}
	}
	if !s.alive() {
		return Later(time.Second)
	}
	var hush func()
	t.Say, hush = heard(t.Say)
	defer hush()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limited, stop := context.WithTimeout(ctx, h.timeout)
	defer stop()
	began := time.Now()
	s.working.Add(1)
	o := s.attend(limited, cancel, h, t)
	s.working.Add(-1)
	if errors.Is(context.Cause(ctx), errFenced) {
		return Later(0)
	}
	o.Result = fitting(kept(o.Result), t)
	if o.Err == nil && !o.Snooze {
		s.done.Add(1)
	}
	if o.Err == nil || o.Snooze {
		return o
	}
	s.failed.Add(1)
	if ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		o.Err = fault.Wrap(fault.Timeout, "jobs/timeout", "the job took longer than "+h.timeout.String(), o.Err)
	}
	policy := retry.Policy{MaxAttempts: t.MaxAttempts, Initial: h.retry.Initial, Max: h.retry.Max}
	wait, again := policy.Wait(t.Attempt)
	o.Wait = max(wait, o.Wait)
	level := slog.LevelWarn
	if o.Final || !again {
		level = slog.LevelError
	}
	if ctx.Err() == nil { // of what was told to stop its end is no trouble
		s.deps.Log.Log(ctx, level, "a job failed", slog.String("job", t.ID), slog.String("kind", t.Kind), slog.Int("attempt", t.Attempt),
			slog.Bool("dead", level == slog.LevelError), slog.Duration("after", time.Since(began)), slog.String("error", o.Err.Error()))
	}
	o.Err = short(o.Err)
	return o
}

// heard lets any goroutine of a handler say something, until hush: one that was left behind is heard no more.
func heard(say func(text string)) (until func(text string), hush func()) {
	var mu sync.Mutex
	over := false
	return func(text string) {
			mu.Lock()
			defer mu.Unlock()
			if !over {
				say(plain(text))
			}
		}, func() {
			mu.Lock()
			defer mu.Unlock()
			over = true
		}
}

func (s *Service) alive() bool { return s.deps.Alive == nil || s.deps.Alive() }

// attend waits for a handler, looks whether this server may still act, and leaves it behind when it does not return.
func (s *Service) attend(ctx context.Context, cancel context.CancelCauseFunc, h *handler, t *Try) Outcome {
	answer := make(chan Outcome, 1)
	go func() { answer <- guarded(ctx, h.do, t) }()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case o := <-answer:
			return o
		case <-look.C:
			if !s.alive() {
				cancel(errFenced)
			}
			continue
		case <-ctx.Done():
		}
		select {
		case o := <-answer:
			return o
		case <-time.After(grace):
		}
		s.deps.Log.Error("a job does not end although it was told to, and is left behind", slog.String("job", t.ID), slog.String("kind", t.Kind), slog.Int("attempt", t.Attempt))
		return Outcome{Err: fault.New(fault.Timeout, "jobs/left-behind", "the job did not end when it was told to, and was left behind")}
	}
}

// guarded makes an error of a panic.
func guarded(ctx context.Context, do Handler, t *Try) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			t.Say(string(debug.Stack()))
			o = Outcome{Err: fault.New(fault.Internal, "jobs/panic", fmt.Sprintf("the handler panicked: %v", p))}
		}
	}()
	return do(ctx, t)
}

// short cuts an error that is too long to be kept, and makes it one that can be.
func short(err error) error {
	text := err.Error()
	if told, known := fault.As(err); known && told.Hint != "" {
		text += " (" + told.Hint + ")"
	}
	if len(text) > errorLimit {
		return errors.New(plain(text[:errorLimit]) + "…")
	}
	return errors.New(plain(text))
}

// fitting is a result that there is room for; of one that is longer the job's log tells.
func fitting(result []byte, t *Try) []byte {
	if len(result) <= resultLimit {
		return result
	}
	t.Say(fmt.Sprintf("the result was longer than %d KB, and is not kept", resultLimit>>10))
	return nil
}
