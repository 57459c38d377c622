package pgtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/migrations"
)

// System gives the address of a fresh database with the program's own tables, and with what some SQL makes after them.
func System(t testing.TB, sql ...string) string {
	t.Helper()
	names, err := fs.Glob(migrations.Files, "*.sql") // in order
	if err != nil || len(names) == 0 {
		t.Fatalf("find the migrations: %v", err)
	}
	var script strings.Builder
	for _, name := range names {
		text, err := migrations.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		script.WriteString(up)
	}
	for _, more := range sql {
		script.WriteString(more + "\n")
	}
	file := filepath.Join(t.TempDir(), "system.sql")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return Database(t, file)
}
