package redis

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // it is how Redis calls scripts
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// conn is the connection that asynq's server works a queue by. Its scripts are known by their keys, and some are exchanged for
// ours or get one of ours before them.
type conn struct {
	redis.UniversalClient
	queue  *Queue
	name   string // of the logical queue
	server string
	bounds jobs.Bounds
	kinds  []string
	closed <-chan struct{}

	made sync.Map // scripts with one of ours before them, by the digest of asynq's
	busy atomic.Int64

	// For the goroutine by which asynq takes jobs.
	taken int
	ready []*try
}

// missing is what Redis answers to the digest of a script that it does not have: asynq sends the script itself then.
type missing struct{}

func (missing) Error() string { return "NOSCRIPT it is to be sent" }
func (missing) RedisError()   {}

var _ redis.Error = missing{}

// shape is which of asynq's scripts has some keys.
type shape int

const (
	other   shape = iota
	take          // pending, paused, active, lease
	due           // scheduled or retry, pending
	expired       // lease
	expire        // completed
	finish        // a task, active and lease among others: the try ends
	requeue       // the same, and pending: it is given back
)

// shapes tells scripts apart by how many keys they have (0 is any number) and by which are among them; the first that fits counts.
var shapes = []struct {
	is    shape
	count int
	has   []string
}{
	{take, 4, []string{"paused", "active"}},
	{due, 2, []string{"pending", "scheduled"}},
	{due, 2, []string{"pending", "retry"}},
	{expired, 1, []string{"lease"}},
	{expire, 1, []string{"completed"}},
	{requeue, 0, []string{"task", "active", "lease", "pending"}},
	{finish, 0, []string{"task", "active", "lease"}},
}

// shapeOf tells which script has some keys, and the key of its task.
func shapeOf(keys []string) (shape, string) {
	var has []string
	task := ""
	for _, key := range keys {
		p, rest, ours := strings.Cut(key, "}:")
		if !ours || !strings.HasPrefix(p, "asynq:{") {
			continue
		}
		if task == "" && strings.HasPrefix(rest, "t:") && len(rest) > 2 {
			task, rest = key, "task"
		}
		has = append(has, rest)
	}
	for _, s := range shapes {
		lacks := func(name string) bool { return !slices.Contains(has, name) }
		if (s.count == 0 || s.count == len(keys)) && !slices.ContainsFunc(s.has, lacks) {
			return s.is, task
		}
	}
	return other, ""
}

// ofTask gives queue and id of a task by its key.
func ofTask(key string) (queue, id string) {
	queue, id, _ = strings.Cut(strings.TrimPrefix(key, "asynq:{"), "}:t:")
	return queue, id
}

// EvalSha is how asynq runs a script.
func (c *conn) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	is, task := shapeOf(keys)
	switch is {
	case take:
		return c.take(ctx, keys[0])
	case expired: // see Queue.rescue
		return redis.NewCmdResult([]any{}, nil)
	case expire:
		queue, _, _ := strings.Cut(strings.TrimPrefix(keys[0], "asynq:{"), "}")
		return forgetScript.Run(ctx, c.UniversalClient, nil, queue, c.queue.retention(), args[2])
	case requeue, finish:
		return c.end(ctx, is, sha, task, keys, args)
	case due:
		return c.before(ctx, sha, keys, args)
	}
	return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
}

// before runs a script that was sent already, with ours before it.
func (c *conn) before(ctx context.Context, sha string, keys []string, args []any) *redis.Cmd {
	made, _ := c.made.Load(sha)
	script, there := made.(*redis.Script)
	if !there {
		return redis.NewCmdResult(nil, missing{})
	}
	return script.Run(ctx, c.UniversalClient, keys, args...)
}

// Eval is how asynq runs a script that Redis does not have yet.
func (c *conn) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	is, _ := shapeOf(keys)
	ours := map[shape]string{due: clockLua, finish: endLua, requeue: endLua}[is]
	if ours == "" {
		return c.UniversalClient.Eval(ctx, script, keys, args...)
	}
	sum := sha1.Sum([]byte(script)) //nolint:gosec // as above
	sha := hex.EncodeToString(sum[:])
	c.made.Store(sha, redis.NewScript(ours+script))
	return c.EvalSha(ctx, sha, keys, args...)
}

const (
	// reverse is which of some jobs is taken from the last priority first, so that none waits for ever.
	reverse = 32
	// together is how many jobs are taken at once, when there are places for them.
	together = 16
)

// columns are the fields that taking a job gives, as the script names them.
var columns = []string{"kind", "msg", "attempt", "takes", "servers", "max", "created", "due", "failures", "log", "cancel"}

// take gives asynq the next job of all priorities when it asks for one of the first; it asks for the others when there was none.
// asynq asks for one at a time, in one goroutine, when it has a place for it: with more places more are taken, and given one by
// one.
func (c *conn) take(ctx context.Context, pending string) *redis.Cmd {
	none := redis.NewCmdResult(nil, redis.Nil)
	if !strings.HasPrefix(pending, "asynq:{"+c.name+":1}") {
		return none
	}
	if len(c.ready) == 0 {
		if err := c.fetch(ctx); err != nil {
			select { // asynq would ask again at once
			case <-c.closed:
			case <-time.After(200 * time.Millisecond):
			}
			return redis.NewCmdResult(nil, err)
		}
	}
	if len(c.ready) == 0 {
		return none
	}
	t := c.ready[0]
	c.ready = c.ready[1:]
	c.queue.tries.begin(t)
	return redis.NewCmdResult(t.fields["msg"], nil)
}

// fetch takes jobs, as many as there are places for.
func (c *conn) fetch(ctx context.Context) error {
	backwards, nth := 0, c.taken%reverse
	many := max(1, min(together, c.bounds.Concurrency-int(c.busy.Load()), reverse-1-nth))
	if nth == reverse-1 {
		backwards, many = 1, 1
	}
	args := []any{c.name, c.server, Term.Seconds(), backwards, c.bounds.Global, c.bounds.Rate, many}
	for _, kind := range c.kinds {
		args = append(args, kind)
	}
	rows, err := takeScript.Run(ctx, c.UniversalClient, nil, args...).Slice()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if r, _ := row.([]any); len(r) == 7 {
			c.ready = append(c.ready, c.tryOf(r))
		}
	}
	c.taken += len(rows)
	c.busy.Add(int64(len(rows)))
	return nil
}

// tryOf reads what taking a job gives.
func (c *conn) tryOf(r []any) *try {
	text := func(i int) string { s, _ := r[i].(string); return s }
	attempt, _ := r[4].(int64)
	fields := make(map[string]string, len(columns)+4)
	values, _ := r[6].([]any)
	for i, v := range values {
		if s, there := v.(string); there {
			fields[columns[i]] = s
		}
	}
	fields["state"], fields["token"], fields["servers"], fields["started"] = "active", text(2), text(3), text(5)
	fields["attempt"] = strconv.FormatInt(attempt, 10)
	return &try{id: text(1), queue: text(0), fields: fields, over: func() { c.busy.Add(-1) }}
}

// putBack gives back what was taken and asynq has not asked for any more.
func (c *conn) putBack(ctx context.Context) {
	for _, t := range c.ready {
		_ = releaseScript.Run(ctx, c.UniversalClient, nil, t.queue, t.id, t.token()).Err() // otherwise it is a dead server's
	}
	c.ready = nil
}

// end says what became of a try, when the job is this server's still and the try its newest one.
func (c *conn) end(ctx context.Context, is shape, sha, task string, keys []string, args []any) *redis.Cmd {
	done := redis.NewCmdResult("OK", nil)
	queue, id := ofTask(task)
	t, ended := c.queue.tries.ended(id)
	if t == nil || is == finish && (!ended || older(args)) {
		return done
	}
	if is == requeue || t.release {
		cmd := releaseScript.Run(ctx, c.UniversalClient, nil, append([]any{queue, id, t.token()}, t.keep...)...)
		c.queue.tries.forget(t, cmd.Err())
		return redis.NewCmdResult("OK", cmd.Err())
	}
	args = append([]any(nil), args...)
	if strings.HasSuffix(keys[3], "}:archived") { // as many as there are, for as long as retention says
		args[3], args[4] = 0, noLimit
	}
	wait := any("")
	if t.waits {
		wait = t.wait.Seconds()
	}
	args = append(append(args, t.keep...), task, t.token(), wait, len(t.keep))
	cmd := c.before(ctx, sha, keys, args)
	c.queue.tries.forget(t, cmd.Err())
	return cmd
}

// older tells whether a try ended that another of the same server came after: its error is in the message.
func older(args []any) bool {
	message, _ := args[1].([]byte)
	return bytes.Contains(message, []byte(errLost.Error()))
}

// ZAddXX is how asynq says that jobs are still at work.
func (c *conn) ZAddXX(ctx context.Context, key string, members ...redis.Z) *redis.IntCmd {
	queue, _, _ := strings.Cut(strings.TrimPrefix(key, "asynq:{"), "}")
	args, all := []any{queue, Term.Seconds()}, []*try(nil)
	for _, m := range members {
		id, _ := m.Member.(string)
		if t, _ := c.queue.tries.ended(id); t != nil {
			args, all = append(args, id, t.token()), append(all, t)
		}
	}
	if len(all) == 0 {
		return redis.NewIntResult(0, nil)
	}
	said, err := extendScript.Run(ctx, c.UniversalClient, nil, args...).Int64Slice()
	for i, n := range said {
		switch n {
		case 0:
			c.queue.tries.lose(all[i])
		case 2:
			all[i].stop(errCancelled)
		}
	}
	return redis.NewIntResult(int64(len(said)), err)
}
