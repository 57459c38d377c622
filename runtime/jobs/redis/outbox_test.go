package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/jobs/jobstest"
	"github.com/fraiseql/fraiseql/runtime/jobs/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

func one() jobs.Config { return jobs.Config{Concurrency: 10, Timeout: time.Minute} }

// enqueue makes a job in a transaction, which is rolled back unless keep is true, and gives its id.
func enqueue(t testing.TB, w jobstest.World, s *jobs.Service, keep bool, n jobs.Spec) string {
	t.Helper()
	var id string
	rolled := errors.New("rolled back")
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		receipts, err := s.EnqueueTx(t.Context(), tx, n)
		if err != nil {
			return err
		}
		if id = receipts[0].ID; !keep {
			return rolled
		}
		return nil
	})
	if err != nil && !errors.Is(err, rolled) {
		t.Fatal(err)
	}
	return id
}

func exec(t testing.TB, w jobstest.World, sql string) {
	t.Helper()
	if _, err := w.Pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, w jobstest.World, sql string) int {
	t.Helper()
	var n int
	if err := w.Pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRelayDiesInBetween has Redis take jobs, and the database not hear of it: they are taken again, and are no others.
func TestRelayDiesInBetween(t *testing.T) {
	t.Parallel()
	w := world(t)
	var ran atomic.Int32
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { ran.Add(1); return jobs.Outcome{} }})
	exec(t, w, `create function stop() returns trigger language plpgsql as $$ begin raise exception 'stop'; end $$`)
	exec(t, w, `create trigger stop before delete on _system.job_outbox for each row execute function stop()`)
	var ids []string
	for range 5 {
		ids = append(ids, enqueue(t, w, s.Service, true, jobs.Spec{Kind: "work"}))
	}
	jobstest.Eventually(t, "they run", func() bool { return ran.Load() == 5 })
	<-time.After(500 * time.Millisecond) // some more looks at the outbox
	exec(t, w, `drop trigger stop on _system.job_outbox`)
	jobstest.Eventually(t, "the outbox is empty", func() bool { return count(t, w, `select count(*) from _system.job_outbox`) == 0 })
	for _, id := range ids {
		jobstest.State(t, s.Service, id, jobs.Completed)
	}
	if all, err := s.List(t.Context(), jobs.Filter{Limit: 50}); err != nil || len(all) != 5 || ran.Load() != 5 {
		t.Errorf("%d jobs that ran %d times, %v", len(all), ran.Load(), err)
	}
}

// TestRedisDies kills Redis and starts it again, with transactions that enqueue and jobs at work: each job that was committed runs,
// as one, and none that was not.
func TestRedisDies(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	w := worldOf(t, server.URL(), pgtest.System(t))
	var mu sync.Mutex
	ran := map[string]int{}
	c := one()
	s := w.Serve(t, c, map[string]jobs.Handler{"work": func(_ context.Context, j *jobs.Try) jobs.Outcome {
		mu.Lock()
		defer mu.Unlock()
		ran[j.ID]++
		return jobs.Outcome{}
	}})
	kept := map[string]bool{}
	ending, enough, failed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var enqueuing sync.WaitGroup
	enqueuing.Go(func() {
		defer close(failed)
		for i := 0; ; i++ {
			select {
			case <-ending:
				return
			case <-time.After(2 * time.Millisecond):
			}
			if id := enqueue(t, w, s.Service, i%4 != 0, jobs.Spec{Kind: "work", Args: jobstest.Args(map[string]int{"i": i})}); i%4 != 0 {
				if kept[id] = true; len(kept) == 50 {
					close(enough)
				}
			}
		}
	})
	for range 3 {
		<-time.After(400 * time.Millisecond)
		server.Stop()
		<-time.After(200 * time.Millisecond)
		server.Start()
	}
	<-time.After(400 * time.Millisecond)
	select {
	case <-enough:
	case <-failed:
	}
	close(ending)
	enqueuing.Wait()
	for id := range kept {
		jobstest.Eventually(t, "job "+id+" is done", func() bool {
			job, err := s.Get(t.Context(), id)
			return err == nil && job.State == jobs.Completed
		})
	}
	mu.Lock()
	defer mu.Unlock()
	twice := 0
	for id, n := range ran {
		if !kept[id] {
			t.Errorf("job %s was not committed, and ran", id)
		}
		if n > 1 {
			twice++
		}
	}
	if len(ran) != len(kept) {
		t.Errorf("%d of %d jobs ran", len(ran), len(kept))
	}
	t.Logf("%d jobs, %d of them twice or more", len(kept), twice)
}

// TestEnqueueWhileRedisIsAway commits jobs that nobody could take to Redis, and is refused where there is no outbox.
func TestEnqueueWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := worldOf(t, server.URL(), pgtest.System(t))
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	server.Stop()
	if _, err := s.Enqueue(t.Context(), jobs.Spec{Kind: "work"}); fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "jobs/redis-away" {
		t.Errorf("%v", err)
	}
	id := enqueue(t, w, s.Service, true, jobs.Spec{Kind: "work", UniqueKey: "k"})
	again := enqueue(t, w, s.Service, true, jobs.Spec{Kind: "work", UniqueKey: "k"})
	if again != id {
		t.Errorf("the key made %s and %s", id, again)
	}
	server.Start()
	jobstest.Eventually(t, "it is done", func() bool {
		job, err := s.Get(t.Context(), id)
		return err == nil && job.State == jobs.Completed
	})
}

// TestOutboxIsSeen has jobs that no server has taken to Redis yet: they can be got, cancelled and deleted.
func TestOutboxIsSeen(t *testing.T) {
	t.Parallel()
	w := world(t)
	m := w.Join(t)
	t.Cleanup(m.Close)
	s, err := jobs.New(one(), jobs.Deps{Queue: m.Queue, Pool: w.Pool, Handlers: map[string]jobs.Handler{"work": nil}})
	if err != nil {
		t.Fatal(err)
	}
	for state, n := range map[jobs.State]jobs.Spec{
		jobs.Available: {Kind: "work", Args: jobstest.Args(map[string]int{"a": 1}), Cause: jobs.Cause{Request: "r"}},
		jobs.Scheduled: {Kind: "work", RunAt: time.Now().Add(time.Hour), UniqueKey: "k"},
	} {
		id := enqueue(t, w, s, true, n)
		job, err := s.Get(t.Context(), id)
		if err != nil || job.State != state || job.Attempt != 0 || job.UniqueKey != n.UniqueKey || job.Queue != "default" || job.Priority != 2 {
			t.Errorf("%+v, %v", job, err)
		}
		if job, err = s.Cancel(t.Context(), id); err != nil || job.State != jobs.Cancelled {
			t.Errorf("%+v, %v", job, err)
		}
	}
	id := enqueue(t, w, s, true, jobs.Spec{Kind: "work"})
	if _, err := s.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(t.Context(), id); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	if n := count(t, w, `select count(*) from _system.job_outbox`); n != 0 {
		t.Errorf("%d are left in the outbox", n)
	}
}

// TestSQLEnqueues has the database's own function put jobs where the servers keep them.
func TestSQLEnqueues(t *testing.T) {
	t.Parallel()
	w := world(t)
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(_ context.Context, j *jobs.Try) jobs.Outcome { return jobs.Done(string(j.Args)) }})
	var id, delayed, first, second string
	err := w.Pool.QueryRow(t.Context(), `select _system.enqueue('work', '{"a": 1}', '{"priority": 1, "max_attempts": 2}'), _system.enqueue('work', opts => '{"delay": "1 hour"}')`).Scan(&id, &delayed)
	if err != nil {
		t.Fatal(err)
	}
	job := jobstest.State(t, s.Service, id, jobs.Completed)
	if job.Priority != 1 || job.MaxAttempts != 2 || string(job.Result) != `"{\"a\":1}"` && string(job.Result) != `"{\"a\": 1}"` || job.Cause == nil || job.Cause.Login == "" || job.Cause.XID == "" {
		t.Errorf("%+v, %+v, %s", job, job.Cause, job.Result)
	}
	jobstest.State(t, s.Service, delayed, jobs.Scheduled)
	held := jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k", RunAt: time.Now().Add(time.Hour)})
	if err := w.Pool.QueryRow(t.Context(), `select _system.enqueue('work', opts => '{"unique_key": "k"}'), _system.enqueue('work', opts => '{"unique_key": "k"}')`).Scan(&first, &second); err != nil || first != second {
		t.Fatalf("%s, %s, %v", first, second, err)
	}
	jobstest.Eventually(t, "it is merged into the job that has the key", func() bool {
		job, err := s.Get(t.Context(), first)
		return err == nil && job.ID == held
	})
	if n := count(t, w, `select count(*) from _system.river_job`); n != 0 {
		t.Errorf("%d jobs are where nobody works them", n)
	}
}

// TestOneBackend refuses servers that would keep jobs of a database in another place.
func TestOneBackend(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t)
	server := redistest.Start(t)
	w := worldOf(t, server.URL(), address)
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	declare := func(w jobstest.World, backend string) error {
		c := one()
		c.Backend = backend
		var queue jobs.Queue
		if backend == "postgres" {
			q, err := postgres.New(postgres.Options{Pool: w.Pool, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			queue = q
		} else {
			m := w.Join(t)
			defer m.Close()
			queue = m.Queue
		}
		other, err := jobs.New(c, jobs.Deps{Queue: queue, Pool: w.Pool, Handlers: map[string]jobs.Handler{"work": nil}})
		if err != nil {
			t.Fatal(err)
		}
		return other.Declare(t.Context())
	}
	if err := declare(w, "postgres"); fault.CodeOf(err) != "jobs/other-backend" || fault.KindOf(err) != fault.ActionNeeded {
		t.Errorf("another backend: %v", err)
	}
	if err := declare(w, "redis"); err != nil {
		t.Errorf("the same: %v", err)
	}
	other := redistest.Start(t)
	if err := declare(worldOf(t, other.URL(), pgtest.System(t)), "redis"); err != nil {
		t.Error(err)
	}
	if err := declare(worldOf(t, other.URL(), address), "redis"); fault.CodeOf(err) != "jobs/other-redis" {
		t.Errorf("another Redis: %v", err)
	}
	if err := declare(worldOf(t, redistest.Start(t).URL(), address), "redis"); fault.CodeOf(err) != "jobs/other-redis" {
		t.Errorf("a second Redis: %v", err)
	}
	s.Stop()
	exec(t, w, fmt.Sprintf(`insert into _system.job_outbox (kind, args, queue, priority, max_attempts) values ('work', '{}', '%s', 2, 1)`, jobs.DefaultQueue))
	exec(t, w, `delete from _system.node`)
	if err := declare(w, "postgres"); fault.CodeOf(err) != "jobs/left-behind" {
		t.Errorf("jobs are left: %v", err)
	}
	exec(t, w, `delete from _system.job_outbox`)
	if err := declare(worldOf(t, redistest.Start(t).URL(), address), "redis"); err != nil {
		t.Errorf("one that has lost everything: %v", err)
	}
	if err := declare(w, "postgres"); err != nil {
		t.Errorf("nothing is left: %v", err)
	}
}
