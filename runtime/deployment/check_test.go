package deployment_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/deployment"
)

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"in order":              {"-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n", ""},
		"a body in its frame":   {"-- +goose Up\n-- +goose StatementBegin\ncreate function f() returns int language sql as $$\nselect 1;\n$$;\n-- +goose StatementEnd\n-- +goose Down\ndrop function f();\n", ""},
		"a body in one line":    {"-- +goose Up\ncreate function f() returns int language sql as $$ select 1; $$;\n-- +goose Down\ndrop function f();\n", ""},
		"a comment after it":    {"-- +goose Up\nselect 1; -- one\n-- +goose Down\n", ""},
		"nothing":               {"", "error migrations/no-up 0:0"},
		"nothing below Up":      {"-- +goose Up\n-- later\n-- +goose Down\ndrop table a;\n", "error migrations/empty 1:1"},
		"no Up":                 {"select 1;\n", "error migrations/no-up 1:1"},
		"a statement before":    {"select 1;\n-- +goose Up\n-- +goose Down\n", "error migrations/no-up 1:1"},
		"no Down":               {"-- +goose Up\nselect 1;\n", "warning migrations/no-down 1:1"},
		"two Ups":               {"-- +goose Up\n-- +goose Up\nselect 1;\n-- +goose Down\n", "error migrations/annotation 2:1"},
		"a slip of the pen":     {"-- +goose Up\n  -- +goose StatmentBegin\nselect 1;\n-- +goose Down\n", "error migrations/annotation 2:3"},
		"a body cut":            {"-- +goose Up\ncreate function f() returns int language plpgsql as $$\nbegin\n  return 1;\nend $$;\n-- +goose Down\n", "error migrations/cut-statement 2:1"},
		"no semicolon":          {"-- +goose Up\ncreate table a (\n  id int\n)\n-- +goose Down\ndrop table a\n", "error migrations/no-semicolon 2:1, error migrations/no-semicolon 6:1"},
		"a frame left open":     {"-- +goose Up\n-- +goose StatementBegin\nselect 1;\n", "warning migrations/no-down 1:1, error migrations/annotation 2:1"},
		"a frame's end alone":   {"-- +goose Up\nselect 1;\n-- +goose StatementEnd\n-- +goose Down\n", "error migrations/annotation 3:1"},
		"concurrently":          {"-- +goose Up\ncreate unique index concurrently on a (b);\n-- +goose Down\n", "error migrations/transaction 2:1"},
		"concurrently, rightly": {"-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently on a (b);\n-- +goose Down\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "1_a.sql"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := judged(t, dir); got != c.want {
				t.Errorf("judged %q, want %q", got, c.want)
			}
		})
	}
}

func judged(t *testing.T, dir string) string {
	t.Helper()
	problems, _, err := deployment.CheckFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	words := make([]string, 0, len(problems))
	for _, p := range problems {
		words = append(words, fmt.Sprintf("%s %s %d:%d", p.Severity, p.Code, p.Primary.Line, p.Primary.Column))
	}
	return strings.Join(words, ", ")
}

func TestNamesAndVersionsOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"1_a.sql", "00001_b.sql", "c.sql", "0_d.sql", "README.md"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("-- +goose Up\nselect 1;\n-- +goose Down\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := judged(t, dir); got != "error migrations/bad-name 0:0, error migrations/same-version 0:0, error migrations/bad-name 0:0" {
		t.Errorf("judged %s", got)
	}
}

func TestCreateGoesOnAfterTheNewest(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "migrations")
	for _, want := range []string{"00001_add_users.sql", "00002_add_users.sql"} {
		path, err := deployment.Create(dir, "Add users!")
		if err != nil || filepath.Base(path) != want {
			t.Errorf("made %s, want %s: %v", path, want, err)
		}
	}
	if got := judged(t, dir); got != "error migrations/empty 1:1, error migrations/empty 1:1" {
		t.Errorf("what is made and not filled in is judged %s", got)
	}
	if _, err := deployment.Create(dir, "!!"); err == nil {
		t.Error("a name without letters was taken")
	}
}
