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
	jobspostgres "github.com/fraiseql/fraiseql/runtime/jobs/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// term is how long servers are waited for: the heart beats twelve times in it.
const term = 2400 * time.Millisecond

func world(t testing.TB) jobstest.World { return worldOn(t, pgtest.System(t), false) }

// worldOn is one on a database, which may have a transaction pooler before it.
func worldOn(t testing.TB, address string, pooler bool) jobstest.World {
	t.Helper()
	return worldFor(t, address, pooler, cluster.Term)
}

// worldFor is one whose servers are waited for so long. Where none is to be missed, that is longer than any beat is late.
func worldFor(t testing.TB, address string, pooler bool, term time.Duration) jobstest.World {
	t.Helper()
	open := func(t testing.TB) *pgxpool.Pool {
		t.Helper()
		pool, err := postgres.Connect(t.Context(), address, postgres.PoolOptions{Size: 4, Pooler: pooler, Listens: true})
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
		q, err := jobspostgres.New(jobspostgres.Options{Pool: mine, Log: log, Node: node, PollInterval: 100 * time.Millisecond, Term: term, PollOnly: pooler})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background()) // the test's own ends before its cleanup
		node.Beat(ctx)
		var beat sync.WaitGroup
		beat.Go(func() { _ = node.Run(ctx) })
		var silent, fenced atomic.Bool
		return jobstest.Member{
			Queue: q, Alive: func() bool { return silent.Load() || node.Alive() && !fenced.Load() },
			Fence:   fenced.Store,
			Know:    func(names []string) { node.Know("jobs", names); node.Beat(ctx) },
			Silence: func() { silent.Store(true); leases.Close() },
			Close:   func() { stop(); beat.Wait(); mine.Close(); leases.Close() },
		}
	}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, func(t testing.TB, brief bool) jobstest.World {
		return worldFor(t, pgtest.System(t), false, termOf(brief))
	})
}

func TestBehindAPooler(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, func(t testing.TB, brief bool) jobstest.World {
		return worldFor(t, pgtest.Pooled(t, pgtest.System(t), 10), true, termOf(brief))
	})
}

func termOf(brief bool) time.Duration {
	if brief {
		return term
	}
	return cluster.Term
}
