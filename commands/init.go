package commands

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// scaffold is what a new project has. The configuration serves as it is.
var scaffold = []struct{ name, text string }{
	{"fraiseql.toml", `version = 1

[server]
port = 4000

[database]
# Without an address a private PostgreSQL server is run below .fraiseql.
# url_env = "DATABASE_URL"
schemas = ["public"]

[graphql]
default_limit = 100
`},
	{".gitignore", ".fraiseql/\n"},
}

func newInitCommand(env *Env) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "init [DIR]", Short: "Make a project that validates and serves", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return env.scaffold(dir, force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "overwrite files that are there")
	return c
}

func (e *Env) scaffold(dir string, force bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make project folder: %w", err)
	}
	for _, f := range scaffold {
		path := filepath.Join(dir, f.name)
		if _, err := os.Stat(path); err == nil && !force {
			return fault.New(fault.Conflict, "init/exists", path+" is there already").WithHint("fraiseql init --force overwrites it")
		}
	}
	for _, f := range scaffold {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, []byte(f.text), 0o644); err != nil {
			return fmt.Errorf("write project file: %w", err)
		}
		fmt.Fprintln(e.Out, path)
	}
	fmt.Fprintf(e.Err, "next: cd %s && fraiseql serve --dev, then fraiseql db psql to make tables\n", dir)
	return nil
}
