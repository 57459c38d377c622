package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// schema is where River's tables are.
const schema = "_system"

// Options say what a queue works with.
type Options struct {
	Pool *pgxpool.Pool // of the queue alone: a job's end must not wait for requests
	Log  *slog.Logger
	Node *cluster.Node // that this server is; nil where no jobs are worked

	PollInterval time.Duration // 0 is 500ms
	Retention    time.Duration // of what is over; 0 is 7 days
	PollOnly     bool          // no LISTEN, which a transaction pooler does not have
	Term         time.Duration // after which a server counts as gone; 0 is cluster.Term
}

// Queue is a jobs.Queue in PostgreSQL.
type Queue struct {
	options Options
	insert  *river.Client[pgx.Tx] // works nothing
}

var _ jobs.Queue = (*Queue)(nil)

// New makes a queue. It connects when it is first used.
func New(o Options) (*Queue, error) {
	if o.PollInterval == 0 {
		o.PollInterval = 500 * time.Millisecond
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.Term == 0 {
		o.Term = cluster.Term
	}
	q := &Queue{options: o}
	var err error
	q.insert, err = river.NewClient(riverpgxv5.New(o.Pool), q.config())
	return q, err
}

// config is what all clients have in common.
func (q *Queue) config() *river.Config {
	return &river.Config{
		Schema: schema, Logger: quiet(q.options.Log), PollOnly: q.options.PollOnly,
		Plugins: []rivertype.Plugin{&inserting{}},
	}
}

// Caps says that everything can be done.
func (q *Queue) Caps() jobs.Caps {
	return jobs.Caps{TransactionalEnqueue: true, ExactlyOnce: true, GlobalConcurrency: true, RateLimit: true, UniqueForgotten: true, History: true}
}

// Enqueue makes jobs in a transaction of their own.
func (q *Queue) Enqueue(ctx context.Context, all []jobs.Spec) ([]jobs.Receipt, error) {
	params, err := paramsOf(all)
	if err != nil || len(params) == 0 {
		return nil, err
	}
	results, err := q.insert.InsertMany(ctx, params)
	return receipts(results), err
}

// EnqueueTx makes jobs in a transaction of the caller's.
func (q *Queue) EnqueueTx(ctx context.Context, tx pgx.Tx, all []jobs.Spec) ([]jobs.Receipt, error) {
	params, err := paramsOf(all)
	if err != nil || len(params) == 0 {
		return nil, err
	}
	results, err := q.insert.InsertManyTx(ctx, tx, params)
	return receipts(results), err
}

// Load makes jobs by COPY.
func (q *Queue) Load(ctx context.Context, all []jobs.Spec) (int, error) {
	params, err := paramsOf(all)
	if err != nil || len(params) == 0 {
		return 0, err
	}
	return q.insert.InsertManyFast(ctx, params)
}

func paramsOf(all []jobs.Spec) ([]river.InsertManyParams, error) {
	params := make([]river.InsertManyParams, len(all))
	for i, n := range all {
		metadata, err := json.Marshal(metadata{UniqueKey: n.UniqueKey, UniqueUntil: n.UniqueUntil, Cause: &n.Cause})
		if err != nil {
			return nil, err
		}
		params[i] = river.InsertManyParams{
			Args:       args{kind: n.Kind, raw: n.Args},
			InsertOpts: &river.InsertOpts{Queue: n.Queue, ScheduledAt: n.RunAt, Priority: n.Priority, MaxAttempts: n.MaxAttempts, Metadata: metadata},
		}
	}
	return params, nil
}

func receipts(results []*rivertype.JobInsertResult) []jobs.Receipt {
	var all []jobs.Receipt
	for _, r := range results {
		all = append(all, jobs.Receipt{ID: idOf(r.Job.ID), State: states[r.Job.State], Duplicate: r.UniqueSkippedAsDuplicate})
	}
	return all
}

// Get gives one job.
func (q *Queue) Get(ctx context.Context, id string) (jobs.Job, error) {
	return q.one(id, func(n int64) (*rivertype.JobRow, error) { return q.insert.JobGet(ctx, n) })
}

// List gives the newest first.
func (q *Queue) List(ctx context.Context, f jobs.Filter) ([]jobs.Job, error) {
	params := river.NewJobListParams().First(f.Limit).OrderBy(river.JobListOrderByID, river.SortOrderDesc)
	if f.State != "" {
		params = params.States(stateOf(f.State))
	}
	if f.Kind != "" {
		params = params.Kinds(f.Kind)
	}
	if f.Queue != "" {
		params = params.Queues(f.Queue)
	}
	if f.Cause != (jobs.Cause{}) {
		text, err := json.Marshal(metadata{Cause: &f.Cause})
		if err != nil {
			return nil, err
		}
		params = params.Metadata(string(text))
	}
	if f.Before != "" {
		before, err := strconv.ParseInt(f.Before, 10, 64)
		if err != nil {
			return nil, jobs.NoJob(f.Before)
		}
		params = params.Where("id < @before", river.NamedArgs{"before": before})
	}
	result, err := q.insert.JobList(ctx, params)
	if err != nil {
		return nil, err
	}
	all := make([]jobs.Job, len(result.Jobs))
	for i, row := range result.Jobs {
		all[i] = jobOf(row)
	}
	return all, nil
}

// Cancel ends a job. One that is running is told by NOTIFY, and within seconds where that does not get through.
func (q *Queue) Cancel(ctx context.Context, id string) (jobs.Job, error) {
	return q.one(id, func(n int64) (*rivertype.JobRow, error) { return q.insert.JobCancel(ctx, n) })
}

// Retry has a job begin now.
func (q *Queue) Retry(ctx context.Context, id string) (jobs.Job, error) {
	job, err := q.one(id, func(n int64) (*rivertype.JobRow, error) { return q.insert.JobRetry(ctx, n) })
	var taken *pgconn.PgError
	if errors.As(err, &taken) && taken.Code == "23505" {
		return job, fault.New(fault.Conflict, "jobs/key-taken", "another job has the unique key of job "+id+" by now").WithHint("fraiseql jobs delete %s", id)
	}
	if err == nil && job.State == jobs.Running {
		return job, jobs.BadState(id, jobs.Running, "it is tried again when it fails, or cancel it first")
	}
	return job, err
}

// Delete forgets a job.
func (q *Queue) Delete(ctx context.Context, id string) (jobs.Job, error) {
	job, err := q.one(id, func(n int64) (*rivertype.JobRow, error) { return q.insert.JobDelete(ctx, n) })
	if errors.Is(err, rivertype.ErrJobRunning) {
		return job, jobs.BadState(id, jobs.Running, "cancel it first")
	}
	return job, err
}

// one does something with a job by its id.
func (q *Queue) one(id string, do func(int64) (*rivertype.JobRow, error)) (jobs.Job, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return jobs.Job{}, jobs.NoJob(id)
	}
	row, err := do(n)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return jobs.Job{}, jobs.NoJob(id)
	case err != nil:
		return jobs.Job{}, err
	}
	return jobOf(row), nil
}

const queuesSQL = `
select queue, state::text, count(*), min(scheduled_at) filter (where state = 'available')
from _system.river_job
where state in ('available', 'running', 'scheduled', 'retryable', 'discarded')
group by queue, state`

// Queues gives all queues that a server works, or that have jobs.
func (q *Queue) Queues(ctx context.Context) ([]jobs.QueueState, error) {
	byName := map[string]*jobs.QueueState{}
	of := func(name string) *jobs.QueueState {
		if byName[name] == nil {
			byName[name] = &jobs.QueueState{Name: name}
		}
		return byName[name]
	}
	known, err := q.insert.QueueList(ctx, river.NewQueueListParams().First(1000))
	if err != nil {
		return nil, err
	}
	for _, one := range known.Queues {
		s := of(one.Name)
		s.Paused, s.PausedAt = one.PausedAt != nil, one.PausedAt
	}
	rows, err := q.options.Pool.Query(ctx, queuesSQL)
	if err != nil {
		return nil, err
	}
	var name, state string
	var count int64
	var oldest *time.Time
	_, err = pgx.ForEachRow(rows, []any{&name, &state, &count, &oldest}, func() error {
		s := of(name)
		switch states[rivertype.JobState(state)] {
		case jobs.Available:
			s.Available, s.Oldest = count, oldest
		case jobs.Running:
			s.Running = count
		case jobs.Scheduled:
			s.Scheduled = count
		case jobs.Retryable:
			s.Retryable = count
		case jobs.Dead:
			s.Dead = count
		}
		return nil
	})
	all := make([]jobs.QueueState, 0, len(byName))
	for _, s := range byName {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b jobs.QueueState) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

// Pause has no server begin jobs of a queue.
func (q *Queue) Pause(ctx context.Context, queue string) error {
	return missing(q.insert.QueuePause(ctx, queue, nil), queue)
}

// Resume ends that.
func (q *Queue) Resume(ctx context.Context, queue string) error {
	return missing(q.insert.QueueResume(ctx, queue, nil), queue)
}
