package commands

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// scaffold is what a new project has. The configuration serves as it is.
//
//go:embed all:scaffold
var scaffold embed.FS

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
	c.Flags().BoolVar(&force, "force", false, "overwrite what is there: the configuration, the README, the first migration")
	return c
}

// scaffoldFiles gives the files of a new project by their paths in it. Embedding leaves out what begins
// with a dot in some tools, so such names are written with "dot-".
func scaffoldFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(scaffold, "scaffold", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := scaffold.ReadFile(path)
		name := strings.Replace(strings.TrimPrefix(path, "scaffold/"), "dot-", ".", 1)
		files[filepath.FromSlash(name)] = text
		return err
	})
	return files, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// keptAs names what stays in place of a file of the scaffold: migrations stay as a folder.
func keptAs(name string) string {
	if dir := filepath.Dir(name); dir != "." {
		return dir
	}
	return name
}

// scaffold makes a project of a folder. What is there already stays, unless it is a project or force is given.
func (e *Env) scaffold(dir string, force bool) error {
	files, err := scaffoldFiles()
	if err != nil {
		return fmt.Errorf("read scaffold: %w", err)
	}
	names := slices.Sorted(maps.Keys(files))
	if configuration := filepath.Join(dir, "fraiseql.toml"); exists(configuration) && !force {
		return fault.New(fault.Conflict, "init/exists", configuration+" is there already").WithHint("fraiseql init --force %s overwrites it", dir)
	}
	hasMigrations := exists(filepath.Join(dir, "migrations"))
	for _, name := range names {
		path := filepath.Join(dir, name)
		if !force && (exists(path) || hasMigrations && filepath.Dir(name) == "migrations") {
			if !e.quiet {
				fmt.Fprintf(e.Err, "kept: %s\n", filepath.Join(dir, keptAs(name)))
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make project folder: %w", err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return fmt.Errorf("write project file: %w", err)
		}
		fmt.Fprintln(e.Out, path)
	}
	if !e.quiet {
		next := "fraiseql serve --dev"
		if filepath.Clean(dir) != "." {
			next = "cd " + dir + " && " + next
		}
		fmt.Fprintf(e.Err, "next: %s\n", next)
	}
	return nil
}
