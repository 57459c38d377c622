// Package commands is the command line: one file a verb. A verb parses its words into an options struct
// and runs a method that knows nothing of cobra; results go to standard output, talk to standard error.
package commands

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// all is every verb, in the groups that help shows.
func all(env *Env) map[string][]*cobra.Command {
	return map[string][]*cobra.Command{
		"start":   {newInitCommand(env), newServeCommand(env), newValidateCommand(env)},
		"data":    {newQueryCommand(env), newExplainCommand(env), newSchemaCommand(env), newMigrateCommand(env), newDBCommand(env)},
		"react":   {newObserversCommand(env), newEventsCommand(env), newJobsCommand(env), newWhyCommand(env)},
		"operate": {newDoctorCommand(env), newPolicyCommand(env), newVersionCommand(env), newDocsCommand(env), newStatusCommand(env), newAdoptCommand(env)},
	}
}

// Main runs the program and gives its exit code. The first SIGINT or SIGTERM ends a command in order;
// the second one leaves at once.
func Main(args []string, streams Streams) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-done:
			return
		case <-signals:
			cancel()
		}
		select {
		case <-done:
		case <-signals:
			os.Exit(exitInterrupted)
		}
	}()
	env := &Env{Streams: streams}
	root := newRoot(env)
	root.SetArgs(args)
	return fail(streams.Err, root.ExecuteContext(ctx))
}

func newRoot(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "fraiseql",
		Short: "fraiseql turns a PostgreSQL database into a GraphQL API",
		Long: "fraiseql turns a PostgreSQL database into a GraphQL API: one binary, one SQL statement a field.\n\n" +
			"Exit codes: 0 ok, 1 failed, 2 usage, 3 invalid config or input, 4 dependency unreachable, 5 not allowed,\n" +
			"6 not found, 7 needs action, 130 interrupted.",
		Example: "  fraiseql serve --demo                       a small shop on a private PostgreSQL\n" +
			"  fraiseql serve --dev --database-url postgres://localhost/mydb\n" +
			"  fraiseql query '{ products(limit: 3) { name } }'\n" +
			"  fraiseql validate",
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return checkForm(env.output) },
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.CompletionOptions.HiddenDefaultCmd = false
	flags := root.PersistentFlags()
	flags.StringVar(&env.configPath, "config", "", "configuration file (default: FRAISEQL_CONFIG, ./fraiseql.toml, the user's configuration folder)")
	flags.StringVar(&env.databaseURL, "database-url", "", "address of the database, in place of the configured one")
	flags.StringVar(&env.server, "server", "", "address of a running server, for commands that ask one")
	flags.StringVarP(&env.output, "output", "o", "table", "form of the result: table, json, yaml or name")
	flags.BoolVarP(&env.quiet, "quiet", "q", false, "say nothing but errors on standard error")
	flags.BoolVar(&env.debug, "debug", false, "say everything on standard error")
	flags.StringVar(&env.color, "color", "auto", "colours: auto or never")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fault.New(fault.Usage, "usage", err.Error()).WithHint("%s --help", cmd.CommandPath())
	})
	groups := all(env)
	for _, group := range []struct{ id, title string }{{"start", "Start:"}, {"data", "Data:"}, {"react", "React:"}, {"operate", "Operate:"}} {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, c := range groups[group.id] {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	wrapArguments(root)
	group(root)
	return root
}

// group makes commands that only hold others tell about them, and refuse a word that is none of theirs.
func group(c *cobra.Command) {
	if c.HasSubCommands() && !c.Runnable() {
		c.SuggestionsMinimumDistance = 2
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		}
	}
	for _, child := range c.Commands() {
		group(child)
	}
}

func unknownCommand(parent *cobra.Command, name string) error {
	e := fault.New(fault.Usage, "usage", "there is no command `"+name+"`").WithHint("%s --help", parent.CommandPath())
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		return e.WithHint("%s %s", parent.CommandPath(), strings.Join(near, " or "))
	}
	return e
}

// wrapArguments makes every complaint about the number of arguments a usage error.
func wrapArguments(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			var known *fault.Error
			if err == nil || errors.As(err, &known) {
				return err
			}
			return fault.New(fault.Usage, "usage", "the words after `"+cmd.CommandPath()+"` do not fit: it is written "+strings.TrimSuffix(cmd.UseLine(), " [flags]")).
				WithHint("%s --help", cmd.CommandPath())
		}
	}
	for _, child := range c.Commands() {
		wrapArguments(child)
	}
}
