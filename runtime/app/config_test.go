package app_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
)

var update = flag.Bool("update", false, "write what the tests got as what they expect")

// empty is an environment in which nothing is set.
func empty(string) (string, bool) { return "", false }

// validate reads a case's file and gives the diagnostics as a person sees them.
func validate(t *testing.T, dir string) (diag.List, string) {
	t.Helper()
	path := filepath.Join(dir, "fraiseql.toml")
	_, file, problems := app.Load(config.Options{Path: path, Env: empty})
	var b bytes.Buffer
	if err := problems.Text(&b, file.Source, false); err != nil {
		t.Fatal(err)
	}
	return problems, strings.ReplaceAll(b.String(), path, "fraiseql.toml") + "\n" + problems.Summary() + "\n"
}

func cases(t *testing.T, kind string, least int) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("../../testdata/config", kind, "*"))
	if err != nil || len(dirs) < least {
		t.Fatalf("found %d cases, want at least %d: %v", len(dirs), least, err)
	}
	return dirs
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the diagnostics have changed (-want +got):\n%s", diff)
	}
}

func TestBadConfigurations(t *testing.T) {
	t.Parallel()
	for _, dir := range cases(t, "bad", 60) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			problems, text := validate(t, dir)
			if !problems.HasErrors() {
				t.Errorf("there is no error:\n%s", text)
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("a secret is shown:\n%s", text)
			}
			golden(t, filepath.Join(dir, "expected.txt"), text)
		})
	}
}

func TestGoodConfigurations(t *testing.T) {
	t.Parallel()
	for _, dir := range cases(t, "good", 7) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			problems, text := validate(t, dir)
			if problems.HasErrors() {
				t.Errorf("there are errors:\n%s", text)
			}
			golden(t, filepath.Join(dir, "expected.txt"), text)
		})
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fraiseql.toml")
	if err := os.WriteFile(path, []byte("[server]\nport = 1111\nhost = \"file\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"FRAISEQL_SERVER_PORT": "2222", "FRAISEQL_SERVER_LIMITS_REQUEST_TIMEOUT": "7s", "FRAISEQL_DATABASE_SCHEMAS": "a, b"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	c, file, problems := app.Load(config.Options{Path: path, Env: lookup, Flags: map[string]string{"graphql.max_limit": "77"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := map[string]string{}
	for _, o := range file.Explain("") {
		got[o.Key] = o.Value + " from " + strings.ReplaceAll(o.From, path, "FILE")
	}
	for key, want := range map[string]string{
		"server.port":                   "2222 from env FRAISEQL_SERVER_PORT",
		"server.host":                   "file from FILE:3",
		"server.limits.request_timeout": "7s from env FRAISEQL_SERVER_LIMITS_REQUEST_TIMEOUT",
		"database.schemas":              "[a b] from env FRAISEQL_DATABASE_SCHEMAS",
		"graphql.max_limit":             "77 from flag",
		"graphql.default_limit":         "100 from default",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if c.Server.Port != 2222 || len(c.Database.Schemas) != 2 || c.GraphQL.MaxLimit != 77 {
		t.Errorf("the structs hold something else: %+v", c)
	}
}

func TestSecretsAreNotExplained(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fraiseql.toml")
	if err := os.WriteFile(path, []byte("[database]\nurl = \"postgres://app:hunter2@db/app\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, file, _ := app.Load(config.Options{Path: path, Env: empty})
	explained := file.Explain("database.url")
	if len(explained) != 1 || explained[0].Value != "(hidden)" {
		t.Errorf("the address is explained as %+v", explained)
	}
}
