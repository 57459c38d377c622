package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

const (
	logLimit = 64 << 10  // of one try
	logTotal = 256 << 10 // of a job
	// grace is how long it may take to give back what was not begun.
	grace = 2 * time.Second
	// slack is how long beyond the drain it may take until all is said; then asynq gives jobs back itself.
	slack = 15 * time.Second
)

// errLater is no failure: the job goes on later.
var errLater = errors.New("later")

// Work takes jobs until ctx ends: one of asynq's servers works a queue.
func (q *Queue) Work(ctx context.Context, w jobs.Work, drain time.Duration) error {
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watching sync.WaitGroup
	watching.Go(func() { q.watch(beside) })
	watching.Go(func() { q.hear(beside) })
	watching.Go(func() { q.relays(ctx) })
	defer func() { stop(); watching.Wait() }()
	var servers []*asynq.Server
	var conns []*conn
	for name, b := range w.Queues {
		if b.Concurrency == 0 || len(w.Kinds) == 0 {
			continue
		}
		c := &conn{UniversalClient: q.once, queue: q, name: name, server: q.options.Node.ID(), bounds: b, kinds: w.Kinds, closed: ctx.Done()}
		poll := max(q.options.PollInterval*2/3, 20*time.Millisecond) // it waits up to half as long again
		s := asynq.NewServerFromRedisClient(c, asynq.Config{
			Concurrency: b.Concurrency, Queues: map[string]int{name + ":1": 4, name + ":2": 3, name + ":3": 2, name + ":4": 1}, StrictPriority: true,
			TaskCheckInterval: poll, DelayedTaskCheckInterval: poll, ShutdownTimeout: drain + slack,
			IsFailure:      func(err error) bool { return !errors.Is(err, errLater) && !errors.Is(err, errLost) },
			RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 }, // the script says
			Logger:         logger{q.options.Log}, LogLevel: asynq.DebugLevel,
		})
		if err := s.Start(&worker{queue: q, do: w.Do}); err != nil {
			return err
		}
		servers, conns = append(servers, s), append(conns, c)
	}
	for name := range w.Queues {
		_ = q.client.SAdd(ctx, namesKey, name).Err() // so that it can be paused; the first job says it as well
	}
	<-ctx.Done()
	var stopping sync.WaitGroup
	for _, s := range servers {
		stopping.Go(s.Stop)
	}
	stopping.Wait()
	putting, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	for _, c := range conns {
		c.putBack(putting)
	}
	done()
	q.tries.drain(drain)
	for _, s := range servers {
		stopping.Go(s.Shutdown)
	}
	stopping.Wait()
	return nil
}

// worker does the jobs of a queue.
type worker struct {
	queue *Queue
	do    func(context.Context, *jobs.Try) jobs.Outcome
}

// ProcessTask is one try.
func (w *worker) ProcessTask(ctx context.Context, _ *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	t := w.queue.tries.of(id)
	if t == nil {
		return errLost
	}
	defer w.queue.tries.busy.Done()
	ctx, cancel := t.start(ctx)
	defer cancel(nil)
	if t.fields["cancel"] != "" { // it was asked for when the try before had just ended
		cancel(errCancelled)
	}
	var said strings.Builder
	job := jobOf(t.id, t.queue, t.fields)
	outcome := jobs.Outcome{Err: errCancelled}
	if ctx.Err() == nil {
		outcome = w.do(ctx, &jobs.Try{
			Job: job, Key: keyOfTry(t),
			Report: func(ctx context.Context, p jobs.Progress) error { return w.report(ctx, t, p) },
			Say: func(text string) {
				if said.Len() < logLimit {
					said.WriteString(text[:min(len(text), logLimit-said.Len())] + "\n")
				}
			},
		})
	}
	err := t.judge(job, outcome, context.Cause(ctx))
	if said.Len() > 0 && len(t.fields["log"]) < logTotal {
		t.keep = append(t.keep, "log", t.fields["log"]+line(entry{job.Attempt, said.String()}))
	}
	if !t.end() {
		return errLost
	}
	return err
}

// judge decides what becomes of a job after a try, and gives what asynq has to hear.
func (t *try) judge(job jobs.Job, o jobs.Outcome, cause error) error {
	uncounted := []any{"attempt", job.Attempt - 1, "snoozed", 1}
	failed := []any{"failures", t.fields["failures"] + line(failure{job.Attempt, time.Now().UnixMicro(), text(o.Err)})}
	switch {
	case (o.Err != nil || o.Snooze) && errors.Is(cause, errCancelled):
		t.keep = append(failed, "cancelled", 1)
		return nil
	case (o.Err != nil || o.Snooze) && errors.Is(cause, errDraining):
		t.release = true
		return errLater
	case o.Snooze:
		t.keep, t.waits, t.wait = uncounted, true, o.Wait
		return errLater
	case o.Err == nil:
		if len(o.Result) > 0 {
			t.keep = []any{"result", o.Result}
		}
		return nil
	case o.Final || job.Attempt >= job.MaxAttempts:
		t.keep = failed
		return fmt.Errorf("%w: %w", o.Err, asynq.SkipRetry)
	}
	t.keep, t.waits, t.wait = failed, true, o.Wait
	return o.Err
}

// keyOfTry names a job for good, in the form that jobs elsewhere have.
func keyOfTry(t *try) string {
	created, _ := strconv.ParseInt(t.fields["created"], 10, 64) // written by Redis
	return "job_" + t.id + "_" + strconv.FormatInt(created, 36)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (w *worker) report(ctx context.Context, t *try, p jobs.Progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	ours, err := reportScript.Run(ctx, w.queue.client, nil, t.queue, t.id, t.token(), text).Int()
	if err == nil && ours == 0 {
		return fault.New(fault.Conflict, "jobs/lost", "the job is not this server's any more")
	}
	return explain(err)
}

// watch looks after what others have left, until ctx ends.
func (q *Queue) watch(ctx context.Context) {
	tick := time.NewTicker(Term / 15)
	defer tick.Stop()
	var answers time.Time // since then Redis answers
	for away := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		q.tries.sweep()
		// After Redis was away, those who live have to be heard first.
		count, err := q.rescue(ctx, !answers.IsZero() && time.Since(answers) > Term)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			if answers = (time.Time{}); !away {
				q.options.Log.Warn("redis does not answer; jobs wait, and it is tried again", slog.Any("error", explain(err)))
			}
			away = true
		default:
			if away {
				q.options.Log.Info("redis is back")
			}
			if away = false; answers.IsZero() {
				answers = time.Now()
			}
			if count > 0 {
				q.options.Log.Warn("jobs of servers that are gone are taken over", slog.Int("jobs", count))
			}
		}
	}
}

// rescue has jobs worked anew that servers worked which are gone, and tells how many. It asks in any case, and acts when it may.
func (q *Queue) rescue(ctx context.Context, may bool) (int, error) {
	if err := q.mark(ctx); err != nil { // it may have lost everything
		return 0, err
	}
	queues, err := q.client.SMembers(ctx, "asynq:queues").Result()
	count := 0
	for _, queue := range queues {
		if !may {
			break
		}
		n, err := rescueScript.Run(ctx, q.client, nil, queue, q.retention()).Int()
		if err != nil {
			return count, err
		}
		count += n
	}
	return count, err
}

// hear is told of jobs that are to be cancelled, until ctx ends.
func (q *Queue) hear(ctx context.Context) {
	told := q.client.Subscribe(ctx, cancelChannel)
	defer func() { _ = told.Close() }()
	for {
		select {
		case <-ctx.Done():
			return
		case m, more := <-told.Channel():
			if !more {
				return
			}
			q.tries.cancel(m.Payload)
		}
	}
}
