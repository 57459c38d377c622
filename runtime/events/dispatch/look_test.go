package dispatch

import (
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestASnapshotFromTheFuture is what a server has that was asked last by one which a standby has replaced that lacks the newest
// transactions: the numbers of these come again, and what they write now must be found.
func TestASnapshotFromTheFuture(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.System(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	d := New(Options{Pool: pool, Node: cluster.New(cluster.Options{Pool: pool}), Log: slog.New(slog.DiscardHandler)})
	c := newConsumer(Consumer{Name: "one"}, 1)
	d.consumers["one"] = c
	for _, look := range []struct {
		since string
		anew  bool
	}{{"1:1:", false}, {"9000000000:9000000000:", true}} {
		c.behind, c.cursor, d.snapshot = false, itemKey{id: 7}, look.since
		if err := d.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.behind != look.anew || look.anew && c.cursor != (itemKey{}) {
			t.Errorf("since %s: behind %v, from %v on", look.since, c.behind, c.cursor)
		}
	}
}
