package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func TestHintsAboutFunctionsThatAreNotThere(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), `create schema work;
		create function work.on_urgent(jsonb) returns void language sql as '';
		create function on_order(jsonb) returns void language sql as '';
		create function on_text(text) returns void language sql as ''`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"on_urgent":     `did you mean "work.on_urgent"?`,
		"wrk.on_urgent": `did you mean "work.on_urgent"?`,
		"work.on_order": `did you mean "public.on_order"?`,
		"work.on_urgnt": `did you mean "work.on_urgent"?`,
		"on_ordre":      `did you mean "on_order"?`,
		"work.elsewise": `create function "work"."elsewise"(jsonb) returns void …`,
		"elsewise":      `create function "elsewise"(jsonb) returns void …, or write its schema: "app.elsewise"`,
		"on_text":       `create function "on_text"(jsonb) returns void …, or write its schema: "app.on_text"`,
	} {
		if got, err := postgres.FunctionHint(t.Context(), pool, name, "void"); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, want)
		}
	}
}
