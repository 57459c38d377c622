package jobstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// Conformance has a queue do all that is promised of every queue. A brief world is one whose servers are soon missed: a machine
// that stalls must not have others be gone.
func Conformance(t *testing.T, open func(t testing.TB, brief bool) World) {
	for name, test := range map[string]func(t *testing.T, w World){
		"a life": aLife, "failures": failures, "a panic": aPanic, "later": later, "snooze": snooze, "priority": priority, "unique": unique, "unique until forgotten": uniqueForgotten,
		"cancel": cancel, "timeout": timeout, "drain": drain, "gone": gone, "fenced": fenced, "two files": twoFiles, "transaction": transaction, "pause": pause, "list": list, "causes": causes, "bounds": bounds,
		"load": load, "delete and retry": deleteAndRetry, "schedules": schedules, "left behind": leftBehind, "progress": progress,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, name == "gone"))
		})
	}
}

func quick() jobs.Config {
	return jobs.Config{Concurrency: 10, Timeout: time.Minute, Retry: &retry.Policy{MaxAttempts: 3, Initial: 20 * time.Millisecond, Max: 50 * time.Millisecond}}
}

func aLife(t *testing.T, w World) {
	s := w.Serve(t, quick(), map[string]jobs.Handler{"add": func(_ context.Context, j *jobs.Try) jobs.Outcome {
		j.Say("adding")
		return jobs.Done(map[string]any{"args": string(j.Args), "key": j.Key != ""})
	}})
	id := Enqueue(t, s.Service, jobs.Spec{Kind: "add", Args: Args(map[string]int{"a": 1}), Cause: jobs.Cause{Request: "r1"}})
	job := State(t, s.Service, id, jobs.Completed)
	if job.Kind != "add" || job.Queue != "default" || job.Attempt != 1 || job.MaxAttempts != 3 || job.Priority != jobs.DefaultPriority || job.FinishedAt == nil || job.StartedAt == nil || len(job.Servers) != 1 {
		t.Errorf("%+v", job)
	}
	if got := string(job.Result); !strings.Contains(strings.ReplaceAll(got, " ", ""), `"args":"{\"a\":1}"`) && !strings.Contains(got, `{\"a\": 1}`) {
		t.Errorf("result %s", got)
	}
	if len(job.Log) != 1 || job.Log[0].Text != "adding\n" || job.Cause == nil || job.Cause.Request != "r1" {
		t.Errorf("log %+v, cause %+v", job.Log, job.Cause)
	}
	if _, err := s.Get(t.Context(), "999999"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a job that is not there: %v", err)
	}
	for what, n := range map[string]jobs.Spec{
		"jobs/no-kind": {Kind: "ad"}, "jobs/bad-args": {Kind: "add", Args: []byte("[1]")}, "jobs/no-queue": {Kind: "add", Queue: "mail"},
		"jobs/bad-priority": {Kind: "add", Priority: 5}, "jobs/bad-attempts": {Kind: "add", MaxAttempts: -1}, "jobs/args-too-large": {Kind: "add", Args: Args(map[string]string{"x": strings.Repeat("x", 1<<20)})},
	} {
		if _, err := s.Enqueue(t.Context(), n); fault.CodeOf(err) != what {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func failures(t *testing.T, w World) {
	var tries atomic.Int32
	s := w.Serve(t, quick(), map[string]jobs.Handler{
		"mends": func(_ context.Context, j *jobs.Try) jobs.Outcome {
			if tries.Add(1); j.Attempt < 3 {
				return jobs.Failed(fmt.Errorf("no %d", j.Attempt))
			}
			return jobs.Outcome{}
		},
		"never": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Failed(errors.New("no")) },
		"final": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Final(errors.New("never")) },
	})
	mends, never, final := Enqueue(t, s.Service, jobs.Spec{Kind: "mends"}), Enqueue(t, s.Service, jobs.Spec{Kind: "never"}), Enqueue(t, s.Service, jobs.Spec{Kind: "final"})
	if job := State(t, s.Service, mends, jobs.Completed); job.Attempt != 3 || tries.Load() != 3 || len(job.Failures) != 2 || job.Failures[1].Error != "no 2" || job.Failures[1].Attempt != 2 {
		t.Errorf("%+v", job)
	}
	if job := State(t, s.Service, never, jobs.Dead); job.Attempt != 3 || len(job.Failures) != 3 {
		t.Errorf("%+v", job)
	}
	if job := State(t, s.Service, final, jobs.Dead); job.Attempt != 1 || len(job.Failures) != 1 || job.Failures[0].Error != "never" {
		t.Errorf("%+v", job)
	}
	if count, left, err := s.RetryDead(t.Context(), "final"); count != 1 || left != 0 || err != nil {
		t.Errorf("%d, %d, %v", count, left, err)
	}
	Eventually(t, "it is dead again", func() bool {
		job, err := s.Get(t.Context(), final)
		return err == nil && job.State == jobs.Dead && len(job.Failures) == 2
	})
}

func aPanic(t *testing.T, w World) {
	s := w.Serve(t, quick(), map[string]jobs.Handler{"bad": func(context.Context, *jobs.Try) jobs.Outcome { panic("oh no") }})
	job := State(t, s.Service, Enqueue(t, s.Service, jobs.Spec{Kind: "bad", MaxAttempts: 1}), jobs.Dead)
	if !strings.Contains(job.Failures[0].Error, "oh no") || len(job.Log) != 1 || !strings.Contains(job.Log[0].Text, "conformance.go") {
		t.Errorf("%+v", job)
	}
}

func later(t *testing.T, w World) {
	var at atomic.Int64
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { at.Store(time.Now().UnixNano()); return jobs.Outcome{} }})
	due := time.Now().Add(1500 * time.Millisecond)
	id := Enqueue(t, s.Service, jobs.Spec{Kind: "work", RunAt: due})
	far := Enqueue(t, s.Service, jobs.Spec{Kind: "work", RunAt: time.Now().Add(time.Hour)})
	State(t, s.Service, id, jobs.Completed)
	if early := due.Sub(time.Unix(0, at.Load())); early > 0 {
		t.Errorf("%s too early", early)
	}
	if job, err := s.Get(t.Context(), far); err != nil || job.State != jobs.Scheduled {
		t.Errorf("%+v, %v", job, err)
	}
	if _, err := s.Retry(t.Context(), far); err != nil {
		t.Error(err)
	}
	State(t, s.Service, far, jobs.Completed)
}

func snooze(t *testing.T, w World) {
	var tries atomic.Int32
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome {
		if tries.Add(1) < 5 {
			return jobs.Later(10 * time.Millisecond)
		}
		return jobs.Outcome{}
	}})
	if job := State(t, s.Service, Enqueue(t, s.Service, jobs.Spec{Kind: "work"}), jobs.Completed); job.Attempt != 1 || len(job.Failures) != 0 || tries.Load() != 5 {
		t.Errorf("%d tries, %+v", tries.Load(), job)
	}
}

func priority(t *testing.T, w World) {
	var mu sync.Mutex
	var order []int
	c := quick()
	c.Concurrency = 1
	client := w.client(t, "work", c)
	for _, p := range []int{4, 3, 2, 1, 4, 3, 2, 1} {
		Enqueue(t, client, jobs.Spec{Kind: "work", Priority: p})
	}
	w.Serve(t, c, map[string]jobs.Handler{"work": func(_ context.Context, j *jobs.Try) jobs.Outcome {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, j.Priority)
		return jobs.Outcome{}
	}})
	Eventually(t, "all are done", func() bool { mu.Lock(); defer mu.Unlock(); return len(order) == 8 })
	if !slices.IsSorted(order) {
		t.Errorf("%v", order)
	}
}

// client is a service that works nothing.
func (w World) client(t testing.TB, kind string, c jobs.Config) *jobs.Service {
	t.Helper()
	m := w.Join(t)
	t.Cleanup(m.Close)
	c.Backend = w.Backend
	s, err := jobs.New(c, jobs.Deps{Queue: m.Queue, Pool: w.Pool, Alive: m.Alive, Handlers: map[string]jobs.Handler{kind: nil}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unique(t *testing.T, w World) {
	go1 := make(chan struct{})
	s := w.Serve(t, quick(), map[string]jobs.Handler{
		"work":  func(context.Context, *jobs.Try) jobs.Outcome { <-go1; return jobs.Outcome{} },
		"other": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} },
	})
	var mu sync.Mutex
	ids := map[string]int{}
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			receipts, err := s.Enqueue(t.Context(), jobs.Spec{Kind: "work", UniqueKey: "k"})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[receipts[0].ID]++
			if receipts[0].Duplicate {
				ids["duplicates"]++
			}
		})
	}
	wait.Wait()
	if len(ids) != 2 || ids["duplicates"] != 31 {
		t.Errorf("%v", ids)
	}
	delete(ids, "duplicates")
	other := Enqueue(t, s.Service, jobs.Spec{Kind: "other", UniqueKey: "k"}) // another kind
	close(go1)
	for id := range ids {
		State(t, s.Service, id, jobs.Completed)
		if again := Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k"}); again == id || again == other {
			t.Errorf("the key is taken after its job is over")
		}
	}
}

func uniqueForgotten(t *testing.T, w World) {
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	first := Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k", UniqueUntil: jobs.Forgotten})
	State(t, s.Service, first, jobs.Completed)
	if second := Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k", UniqueUntil: jobs.Forgotten}); second != first {
		t.Errorf("the key was taken by %s, and %s was made", first, second)
	}
	if _, err := s.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if third := Enqueue(t, s.Service, jobs.Spec{Kind: "work", UniqueKey: "k", UniqueUntil: jobs.Forgotten}); third == first {
		t.Error("the key of a job that is forgotten is still taken")
	}
}

func cancel(t *testing.T, w World) {
	began := make(chan struct{}, 1)
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(ctx context.Context, _ *jobs.Try) jobs.Outcome {
		began <- struct{}{}
		<-ctx.Done()
		return jobs.Failed(ctx.Err())
	}})
	waits := Enqueue(t, s.Service, jobs.Spec{Kind: "work", RunAt: time.Now().Add(time.Hour)})
	if _, err := s.Cancel(t.Context(), waits); err != nil {
		t.Fatal(err)
	}
	State(t, s.Service, waits, jobs.Cancelled)
	runs := Enqueue(t, s.Service, jobs.Spec{Kind: "work"})
	<-began
	if _, err := s.Delete(t.Context(), runs); fault.KindOf(err) != fault.Conflict {
		t.Errorf("deleting what runs: %v", err)
	}
	if _, err := s.Retry(t.Context(), runs); fault.KindOf(err) != fault.Conflict {
		t.Errorf("retrying what runs: %v", err)
	}
	if _, err := s.Cancel(t.Context(), runs); err != nil {
		t.Fatal(err)
	}
	State(t, s.Service, runs, jobs.Cancelled)
	if _, err := s.Cancel(t.Context(), runs); fault.KindOf(err) != fault.Conflict {
		t.Errorf("cancelling what is over: %v", err)
	}
}

func timeout(t *testing.T, w World) {
	c := quick()
	c.Timeout = 50 * time.Millisecond
	s := w.Serve(t, c, map[string]jobs.Handler{"work": func(ctx context.Context, _ *jobs.Try) jobs.Outcome {
		<-ctx.Done()
		return jobs.Failed(ctx.Err())
	}})
	job := State(t, s.Service, Enqueue(t, s.Service, jobs.Spec{Kind: "work", MaxAttempts: 2}), jobs.Dead)
	if len(job.Failures) != 2 || !strings.HasPrefix(job.Failures[0].Error, "the job took longer than 50ms") {
		t.Errorf("%+v", job.Failures)
	}
}

// leftBehind has a handler that does not listen: its place is free again, and the job is tried again.
func leftBehind(t *testing.T, w World) {
	c := quick()
	c.Timeout, c.Concurrency = 50*time.Millisecond, 1
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	var tries atomic.Int32
	s := w.Serve(t, c, map[string]jobs.Handler{
		"deaf": func(_ context.Context, j *jobs.Try) jobs.Outcome {
			for first := tries.Add(1) == 1; first; {
				j.Say("still here") // what is left behind is heard no more
				select {
				case <-stuck:
					first = false
				case <-time.After(time.Millisecond):
				}
			}
			return jobs.Outcome{}
		},
		"ok": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} },
	})
	deaf, ok := Enqueue(t, s.Service, jobs.Spec{Kind: "deaf"}), Enqueue(t, s.Service, jobs.Spec{Kind: "ok"})
	State(t, s.Service, ok, jobs.Completed)
	if job := State(t, s.Service, deaf, jobs.Completed); job.Attempt != 2 || len(job.Failures) != 1 || !strings.Contains(job.Failures[0].Error, "left behind") {
		t.Errorf("%+v", job)
	}
}

func list(t *testing.T, w World) {
	c := quick()
	zero := 0
	c.Queues = map[string]jobs.Bound{"other": {Concurrency: &zero}}
	s := w.Serve(t, c, map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }, "other": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Final(errors.New("no")) }})
	var ids []string
	for i := range 6 {
		ids = append(ids, Enqueue(t, s.Service, jobs.Spec{Kind: []string{"work", "other"}[i%2], Queue: []string{"default", "other"}[i/4]}))
	}
	for i, id := range ids {
		State(t, s.Service, id, []jobs.State{jobs.Completed, jobs.Dead, jobs.Completed, jobs.Dead, jobs.Available, jobs.Available}[i])
	}
	for _, c := range []struct {
		f    jobs.Filter
		want []int
	}{
		{jobs.Filter{Limit: 10}, []int{5, 4, 3, 2, 1, 0}},
		{jobs.Filter{Limit: 2}, []int{5, 4}},
		{jobs.Filter{Limit: 2, Before: ids[4]}, []int{3, 2}},
		{jobs.Filter{Limit: 10, Kind: "other"}, []int{5, 3, 1}},
		{jobs.Filter{Limit: 10, State: jobs.Dead}, []int{3, 1}},
		{jobs.Filter{Limit: 10, State: jobs.Dead, Before: ids[3]}, []int{1}},
		{jobs.Filter{Limit: 10, Queue: "other"}, []int{5, 4}},
		{jobs.Filter{Limit: 10, Queue: "other", Kind: "work", State: jobs.Available}, []int{4}},
	} {
		all, err := s.List(t.Context(), c.f)
		var got []int
		for _, j := range all {
			got = append(got, slices.Index(ids, j.ID))
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v, want %v", c.f, got, err, c.want)
		}
	}
	if _, err := s.List(t.Context(), jobs.Filter{State: "discarded", Limit: 1}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a state that is not: %v", err)
	}
}

func causes(t *testing.T, w World) {
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	Enqueue(t, s.Service, jobs.Spec{Kind: "work"})
	for _, trace := range []string{"a", "b"} {
		Enqueue(t, s.Service, jobs.Spec{Kind: "work", Cause: jobs.Cause{Request: "r1", Trace: trace}})
	}
	for c, want := range map[jobs.Cause]int{{Request: "r1"}: 2, {Request: "r2"}: 0, {Request: "r1", Trace: "b"}: 1, {}: 3} {
		if all, err := s.List(t.Context(), jobs.Filter{Cause: c, Limit: 10}); err != nil || len(all) != want {
			t.Errorf("%+v: %+v, %v", c, all, err)
		}
	}
}

func deleteAndRetry(t *testing.T, w World) {
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	id := Enqueue(t, s.Service, jobs.Spec{Kind: "work"})
	State(t, s.Service, id, jobs.Completed)
	if _, err := s.Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "it is done once more", func() bool {
		job, err := s.Get(t.Context(), id)
		return err == nil && job.Attempt == 2 && job.State == jobs.Completed
	})
	if _, err := s.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for what, do := range map[string]func(context.Context, string) (jobs.Job, error){"get": s.Get, "delete": s.Delete, "retry": s.Retry, "cancel": s.Cancel} {
		for _, none := range []string{id, "x", "-1", ""} {
			if _, err := do(t.Context(), none); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s %q: %v", what, none, err)
			}
		}
	}
}

func progress(t *testing.T, w World) {
	reported, seen := make(chan struct{}), make(chan struct{})
	var try *jobs.Try
	s := w.Serve(t, quick(), map[string]jobs.Handler{"work": func(ctx context.Context, j *jobs.Try) jobs.Outcome {
		try = j
		if err := j.Report(ctx, jobs.Progress{Done: 0.5, Message: "half", At: time.Now()}); err != nil {
			t.Error(err)
		}
		close(reported)
		<-seen
		return jobs.Done("end")
	}})
	id := Enqueue(t, s.Service, jobs.Spec{Kind: "work"})
	<-reported
	if job, err := s.Get(t.Context(), id); err != nil || job.Progress == nil || job.Progress.Done != 0.5 || job.Progress.Message != "half" {
		t.Errorf("%+v, %v", job, err)
	}
	close(seen)
	if job := State(t, s.Service, id, jobs.Completed); job.Progress == nil || string(job.Result) != `"end"` {
		t.Errorf("%+v", job)
	}
	if err := try.Report(t.Context(), jobs.Progress{Done: 1, At: time.Now()}); fault.CodeOf(err) != "jobs/lost" {
		t.Errorf("when it is over: %v", err)
	}
}
