package redis

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// refusals are beginnings of what Redis says when it answers and cannot do now what it is asked.
var refusals = []string{"LOADING", "OOM", "MISCONF", "READONLY", "BUSY", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN"}

// Codes of what another try may mend.
const (
	Away    = "jobs/redis-away"
	Refuses = "jobs/redis-refuses"
)

// explain says what an error of Redis means for whoever asked. Texts of the library have addresses without names and passwords.
func explain(err error) error {
	if _, told := fault.As(err); told || err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var said redis.Error
	if errors.As(err, &said) {
		for _, beginning := range refusals {
			if strings.Contains(said.Error(), beginning) {
				return fault.Wrap(fault.Unavailable, Refuses, "the Redis that has the jobs cannot take or give any now", err).WithHint("look into its log; with maxmemory it needs maxmemory-policy noeviction")
			}
		}
		for _, beginning := range []string{"NOAUTH", "WRONGPASS", "NOPERM"} {
			if strings.HasPrefix(said.Error(), beginning) {
				return fault.Wrap(fault.Invalid, "jobs/redis-denies", "the Redis that is to have the jobs does not let this user in", err).WithHint("correct the name and password in [jobs] redis_url_env; the user needs all commands on keys asynq:* and fraiseql:jobs*")
			}
		}
		return err
	}
	return fault.Wrap(fault.Unavailable, Away, "the Redis that has the jobs does not answer", err).WithHint("is it up, and is [jobs] redis_url_env right?")
}
