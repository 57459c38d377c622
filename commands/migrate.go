package commands

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/deployment"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

func newMigrateCommand(env *Env) *cobra.Command {
	c := &cobra.Command{
		Use: "migrate", Short: "Bring the database to the state that the project expects",
		Long: "Bring the database to the state that the project expects.\n\nThe project's migrations are the SQL files of the folder [migrations] dir, as goose reads them;\n" +
			"what fraiseql keeps itself, in the schema _system, is a set of its own. Only one process migrates at a time.",
		Example: "  fraiseql migrate create add_users\n  fraiseql migrate up\n  fraiseql migrate status --exit-code",
	}
	c.AddCommand(newMigrateUp(env), newMigrateBack(env, "down", "Undo the newest migration"), newMigrateBack(env, "redo", "Undo the newest migration and run it again"),
		newMigrateStatus(env), newMigrateVersion(env), newMigratePlan(env), newMigrateCreate(env), newMigrateValidate(env))
	return c
}

// both is the order in which the sets are brought up: the project's tables may refer to ours.
var both = []deployment.Set{deployment.System, deployment.Project}

// migrator opens the program for its migrations.
func (e *Env) migrator(ctx context.Context, work func(m *deployment.Migrator) error) error {
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	return work(a.Migrations)
}

func newMigrateUp(env *Env) *cobra.Command {
	var to int64
	c := &cobra.Command{
		Use: "up", Short: "Run what is pending", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := env.open(cmd.Context())
			if err != nil {
				return err
			}
			defer a.Close(context.WithoutCancel(cmd.Context()))
			steps, err := up(cmd.Context(), a.Migrations, to)
			if err == nil {
				err = a.Capture(cmd.Context())
			}
			return env.ran(steps, err)
		},
	}
	c.Flags().Int64Var(&to, "to", 0, "the version to stop at (default: the newest)")
	return c
}

// up runs both sets under one lock, unless the project's is to stop at a version.
func up(ctx context.Context, m *deployment.Migrator, to int64) ([]deployment.Step, error) {
	if to == 0 {
		return m.Up(ctx, 0, both...)
	}
	steps, err := m.Up(ctx, 0, deployment.System)
	if err != nil {
		return steps, err
	}
	more, err := m.Up(ctx, to, deployment.Project)
	return append(steps, more...), err
}

func newMigrateBack(env *Env, verb, short string) *cobra.Command {
	var system bool
	to := int64(-1)
	c := &cobra.Command{
		Use: verb, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set := deployment.Project
			if system {
				set = deployment.System
			}
			return env.migrator(cmd.Context(), func(m *deployment.Migrator) error {
				if verb == "redo" {
					return env.ran(m.Redo(cmd.Context(), set))
				}
				return env.ran(m.Down(cmd.Context(), set, to))
			})
		},
	}
	c.Flags().BoolVar(&system, "system", false, "fraiseql's own tables in place of the project's: what is in them is lost")
	if verb == "down" {
		c.Flags().Int64Var(&to, "to", -1, "undo all above this version; 0 undoes everything")
	}
	return c
}

// ran tells what was run, also when the next failed.
func (e *Env) ran(steps []deployment.Step, failure error) error {
	if len(steps) == 0 && failure == nil && !e.quiet {
		fmt.Fprintln(e.Err, "nothing to do")
	}
	if e.output != "table" {
		rows := make([][]string, len(steps))
		for i, s := range steps {
			rows[i] = []string{s.Name}
		}
		return errors.Join(failure, e.print(listing{rows: rows, value: steps}))
	}
	for _, s := range steps {
		verb := "applied"
		if s.Down {
			verb = "undone"
		}
		fmt.Fprintf(e.Out, "%-8s %s (%s)\n", verb, s.Name, s.Took.Round(time.Millisecond))
	}
	return failure
}

func newMigrateStatus(env *Env) *cobra.Command {
	var exitCode bool
	c := &cobra.Command{
		Use: "status", Short: "List migrations and whether they are applied", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.migrator(cmd.Context(), func(m *deployment.Migrator) error {
				all, err := m.Status(cmd.Context(), both...)
				if err != nil {
					return err
				}
				if err := env.printMigrations(all); err != nil || !exitCode {
					return err
				}
				if len(deployment.Due(all)) > 0 {
					return silentError{fault.ActionNeeded}
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&exitCode, "exit-code", false, "end with 7 when something is pending; our own set counts once it is in use")
	return c
}

func (e *Env) printMigrations(all []deployment.Migration) error {
	rows := make([][]string, 0, len(all))
	for _, one := range all {
		at := ""
		if one.At != nil {
			at = one.At.Format(time.RFC3339)
		}
		rows = append(rows, []string{string(one.Set), strconv.FormatInt(one.Version, 10), one.State, at, one.Name})
	}
	return e.print(listing{head: []string{"SET", "VERSION", "STATE", "APPLIED", "FILE"}, rows: rows, name: 4, value: all})
}

func newMigrateVersion(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Tell the newest version that is applied, of each set", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.migrator(cmd.Context(), func(m *deployment.Migrator) error {
				newest := map[deployment.Set]int64{deployment.System: 0, deployment.Project: 0}
				all, err := m.Status(cmd.Context(), both...)
				if err != nil {
					return err
				}
				for _, one := range all {
					if one.State != deployment.Pending {
						newest[one.Set] = max(newest[one.Set], one.Version)
					}
				}
				return env.print(listing{
					head: []string{"SET", "VERSION"}, name: 1, value: newest,
					rows: [][]string{{"system", strconv.FormatInt(newest[deployment.System], 10)}, {"project", strconv.FormatInt(newest[deployment.Project], 10)}},
				})
			})
		},
	}
}

func newMigratePlan(env *Env) *cobra.Command {
	var asSQL bool
	c := &cobra.Command{
		Use: "plan", Short: "Tell what up would run", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.migrator(cmd.Context(), func(m *deployment.Migrator) error {
				pending, err := m.Pending(cmd.Context(), both...)
				if err != nil {
					return err
				}
				if !asSQL {
					return env.printMigrations(pending)
				}
				for _, one := range pending {
					text, err := m.SQL(cmd.Context(), one)
					if err != nil {
						return err
					}
					fmt.Fprintf(env.Out, "-- %s\n%s\n", one.Name, text)
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asSQL, "sql", false, "print its SQL, to read it or to run it by hand")
	return c
}

func newMigrateCreate(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "create NAME", Short: "Write a new, empty migration", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := env.migrationsDir()
			if err != nil {
				return err
			}
			path, err := deployment.Create(dir, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(env.Out, path)
			return nil
		},
	}
}

func newMigrateValidate(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "validate", Short: "Judge the project's migrations without a database", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := env.migrationsDir()
			if err != nil {
				return err
			}
			problems, source, err := deployment.CheckFiles(dir)
			if err != nil {
				return err
			}
			return env.tell(problems, source, dir)
		},
	}
}

func (e *Env) migrationsDir() (string, error) {
	c, file, err := e.load(false, nil)
	if err != nil {
		return "", err
	}
	return c.MigrationsDir(projectDir(file)), nil
}
