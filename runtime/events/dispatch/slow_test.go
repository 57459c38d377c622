package dispatch_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestSlowFunctionsHoldNobodyUp has functions hold all connections for work for longer than a term: leases are renewed all the
// same, and another consumer's work is done meanwhile.
func TestSlowFunctionsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts)
	pool := connect(t, address)
	quick := &sink{}
	slow := dispatch.Consumer{
		Name: "one",
		Batch: func(ctx context.Context, tx pgx.Tx, _ []*dispatch.Delivery) error {
			_, err := tx.Exec(ctx, "select pg_advisory_xact_lock_shared(1)")
			return err
		},
		Failed: func(_ *dispatch.Delivery, err error) dispatch.Result {
			return dispatch.Result{Outcome: dispatch.Dead, Err: err}
		},
	}
	gate, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Rollback(context.Background()) }()
	if _, err := gate.Exec(t.Context(), "select pg_advisory_xact_lock(1)"); err != nil {
		t.Fatal(err)
	}
	s := serveFor(t, address, short, slow, quick.to("two"))
	exec(t, pool, "insert into account (id) select generate_series(1, 600)")
	busy := func() (n int) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	wait := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v", what, s.Stats())
			}
		}
	}
	wait("not all connections for work are at it", func() bool { return busy() == 2 })
	held := time.Now()
	exec(t, pool, "update account set n = 1 where id = 1")
	wait("the other consumer waits", func() bool { return len(quick.events()) > 0 })
	time.Sleep(short + short/2 - time.Since(held))
	if n := busy(); n == 0 {
		t.Error("what was at work for longer than a term was given up")
	}
	if err := gate.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	settledAll(t, pool)
	var dead int
	if err := pool.QueryRow(t.Context(), "select count(*) from _system.event_dead").Scan(&dead); err != nil || dead != 0 {
		t.Errorf("%d were given up: %v", dead, err)
	}
}
