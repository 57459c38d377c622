package deployment

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Check asks whether the sets are as the project wants them; c is nil when serve does nothing about them.
func (m *Migrator) Check(c *Config, sets ...Set) doctor.Check {
	return doctor.Check{Name: "migrations", Run: func(ctx context.Context, found *doctor.Findings) {
		all, err := m.Status(ctx, sets...)
		if told, known := fault.As(err); known && told.Kind == fault.Forbidden {
			err = told.WithHint("give [migrations] url_env the address of the tables' owner, and run: fraiseql migrate up; it lets this login use what is in _system")
		}
		if err != nil {
			found.Fault(err)
			return
		}
		pending, applied := Due(all), 0
		var missing []string
		for _, one := range all {
			switch one.State {
			case Missing:
				missing = append(missing, strconv.FormatInt(one.Version, 10))
			case Applied:
				applied++
			}
		}
		if len(missing) > 0 {
			found.Warn("applied, but without a file: "+strings.Join(missing, ", "), "get the files back from where they were removed")
		}
		switch {
		case len(pending) == 0 && applied == 0:
			found.OK("there are none")
		case len(pending) == 0:
			found.OK(fmt.Sprintf("all %d are applied", applied))
		case c == nil || !c.On() || c.OnStart == "ignore":
			found.Warn(fmt.Sprintf("%d pending, and serve does not run them: %s", len(pending), pending[0].Name), "fraiseql migrate up")
		case c.OnStart == "refuse":
			found.Error(fmt.Sprintf("%d pending, and serve refuses to start: %s", len(pending), pending[0].Name), "fraiseql migrate up")
		default:
			found.OK(fmt.Sprintf("%d pending: serve runs them when it starts", len(pending)))
		}
	}}
}
