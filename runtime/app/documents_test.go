package app_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// project writes the files of a project that trusts the folder operations, and gives its folder.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["fraiseql.toml"] = "[graphql.persisted]\ndir = \"operations\"\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// opened builds the program on a database, in a project.
func opened(t *testing.T, dir, address string) (*app.App, *config.File, error) {
	t.Helper()
	c, file, problems := app.Load(config.Options{Path: filepath.Join(dir, "fraiseql.toml"), Env: empty, Flags: map[string]string{"database.url": address}, Live: true})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	a, err := app.Open(t.Context(), c, app.Options{Log: slog.New(slog.DiscardHandler), Dir: dir})
	if err == nil {
		t.Cleanup(func() { a.Close(t.Context()) })
	}
	return a, file, err
}

// TestPreflightJudgesTrustedDocuments as warnings; without a schema that is what it tells.
func TestPreflightJudgesTrustedDocuments(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		`create table item (id int primary key)`: "warning 2 graphql/document-invalid: deep/bad.graphql: this trusted document will be refused: Cannot query field \"title\" on type \"Item\". (line 1, column 11)",
		`create table item (id int primary key, title text); alter table item enable row level security; create policy p on item using (true)`: "error 1 graphql/role-bypasses: requests run as ",
	} {
		path := filepath.Join(t.TempDir(), "schema.sql")
		if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		dir := project(t, map[string]string{"operations/good.graphql": "{ items { id } }", "operations/deep/bad.graphql": "{ items { title } }"})
		a, file, err := opened(t, dir, pgtest.Database(t, path))
		if err != nil {
			t.Fatal(err)
		}
		problems, err := a.Preflight(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, p := range problems {
			told = append(told, fmt.Sprintf("%s %d %s: %s", p.Severity, p.Primary.Line, p.Code, p.Message))
		}
		got := strings.Join(told, "\n")
		if !strings.HasPrefix(got, want) || strings.HasPrefix(want, "warning") && got != want {
			t.Errorf("it tells\n%s\nwant\n%s", got, want)
		}
		if refused := strings.Contains(got, "the trusted documents were not judged"); refused != strings.HasPrefix(want, "error") {
			t.Errorf("it tells\n%s", got)
		}
	}
}

// TestTwoTextsOfOneIDStopTheStart before anything is served.
func TestTwoTextsOfOneIDStopTheStart(t *testing.T) {
	t.Parallel()
	dir := project(t, map[string]string{"operations/1.json": `{"x": "{ a }"}`, "operations/2.json": `{"x": "{ b }"}`})
	_, _, err := opened(t, dir, pgtest.Database(t))
	if told, is := fault.As(err); !is || told.Kind != fault.Invalid || told.Code != "graphql/document-twice" {
		t.Errorf("the error is %v", err)
	}
}
