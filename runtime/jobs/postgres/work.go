package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverlog"
	"github.com/riverqueue/river/rivertype"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// clientPrefix stands before the id of a node where jobs know who works them: other programs may work jobs as well.
const clientPrefix = "fraiseql_"

const (
	logLimit = 64 << 10  // of one try
	logTotal = 256 << 10 // of a job
)

// Work takes jobs until ctx ends.
func (q *Queue) Work(ctx context.Context, w jobs.Work, drain time.Duration) error {
	workers := river.NewWorkers()
	for _, kind := range w.Kinds {
		river.AddWorkerArgs(workers, args{kind: kind}, &worker{queue: q, do: w.Do})
	}
	c := q.config()
	c.ID = clientPrefix + q.options.Node.ID()
	c.Workers = workers
	c.FetchOnlyKnownKinds = true
	c.FetchCooldown = 50 * time.Millisecond
	c.FetchPollInterval = max(q.options.PollInterval, c.FetchCooldown)
	c.JobTimeout = -1                                   // a Service has its own
	c.RescueStuckJobsAfter = 100 * 365 * 24 * time.Hour // Rescue does that, by the heartbeat
	c.CompletedJobRetentionPeriod, c.CancelledJobRetentionPeriod, c.DiscardedJobRetentionPeriod = q.options.Retention, q.options.Retention, q.options.Retention
	c.SoftStopTimeout = drain
	c.Plugins = append(c.Plugins, riverlog.NewMiddlewareCustomContext(withLog, &riverlog.MiddlewareConfig{MaxSizeBytes: logLimit, MaxTotalBytes: logTotal}))
	c.Queues = map[string]river.QueueConfig{}
	for name, b := range w.Queues {
		if b.Concurrency > 0 {
			c.Queues[name] = river.QueueConfig{MaxWorkers: b.Concurrency}
		}
	}
	if len(c.Queues) == 0 || len(w.Kinds) == 0 {
		<-ctx.Done()
		return nil
	}
	client, err := river.NewClient(newDriver(q.options.Pool, &pilot{client: c.ID, bounds: w.Queues, tries: &q.tries, ahead: q.options.Node.Ahead}), c)
	if err != nil {
		return err
	}
	if err := start(ctx, client); err != nil {
		return err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beside sync.WaitGroup
	beside.Go(func() { q.watch(watching) })
	defer func() { stop(); beside.Wait() }()
	<-ctx.Done()
	select {
	case <-client.Stopped(): // what was at work is over, and said to be
	case <-time.After(drain + slack):
		q.options.Log.Error("the database did not take how jobs ended; they begin anew on another server, or with the next start")
	}
	return nil
}

// slack is how long it may take to say what became of jobs when all have ended.
const slack = 10 * time.Second

// start waits for a database that is away.
func start(ctx context.Context, client *river.Client[pgx.Tx]) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := client.Start(ctx)
		if err == nil || ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end
		}
		var refused interface{ SQLState() string }
		if errors.As(err, &refused) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

type logKey struct{}

func withLog(ctx context.Context, w io.Writer) context.Context {
	return context.WithValue(ctx, logKey{}, w)
}

// worker does jobs of one kind.
type worker struct {
	river.WorkerDefaults[args]
	queue *Queue
	do    func(context.Context, *jobs.Try) jobs.Outcome
}

// Timeout leaves it to the Service.
func (w *worker) Timeout(*river.Job[args]) time.Duration { return -1 }

// NextRetry is asked after Work has failed.
func (w *worker) NextRetry(job *river.Job[args]) time.Time { return *job.Args.next }

// Work is one try.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	w.queue.tries.begin(job.ID, job.Attempt)
	defer w.queue.tries.end(job.ID, job.Attempt)
	outcome := w.do(ctx, w.try(ctx, job))
	switch {
	case outcome.Completed:
		return nil
	case outcome.Snooze:
		return river.JobSnooze(outcome.Wait)
	case outcome.Err == nil:
		return record(ctx, outcome.Result)
	case context.Cause(ctx) != nil && errors.Is(context.Cause(ctx), rivertype.ErrJobCancelledRemotely):
		return river.JobCancel(outcome.Err)
	case outcome.Final:
		job.MaxAttempts = job.Attempt // which is how River knows that it was the last
	}
	*job.Args.next = time.Now().Add(max(outcome.Wait, 10*time.Millisecond)) // what lies behind now has River use waits of its own
	return outcome.Err
}

// record keeps what a job gave.
func record(ctx context.Context, result []byte) error {
	if len(result) == 0 {
		return nil
	}
	return river.RecordOutput(ctx, json.RawMessage(result))
}

const (
	holdSQL = `
select 1
from _system.river_job
where id = $1 and state = 'running' and attempt = $2 and attempted_by[array_upper(attempted_by, 1)] = $3
for update`

	progressSQL = `
update _system.river_job
set metadata = metadata || jsonb_build_object('progress', $4::jsonb)
where id = $1 and state = 'running' and attempt = $2 and attempted_by[array_upper(attempted_by, 1)] = $3`
)

// try is what a handler has of a job.
func (w *worker) try(ctx context.Context, job *river.Job[args]) *jobs.Try {
	client := clientPrefix + w.queue.options.Node.ID()
	log, _ := ctx.Value(logKey{}).(io.Writer)
	return &jobs.Try{
		Job: jobOf(job.JobRow), Key: keyOf(job.JobRow),
		Complete: func(_ context.Context, tx pgx.Tx, result []byte) error {
			var one int
			err := tx.QueryRow(ctx, holdSQL, job.ID, job.Attempt, client).Scan(&one)
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				return fault.New(fault.Conflict, "jobs/lost", "the job is not this server's any more")
			case err != nil:
				return err
			}
			if err := record(ctx, result); err != nil {
				return err
			}
			_, err = river.JobCompleteTx[*driver](context.WithValue(ctx, heldKey{}, true), tx, job)
			return err
		},
		Report: func(ctx context.Context, p jobs.Progress) error {
			text, err := json.Marshal(p)
			if err != nil {
				return err
			}
			_, err = w.queue.options.Pool.Exec(ctx, progressSQL, job.ID, job.Attempt, client, string(text))
			return err
		},
		Say: func(text string) {
			if log != nil {
				_, _ = io.WriteString(log, text+"\n") // into memory
			}
		},
	}
}

// watch takes over from servers that are gone, until ctx ends.
func (q *Queue) watch(ctx context.Context) {
	tick := time.NewTicker(max(q.options.Term/6, 50*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		count, err := q.Rescue(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			q.options.Log.Debug("jobs of servers that are gone were not looked for; trying again", slog.Any("error", err))
		case count > 0:
			q.options.Log.Warn("jobs of servers that are gone are taken over", slog.Int("jobs", count))
		}
	}
}

const rescueSQL = `select _system.job_rescue($1)`

// Rescue has jobs worked anew that servers worked which are gone, and tells how many.
func (q *Queue) Rescue(ctx context.Context) (int, error) {
	var count int
	err := q.options.Pool.QueryRow(ctx, rescueSQL, q.options.Term).Scan(&count)
	return count, err
}
