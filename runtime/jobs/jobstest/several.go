package jobstest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

func drain(t *testing.T, w World) {
	began := make(chan string, 2)
	handlers := map[string]jobs.Handler{
		"short": func(context.Context, *jobs.Try) jobs.Outcome {
			began <- "short"
			<-time.After(300 * time.Millisecond)
			return jobs.Outcome{}
		},
		"long": func(ctx context.Context, j *jobs.Try) jobs.Outcome {
			began <- "long"
			if len(j.Servers) > 1 {
				return jobs.Outcome{}
			}
			<-ctx.Done()
			return jobs.Failed(ctx.Err())
		},
	}
	first := w.Serve(t, quick(), handlers)
	short, long := Enqueue(t, first.Service, jobs.Spec{Kind: "short"}), Enqueue(t, first.Service, jobs.Spec{Kind: "long"})
	<-began
	<-began
	first.Stop()
	client := w.client(t, "short", quick())
	if job, err := client.Get(t.Context(), short); err != nil || job.State != jobs.Completed {
		t.Errorf("a job that was nearly done: %+v, %v", job, err)
	}
	if job, err := client.Get(t.Context(), long); err != nil || job.State.Over() || job.State == jobs.Running {
		t.Errorf("a job that was not: %+v, %v", job, err)
	}
	second := w.Serve(t, quick(), handlers)
	if job := State(t, second.Service, long, jobs.Completed); job.Attempt != 1 {
		t.Errorf("its end was counted: %+v", job)
	}
}

// gone has a server not heard of any more, with jobs at work: others do them, and what it says of them later changes nothing.
func gone(t *testing.T, w World) {
	var ran, ended atomic.Int32
	block := make(chan struct{})
	first := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome {
		ran.Add(1)
		<-block
		ended.Add(1)
		return jobs.Final(errors.New("too late"))
	}})
	var ids []string
	for range 10 {
		ids = append(ids, Enqueue(t, first.Service, jobs.Spec{Kind: "work"}))
	}
	Eventually(t, "all are at work", func() bool { return ran.Load() == 10 })
	first.Silence()
	going := make(chan struct{})
	second := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { <-going; return jobs.Outcome{} }})
	for _, id := range ids {
		Eventually(t, "it is begun elsewhere", func() bool {
			job, err := second.Get(t.Context(), id)
			return err == nil && job.State == jobs.Running && job.Attempt == 2
		})
	}
	close(block)
	Eventually(t, "all have ended", func() bool { return ended.Load() == 10 })
	first.Stop() // which waits until all is written
	close(going)
	for _, id := range ids {
		if job := State(t, second.Service, id, jobs.Completed); job.Attempt != 2 || len(job.Servers) != 2 || len(job.Failures) != 1 || !strings.Contains(job.Failures[0].Error, "is gone") {
			t.Errorf("%+v", job)
		}
	}
}

// fenced has a server learn that it is not heard of: it ends what it works, begins nothing, and goes on when it is heard again.
func fenced(t *testing.T, w World) {
	var began, told atomic.Int32
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(ctx context.Context, _ *jobs.Try) jobs.Outcome {
		if began.Add(1) > 1 {
			return jobs.Outcome{}
		}
		<-ctx.Done()
		told.Add(1)
		return jobs.Failed(ctx.Err())
	}})
	id := Enqueue(t, s.Service, jobs.Spec{Kind: "work", MaxAttempts: 1})
	Eventually(t, "it is at work", func() bool { return began.Load() == 1 })
	s.Fence(true)
	Eventually(t, "it is told to end", func() bool { return told.Load() == 1 })
	<-time.After(1500 * time.Millisecond) // in which it would begin again
	if began.Load() != 1 {
		t.Error("a server that is not heard of begins jobs")
	}
	s.Fence(false)
	if job := State(t, s.Service, id, jobs.Completed); job.Attempt != 1 || len(job.Failures) != 0 {
		t.Errorf("%+v", job)
	}
}

func transaction(t *testing.T, w World) {
	var ran atomic.Int32
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { ran.Add(1); return jobs.Outcome{} }})
	var id string
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		receipts, err := s.EnqueueTx(t.Context(), tx, jobs.Spec{Kind: "work"})
		id = receipts[0].ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_ = pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
			if _, err := s.EnqueueTx(t.Context(), tx, jobs.Spec{Kind: "work"}); err != nil {
				t.Error(err)
			}
			return errors.New("no")
		})
	}
	State(t, s.Service, id, jobs.Completed)
	last := Enqueue(t, s.Service, jobs.Spec{Kind: "work"})
	State(t, s.Service, last, jobs.Completed)
	if n := ran.Load(); n != 2 {
		t.Errorf("%d ran, and 2 were committed", n)
	}
}

func pause(t *testing.T, w World) {
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	State(t, s.Service, Enqueue(t, s.Service, jobs.Spec{Kind: "work"}), jobs.Completed)
	if err := s.Pause(t.Context(), "nothing"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a queue that is not there: %v", err)
	}
	if err := s.Pause(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "nothing new is begun", func() bool {
		id := Enqueue(t, s.Service, jobs.Spec{Kind: "work"})
		<-time.After(700 * time.Millisecond)
		job, err := s.Get(t.Context(), id)
		return err == nil && job.State == jobs.Available
	})
	all, err := s.Queues(t.Context())
	if err != nil || len(all) != 1 || !all[0].Paused || all[0].Available < 1 || all[0].Oldest == nil {
		t.Errorf("%+v, %v", all, err)
	}
	if err := s.Resume(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "all is done", func() bool {
		all, err := s.Queues(t.Context())
		return err == nil && all[0].Available == 0 && all[0].Running == 0
	})
}

// bounds has three servers keep a bound together, and a rate.
func bounds(t *testing.T, w World) {
	m := w.Join(t)
	caps := m.Queue.Caps()
	m.Close()
	if !caps.GlobalConcurrency || !caps.RateLimit {
		t.Skip("this queue does not say that it can")
	}
	c := quick()
	c.Queues = map[string]jobs.Bound{"narrow": {Global: 3}, "slow": {RateLimit: "20/s"}}
	var done, slow atomic.Int32
	crowd := NewCrowd(t, 3)
	handlers := map[string]jobs.Handler{
		"narrow": func(context.Context, *jobs.Try) jobs.Outcome { crowd.Work(); done.Add(1); return jobs.Outcome{} },
		"slow":   func(context.Context, *jobs.Try) jobs.Outcome { slow.Add(1); return jobs.Outcome{} },
	}
	client := w.client(t, "narrow", c)
	var narrow []jobs.Spec
	for range 40 {
		narrow = append(narrow, jobs.Spec{Kind: "narrow", Queue: "narrow"})
	}
	if _, err := client.Enqueue(t.Context(), narrow...); err != nil {
		t.Fatal(err)
	}
	var s *Server
	for range 3 {
		s = w.Serve(t, c, handlers)
	}
	Eventually(t, "all are done", func() bool { return done.Load() == 40 })
	if n := crowd.Most(); n != 3 {
		t.Errorf("%d at once, of 3", n)
	}
	began := time.Now()
	for range 80 {
		Enqueue(t, s.Service, jobs.Spec{Kind: "slow", Queue: "slow"})
	}
	Eventually(t, "all are done", func() bool {
		if n, allowed := float64(slow.Load()), 20+20*time.Since(began).Seconds(); n > allowed+1 {
			t.Fatalf("%v have begun in %s", n, time.Since(began))
		}
		return slow.Load() == 80
	})
}

func load(t *testing.T, w World) {
	var done atomic.Int32
	c := quick()
	c.Concurrency = 100
	s := w.Serve(t, c, map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { done.Add(1); return jobs.Outcome{} }})
	specs := make([]jobs.Spec, 2000)
	for i := range specs {
		specs[i] = jobs.Spec{Kind: "work", Args: Args(map[string]int{"i": i})}
	}
	if n, err := s.Load(t.Context(), specs); n != 2000 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	Eventually(t, "all are done", func() bool { return done.Load() >= 2000 })
	if _, err := s.Load(t.Context(), []jobs.Spec{{Kind: "work", UniqueKey: "k"}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a key: %v", err)
	}
}

// schedules has three servers with a job each second: each second has one, also when a server dies.
func schedules(t *testing.T, w World) {
	c := quick()
	c.Schedules = map[string]jobs.Schedule{"tick": {Every: time.Second, Timezone: "UTC", Kind: "tick", Args: map[string]any{"a": 1}, CatchUp: "one"}}
	var mu sync.Mutex
	seen := map[int64]int{}
	handlers := map[string]jobs.Handler{"tick": func(_ context.Context, j *jobs.Try) jobs.Outcome {
		mu.Lock()
		defer mu.Unlock()
		if j.RunAt.Nanosecond() == 0 { // not the one that is run by hand
			seen[j.RunAt.Unix()]++
		}
		if j.Cause == nil || j.Cause.Schedule != "tick" || !strings.Contains(string(j.Args), "1") {
			t.Errorf("%+v", j)
		}
		return jobs.Outcome{}
	}}
	servers := []*Server{w.Serve(t, c, handlers), w.Serve(t, c, handlers), w.Serve(t, c, handlers)}
	ticks := func() int { mu.Lock(); defer mu.Unlock(); return len(seen) }
	Eventually(t, "two", func() bool { return ticks() >= 2 })
	servers[0].Stop()
	Eventually(t, "five, and none is missing", func() bool { // a later one may begin first
		mu.Lock()
		defer mu.Unlock()
		var all []int64
		for at, n := range seen {
			if n != 1 {
				t.Fatalf("%d jobs for %d", n, at)
			}
			all = append(all, at)
		}
		return len(all) >= 5 && int(slices.Max(all)-slices.Min(all))+1 == len(all)
	})
	all, err := servers[1].Schedules(t.Context())
	if err != nil || len(all) != 1 || all[0].Runs < 5 || all[0].LastAt == nil || all[0].LastJob == "" || all[0].When != "every 1s" {
		t.Errorf("%+v, %v", all, err)
	}
	if receipt, err := servers[1].RunSchedule(t.Context(), "tick"); err != nil || receipt.ID == "" {
		t.Errorf("%+v, %v", receipt, err)
	}
	if _, err := servers[1].RunSchedule(t.Context(), "tock"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
}

// twoFiles has servers with different times for one schedule, as in a deployment: who was there first keeps it while it lives.
func twoFiles(t *testing.T, w World) {
	m := w.Join(t)
	m.Close()
	if m.Know == nil {
		t.Skip("servers of this world do not know of each other")
	}
	var ran atomic.Int32
	handlers := map[string]jobs.Handler{"tick": func(context.Context, *jobs.Try) jobs.Outcome { ran.Add(1); return jobs.Outcome{} }}
	with := func(every time.Duration) jobs.Config {
		c := quick()
		c.Schedules = map[string]jobs.Schedule{"tick": {Every: every, Timezone: "UTC", Kind: "tick", CatchUp: "one"}}
		return c
	}
	first := w.Serve(t, with(10000*time.Hour), handlers) // whose times none of the next seconds is
	second := w.Serve(t, with(time.Second), handlers)
	<-time.After(3 * time.Second) // in which it would run
	if n := ran.Load(); n > 0 {
		t.Errorf("the times of a server that lives were replaced: %d jobs", n)
	}
	first.Stop()
	Eventually(t, "the other one's times hold", func() bool { return ran.Load() > 1 })
	second.Stop()
}
