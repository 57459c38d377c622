package redis_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/jobs/jobstest"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

// ask is a connection of the test's own.
func ask(t testing.TB, server *redistest.Server) *goredis.Client {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Network: "unix", Addr: strings.TrimPrefix(server.URL(), "unix://")})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestManyWantOneKey has 64 clients enqueue for one key, in all three ways: there is never more than one job of it, and who is told
// of another's is told of one that there is.
func TestManyWantOneKey(t *testing.T) {
	t.Parallel()
	w := world(t)
	var at, most, ran atomic.Int32
	var mu sync.Mutex
	began := map[string]bool{}
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(_ context.Context, j *jobs.Try) jobs.Outcome {
		most.Store(max(most.Load(), at.Add(1)))
		<-time.After(20 * time.Millisecond)
		mu.Lock()
		began[j.ID] = true
		mu.Unlock()
		at.Add(-1)
		ran.Add(1)
		return jobs.Outcome{}
	}})
	told := map[string]bool{}
	until := time.Now().Add(2 * time.Second)
	var asking sync.WaitGroup
	for i := range 64 {
		asking.Go(func() {
			for time.Now().Before(until) {
				var r jobs.Receipt
				switch i % 3 {
				case 0:
					receipts, err := s.Enqueue(t.Context(), jobs.Spec{Kind: "work", UniqueKey: "k"})
					if err != nil {
						t.Error(err)
						return
					}
					r = receipts[0]
				case 1:
					err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
						receipts, err := s.EnqueueTx(t.Context(), tx, jobs.Spec{Kind: "work", UniqueKey: "k"})
						if err == nil {
							r = receipts[0]
						}
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
				case 2:
					if err := w.Pool.QueryRow(t.Context(), `select _system.enqueue('work', opts => '{"unique_key": "k"}')`).Scan(&r.ID); err != nil {
						t.Error(err)
						return
					}
				}
				mu.Lock()
				told[r.ID] = true
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	for id := range told {
		jobstest.Eventually(t, "it is over", func() bool {
			job, err := s.Get(t.Context(), id)
			if err != nil {
				t.Fatalf("job %s: %v", id, err)
			}
			return job.State == jobs.Completed
		})
	}
	mu.Lock()
	defer mu.Unlock()
	if most.Load() != 1 || len(began) != int(ran.Load()) || len(began) < 3 {
		t.Errorf("%d jobs ran %d times, %d at once", len(began), ran.Load(), most.Load())
	}
	for id := range told {
		if job, err := s.Get(t.Context(), id); err != nil || !began[job.ID] {
			t.Errorf("job %s was told of and did not run: %+v, %v", id, job, err)
		}
	}
	t.Logf("%d ids told, %d jobs", len(told), len(began))
}

// TestKeyOfNothing has a key left behind whose job is not there, as when Redis has lost a part of what it had.
func TestKeyOfNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := worldOf(t, server.URL(), pgtest.System(t))
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	conn := ask(t, server)
	first := jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k", RunAt: time.Now().Add(time.Hour)})
	if err := conn.Del(t.Context(), "asynq:{default:2}:t:"+first).Err(); err != nil {
		t.Fatal(err)
	}
	if again := jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k"}); again == first {
		t.Error("the key is taken by a job that is not there")
	} else {
		jobstest.State(t, s.Service, again, jobs.Completed)
	}
}

// TestKeyOfWhatIsTriedAgain has a dead job's key be taken by another when it is to begin anew.
func TestKeyOfWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := world(t)
	s := w.Serve(t, one(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Final(errors.New("no")) }})
	dead := jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k"})
	jobstest.State(t, s.Service, dead, jobs.Dead)
	next := jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k", RunAt: time.Now().Add(time.Hour)})
	if _, err := s.Retry(t.Context(), dead); fault.CodeOf(err) != "jobs/key-taken" || fault.KindOf(err) != fault.Conflict {
		t.Errorf("%v", err)
	}
	if _, err := s.Cancel(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Retry(t.Context(), dead); err != nil {
		t.Error(err)
	}
}

// TestNothingIsLeft has all that a job leaves in Redis be gone when it is forgotten.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := retaining(t, server.URL(), pgtest.System(t), time.Second)
	s := w.Serve(t, one(), map[string]jobs.Handler{
		"work": func(_ context.Context, j *jobs.Try) jobs.Outcome { j.Say("x"); return jobs.Done(1) },
		"dead": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Final(errors.New("no")) },
	})
	for i, kind := range []string{"work", "dead", "work"} {
		for _, until := range []jobs.Until{jobs.Finished, jobs.Forgotten} {
			jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: kind, UniqueKey: kind + string(until), UniqueUntil: until, Priority: i + 1})
		}
	}
	conn := ask(t, server)
	jobstest.Eventually(t, "all is gone", func() bool {
		for _, pattern := range []string{"*:t:*", "fraiseql:jobs", "fraiseql:jobs:key:*", "*:completed", "*:archived", "*:active", "*:lease"} {
			if keys, err := conn.Keys(t.Context(), pattern).Result(); err != nil || len(keys) > 0 {
				return false
			}
		}
		return true
	})
}
