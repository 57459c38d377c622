package redis_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/jobs/jobstest"
	"github.com/fraiseql/fraiseql/runtime/jobs/redis"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

func fine(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }

// TestKindsOfOthers has jobs in a queue that no server here works, many of them before one that is worked.
func TestKindsOfOthers(t *testing.T) {
	t.Parallel()
	w := world(t)
	m := w.Join(t)
	t.Cleanup(m.Close)
	client, err := jobs.New(one(), jobs.Deps{Queue: m.Queue, Pool: w.Pool, Handlers: map[string]jobs.Handler{"mine": nil, "theirs": nil}})
	if err != nil {
		t.Fatal(err)
	}
	theirs := make([]jobs.Spec, 2500)
	for i := range theirs {
		theirs[i].Kind = "theirs"
	}
	first := jobstest.Enqueue(t, client, jobs.Spec{Kind: "theirs"})
	if _, err := client.Load(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	mine := jobstest.Enqueue(t, client, jobs.Spec{Kind: "mine"})
	w.Serve(t, one(), map[string]jobs.Handler{"mine": fine})
	jobstest.State(t, client, mine, jobs.Completed)
	if job, err := client.Get(t.Context(), first); err != nil || job.State != jobs.Available || job.Attempt != 0 {
		t.Errorf("%+v, %v", job, err)
	}
	next := jobstest.Enqueue(t, client, jobs.Spec{Kind: "mine"})
	jobstest.State(t, client, next, jobs.Completed)
	w.Serve(t, one(), map[string]jobs.Handler{"theirs": fine})
	if job := jobstest.State(t, client, first, jobs.Completed); job.Attempt != 1 {
		t.Errorf("%+v", job)
	}
	jobstest.Eventually(t, "all are done", func() bool {
		all, err := client.Queues(t.Context())
		return err == nil && all[0].Available == 0 && all[0].Running == 0
	})
}

// TestServerDiesInALastTry has a job be dead whose only try began on a server that died, and say so.
func TestServerDiesInALastTry(t *testing.T) {
	t.Parallel()
	w := world(t)
	began, block := make(chan struct{}), make(chan struct{})
	first := w.Serve(t, one(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { close(began); <-block; return jobs.Outcome{} }})
	t.Cleanup(func() { close(block) })
	id := jobstest.Enqueue(t, first.Service, jobs.Spec{Kind: "work", MaxAttempts: 1, UniqueKey: "k"})
	<-began
	first.Silence()
	second := w.Serve(t, one(), map[string]jobs.Handler{"work": fine})
	if job := jobstest.State(t, second.Service, id, jobs.Dead); job.Attempt != 1 || len(job.Failures) != 1 || !strings.Contains(job.Failures[0].Error, "is gone") || job.FinishedAt == nil {
		t.Errorf("%+v", job)
	}
	if again := jobstest.Enqueue(t, second.Service, jobs.Spec{Kind: "work", UniqueKey: "k"}); again == id {
		t.Error("its key is taken still")
	}
}

// TestCancelWithoutAWord has a running job be cancelled whose server does not hear the message.
func TestCancelWithoutAWord(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := worldOf(t, server.URL(), pgtest.System(t))
	began := make(chan struct{})
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(ctx context.Context, _ *jobs.Try) jobs.Outcome {
		close(began)
		<-ctx.Done()
		return jobs.Failed(ctx.Err())
	}})
	id := jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work"})
	<-began
	if err := ask(t, server).HSet(t.Context(), "asynq:{default:2}:t:"+id, "cancel", 1).Err(); err != nil {
		t.Fatal(err)
	}
	if job := jobstest.State(t, s.Service, id, jobs.Cancelled); job.Attempt != 1 {
		t.Errorf("%+v", job)
	}
}

// TestTheLastIsNotStarved has a job of the last priority begin although there is always one of the first.
func TestTheLastIsNotStarved(t *testing.T) {
	t.Parallel()
	w := world(t)
	c := one()
	c.Concurrency = 1
	m := w.Join(t)
	t.Cleanup(m.Close)
	client, err := jobs.New(c, jobs.Deps{Queue: m.Queue, Pool: w.Pool, Handlers: map[string]jobs.Handler{"work": nil}})
	if err != nil {
		t.Fatal(err)
	}
	last := jobstest.Enqueue(t, client, jobs.Spec{Kind: "work", Priority: 4})
	urgent := make([]jobs.Spec, 200)
	for i := range urgent {
		urgent[i] = jobs.Spec{Kind: "work", Priority: 1}
	}
	if _, err := client.Load(t.Context(), urgent); err != nil {
		t.Fatal(err)
	}
	var ran, place atomic.Int32
	w.Serve(t, c, map[string]jobs.Handler{"work": func(_ context.Context, j *jobs.Try) jobs.Outcome {
		if n := ran.Add(1); j.ID == last {
			place.Store(n)
		}
		return jobs.Outcome{}
	}})
	jobstest.Eventually(t, "all ran", func() bool { return ran.Load() == 201 })
	if n := place.Load(); n != 32 {
		t.Errorf("it was number %d", n)
	}
}

// TestConcurrencyIsKept has more jobs wait than may be at work, in a queue whose jobs are taken some at a time.
func TestConcurrencyIsKept(t *testing.T) {
	t.Parallel()
	w := world(t)
	var ran atomic.Int32
	crowd := jobstest.NewCrowd(t, 7)
	c := one()
	c.Concurrency = 7
	s := w.Serve(t, c, map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { crowd.Work(); ran.Add(1); return jobs.Outcome{} }})
	specs := make([]jobs.Spec, 300)
	for i := range specs {
		specs[i].Kind = "work"
	}
	if _, err := s.Load(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	jobstest.Eventually(t, "all ran", func() bool { return ran.Load() == 300 })
	if n := crowd.Most(); n != 7 {
		t.Errorf("%d at once", n)
	}
}

// TestOnlyWhatBeginsIsTaken has more jobs than places: what cannot begin here waits for any server.
func TestOnlyWhatBeginsIsTaken(t *testing.T) {
	t.Parallel()
	w := world(t)
	var at atomic.Int32
	block := make(chan struct{})
	c := one()
	c.Concurrency = 2
	s := w.Serve(t, c, map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { at.Add(1); <-block; return jobs.Outcome{} }})
	if _, err := s.Load(t.Context(), []jobs.Spec{{Kind: "work"}, {Kind: "work"}, {Kind: "work"}, {Kind: "work"}, {Kind: "work"}}); err != nil {
		t.Fatal(err)
	}
	jobstest.Eventually(t, "two have begun", func() bool { return at.Load() == 2 })
	if all, err := s.Queues(t.Context()); err != nil || all[0].Running != 2 || all[0].Available != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	close(block)
	jobstest.Eventually(t, "all have", func() bool { return at.Load() == 5 })
}

// TestSecrets has no password in errors or logs.
func TestSecrets(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://u:hunter2@h", "redis://u:hunter2@h:1/x", "://hunter2", ""} {
		if _, err := redis.New(redis.Options{Address: address}); fault.CodeOf(err) != "redis/bad-url" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", address, err)
		}
	}
	var mu sync.Mutex
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return said.Write(b) }), &slog.HandlerOptions{Level: slog.LevelDebug}))
	q, err := redis.New(redis.Options{Address: "redis://fraise:hunter2@127.0.0.1:1/0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	_, err = q.Enqueue(t.Context(), []jobs.Spec{{Kind: "work", Queue: "default", Priority: 2, MaxAttempts: 1, Args: []byte("{}")}})
	if fault.CodeOf(err) != "jobs/redis-away" || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	server := redistest.Start(t, "--requirepass", "other")
	denied, err := redis.New(redis.Options{Address: "unix://:hunter2@" + strings.TrimPrefix(server.URL(), "unix://"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(denied.Close)
	if _, err := denied.Queues(t.Context()); fault.CodeOf(err) != "jobs/redis-denies" || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(said.String(), "hunter2") {
		t.Error("a password is in the log")
	}
}

type writer func(b []byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// TestDurability says of a Redis whether jobs are safe there.
func TestDurability(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options []string
		want    int
	}{
		{nil, 1},
		{[]string{"--appendonly", "yes"}, 0},
		{[]string{"--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, 1},
	} {
		q, err := redis.New(redis.Options{Address: redistest.Start(t, c.options...).URL()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(q.Close)
		if warnings, err := q.Durability(t.Context()); err != nil || len(warnings) != c.want {
			t.Errorf("%v: %v, %v", c.options, warnings, err)
		}
	}
}
