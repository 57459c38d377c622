package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
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

// Work takes jobs until ctx ends. A server that was not heard of for too long lets go of all that it has, and goes on as
// another client when it is heard again: what the one before still says of its jobs is not kept.
func (q *Queue) Work(ctx context.Context, w jobs.Work, drain time.Duration) error {
	var before sync.WaitGroup
	defer before.Wait()
	for number := 1; ctx.Err() == nil; number++ {
		c := q.working(w, number)
		if len(c.Queues) == 0 || len(w.Kinds) == 0 {
			<-ctx.Done()
			return nil
		}
		c.SoftStopTimeout = drain
		p := &pilot{client: c.ID, bounds: w.Queues, ahead: q.options.Node.Ahead}
		c.Workers = river.NewWorkers()
		for _, kind := range w.Kinds {
			river.AddWorkerArgs(c.Workers, args{kind: kind}, &worker{queue: q, pilot: p, do: w.Do})
		}
		client, err := river.NewClient(newDriver(q.options.Pool, p), c)
		if err != nil {
			return err
		}
		running, stop := context.WithCancel(ctx)
		if err := q.start(running, client); err != nil {
			stop()
			return err
		}
		fenced := q.watch(running, p)
		if fenced {
			go func() { _ = client.StopAndCancel(context.WithoutCancel(ctx)) }() // it says how it ends by Stopped
		}
		stop()
		before.Go(func() { q.stopped(client, drain) })
		for fenced && !q.options.Node.Alive() && ctx.Err() == nil {
			pause(ctx, 200*time.Millisecond)
		}
	}
	return nil
}

func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// stopped waits until a client has said what became of its jobs.
func (q *Queue) stopped(client *river.Client[pgx.Tx], drain time.Duration) {
	select {
	case <-client.Stopped():
	case <-time.After(drain + slack):
		q.options.Log.Error("the database did not take how jobs ended; they begin anew on another server, or with the next start")
	}
}

// working is the configuration of a client that works.
func (q *Queue) working(w jobs.Work, number int) *river.Config {
	c := q.config()
	c.ID = clientPrefix + q.options.Node.ID() + "_" + strconv.Itoa(number)
	c.FetchOnlyKnownKinds = true
	c.FetchCooldown = 50 * time.Millisecond
	c.FetchPollInterval = max(q.options.PollInterval, c.FetchCooldown)
	c.JobTimeout = -1                                   // a Service has its own
	c.RescueStuckJobsAfter = 100 * 365 * 24 * time.Hour // watch does that, by the heartbeat
	c.CompletedJobRetentionPeriod, c.CancelledJobRetentionPeriod, c.DiscardedJobRetentionPeriod = q.options.Retention, q.options.Retention, q.options.Retention
	c.Plugins = append(c.Plugins, riverlog.NewMiddlewareCustomContext(withLog, &riverlog.MiddlewareConfig{MaxSizeBytes: logLimit, MaxTotalBytes: logTotal}))
	c.Queues = map[string]river.QueueConfig{}
	for name, b := range w.Queues {
		if b.Concurrency > 0 {
			c.Queues[name] = river.QueueConfig{MaxWorkers: b.Concurrency}
		}
	}
	return c
}

// slack is how long it may take to say what became of jobs when all have ended.
const slack = 10 * time.Second

// start waits for a database that is away.
func (q *Queue) start(ctx context.Context, client *river.Client[pgx.Tx]) error {
	said := false
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := client.Start(ctx)
		if err == nil || ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is the ordinary end
		}
		var refused interface{ SQLState() string }
		if errors.As(err, &refused) {
			return err
		}
		if !said {
			said = true
			q.options.Log.Warn("jobs wait for the database; trying again", slog.Any("error", err))
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
	pilot *pilot
	do    func(context.Context, *jobs.Try) jobs.Outcome
}

// Timeout leaves it to the Service.
func (w *worker) Timeout(*river.Job[args]) time.Duration { return -1 }

// NextRetry is asked after Work has failed.
func (w *worker) NextRetry(job *river.Job[args]) time.Time { return *job.Args.next }

// Work is one try.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	said := &said{log: logOf(ctx)}
	defer said.close()
	outcome := w.do(ctx, w.try(ctx, job, said))
	switch {
	case outcome.Completed:
		w.pilot.held.completed(job.ID)
		return nil
	case outcome.Snooze:
		return river.JobSnooze(outcome.Wait)
	case outcome.Err == nil:
		return record(ctx, outcome.Result)
	case context.Cause(ctx) != nil && errors.Is(context.Cause(ctx), rivertype.ErrJobCancelledRemotely):
		return river.JobCancel(outcome.Err)
	case ctx.Err() != nil: // the server ends: that is how River knows that it does not count
		return fmt.Errorf("%w: %w", context.Canceled, outcome.Err)
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

func errLost() error {
	return fault.New(fault.Conflict, "jobs/lost", "the job is not this server's any more")
}

// said is the log of a try, until that is over: a handler that was left behind says nothing more.
type said struct {
	mu  sync.Mutex
	log io.Writer // nil when it is over
}

func logOf(ctx context.Context) io.Writer {
	log, _ := ctx.Value(logKey{}).(io.Writer)
	return log
}

func (s *said) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// during does something while the try is not over.
func (s *said) during(do func(log io.Writer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		return fault.New(fault.Conflict, "jobs/lost", "the try is over")
	}
	return do(s.log)
}

// try is what a handler has of a job.
func (w *worker) try(ctx context.Context, job *river.Job[args], said *said) *jobs.Try {
	client := w.pilot.client
	return &jobs.Try{
		Job: jobOf(job.JobRow), Key: keyOf(job.JobRow),
		Complete: func(within context.Context, tx pgx.Tx, result []byte) error {
			var one int
			err := tx.QueryRow(within, holdSQL, job.ID, job.Attempt, client).Scan(&one)
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				return errLost()
			case err != nil:
				return err
			}
			return said.during(func(io.Writer) error {
				if err := record(ctx, result); err != nil {
					return err
				}
				_, err := river.JobCompleteTx[*driver](context.WithValue(ctx, heldKey{}, true), tx, job)
				return err
			})
		},
		Report: func(ctx context.Context, p jobs.Progress) error {
			text, err := json.Marshal(p)
			if err != nil {
				return err
			}
			tag, err := w.queue.options.Pool.Exec(ctx, progressSQL, job.ID, job.Attempt, client, string(text))
			if err == nil && tag.RowsAffected() == 0 {
				return errLost()
			}
			return err
		},
		Say: func(text string) {
			_ = said.during(func(log io.Writer) error { // what is over says nothing
				_, err := io.WriteString(log, text+"\n")
				return err
			})
		},
	}
}

// watch looks after jobs that nobody works, until ctx ends or this server is not heard of; it tells whether that is so.
func (q *Queue) watch(ctx context.Context, p *pilot) (fenced bool) {
	look, tick := time.NewTicker(min(500*time.Millisecond, q.options.Term/12)), time.NewTicker(max(q.options.Term/6, 50*time.Millisecond))
	defer look.Stop()
	defer tick.Stop()
	failing := false // said once, and not with every look
	for {
		select {
		case <-ctx.Done():
			return false
		case <-look.C:
			if !q.options.Node.Alive() {
				return true
			}
			continue
		case <-tick.C:
		}
		count, err := q.Rescue(ctx, p.client)
		if err == nil && count > 0 {
			q.options.Log.Warn("jobs of servers that are gone are taken over", slog.Int("jobs", count))
		}
		if err == nil {
			err = q.reclaim(ctx, p)
		}
		if err != nil && !failing && ctx.Err() == nil {
			q.options.Log.Warn("jobs that nobody works were not looked for; trying again", slog.Any("error", err))
		}
		failing = err != nil
	}
}

const (
	rescueSQL = `select _system.job_rescue($1, $2)`

	// What a look took and its answer was lost of is in nobody's hands.
	reclaimSQL = `
update _system.river_job
set state = 'available', attempt = greatest(attempt - 1, 0), scheduled_at = clock_timestamp()
where state = 'running' and attempted_by[array_upper(attempted_by, 1)] = $1 and id <> all ($2) and attempted_at < clock_timestamp() - interval '30 seconds'`
)

// Rescue has jobs worked anew that servers worked which are gone, this one as it was before included, and tells how many.
func (q *Queue) Rescue(ctx context.Context, client string) (int, error) {
	var count int
	err := q.options.Pool.QueryRow(ctx, rescueSQL, q.options.Term, client).Scan(&count)
	return count, err
}

// reclaim gives back what was taken in this client's name without its knowing.
func (q *Queue) reclaim(ctx context.Context, p *pilot) error {
	_, err := q.options.Pool.Exec(ctx, reclaimSQL, p.client, p.held.all())
	return err
}
