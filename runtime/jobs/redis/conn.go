package redis

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // it is how Redis calls scripts
	"encoding/hex"
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

	taken atomic.Int64
	made  sync.Map // scripts with one of ours before them, by the digest of asynq's
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

func shapeOf(keys []string) (s shape, task string) {
	has := map[string]bool{}
	for _, key := range keys {
		p, rest, ours := strings.Cut(key, "}:")
		if !ours || !strings.HasPrefix(p, "asynq:{") {
			continue
		}
		has[rest] = true
		if task == "" && strings.HasPrefix(rest, "t:") && len(rest) > 2 {
			task = key
		}
	}
	switch {
	case len(keys) == 4 && has["paused"] && has["active"]:
		return take, ""
	case len(keys) == 2 && has["pending"] && (has["scheduled"] || has["retry"]):
		return due, ""
	case len(keys) == 1 && has["lease"]:
		return expired, ""
	case len(keys) == 1 && has["completed"]:
		return expire, ""
	case task != "" && has["active"] && has["lease"] && has["pending"]:
		return requeue, task
	case task != "" && has["active"] && has["lease"]:
		return finish, task
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
	script, there := c.made.Load(sha)
	if !there {
		return redis.NewCmdResult(nil, missing{})
	}
	return script.(*redis.Script).Run(ctx, c.UniversalClient, keys, args...) //nolint:errcheck,forcetypeassert // nothing else is in it
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

// reverse is which of some jobs is taken from the last priority first, so that none waits for ever.
const reverse = 32

// take gives asynq the next job of all priorities when it asks for one of the first; it asks for the others when there was none.
func (c *conn) take(ctx context.Context, pending string) *redis.Cmd {
	none := redis.NewCmdResult(nil, redis.Nil)
	if !strings.HasPrefix(pending, "asynq:{"+c.name+":1}") {
		return none
	}
	backwards := 0
	if c.taken.Load()%reverse == reverse-1 {
		backwards = 1
	}
	args := []any{c.name, c.server, Term.Seconds(), backwards, c.bounds.Global, c.bounds.Rate}
	for _, kind := range c.kinds {
		args = append(args, kind)
	}
	cmd := takeScript.Run(ctx, c.UniversalClient, nil, args...)
	if err := cmd.Err(); err != nil {
		if err != redis.Nil { //nolint:errorlint // it is never wrapped
			select { // asynq would ask again at once
			case <-c.closed:
			case <-time.After(200 * time.Millisecond):
			}
		}
		return cmd
	}
	row, err := cmd.Slice()
	if err != nil || len(row) != 4 {
		return none
	}
	c.taken.Add(1)
	message, _ := row[0].(string)
	queue, _ := row[1].(string)
	id, _ := row[2].(string)
	c.queue.tries.begin(&try{id: id, queue: queue, fields: pairs(row[3])})
	return redis.NewCmdResult(message, nil)
}

// pairs makes a map of a hash that a script gives.
func pairs(v any) map[string]string {
	flat, _ := v.([]any)
	fields := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		name, _ := flat[i].(string)
		fields[name], _ = flat[i+1].(string)
	}
	return fields
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
