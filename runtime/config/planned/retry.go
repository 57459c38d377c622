package planned

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Retry is the table retry of whatever is tried again: doubling waits with full jitter.
type Retry struct {
	MaxAttempts int           `toml:"max_attempts" default:"10" min:"1" max:"1000" doc:"Tries until it counts as dead."`
	Initial     time.Duration `toml:"initial" default:"1s" min:"1ms" doc:"Upper bound of the first wait."`
	Max         time.Duration `toml:"max" default:"10m" min:"1ms" doc:"Upper bound of every wait."`
}

// Check wants waits that can grow.
func (t *Retry) Check(r *config.Report) {
	if t.Initial > t.Max {
		key := "initial"
		if !r.Given(key) {
			key = "max"
		}
		r.Error(key, "config/out-of-range", "`initial` is longer than `max`", "make `max` at least as long")
	}
}
