package redis

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/redis/go-redis/v9"
)

// logger takes what asynq says. It says much of each try, and whatever is of interest is said by us.
type logger struct{ log *slog.Logger }

func (l logger) say(args []any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }

func (l logger) Debug(args ...any) { l.say(args) }
func (l logger) Info(args ...any)  { l.say(args) }
func (l logger) Warn(args ...any)  { l.say(args) }
func (l logger) Error(args ...any) { l.say(args) }
func (l logger) Fatal(args ...any) { l.say(args) }

// mute has the library of Redis write nothing to the standard error; what it has to say comes as errors.
var mute = sync.OnceFunc(func() { redis.SetLogger(silent{}) })

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
