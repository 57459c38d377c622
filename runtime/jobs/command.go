package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// commandHandler runs a program in the project's folder. It reads the arguments as JSON; what it writes is the result, what it
// writes to its error output goes into the job's log. It is given no other variables than those that are named: there are
// secrets among them.
func (s *Service) commandHandler(r Rule) (Handler, error) {
	if !s.config.AllowCommands {
		return nil, fault.New(fault.Forbidden, "jobs/commands", "handlers that are programs are not allowed").WithHint("[jobs] allow_commands = true")
	}
	return func(ctx context.Context, t *Try) Outcome {
		var out, errs bounded
		c := exec.CommandContext(ctx, r.Command[0], r.Command[1:]...)
		c.Dir, c.Stdin, c.Stdout, c.Stderr = s.deps.Dir, bytes.NewReader(t.Args), &out, &errs
		c.WaitDelay = grace - time.Second
		defer together(c)()
		for _, name := range append([]string{"PATH", "HOME", "LANG"}, r.PassEnv...) {
			if value, given := os.LookupEnv(name); given {
				c.Env = append(c.Env, name+"="+value)
			}
		}
		c.Env = append(c.Env, "JOB_ID="+t.ID, "JOB_KIND="+t.Kind, "JOB_KEY="+t.Key, "JOB_ATTEMPT="+strconv.Itoa(t.Attempt))
		err := c.Run()
		if text := strings.TrimSpace(strings.ToValidUTF8(string(errs.kept), "�")); text != "" {
			t.Say(text)
		}
		var ended *exec.ExitError
		switch {
		case errors.As(err, &ended):
			return Failed(fault.New(fault.Invalid, "jobs/command", fmt.Sprintf("%s ended with %s", r.Command[0], ended.ProcessState)))
		case err != nil:
			return Failed(fault.Wrap(fault.Invalid, "jobs/command", r.Command[0]+" could not be run", err))
		}
		result := bytes.TrimSpace(out.kept)
		if len(result) == 0 || json.Valid(result) {
			return Outcome{Result: result}
		}
		return Done(strings.ToValidUTF8(string(result), "�"))
	}, nil
}

// bounded keeps the beginning of what is written.
type bounded struct{ kept []byte }

func (b *bounded) Write(p []byte) (int, error) {
	if room := resultLimit - len(b.kept); room > 0 {
		b.kept = append(b.kept, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
