package commands

import (
	"context"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

func newDBCommand(env *Env) *cobra.Command {
	c := &cobra.Command{Use: "db", Short: "The private PostgreSQL server of this project"}
	var force bool
	restore := &cobra.Command{
		Use: "restore FILE", Short: "Load a backup into the database", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return env.restore(cmd.Context(), args[0], force) },
	}
	restore.Flags().BoolVar(&force, "force", false, "replace what is there")
	c.AddCommand(
		&cobra.Command{
			Use: "psql [-- ARGS]", Short: "Open psql on the database", Args: cobra.ArbitraryArgs,
			RunE: func(cmd *cobra.Command, args []string) error {
				return env.client(cmd.Context(), "psql", args...)
			},
		},
		&cobra.Command{
			Use: "backup [FILE]", Short: "Write the database to a file (default: fraiseql.dump)", Args: cobra.MaximumNArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				file := "fraiseql.dump"
				if len(args) > 0 {
					file = args[0]
				}
				return env.client(cmd.Context(), "pg_dump", "--format=custom", "--file="+file)
			},
		},
		restore,
	)
	return c
}

// cluster opens the program and insists on the private server.
func (e *Env) cluster(ctx context.Context) (*app.App, error) {
	a, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	if a.Cluster == nil {
		a.Close(ctx)
		return nil, fault.New(fault.ActionNeeded, "db/not-private", "the database is configured and not the private one of this project").
			WithHint("use psql, pg_dump and pg_restore with its address")
	}
	return a, nil
}

// client runs one of PostgreSQL's own programs on the database. The password goes by its environment,
// where other users of the machine do not see it.
func (e *Env) client(ctx context.Context, program string, args ...string) error {
	a, err := e.cluster(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	return e.runClient(ctx, a.Cluster, program, args...)
}

func (e *Env) runClient(ctx context.Context, cluster *embedded.Cluster, program string, args ...string) error {
	path, err := findClient(ctx, cluster.Binaries, program)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.In, e.Out, e.Err
	cmd.Env = append(os.Environ(), cluster.ClientEnv(embedded.Database)...)
	if err := cmd.Run(); err != nil {
		return fault.Wrap(fault.Internal, "db/"+program, program+" did not succeed", err)
	}
	return nil
}

// findClient gives a client program beside the server's, or of a version that is not older: downloaded
// servers come without any.
func findClient(ctx context.Context, server embedded.Binaries, program string) (string, error) {
	for _, b := range append([]embedded.Binaries{server}, embedded.Find(ctx)...) {
		if _, err := os.Stat(b.Path(program)); err == nil && b.Major >= server.Major {
			return b.Path(program), nil
		}
	}
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return "", fault.New(fault.NotFound, "db/no-client", "this machine has no "+program).
		WithHint("apt-get install postgresql-client (Debian), brew install libpq (macOS)")
}

func (e *Env) restore(ctx context.Context, file string, force bool) error {
	if _, err := os.Stat(file); err != nil {
		return fault.Wrap(fault.NotFound, "db/no-file", "the backup cannot be read", err)
	}
	a, err := e.cluster(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	var tables int
	err = a.Pool.QueryRow(ctx, "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')").Scan(&tables)
	if err != nil {
		return err
	}
	args := []string{"--dbname=" + embedded.Database, "--no-owner", "--exit-on-error", "--single-transaction"}
	if tables > 0 && !force {
		return fault.New(fault.ActionNeeded, "db/not-empty", "the database has tables already").WithHint("fraiseql db restore --force %s", file)
	}
	if tables > 0 {
		args = append(args, "--clean", "--if-exists")
	}
	return e.runClient(ctx, a.Cluster, "pg_restore", append(args, strings.TrimSpace(file))...)
}
