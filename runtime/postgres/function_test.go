package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func connect(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestHintsAboutFunctionsThatAreNotThere(t *testing.T) {
	t.Parallel()
	pool := connect(t)
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

// TestFunctionsOfASchemaThatIsNotOpen are there, and may not be called: execute alone is not enough.
func TestFunctionsOfASchemaThatIsNotOpen(t *testing.T) {
	t.Parallel()
	pool := connect(t)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	role := pgx.Identifier{pool.Config().ConnConfig.Database + "_login"}.Sanitize()
	if _, err := tx.Exec(t.Context(), `create schema work; create function work.on_urgent(jsonb) returns void language sql as '';
		create function public.on_order(jsonb) returns void language sql as ''; create role `+role+`; set local role `+role); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]bool{"work.on_urgent": {true, false}, "work.nothing": {false, false}, "on_order": {true, true}, "public.on_order": {true, true}, "nowhere.f": {false, false}} {
		if there, may, err := postgres.Callable(t.Context(), tx, name); err != nil || [2]bool{there, may} != want {
			t.Errorf("%s: there %t, may %t, %v", name, there, may, err)
		}
	}
	if got, want := postgres.GrantHint("work.on_urgent"), `grant execute on function "work"."on_urgent"(jsonb) to the login; grant usage on schema "work" to the login`; got != want {
		t.Errorf("the hint is %s", got)
	}
}
