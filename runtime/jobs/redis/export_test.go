package redis

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Mute prepares a queue for not being heard of any more, without its knowing: what it says of its being alive goes nowhere as
// soon as what it gives is called.
func (q *Queue) Mute() func() {
	var d deaf
	q.once.AddHook(&d)
	return func() { d.silent.Store(true) }
}

type deaf struct{ silent atomic.Bool }

func (*deaf) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d *deaf) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args()
		if d.silent.Load() && len(args) > 1 && (args[1] == extendScript.Hash() || args[1] == libLua+extendLua) {
			if c, is := cmd.(*redis.Cmd); is {
				c.SetVal([]any{})
			}
			return nil
		}
		return next(ctx, cmd)
	}
}

func (*deaf) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
