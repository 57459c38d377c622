package commands

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

func newDocsCommand(env *Env) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "docs man|markdown|schema",
		Short: "Print the manual, made from the program itself",
		Long: "Print the manual, made from the program itself.\n\nman gives a manual page, markdown the commands and every key of the configuration, schema the\n" +
			"JSON Schema of fraiseql.toml for editors. man --dir writes one page a command.",
		Example:   "  fraiseql docs schema > fraiseql.schema.json\n  fraiseql docs markdown > reference.md\n  fraiseql docs man --dir /usr/local/share/man/man1",
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"man", "markdown", "schema"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.docs(cmd.Root(), args[0], dir)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "man: write the pages of all commands into this folder")
	return c
}

func (e *Env) docs(root *cobra.Command, kind, dir string) error {
	if dir != "" && kind != "man" {
		return fault.New(fault.Usage, "usage", "--dir is for docs man").WithHint("fraiseql docs %s > FILE", kind)
	}
	switch kind {
	case "schema":
		return e.printJSON(config.JSONSchema(&app.RuntimeConfig{}))
	case "markdown":
		if err := commandsMarkdown(e.Out, root); err != nil {
			return err
		}
		if _, err := io.WriteString(e.Out, "## Configuration\n\n"); err != nil {
			return err
		}
		return config.Reference(e.Out, &app.RuntimeConfig{})
	case "man":
		if dir == "" {
			return manPage(e.Out, root)
		}
		return e.manPages(root, dir)
	}
	return fault.New(fault.Usage, "usage", "there is no form `"+kind+"` of the manual").WithHint("one of: man, markdown, schema")
}

// documented gives a command and all below it, without those that nobody should see.
func documented(c *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{c}
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			list = append(list, documented(child)...)
		}
	}
	return list
}

func commandsMarkdown(w io.Writer, root *cobra.Command) error {
	var b strings.Builder
	b.WriteString("## Commands\n\n")
	for _, c := range documented(root) {
		fmt.Fprintf(&b, "### `%s`\n\n%s\n\n```\n%s\n```\n\n", c.CommandPath(), orShort(c), c.UseLine())
		if c.Example != "" {
			fmt.Fprintf(&b, "```sh\n%s\n```\n\n", unindent(c.Example))
		}
		if flags := c.NonInheritedFlags(); flags.HasAvailableFlags() {
			fmt.Fprintf(&b, "```\n%s```\n\n", flags.FlagUsages())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orShort(c *cobra.Command) string {
	if c.Long != "" {
		return c.Long
	}
	return c.Short
}

func unindent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

func (e *Env) manPages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder of manual pages: %w", err)
	}
	for _, c := range documented(root) {
		path := filepath.Join(dir, manName(c)+".1")
		var b strings.Builder
		if err := manPage(&b, c); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			return fmt.Errorf("write manual page: %w", err)
		}
		fmt.Fprintln(e.Out, path)
	}
	return nil
}
