package commands

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
)

// look is how often the configuration file is looked at in development.
const look = 250 * time.Millisecond

// changed waits until the configuration has changed to something that can be served, and opens that; nil
// when ctx ends before. A change that cannot be served is told, and what is served goes on.
func (s *server) changed(ctx context.Context) *app.App {
	seen := s.read
	for tick := time.Tick(look); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
		now := s.stamp()
		if now == s.read || now != seen {
			seen = now // an editor may still be writing: what stays for two looks is whole
			continue
		}
		next, err := s.open(ctx)
		if err == nil {
			if err = next.Try(ctx); err != nil {
				next.Close(context.WithoutCancel(ctx))
			}
		}
		if err == nil {
			fmt.Fprintln(s.env.Err, "the configuration has changed: it is served from now on")
			return next
		}
		fail(s.env.Err, err)
		fmt.Fprintln(s.env.Err, "the configuration has changed and cannot be served: what was served before goes on")
	}
}

// stamp tells one state of the configuration file from another; a file that is not there has one, too.
func (s *server) stamp() string {
	info, err := os.Stat(config.Find(s.env.configPath, os.LookupEnv))
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}
