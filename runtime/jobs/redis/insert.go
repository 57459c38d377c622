package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// Of asynq's own options those that must not get in the way: how long tries may take, and how many there are, is decided here.
const (
	noTimeout = 100 * 365 * 24 * time.Hour
	noLimit   = 1 << 30
)

// recorder stands in for Redis where asynq's client enqueues a task, and keeps its message.
type recorder struct {
	redis.UniversalClient
	message []byte
}

func (*recorder) SAdd(context.Context, string, ...any) *redis.IntCmd {
	return redis.NewIntResult(1, nil)
}

func (r *recorder) EvalSha(_ context.Context, _ string, _ []string, args ...any) *redis.Cmd {
	r.message, _ = args[0].([]byte)
	return redis.NewCmdResult(int64(1), nil)
}

// spec is a job with its id.
type spec struct {
	jobs.Spec
	id string
}

func queueOf(n jobs.Spec) string { return n.Queue + ":" + strconv.Itoa(n.Priority) }

func keyOf(n jobs.Spec) string {
	if n.UniqueKey == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(n.Kind + " " + n.UniqueKey))
	return uniqueKey + hex.EncodeToString(sum[:])
}

// causeOf writes a cause, which is nothing where nothing is known of it.
func causeOf(c jobs.Cause) (string, error) {
	if c == (jobs.Cause{}) {
		return "", nil
	}
	text, err := json.Marshal(c)
	return string(text), err
}

// arguments gives what the script that inserts wants of a job.
func (q *Queue) arguments(ctx context.Context, s spec) ([]any, error) {
	e := envelope{V: 1, Args: s.Args, RunAt: s.RunAt, UniqueKey: s.UniqueKey}
	cause, err := causeOf(s.Cause)
	if err != nil {
		return nil, err
	}
	if cause != "" {
		e.Cause = &s.Cause
	}
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	queue := queueOf(s.Spec)
	var r recorder
	_, err = asynq.NewClientFromRedisClient(&r).EnqueueContext(ctx, asynq.NewTask(s.Kind, text),
		asynq.TaskID(s.id), asynq.Queue(queue), asynq.MaxRetry(noLimit), asynq.Timeout(noTimeout), asynq.Retention(q.options.Retention))
	if err != nil {
		return nil, err
	}
	due := ""
	if !s.RunAt.IsZero() {
		due = strconv.FormatFloat(float64(s.RunAt.UnixMicro())/1e6, 'f', 6, 64)
	}
	return []any{queue, s.Queue, s.id, r.message, due, s.Kind, s.MaxAttempts, keyOf(s.Spec), string(s.UniqueUntil), cause}, nil
}

// insert makes jobs, all or none. What Redis has already by its id is as it was.
func (q *Queue) insert(ctx context.Context, all []spec) ([]jobs.Receipt, error) {
	args := []any{q.retention()}
	for _, s := range all {
		one, err := q.arguments(ctx, s)
		if err != nil {
			return nil, err
		}
		args = append(args, one...)
	}
	rows, err := insertScript.Run(ctx, q.client, nil, args...).Slice()
	if err != nil {
		return nil, explain(err)
	}
	receipts := make([]jobs.Receipt, len(rows))
	for i, row := range rows {
		columns, _ := row.([]any)
		if len(columns) != 3 {
			return nil, fault.New(fault.Internal, "jobs/bad-answer", "Redis gave an answer that cannot be read")
		}
		text := func(i int) string { s, _ := columns[i].(string); return s }
		receipts[i] = jobs.Receipt{ID: text(0), State: jobs.State(text(1)), Duplicate: text(2) != ""}
	}
	return receipts, nil
}

// Enqueue makes jobs in one step.
func (q *Queue) Enqueue(ctx context.Context, all []jobs.Spec) ([]jobs.Receipt, error) {
	if len(all) == 0 {
		return nil, nil
	}
	specs := make([]spec, len(all))
	for i, n := range all {
		specs[i] = spec{Spec: n, id: q.ids.next()}
	}
	return q.insert(ctx, specs)
}

// Load makes jobs in steps of some hundred.
func (q *Queue) Load(ctx context.Context, all []jobs.Spec) (int, error) {
	made := 0
	for len(all) > 0 {
		part := all[:1]
		for size := len(all[0].Args); len(part) < min(500, len(all)) && size < 4<<20; size += len(all[len(part)-1].Args) {
			part = all[:len(part)+1]
		}
		if _, err := q.Enqueue(ctx, part); err != nil {
			return made, err
		}
		made, all = made+len(part), all[len(part):]
	}
	return made, nil
}
