package graphql

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

const (
	// watchEvery is how often servers are asked where they are, and watchSoon how often where somebody waits for one to
	// get further.
	watchEvery = time.Second
	watchSoon  = 100 * time.Millisecond
	// watchPatience is how long one may take to say it.
	watchPatience = time.Second
	// pinned is how long callers are told apart by what they have written. After that everybody is to see it.
	pinned = time.Minute
)

// mark is how far the primary was at some time.
type mark struct {
	at   postgres.Position
	when time.Time
}

// watch asks the servers where they are until ctx ends.
func (r *replicas) watch(ctx context.Context) {
	var watching sync.WaitGroup
	r.mark(ctx)
	watching.Go(func() {
		for pause(ctx, watchSoon, nil) && pause(ctx, watchEvery-watchSoon, r.hurry) {
			r.mark(ctx)
		}
	})
	for _, one := range r.all {
		watching.Go(func() {
			for more := true; more; more = pause(ctx, watchSoon, nil) && pause(ctx, watchEvery-watchSoon, one.hurry) {
				r.note(ctx, one, r.look(ctx, one))
			}
		})
	}
	watching.Wait()
}

// pause waits, and is false when that is over because ctx has ended.
func pause(ctx context.Context, most time.Duration, sooner <-chan struct{}) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-sooner:
	}
	return true
}

// mark asks the primary where it is. When it is away, what was known of it stays. What is not on the disk since the last
// time holds replicas up: see postgres.Flush.
func (r *replicas) mark(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	asked, known := time.Now(), r.timeline.Load()
	stands, err := postgres.Stand(ctx, r.primary)
	if err != nil || stands.Recovers { // the address may lead to a standby for a moment, where it was moved
		return // the service's own look tells
	}
	r.timeline.CompareAndSwap(known, stands.Timeline) // else a mutation has told of a later one meanwhile
	r.mu.Lock()
	before := r.stands
	r.mu.Unlock()
	if before != nil && before.Timeline < stands.Timeline {
		r.log.Warn("the primary writes another timeline than before: replicas get queries when they have shown that they follow it",
			slog.Uint64("timeline", uint64(stands.Timeline)), slog.Uint64("before", uint64(before.Timeline)))
		r.rebase(stands.Position, asked)
	}
	if before != nil && before.Position > stands.Flushed {
		_ = postgres.Flush(ctx, r.primary) // or the next time
	}
	r.pins.settle(stands.Position, asked.Add(-r.unsure))
	r.pins.age(asked.Add(-r.unsure - pinned))
	var most time.Duration
	for _, one := range r.all {
		most = max(most, one.MaxLag)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stands, r.asked = &stands, asked
	r.marks = append(r.marks, mark{stands.Flushed, asked})
	for asked.Sub(r.marks[0].when) > 2*most+watchPatience {
		r.marks = r.marks[1:]
	}
}

// rebase forgets places that the log of the primary does not have any more, or has again for something else.
func (r *replicas) rebase(at postgres.Position, asked time.Time) {
	r.pins.rebase(at, asked)
	if schema := r.schema.Load(); schema > uint64(at) {
		r.schema.CompareAndSwap(schema, uint64(at)) // else the schema was just read anew
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks = nil
}

// settled gives up to where the log must have been replayed for a version that a client has. One of a mutation whose end
// nobody knew has a time in place of a place: when it has ended, it is before where the primary has got to since.
func (r *replicas) settled(version postgres.Position) postgres.Position {
	made, unsure := version.Unsure()
	if !unsure {
		return version
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stands == nil || !r.asked.After(made.Add(r.unsure)) {
		return postgres.Nowhere
	}
	return r.stands.Position
}

// behind tells how long ago the primary was further than a place, at least; 0 when it is not known to be.
func (r *replicas) behind(at postgres.Position) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.marks {
		if m.at > at {
			return time.Since(m.when)
		}
	}
	return 0
}

// look asks a replica where it is. The error is why it can get no queries.
func (r *replicas) look(ctx context.Context, one *replica) error {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	stands, err := postgres.Stand(ctx, one.Pool)
	if err != nil {
		return err
	}
	r.mu.Lock()
	primary := r.stands
	r.mu.Unlock()
	if primary == nil {
		return fault.New(fault.Unavailable, "database/unreachable", "the primary could not be asked yet whether this is a replica of it")
	}
	if wrong := stands.ReplicaOf(*primary); wrong != nil {
		return wrong
	}
	if lag := r.behind(stands.Position); one.MaxLag > 0 && lag > one.MaxLag {
		return fault.New(fault.Unavailable, "database/replica-behind", fmt.Sprintf("it is more than max_lag, which is %s, behind the primary", one.MaxLag))
	}
	one.position.Store(uint64(stands.Position))
	return nil
}

// note takes what a look has found, and says it when it is not what the one before has found.
func (r *replicas) note(ctx context.Context, one *replica, err error) {
	if ctx.Err() != nil {
		return
	}
	code := ""
	if err != nil {
		one.position.Store(0)
		code = fault.CodeOf(err)
	}
	before, first := one.failure, !one.begun
	one.failure, one.begun = code, true
	name := slog.String("replica", one.Name)
	switch {
	case err == nil:
		if first || before != "" {
			one.executor.Warm()
			r.log.Info("a replica gets queries", name)
		}
	case code != before:
		hint := ""
		if told, known := fault.As(err); known {
			hint = told.Hint
		}
		r.log.Warn("a replica gets no queries; the others and the primary do its work", name, slog.Any("error", err), slog.String("hint", hint))
	}
}
