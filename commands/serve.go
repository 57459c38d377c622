package commands

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/examples/shop"
	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/notifications/sink"
)

type serveOptions struct {
	demo   bool
	dev    bool
	listen string
	paused bool
}

func newServeCommand(env *Env) *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the database as a GraphQL API",
		Long: "Serve the database as a GraphQL API.\n\nWithout a configured database a private PostgreSQL server is run below .fraiseql in the project's folder.\n" +
			"SIGTERM drains: /ready fails, and after [lifecycle] shutdown_delay requests at work are finished. A second one leaves at once.",
		Example: "  fraiseql serve --demo\n  fraiseql serve --dev --database-url postgres://localhost/mydb\n  fraiseql serve --listen 0.0.0.0:8080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return (&server{serveOptions: o, env: env}).run(cmd.Context())
		},
	}
	c.Flags().BoolVar(&o.demo, "demo", false, "serve a small shop on the private server")
	c.Flags().BoolVar(&o.dev, "dev", false, "development: playground, introspection, suggestions; changes of schema and configuration are followed")
	c.Flags().StringVar(&o.listen, "listen", "", "address to listen on, HOST:PORT")
	c.Flags().BoolVar(&o.paused, "paused-effects", false, "capture changes, and act on none: observers and jobs wait")
	return c
}

// server is one run of serve; in development it may serve one configuration after the other.
type server struct {
	serveOptions
	env  *Env
	url  string       // where it was last said to be
	port atomic.Value // string: the free port that was taken, which stays when the configuration changes
	read string       // the stamp of the configuration that was last read
	sink *sink.Sink   // takes the demo's mails; nil: nobody does
}

func (s *server) run(ctx context.Context) error {
	defer s.end()
	a, err := s.open(ctx)
	if err != nil {
		return err
	}
	for {
		next, err := s.serve(ctx, a)
		a.Close(context.WithoutCancel(ctx))
		if next == nil {
			return err
		}
		a = next
	}
}

// end lets go of what outlives single configurations.
func (s *server) end() {
	if s.sink != nil {
		s.sink.Close()
	}
}

// demonstrate has the demo's own configuration hold where there is no file, with what it needs around it. It is left where
// other commands in this folder find it.
func (s *server) demonstrate(ctx context.Context) error {
	s.env.unconfigured = nil
	if config.Find(s.env.configPath, os.LookupEnv) != "" {
		return nil
	}
	if s.sink == nil {
		var err error
		if s.sink, err = sink.Open(ctx, s.env.logger(&app.RuntimeConfig{}, s.env.quiet)); err != nil {
			return err
		}
	}
	s.env.unconfigured = shop.Config(s.sink.MailPort(), s.sink.HookURL())
	if err := os.MkdirAll(filepath.Dir(demoConfig), 0o755); err != nil {
		return err
	}
	return os.WriteFile(demoConfig, s.env.unconfigured, 0o600)
}

// demoConfig is what the demo of this folder runs with, or ran.
const demoConfig = ".fraiseql/demo.toml"

// flags are the keys of the configuration that the command line sets.
func (s *server) flags() (map[string]string, error) {
	flags := map[string]string{}
	if s.listen != "" {
		host, port, err := net.SplitHostPort(s.listen)
		if err != nil {
			return nil, fault.Wrap(fault.Usage, "usage", "--listen wants HOST:PORT", err).WithHint("--listen 127.0.0.1:4000")
		}
		if host == "" {
			host = "0.0.0.0"
		}
		if taken, ok := s.port.Load().(string); ok && port == "0" {
			port = taken
		}
		flags["server.host"], flags["server.port"] = host, port
	}
	if s.dev || s.demo {
		flags["lifecycle.shutdown_delay"] = "0s" // nobody balances load to a developer's machine
	}
	return flags, nil
}

// open reads the configuration and builds the program.
func (s *server) open(ctx context.Context) (*app.App, error) {
	flags, err := s.flags()
	if err != nil {
		return nil, err
	}
	s.read = s.stamp()
	if s.demo {
		if err := s.demonstrate(ctx); err != nil {
			return nil, err
		}
	}
	c, file, err := s.env.load(true, flags)
	if err != nil {
		return nil, err
	}
	options := app.Options{Log: s.env.logger(c, s.env.quiet), Dir: projectDir(file), Dev: s.dev || s.demo, Version: currentVersion().Version, Serve: true, PausedEffects: s.paused}
	if s.demo {
		if !c.Private() {
			return nil, fault.New(fault.Usage, "serve/demo-with-database", "--demo runs on the private server, but a database is configured").
				WithHint("run it in an empty folder, or leave --demo out")
		}
		options.Load = shop.SQL()
	}
	return app.Open(ctx, c, options)
}

// serve runs one configuration until ctx ends. In development it also ends when the configuration has
// changed: next is then the program that is to follow.
func (s *server) serve(ctx context.Context, a *app.App) (next *app.App, err error) {
	calmHeap()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var watching sync.WaitGroup
	if s.dev {
		watching.Go(func() {
			if next = s.changed(ctx); next != nil {
				stop()
			}
		})
	}
	err = a.Run(ctx, func(url string) { s.announce(url, a.Config.GraphQL.Path) })
	stop()
	watching.Wait()
	if err != nil && next != nil {
		next.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return next, err
}

// calmHeap lets the heap grow to three times what lives before it is collected, unless GOGC says otherwise: a
// server's live heap is some megabytes, and would be collected many times a second.
func calmHeap() {
	if _, given := os.LookupEnv("GOGC"); !given {
		debug.SetGCPercent(200)
	}
}

// announce prints the address, once.
func (s *server) announce(url, path string) {
	if s.url == url+path {
		return
	}
	s.port.Store(url[strings.LastIndexByte(url, ':')+1:])
	s.url = url + path
	if !s.demo {
		fmt.Fprintln(s.env.Out, s.url)
		return
	}
	fmt.Fprintf(s.env.Out, "The demo shop is at %s (open it in a browser), its health at %s/ready. Try:\n\n"+
		"  curl -s %s -H 'content-type: application/json' -d '{\"query\":\"%s\"}'\n\n"+
		"Order something: a mail, a webhook, a function and a job follow, in this log and by `fraiseql observers logs`, `jobs list`, `events tail`:\n\n"+
		"  curl -s %s -H 'content-type: application/json' -d '{\"query\":\"%s\"}'\n\n",
		s.url, url, s.url, shop.Query, s.url, strings.ReplaceAll(shop.Order, `"`, `\"`))
}
