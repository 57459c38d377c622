package app_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// open reads a file and builds the program on a database, as validate --live does.
func open(t *testing.T, path, address string) (*app.App, *config.File) {
	t.Helper()
	c, file, problems := app.Load(config.Options{Path: path, Env: empty, Flags: map[string]string{"database.url": address}, Live: true})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	a, err := app.Open(t.Context(), c, app.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(t.Context()) })
	return a, file
}

func TestPreflightTellsWhatTheDatabaseLacks(t *testing.T) {
	t.Parallel()
	const dir = "../../testdata/config/live"
	a, file := open(t, filepath.Join(dir, "fraiseql.toml"), pgtest.Database(t, filepath.Join(dir, "database.sql")))
	problems, err := a.Preflight(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := problems.Text(&b, file.Source, false); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(dir, "expected.txt"), strings.ReplaceAll(b.String(), file.Path, "fraiseql.toml")+"\n"+problems.Summary()+"\n")
}

func TestPreflightOfADatabaseThatIsDown(t *testing.T) {
	t.Parallel()
	a, file := open(t, "", "postgres://app:hunter2@127.0.0.1:1/app")
	_, err := a.Preflight(t.Context(), file)
	if fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the error is %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is shown: %v", err)
	}
}
