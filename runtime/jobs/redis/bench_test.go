package redis_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	goredis "github.com/redis/go-redis/v9"

	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/jobs/jobstest"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

// atOnce is how many jobs each of both works at once.
const atOnce = 500

func await(b *testing.B, done *atomic.Int64) {
	b.Helper()
	for done.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// BenchmarkAsynq is asynq as it comes, with tasks that are kept when they are done as ours are: what this package is measured
// against. Run both with -benchtime 50000x.
func BenchmarkAsynq(b *testing.B) {
	server := redistest.Start(b)
	conn := goredis.NewClient(&goredis.Options{Network: "unix", Addr: strings.TrimPrefix(server.URL(), "unix://")})
	defer func() { _ = conn.Close() }()
	client := asynq.NewClientFromRedisClient(conn)
	for range b.N {
		if _, err := client.Enqueue(asynq.NewTask("nothing", []byte(`{"n":1}`)), asynq.Retention(time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
	var done atomic.Int64
	s := asynq.NewServerFromRedisClient(conn, asynq.Config{Concurrency: atOnce, LogLevel: asynq.FatalLevel})
	b.ResetTimer()
	if err := s.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { done.Add(1); return nil })); err != nil {
		b.Fatal(err)
	}
	await(b, &done)
	b.StopTimer()
	s.Shutdown()
}

// BenchmarkJobs is the same by a Service.
func BenchmarkJobs(b *testing.B) {
	w := world(b)
	var done atomic.Int64
	c := jobs.Config{Backend: "redis", Concurrency: atOnce}
	handlers := map[string]jobs.Handler{"nothing": func(context.Context, *jobs.Try) jobs.Outcome { done.Add(1); return jobs.Outcome{} }}
	m := w.Join(b)
	client, err := jobs.New(c, jobs.Deps{Queue: m.Queue, Pool: w.Pool, Handlers: handlers})
	if err != nil {
		b.Fatal(err)
	}
	specs := make([]jobs.Spec, b.N)
	for i := range specs {
		specs[i] = jobs.Spec{Kind: "nothing", Args: jobstest.Args(map[string]int{"n": i})}
	}
	if _, err := client.Load(b.Context(), specs); err != nil {
		b.Fatal(err)
	}
	m.Close()
	b.ResetTimer()
	s := w.Serve(b, c, handlers)
	await(b, &done)
	b.StopTimer()
	s.Stop()
}
