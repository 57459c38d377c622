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
			_, err := tx.Exec(ctx, "select pg_sleep(4)")
			return err
		},
		Failed: func(_ *dispatch.Delivery, err error) dispatch.Result {
			return dispatch.Result{Outcome: dispatch.Dead, Err: err}
		},
	}
	s := serve(t, address, slow, quick.to("two"))
	exec(t, pool, "insert into account (id) select generate_series(1, 600)")
	time.Sleep(300 * time.Millisecond) // all connections for work are at it
	exec(t, pool, "update account set n = 1 where id = 1")
	deadline := time.Now().Add(2 * time.Second)
	for len(quick.events()) == 0 {
		if time.Now().After(deadline) {
			t.Fatalf("the other consumer waits: %+v", s.Stats())
		}
		time.Sleep(10 * time.Millisecond)
	}
	settledAll(t, pool)
	var dead int
	if err := pool.QueryRow(t.Context(), "select count(*) from _system.event_dead").Scan(&dead); err != nil || dead != 0 {
		t.Errorf("%d were given up: %v", dead, err)
	}
}
