package dispatch_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestARecordThatIsRefused keeps nobody up: what it is of is marked without it, and all others with theirs.
func TestARecordThatIsRefused(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts+"create table noted (id bigint primary key check (id <> 3));")
	pool := connect(t, address)
	seen := &sink{}
	c := seen.to("one")
	c.Record = func(ctx context.Context, tx pgx.Tx, all []dispatch.Settled) error {
		for _, s := range all {
			if _, err := tx.Exec(ctx, "insert into noted values ($1)", s.Delivery.Event.ID); err != nil {
				return err
			}
		}
		return nil
	}
	exec(t, pool, "insert into account (id) select generate_series(1, 40)")
	serve(t, address, c)
	settledAll(t, pool)
	var noted int
	if err := pool.QueryRow(t.Context(), "select count(*) from noted").Scan(&noted); err != nil || noted != 39 || len(seen.events()) != 40 {
		t.Errorf("%d are noted of %d: %v", noted, len(seen.events()), err)
	}
}

// TestConcurrency counts what is at work at once: of Batch its transactions, and with Immediate all but further tries.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		consumer dispatch.Consumer
		batch    bool
		least    int64
		most     int64
	}{
		"one at a time":    {dispatch.Consumer{Concurrency: 1}, false, 1, 1},
		"three at a time":  {dispatch.Consumer{Concurrency: 3}, false, 3, 3},
		"immediate":        {dispatch.Consumer{Concurrency: 1, Immediate: true}, false, 5, 30},
		"one batch":        {dispatch.Consumer{Concurrency: 1}, true, 1, 1},
		"some batches":     {dispatch.Consumer{Concurrency: 10}, true, 2, 10},
		"batches, at once": {dispatch.Consumer{Concurrency: 1, Immediate: true}, true, 2, 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := pgtest.System(t, accounts)
			pool := connect(t, address)
			var now, peak, done atomic.Int64
			reached := make(chan struct{}) // as many as can be expected were at work at once
			open := sync.OnceFunc(func() { close(reached) })
			work := func(n int) {
				at := now.Add(1)
				for p := peak.Load(); at > p && !peak.CompareAndSwap(p, at); p = peak.Load() {
				}
				if at >= c.least {
					open()
				}
				select {
				case <-reached:
				case <-time.After(10 * time.Second):
				}
				time.Sleep(30 * time.Millisecond)
				now.Add(-1)
				done.Add(int64(n))
			}
			consumer := c.consumer
			consumer.Name = "one"
			if c.batch {
				consumer.Batch = func(_ context.Context, _ pgx.Tx, ds []*dispatch.Delivery) error { work(len(ds)); return nil }
				consumer.Failed = func(_ *dispatch.Delivery, err error) dispatch.Result { return dispatch.Result{Err: err} }
			} else {
				consumer.Work = func(context.Context, *dispatch.Delivery) dispatch.Result {
					work(1)
					return dispatch.Result{Outcome: dispatch.Done}
				}
			}
			s := serve(t, address, consumer)
			for s.Stats().Lanes < 16 {
				time.Sleep(10 * time.Millisecond)
			}
			for i := range 30 {
				exec(t, pool, "insert into account (id) values ($1)", i)
				time.Sleep(2 * time.Millisecond)
			}
			settledAll(t, pool)
			if p := peak.Load(); done.Load() != 30 || p < c.least || p > c.most {
				t.Errorf("%d done, %d at once; want %d to %d", done.Load(), p, c.least, c.most)
			}
		})
	}
}
