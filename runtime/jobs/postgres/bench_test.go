package postgres_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/jobs/jobstest"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// atOnce is how many jobs each of both works at once.
const atOnce = 500

type nothing struct {
	N int `json:"n"`
}

func (nothing) Kind() string { return "nothing" }

type doNothing struct {
	river.WorkerDefaults[nothing]
	done *atomic.Int64
}

func (w *doNothing) Work(context.Context, *river.Job[nothing]) error {
	w.done.Add(1)
	return nil
}

func await(b *testing.B, done *atomic.Int64) {
	b.Helper()
	for done.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// BenchmarkRiver is River as it comes: what this package is measured against. Run both with -benchtime 50000x.
func BenchmarkRiver(b *testing.B) {
	pool, err := pgxpool.New(b.Context(), pgtest.System(b))
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	var done atomic.Int64
	workers := river.NewWorkers()
	river.AddWorker(workers, &doNothing{done: &done})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: "_system", Logger: slog.New(slog.DiscardHandler), Workers: workers, FetchCooldown: 50 * time.Millisecond, FetchPollInterval: 100 * time.Millisecond,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: atOnce}},
	})
	if err != nil {
		b.Fatal(err)
	}
	params := make([]river.InsertManyParams, b.N)
	for i := range params {
		params[i].Args = nothing{N: i}
	}
	for len(params) > 0 {
		part := params[:min(10_000, len(params))]
		if _, err := client.InsertManyFast(b.Context(), part); err != nil {
			b.Fatal(err)
		}
		params = params[len(part):]
	}
	vacuum(b, pool)
	b.ResetTimer()
	if err := client.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	await(b, &done)
	b.StopTimer()
	if err := client.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkJobs is the same by a Service.
func BenchmarkJobs(b *testing.B) {
	w := world(b)
	var done atomic.Int64
	c := jobs.Config{Backend: "postgres", Concurrency: atOnce}
	handlers := map[string]jobs.Handler{"nothing": func(context.Context, *jobs.Try) jobs.Outcome { done.Add(1); return jobs.Outcome{} }}
	m := w.Join(b)
	client, err := jobs.New(c, jobs.Deps{Queue: m.Queue, Pool: w.Pool, Handlers: handlers})
	if err != nil {
		b.Fatal(err)
	}
	specs := make([]jobs.Spec, b.N)
	for i := range specs {
		specs[i] = jobs.Spec{Kind: "nothing", Args: jobstest.Args(nothing{N: i})}
	}
	for len(specs) > 0 {
		part := specs[:min(10_000, len(specs))]
		if _, err := client.Load(b.Context(), part); err != nil {
			b.Fatal(err)
		}
		specs = specs[len(part):]
	}
	m.Close()
	vacuum(b, w.Pool)
	b.ResetTimer()
	s := w.Serve(b, c, handlers)
	await(b, &done)
	b.StopTimer()
	s.Stop()
}

func vacuum(b *testing.B, pool *pgxpool.Pool) {
	b.Helper()
	if _, err := pool.Exec(b.Context(), "vacuum analyze _system.river_job", pgx.QueryExecModeSimpleProtocol); err != nil {
		b.Fatal(err)
	}
}
