package postgres_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/jobs/jobstest"
	"github.com/fraiseql/fraiseql/runtime/jobs/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// term is how long servers are waited for: the heart beats twelve times in it.
const term = 2400 * time.Millisecond

func world(t testing.TB) jobstest.World {
	t.Helper()
	address := pgtest.System(t)
	open := func(t testing.TB) *pgxpool.Pool {
		t.Helper()
		pool, err := pgxpool.New(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		return pool
	}
	pool := open(t)
	t.Cleanup(pool.Close)
	return jobstest.World{Pool: pool, Backend: "postgres", Join: func(t testing.TB) jobstest.Member {
		t.Helper()
		log := slog.New(slog.DiscardHandler)
		mine, leases := open(t), open(t)
		node := cluster.New(cluster.Options{Pool: leases, Log: log, Name: t.Name(), Term: term})
		q, err := postgres.New(postgres.Options{Pool: mine, Log: log, Node: node, PollInterval: 100 * time.Millisecond, Term: term})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background()) // the test's own ends before its cleanup
		node.Beat(ctx)
		var beat sync.WaitGroup
		beat.Go(func() { _ = node.Run(ctx) })
		var silent atomic.Bool
		return jobstest.Member{
			Queue: q, Alive: func() bool { return silent.Load() || node.Alive() },
			Silence: func() { silent.Store(true); leases.Close() },
			Close:   func() { stop(); beat.Wait(); mine.Close(); leases.Close() },
		}
	}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, world)
}
