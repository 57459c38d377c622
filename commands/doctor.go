package commands

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

func newDoctorCommand(env *Env) *cobra.Command {
	var fix bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what would go wrong, and say how to mend it",
		Long: "Look for what would go wrong, and say how to mend it: configuration, database, login, grants, row security,\nmissing indexes, migrations, the GraphQL schema, slow requests, clocks and disk. Nothing is changed.\n\n" +
			"With --fix it prints the SQL of the missing indexes alone, for a person to run.\n\n" +
			"Exit code 0 when there are only warnings, 3 for a configuration with errors, 4 when the database cannot be reached, else 7.",
		Example: "  fraiseql doctor\n  fraiseql doctor -o json\n  fraiseql doctor --fix > indexes.sql",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return env.doctor(cmd.Context(), fix) },
	}
	c.Flags().BoolVar(&fix, "fix", false, "print the SQL of the missing indexes, and nothing else")
	return c
}

func (e *Env) doctor(ctx context.Context, fix bool) error {
	flags := map[string]string{}
	if e.databaseURL != "" {
		flags["database.url"] = e.databaseURL
	}
	path := config.Find(e.configPath, os.LookupEnv)
	c, file, problems := app.Load(config.Options{Path: path, Flags: flags, Live: true})
	if problems.HasErrors() {
		if err := problems.Text(e.Err, file.Source, e.colour(e.ErrTerminal)); err != nil {
			return err
		}
		return silentError{fault.Invalid}
	}
	judged := doctor.Finding{Check: "config", State: doctor.OK, Message: "there is no configuration file: defaults hold"}
	switch {
	case len(problems) > 0:
		judged.State, judged.Message, judged.Fix = doctor.Warning, path+": "+problems.Summary(), "fraiseql validate"
	case path != "":
		judged.Message = path + " is valid"
	}
	found, err := e.examine(ctx, c, projectDir(file))
	if err != nil {
		return err
	}
	if fix {
		return e.printIndexes(found)
	}
	return e.tellFindings(append([]doctor.Finding{judged}, found...))
}

// examine opens the program and asks it. A private server is not made for the sake of asking.
func (e *Env) examine(ctx context.Context, c *app.RuntimeConfig, dir string) ([]doctor.Finding, error) {
	if c.Private() && !app.HasPrivate(dir) {
		return doctor.Run(ctx, privateCheck(), doctor.Disk("the project's disk", dir)), nil
	}
	a, err := app.Open(ctx, c, app.Options{Log: e.logger(c, true), Dir: dir})
	if err != nil {
		return nil, err
	}
	defer a.Close(context.WithoutCancel(ctx))
	return a.Doctor(ctx, dir), nil
}

// privateCheck asks what a private server would be made with.
func privateCheck() doctor.Check {
	return doctor.Check{Name: "database", Run: func(ctx context.Context, found *doctor.Findings) {
		programs := embedded.Find(ctx)
		if len(programs) == 0 {
			found.Warn("none is configured, and this machine has no PostgreSQL: serve downloads one for a private server",
				"apt-get install postgresql (Debian), brew install postgresql@17 (macOS), or set [database] url")
			return
		}
		found.OK(fmt.Sprintf("none is configured: serve makes a private one with PostgreSQL %d of %s", programs[0].Major, programs[0].Dir))
	}}
}

// printIndexes writes the SQL of the indexes that were found to be missing, each once.
func (e *Env) printIndexes(all []doctor.Finding) error {
	told := map[string]bool{}
	for _, f := range all {
		key := strings.ReplaceAll(f.Fix, `"`, "")
		if !f.Index || told[key] {
			continue
		}
		told[key] = true
		if _, err := fmt.Fprintf(e.Out, "-- %s\n%s\n", strings.ReplaceAll(f.Message, "\n", " "), f.Fix); err != nil {
			return err
		}
	}
	if len(all) > 0 && all[0].State == doctor.Error {
		return e.tellFailure(all[0])
	}
	return nil
}

// tellFailure says why nothing could be looked at.
func (e *Env) tellFailure(f doctor.Finding) error {
	return fault.New(f.Kind, "doctor/failed", f.Message).WithHint("%s", f.Fix)
}

func (e *Env) tellFindings(all []doctor.Finding) error {
	if err := e.printFindings(all); err != nil {
		return err
	}
	for _, f := range all {
		switch {
		case f.State != doctor.Error:
		case f.Kind == fault.Unavailable:
			return silentError{fault.Unavailable}
		default:
			return silentError{fault.ActionNeeded}
		}
	}
	return nil
}

func (e *Env) printFindings(all []doctor.Finding) error {
	l := listing{head: []string{"CHECK", "STATE", "FOUND"}, value: map[string]any{"state": doctor.Worst(all), "findings": all}}
	for _, f := range all {
		l.rows = append(l.rows, []string{f.Check, string(f.State), f.Message})
	}
	if e.output != "table" {
		return e.print(l)
	}
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	indented := func(text string) string { return strings.ReplaceAll(text, "\n", "\n\t\t") }
	for _, f := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Check, f.State, indented(strings.ReplaceAll(f.Message, "\t", "  ")))
		if f.Fix != "" {
			fmt.Fprintf(w, "\tfix:\t%s\n", indented(f.Fix))
		}
	}
	return w.Flush()
}
