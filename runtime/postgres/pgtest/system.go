package pgtest

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/migrations"
)

// System gives the address of a fresh database with the program's own tables, and with what some SQL makes after them.
func System(t testing.TB, sql ...string) string {
	t.Helper()
	names, err := fs.Glob(migrations.Files, "*.sql") // in order
	if err != nil || len(names) == 0 {
		t.Fatalf("find the migrations: %v", err)
	}
	var parts []part
	steps := migrations.Steps
	for _, name := range names {
		for len(steps) > 0 && steps[0].Name < name {
			parts = append(parts, part{text: steps[0].Name, step: steps[0].Up})
			steps = steps[1:]
		}
		text, err := migrations.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		parts = append(parts, part{text: up})
	}
	for _, more := range sql {
		parts = append(parts, part{text: more})
	}
	address := database(t, parts)
	conn, err := pgx.Connect(t.Context(), address)
	if err == nil {
		// It is a clone, and means to be itself.
		_, err = conn.Exec(t.Context(), "update _system.identity set database = (select oid from pg_database where datname = current_database())")
		_ = conn.Close(t.Context())
	}
	if err != nil {
		t.Fatalf("adopt the test database: %v", err)
	}
	return address
}
