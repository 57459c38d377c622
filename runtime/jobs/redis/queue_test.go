package redis_test

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
	"github.com/fraiseql/fraiseql/runtime/jobs/redis"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a database and a Redis of its own.
func world(t testing.TB) jobstest.World {
	t.Helper()
	return worldOf(t, redistest.Start(t).URL(), pgtest.System(t))
}

func worldOf(t testing.TB, redisAddress, address string) jobstest.World {
	t.Helper()
	return retaining(t, redisAddress, address, 0)
}

func retaining(t testing.TB, redisAddress, address string, retention time.Duration) jobstest.World {
	t.Helper()
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
	return jobstest.World{Pool: pool, Backend: "redis", Join: func(t testing.TB) jobstest.Member {
		t.Helper()
		log := slog.New(slog.DiscardHandler)
		mine := open(t)
		node := cluster.New(cluster.Options{Pool: mine, Log: log, Name: t.Name()})
		q, err := redis.New(redis.Options{Address: redisAddress, Pool: mine, Log: log, Node: node, PollInterval: 100 * time.Millisecond, Retention: retention})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background()) // the test's own ends before its cleanup
		node.Beat(ctx)
		var beat sync.WaitGroup
		beat.Go(func() { _ = node.Run(ctx) })
		var fenced atomic.Bool
		return jobstest.Member{
			Queue: q, Alive: func() bool { return node.Alive() && !fenced.Load() }, Fence: fenced.Store, Silence: q.Mute(),
			Close: func() { stop(); beat.Wait(); q.Close(); mine.Close() },
		}
	}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, func(t testing.TB, _ bool) jobstest.World { return world(t) }) // asynq's servers have one term
}
