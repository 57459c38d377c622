package commands

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/examples/shop"
	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

type serveOptions struct {
	demo   bool
	dev    bool
	listen string
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
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	c.Flags().BoolVar(&o.demo, "demo", false, "serve a small shop on the private server")
	c.Flags().BoolVar(&o.dev, "dev", false, "development: playground and introspection, schema changes seen at once")
	c.Flags().StringVar(&o.listen, "listen", "", "address to listen on, HOST:PORT")
	return c
}

func (o serveOptions) run(ctx context.Context, env *Env) error {
	flags := map[string]string{}
	if o.listen != "" {
		host, port, err := net.SplitHostPort(o.listen)
		if err != nil {
			return fault.Wrap(fault.Usage, "usage", "--listen wants HOST:PORT", err).WithHint("--listen 127.0.0.1:4000")
		}
		if host != "" {
			flags["server.host"] = host
		} else {
			flags["server.host"] = "0.0.0.0"
		}
		flags["server.port"] = port
	}
	if o.dev || o.demo {
		flags["lifecycle.shutdown_delay"] = "0s" // nobody balances load to a developer's machine
	}
	c, file, err := env.load(true, flags)
	if err != nil {
		return err
	}
	options := app.Options{Log: env.logger(c, env.quiet), Dir: projectDir(file), Dev: o.dev || o.demo}
	if o.demo {
		if !c.Private() {
			return fault.New(fault.Usage, "serve/demo-with-database", "--demo runs on the private server, but a database is configured").
				WithHint("run it in an empty folder, or leave --demo out")
		}
		options.Load = shop.SQL()
	}
	a, err := app.Open(ctx, c, options)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	return a.Run(ctx, func(url string) {
		if o.demo {
			env.printDemo(url, c.GraphQL.Path)
			return
		}
		fmt.Fprintln(env.Out, url+c.GraphQL.Path)
	})
}

func (e *Env) printDemo(url, path string) {
	fmt.Fprintf(e.Out, "The demo shop is at %s%s (open it in a browser), its health at %s/ready. Try:\n\n"+
		"  curl -s %s%s -H 'content-type: application/json' -d '{\"query\":\"%s\"}'\n\n", url, path, url, url, path, shop.Query)
}
