// Package retry is how whatever failed is tried again: after waits that double, with full jitter.
package retry

import (
	"math/rand/v2"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Policy is the table retry of whatever is tried again.
type Policy struct {
	MaxAttempts int           `toml:"max_attempts" default:"10" min:"1" max:"1000" doc:"Tries until it counts as dead."`
	Initial     time.Duration `toml:"initial" default:"1s" min:"1ms" doc:"Upper bound of the first wait."`
	Max         time.Duration `toml:"max" default:"10m" min:"1ms" doc:"Upper bound of every wait."`
}

// Default is what holds where nothing is said.
func Default() Policy { return Policy{MaxAttempts: 10, Initial: time.Second, Max: 10 * time.Minute} }

// Check wants waits that can grow.
func (p *Policy) Check(r *config.Report) {
	if p.Initial > p.Max {
		key := "initial"
		if !r.Given(key) {
			key = "max"
		}
		r.Error(key, "config/out-of-range", "`initial` is longer than `max`", "make `max` at least as long")
	}
}

// Wait gives how long to wait after so many failures in a row, and whether to try again at all. Between nothing and its
// bound each wait is as likely as another: what failed together does not come back together
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
func (p Policy) Wait(failures int) (wait time.Duration, again bool) {
	if failures >= p.MaxAttempts {
		return 0, false
	}
	bound := p.Max
	if shift := failures - 1; shift < 40 && p.Initial<<shift < p.Max && p.Initial<<shift > 0 {
		bound = p.Initial << max(0, shift)
	}
	return rand.N(max(bound, 1)), true
}
