package commands

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

type validateOptions struct {
	live    bool
	format  string
	explain string
}

func newValidateCommand(env *Env) *cobra.Command {
	var o validateOptions
	c := &cobra.Command{
		Use:   "validate [FILE]",
		Short: "Check the configuration and tell every problem with its place",
		Long: "Check the configuration and tell every problem with its place.\n\nOffline, unset environment variables and missing files are warnings; with --live they are errors, as for serve,\nand the database is asked whether it has what the file names.\n" +
			"Exit code 3 when there are errors, 0 when there are only warnings.",
		Example: "  fraiseql validate\n  fraiseql validate deploy/fraiseql.toml --format github\n  fraiseql validate --explain server.port",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				env.configPath = args[0]
			}
			return o.run(cmd.Context(), env)
		},
	}
	c.Flags().BoolVar(&o.live, "live", false, "judge as serve does, and ask the database")
	c.Flags().StringVar(&o.format, "format", "", "github: as workflow commands")
	c.Flags().StringVar(&o.explain, "explain", "", "tell the value of a key, or of all keys of a table, and where it comes from")
	return c
}

func (o validateOptions) run(ctx context.Context, env *Env) error {
	path := config.Find(env.configPath, os.LookupEnv)
	flags := map[string]string{}
	if env.databaseURL != "" {
		flags["database.url"] = env.databaseURL
	}
	c, file, problems := app.Load(config.Options{Path: path, Live: o.live, Flags: flags})
	if o.live && !problems.HasErrors() {
		found, err := env.preflight(ctx, c, file)
		if err != nil {
			return err
		}
		problems = append(problems, found...)
		problems.Sort()
	}
	if o.explain != "" && !problems.HasErrors() {
		return env.explain(file, o.explain)
	}
	switch {
	case o.format == "github":
		if err := problems.GitHub(env.Out); err != nil {
			return err
		}
		return env.conclude(problems, path)
	case o.format != "":
		return fault.New(fault.Usage, "usage", "--format can be github").WithHint("for JSON use -o json")
	}
	return env.tell(problems, file.Source, path)
}

// tell prints the problems of what was judged, in the form that was asked for, and concludes.
func (e *Env) tell(problems diag.List, source diag.Source, judged string) error {
	var err error
	if e.output == "json" {
		err = problems.JSON(e.Out)
	} else {
		err = problems.Text(e.Out, source, e.colour(e.OutTerminal))
	}
	if err != nil {
		return err
	}
	return e.conclude(problems, judged)
}

func (e *Env) conclude(problems diag.List, judged string) error {
	switch {
	case problems.HasErrors():
		fmt.Fprintln(e.Err, problems.Summary())
		return silentError{fault.Invalid}
	case e.quiet:
	case judged == "":
		fmt.Fprintln(e.Err, "there is no configuration file: defaults hold")
	default:
		fmt.Fprintf(e.Err, "%s is valid (%s)\n", judged, problems.Summary())
	}
	return nil
}

// preflight asks the database, where there is one: it makes no private server for the sake of asking.
func (e *Env) preflight(ctx context.Context, c *app.RuntimeConfig, file *config.File) (diag.List, error) {
	dir := projectDir(file)
	if c.Private() && !app.HasPrivate(dir) {
		report, problems := file.Later()
		report.At("database").Warn("", "database/not-made", "the private database was not made yet, and nothing was compared with it", "run `fraiseql serve` once, or name a database by --database-url")
		return problems(), nil
	}
	a, err := app.Open(ctx, c, app.Options{Log: slog.New(slog.DiscardHandler), Dir: dir})
	if err != nil {
		return nil, err
	}
	defer a.Close(context.WithoutCancel(ctx))
	return a.Preflight(ctx, file)
}

func (e *Env) explain(file *config.File, key string) error {
	origins := file.Explain(key)
	if len(origins) == 0 {
		known, is := config.Describe(&app.RuntimeConfig{}).Lookup(key)
		if !is {
			return fault.New(fault.NotFound, "config/unknown-key", "there is no key `"+key+"`").WithHint("fraiseql validate --explain server")
		}
		origins = []config.Origin{{Key: key, From: "not set", Doc: known.Doc}}
	}
	rows := make([][]string, len(origins))
	for i, o := range origins {
		rows[i] = []string{o.Key, o.Value, o.From, o.Doc}
	}
	return e.print(listing{head: []string{"KEY", "VALUE", "FROM", "MEANING"}, rows: rows, value: origins})
}
