package redis

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// Term is after how long without a word of it a server counts as gone. asynq's servers speak every 5 seconds.
const Term = 15 * time.Second

// Options say what a queue works with.
type Options struct {
	Address string        // redis://user:password@host:6379/0, rediss:// with TLS, unix:///path
	Pool    *pgxpool.Pool // for the outbox
	Log     *slog.Logger
	Node    *cluster.Node // that this server is; nil where no jobs are worked

	PollInterval time.Duration // 0 is 500ms
	Retention    time.Duration // of what is over; 0 is 7 days
}

// Queue is a jobs.Queue in Redis.
type Queue struct {
	options Options
	client  *redis.Client // asks again when an answer is lost: what it asks may be done twice
	once    *redis.Client // does not
	ids     ids
	tries   tries
	place   atomic.Pointer[string] // what Redis is marked by; nil where no jobs are worked
}

var _ jobs.Queue = (*Queue)(nil)

// New makes a queue. It connects when it is first used. Close ends what it began.
func New(o Options) (*Queue, error) {
	mute()
	if err := config.CheckAddress(o.Address); err != nil {
		return nil, fault.New(fault.Invalid, "redis/bad-url", "the address of Redis cannot be used: "+err.Error()).WithHint("write it as redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path")
	}
	options, err := redis.ParseURL(o.Address)
	if err != nil { // its text may have the password in it
		return nil, fault.New(fault.Invalid, "redis/bad-url", "the address of Redis cannot be read").WithHint("write it as redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path")
	}
	if o.PollInterval == 0 {
		o.PollInterval = 500 * time.Millisecond
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	options.ClientName, options.ContextTimeoutEnabled = "fraiseql", true
	options.DialTimeout, options.ReadTimeout = 2*time.Second, 5*time.Second
	options.MaxRetries = 3
	once := *options
	once.MaxRetries = -1
	return &Queue{options: o, client: redis.NewClient(options), once: redis.NewClient(&once)}, nil
}

// Address tells where it is, without name and password.
func (q *Queue) Address() string {
	o := q.client.Options()
	switch {
	case o.Network == "unix":
		return "unix://" + o.Addr
	case o.TLSConfig != nil:
		return "rediss://" + o.Addr + "/" + strconv.Itoa(o.DB)
	}
	return "redis://" + o.Addr + "/" + strconv.Itoa(o.DB)
}

// Ping tells whether Redis answers, and lets this user in.
func (q *Queue) Ping(ctx context.Context) error { return explain(q.once.Ping(ctx).Err()) }

// Close ends the connections.
func (q *Queue) Close() {
	_ = q.client.Close()
	_ = q.once.Close()
}

// Caps says that only what needs a transaction of PostgreSQL cannot be done.
func (q *Queue) Caps() jobs.Caps {
	return jobs.Caps{TransactionalEnqueue: true, GlobalConcurrency: true, RateLimit: true, UniqueForgotten: true, History: true}
}

func (q *Queue) retention() int64 { return int64(q.options.Retention.Seconds()) }

// find gives the queue with priority of a job, and its id: another where it was merged into another; "" when there is none.
func (q *Queue) find(ctx context.Context, id string) (string, string, error) {
	members, err := q.client.ZRangeByLex(ctx, indexKey, &redis.ZRangeBy{Min: "[" + id + " ", Max: "[" + id + "!", Count: 1}).Result()
	if err != nil {
		return "", "", explain(err)
	}
	if len(members) == 0 {
		member, err := q.client.Get(ctx, sameKey+id).Result()
		if err == redis.Nil { //nolint:errorlint // it is never wrapped
			return "", "", nil
		}
		if err != nil {
			return "", "", explain(err)
		}
		members = []string{member}
	}
	id, queue, _ := strings.Cut(members[0], " ")
	return id, queue, nil
}

// Get gives one job.
func (q *Queue) Get(ctx context.Context, id string) (jobs.Job, error) {
	if !isID(id) {
		return jobs.Job{}, jobs.NoJob(id)
	}
	job, there, err := q.read(ctx, id)
	if there || err != nil {
		return job, err
	}
	if job, there, err = q.waits(ctx, id); there || err != nil {
		return job, err
	}
	if job, there, err = q.read(ctx, id); there || err != nil { // it may have come from the outbox meanwhile
		return job, err
	}
	return jobs.Job{}, jobs.NoJob(id)
}

// read gives a job that Redis has.
func (q *Queue) read(ctx context.Context, id string) (jobs.Job, bool, error) {
	id, queue, err := q.find(ctx, id)
	if id == "" || err != nil {
		return jobs.Job{}, false, err
	}
	fields, err := q.client.HGetAll(ctx, taskKey(queue, id)).Result()
	if len(fields) == 0 || err != nil {
		return jobs.Job{}, false, explain(err)
	}
	return jobOf(id, queue, fields), true, nil
}

func taskKey(queue, id string) string { return "asynq:{" + queue + "}:t:" + id }

// List gives the newest first. It looks at all jobs in that order until it has enough. What is still in the outbox is not there
// yet.
func (q *Queue) List(ctx context.Context, f jobs.Filter) ([]jobs.Job, error) {
	var all []jobs.Job
	if f.Before != "" && !isID(f.Before) {
		return nil, jobs.NoJob(f.Before)
	}
	cause, err := causeOf(f.Cause)
	if err != nil {
		return nil, err
	}
	for before, more := f.Before, true; more && len(all) < f.Limit; {
		found, err := listScript.Run(ctx, q.client, nil, before, f.Limit-len(all), string(f.State), f.Kind, f.Queue, cause).StringSlice()
		if err != nil {
			return nil, explain(err)
		}
		pipe := q.client.Pipeline()
		rows := make([]*redis.MapStringStringCmd, len(found)-1)
		for i, member := range found[1:] {
			id, queue, _ := strings.Cut(member, " ")
			rows[i] = pipe.HGetAll(ctx, taskKey(queue, id))
		}
		if _, err := pipe.Exec(ctx); err != nil && len(rows) > 0 {
			return nil, explain(err)
		}
		for i, member := range found[1:] {
			if id, queue, _ := strings.Cut(member, " "); len(rows[i].Val()) > 0 {
				all = append(all, jobOf(id, queue, rows[i].Val()))
			}
		}
		before, more = found[0], found[0] != ""
	}
	return all, nil
}

// Cancel ends a job. One that is running is told, and within seconds where that does not get through.
func (q *Queue) Cancel(ctx context.Context, id string) (jobs.Job, error) {
	return q.change(ctx, "cancel", id)
}

// Retry has a job begin now.
func (q *Queue) Retry(ctx context.Context, id string) (jobs.Job, error) {
	return q.change(ctx, "retry", id)
}

// Delete forgets a job.
func (q *Queue) Delete(ctx context.Context, id string) (jobs.Job, error) {
	return q.change(ctx, "delete", id)
}

// change does something with a job by its id, and gives it as it is then, or as it was when it is deleted.
func (q *Queue) change(ctx context.Context, what, id string) (jobs.Job, error) {
	before, err := q.Get(ctx, id)
	if err != nil {
		return before, err
	}
	if err := q.hurry(ctx, id); err != nil {
		return before, err
	}
	id, queue, err := q.find(ctx, id)
	if id == "" || err != nil {
		return before, cmpErr(err, jobs.NoJob(before.ID))
	}
	said, err := changeScript.Run(ctx, q.client, nil, what, queue, id, q.retention()).StringSlice()
	if err != nil {
		return before, explain(err)
	}
	switch {
	case said[0] == "none":
		return before, jobs.NoJob(id)
	case said[0] == "taken":
		return before, fault.New(fault.Conflict, "jobs/key-taken", "the unique key of the job "+id+" is taken by the job "+said[1])
	case said[0] == string(jobs.Running) && what == "retry":
		return before, jobs.BadState(id, jobs.Running, "it is tried again when it fails, or cancel it first")
	case said[0] == string(jobs.Running):
		return before, jobs.BadState(id, jobs.Running, "cancel it first")
	case said[0] != "" || what == "delete":
		return before, nil
	}
	return q.Get(ctx, id)
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Queues gives all queues that a server works, or that have had jobs.
func (q *Queue) Queues(ctx context.Context) ([]jobs.QueueState, error) {
	rows, err := queuesScript.Run(ctx, q.client, nil).Slice()
	if err != nil {
		return nil, explain(err)
	}
	all := make([]jobs.QueueState, 0, len(rows))
	for _, row := range rows {
		columns, _ := row.([]any)
		if len(columns) != 8 {
			continue
		}
		text := func(i int) string { s, _ := columns[i].(string); return s }
		count := func(i int) int64 { n, _ := columns[i].(int64); return n }
		s := jobs.QueueState{Name: text(0), Available: count(3), Running: count(4), Scheduled: count(5), Retryable: count(6), Dead: count(7)}
		if paused := text(1); paused != "" {
			s.Paused, s.PausedAt = true, at(paused+"000000")
		}
		if since := text(2); len(since) > 3 {
			s.Oldest = at(since[:len(since)-3])
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b jobs.QueueState) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Pause has no server begin jobs of a queue.
func (q *Queue) Pause(ctx context.Context, queue string) error { return q.turn(ctx, queue, 1) }

// Resume ends that.
func (q *Queue) Resume(ctx context.Context, queue string) error { return q.turn(ctx, queue, 0) }

func (q *Queue) turn(ctx context.Context, queue string, paused int) error {
	known, err := pauseScript.Run(ctx, q.client, nil, queue, paused).Int()
	if err == nil && known == 0 {
		return fault.New(fault.NotFound, "jobs/no-queue", "there is no queue "+queue).WithHint("fraiseql jobs queues")
	}
	return explain(err)
}
