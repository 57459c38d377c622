package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/jobs/jobstest"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

func brief() *retry.Policy {
	return &retry.Policy{MaxAttempts: 3, Initial: 10 * time.Millisecond, Max: 20 * time.Millisecond}
}

// serve is Serve with a client for calls.
func serve(t *testing.T, w jobstest.World, c jobs.Config, allow ...string) *jobs.Service {
	t.Helper()
	m := w.Join(t)
	client, err := outbound.New(outbound.Config{Allow: allow, BreakAfter: 100}, outbound.Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := jobs.New(c, jobs.Deps{Queue: m.Queue, Pool: w.Pool, Log: slog.New(slog.DiscardHandler), Outbound: client, Alive: m.Alive})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // the test's own ends before its cleanup
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx, time.Second); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait(); m.Close(); client.Close() })
	return s
}

type call struct {
	header http.Header
	body   string
}

func TestHTTPHandlers(t *testing.T) {
	t.Setenv("JOBS_TEST_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	var mu sync.Mutex
	calls := map[string][]call{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		calls[r.URL.Path] = append(calls[r.URL.Path], call{r.Header, string(body)})
		switch n := len(calls[r.URL.Path]); r.URL.Path {
		case "/mends":
			if n < 3 {
				http.Error(w, "not yet", http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, `{"ok": true}`)
		case "/refuses":
			http.Error(w, "I do not want that", http.StatusUnprocessableEntity)
		case "/text":
			_, _ = io.WriteString(w, "thanks")
		case "/slow":
			<-r.Context().Done()
		}
	}))
	defer receiver.Close()
	keys, err := outbound.ParseKeys(os.Getenv("JOBS_TEST_SECRET"))
	if err != nil {
		t.Fatal(err)
	}
	rule := func(path string) jobs.Rule {
		return jobs.Rule{Type: "http", Method: "POST", URL: receiver.URL + path, Headers: map[string]string{"X-Mine": "1"}}
	}
	mends, slow := rule("/mends"), rule("/slow")
	mends.Secret.Env = "JOBS_TEST_SECRET"
	short := time.Second // in which the call has to get there
	slow.Timeout = &short
	c := jobs.Config{Backend: "postgres", Concurrency: 5, Retry: brief(), Handlers: map[string]jobs.Rule{
		"mends": mends, "refuses": rule("/refuses"), "text": rule("/text"), "slow": slow,
	}}
	s := serve(t, world(t), c, "127.0.0.0/8")
	job := jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "mends", Args: []byte(`{"a":1}`)}), jobs.Completed)
	if string(job.Result) != `{"ok": true}` || job.Attempt != 3 || len(job.Log) != 3 || !strings.HasPrefix(job.Log[0].Text, "503 not yet") {
		t.Errorf("%+v", job)
	}
	got := calls["/mends"]
	for i, one := range got {
		if one.header.Get("Webhook-Id") != got[0].header.Get("Webhook-Id") || !strings.HasPrefix(one.header.Get("Webhook-Id"), "job_"+job.ID+"_") ||
			one.header.Get("X-Job-Kind") != "mends" || one.header.Get("X-Job-Attempt") != fmt.Sprint(i+1) || one.header.Get("X-Mine") != "1" || strings.ReplaceAll(one.body, " ", "") != `{"a":1}` {
			t.Errorf("call %d: %v %s", i, one.header, one.body)
		}
		if err := keys.Verify(one.header, []byte(one.body), time.Now()); err != nil {
			t.Error(err)
		}
	}
	if job := jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "refuses"}), jobs.Dead); job.Attempt != 1 || !strings.Contains(job.Log[0].Text, "422 I do not want that") {
		t.Errorf("%+v", job)
	}
	if job := jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "text"}), jobs.Completed); job.Result != nil || job.Log[0].Text != "200 thanks\n" {
		t.Errorf("%+v", job)
	}
	if job := jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "slow", MaxAttempts: 2}), jobs.Dead); len(job.Failures) != 2 || !strings.HasPrefix(job.Failures[0].Error, "the job took longer than 1s") {
		t.Errorf("%+v", job)
	}
	var tries []call
	jobstest.Eventually(t, "both calls have arrived", func() bool {
		mu.Lock()
		defer mu.Unlock()
		tries = calls["/slow"]
		return len(tries) == 2
	})
	if first := tries[0].header.Get("Webhook-Id"); first == "" || first != tries[1].header.Get("Webhook-Id") {
		t.Errorf("%v", tries)
	}
	guarded := serve(t, world(t), c)
	if job := jobstest.State(t, guarded, jobstest.Enqueue(t, guarded, jobs.Spec{Kind: "text"}), jobs.Dead); !strings.Contains(job.Failures[0].Error, "127.0.0.1") || len(calls["/text"]) != 1 {
		t.Errorf("what must not be reached was: %+v", job)
	}
}

// TestFunctionsAreExactlyOnce has the job taken from a server while its function runs: what that did is undone.
func TestFunctionsAreExactlyOnce(t *testing.T) {
	t.Parallel()
	t.Run("alone", func(t *testing.T) { t.Parallel(); functionsAreExactlyOnce(t, world(t)) })
	t.Run("behind a pooler", func(t *testing.T) {
		t.Parallel()
		functionsAreExactlyOnce(t, worldOn(t, pgtest.Pooled(t, pgtest.System(t), 10), true))
	})
}

func functionsAreExactlyOnce(t *testing.T, w jobstest.World) {
	t.Helper()
	if _, err := w.Pool.Exec(t.Context(), `
create table ledger (job int);
create function note(args jsonb) returns void language plpgsql as $$ begin insert into ledger values ((args ->> 'n')::int); perform pg_advisory_xact_lock_shared(1); end $$;
create function fails(args jsonb) returns int language plpgsql as $$ begin insert into ledger values (-1); raise exception 'no %', args ->> 'n'; end $$;
create function many(args jsonb) returns setof int language sql as $$ select generate_series(1, 3) $$`); err != nil {
		t.Fatal(err)
	}
	s := serve(t, w, jobs.Config{Backend: "postgres", Concurrency: 5, Retry: brief(), Handlers: map[string]jobs.Rule{
		"note": {Type: "function", Function: "public.note"}, "fails": {Type: "function", Function: "fails"}, "many": {Type: "function", Function: "many"},
		"sql": {Type: "sql", SQL: "delete from ledger"},
	}})
	ledger := func() (n int) {
		if err := w.Pool.QueryRow(t.Context(), "select count(*) from ledger").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	gate, err := w.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Rollback(context.Background()) }()
	if _, err := gate.Exec(t.Context(), "select pg_advisory_xact_lock(1)"); err != nil {
		t.Fatal(err)
	}
	id := jobstest.Enqueue(t, s, jobs.Spec{Kind: "note", Args: []byte(`{"n": 1}`)})
	jobstest.Eventually(t, "the function is at work", func() (waits bool) {
		if err := w.Pool.QueryRow(t.Context(), "select exists (select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database()))").Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
	const other = "00000000-0000-4000-8000-000000000001" // a server that takes it, ends the try of this one so, and is gone later
	if _, err := w.Pool.Exec(t.Context(), "insert into _system.node (id, name, version, seen_at) values ('"+other+"', 'other', '', clock_timestamp() + interval '3 seconds')"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Pool.Exec(t.Context(), "update _system.river_job set attempted_by = array['fraiseql_"+other+"_1'] where id = $1", id); err != nil {
		t.Fatal(err)
	}
	if err := gate.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	job := jobstest.State(t, s, id, jobs.Completed)
	if ledger() != 1 || job.Attempt != 2 || job.Result != nil {
		t.Errorf("%d in the ledger, %+v", ledger(), job)
	}
	if job := jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "fails", Args: []byte(`{"n": 7}`)}), jobs.Dead); ledger() != 1 || job.Attempt != 3 || !strings.Contains(job.Failures[2].Error, "no 7") {
		t.Errorf("%d in the ledger, %+v", ledger(), job)
	}
	if job := jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "many"}), jobs.Completed); string(job.Result) != "[1, 2, 3]" {
		t.Errorf("%s", job.Result)
	}
	if job := jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "sql"}), jobs.Completed); string(job.Result) != `{"rows": 1}` || ledger() != 0 {
		t.Errorf("%s", job.Result)
	}
}

// TestEnqueueBySQL has what SQL callers may say, and what they are refused.
func TestEnqueueBySQL(t *testing.T) {
	t.Parallel()
	w := world(t)
	s := serve(t, w, jobs.Config{Backend: "postgres", Concurrency: 0, Handlers: map[string]jobs.Rule{
		"work": {Type: "sql", SQL: "select 1", Queue: "mail", Retry: &retry.Policy{MaxAttempts: 4, Initial: time.Second, Max: time.Second}},
	}, Queues: map[string]jobs.Bound{"mail": {}}})
	enqueue := func(args ...any) (string, error) {
		var id string
		places := []string{"$1", "$1, $2::jsonb", "$1, $2::jsonb, $3::jsonb"}[len(args)-1]
		err := w.Pool.QueryRow(t.Context(), "select _system.enqueue("+places+")", args...).Scan(&id)
		return id, err
	}
	show := func(args ...any) jobs.Job {
		t.Helper()
		id, err := enqueue(args...)
		if err != nil {
			t.Fatal(err)
		}
		job, err := s.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return job
	}
	if job := show("work"); job.Queue != "mail" || job.MaxAttempts != 4 || job.Priority != 2 || job.State != jobs.Available || string(job.Args) != "{}" || job.Cause.Login == "" || job.Cause.XID == "" {
		t.Errorf("%+v", job)
	}
	if job := show("other", `{"a": 1}`); job.Queue != "default" || job.MaxAttempts != 10 || string(job.Args) != `{"a": 1}` { // of another program, or to come
		t.Errorf("%+v", job)
	}
	if job := show("work", "{}", `{"queue": "q", "delay": "1 hour", "priority": 1, "max_attempts": 7}`); job.Queue != "q" || job.State != jobs.Scheduled || job.Priority != 1 || job.MaxAttempts != 7 || time.Until(job.RunAt) < 59*time.Minute {
		t.Errorf("%+v", job)
	}
	if job := show("work", "{}", `{"run_at": "2001-01-01T00:00:00Z"}`); job.State != jobs.Available || job.RunAt.Year() != 2001 {
		t.Errorf("%+v", job)
	}
	keyed := show("work", "{}", `{"unique_key": "k"}`)
	if again := show("work", "{}", `{"unique_key": "k"}`); again.ID != keyed.ID || keyed.UniqueKey != "k" {
		t.Errorf("%s, %s", again.ID, keyed.ID)
	}
	if receipts, err := s.Enqueue(t.Context(), jobs.Spec{Kind: "work", UniqueKey: "k"}); err != nil || receipts[0].ID != keyed.ID || !receipts[0].Duplicate {
		t.Errorf("Go and SQL do not have the same keys: %+v, %v", receipts, err)
	}
	for _, args := range [][]any{
		{""},
		{"a b"},
		{"work", "[1]"},
		{"work", "null"},
		{"work", "{}", `{"color": "red"}`},
		{"work", "{}", `{"priority": 0}`},
		{"work", "{}", `{"priority": "high"}`},
		{"work", "{}", `{"max_attempts": 1.5}`},
		{"work", "{}", `{"delay": "soon"}`},
		{"work", "{}", `{"run_at": "never"}`},
		{"work", "{}", `{"run_at": {}}`},
		{"work", "{}", `{"queue": "A B"}`},
		{"work", "{}", `{"max_attempts": 0}`},
		{"work", "{}", `{"unique_key": ""}`},
		{"work", "{}", `{"unique_until": "never"}`},
		{"work", "{}", "[]"},
		{strings.Repeat("x", 128)},
	} {
		_, err := enqueue(args...)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "22023" || !strings.HasPrefix(refused.Message, "enqueue: ") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := w.Pool.Exec(t.Context(), "do $$ begin create role jobs_nobody; exception when duplicate_object or unique_violation then null; end $$; grant usage on schema _system to jobs_nobody"); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"select _system.enqueue('work')", "select _system.job_rescue('1 s', 'me')", "select * from _system.river_job"} {
		conn, err := w.Pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(t.Context(), "set role jobs_nobody; "+statement+"; reset role")
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "42501" {
			t.Errorf("%s: %v", statement, err)
		}
		_, _ = conn.Exec(t.Context(), "reset role")
		conn.Release()
	}
}

// TestJobsOfOtherPrograms has a kind that this server does not work left alone, and what another program works for hours.
func TestJobsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	w := world(t)
	s := serve(t, w, jobs.Config{Backend: "postgres", Concurrency: 5, ExternalKinds: []string{"theirs"}, Handlers: map[string]jobs.Rule{"work": {Type: "sql", SQL: "select 1"}}})
	theirs := jobstest.Enqueue(t, s, jobs.Spec{Kind: "theirs"})
	for range 3 {
		jobstest.State(t, s, jobstest.Enqueue(t, s, jobs.Spec{Kind: "work"}), jobs.Completed)
	}
	if job, err := s.Get(t.Context(), theirs); err != nil || job.State != jobs.Available || job.Attempt != 0 {
		t.Errorf("%+v, %v", job, err)
	}
	take := "update _system.river_job set state = 'running', attempt = 1, attempted_by = array['their server'], attempted_at = now() - $2::interval where id = $1"
	if _, err := w.Pool.Exec(t.Context(), take, theirs, "50 minutes"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(term) // longer than between two looks
	if job, err := s.Get(t.Context(), theirs); err != nil || job.State != jobs.Running {
		t.Errorf("a job of another program was taken from it: %+v, %v", job, err)
	}
	if _, err := w.Pool.Exec(t.Context(), take, theirs, "70 minutes"); err != nil {
		t.Fatal(err)
	}
	jobstest.State(t, s, theirs, jobs.Available)
	if _, err := s.Enqueue(t.Context(), jobs.Spec{Kind: "their"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}

// TestAServerThatIsNotHeardOfForAWhile has the heart of the only server stand still: what it worked is begun anew when it beats
// again, and what the tries before say then changes nothing.
func TestAServerThatIsNotHeardOfForAWhile(t *testing.T) {
	t.Parallel()
	w := worldFor(t, pgtest.System(t), false, term)
	release := make(chan struct{})
	var tries atomic.Int32
	s := w.Serve(t, jobs.Config{Backend: "postgres", Concurrency: 5, Retry: brief()}, map[string]jobs.Handler{"work": func(_ context.Context, _ *jobs.Try) jobs.Outcome {
		if tries.Add(1) <= 5 {
			<-release // it does not hear that it is to end
			return jobs.Final(errors.New("too late"))
		}
		return jobs.Outcome{}
	}})
	var ids []string
	for range 5 {
		ids = append(ids, jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work"}))
	}
	jobstest.Eventually(t, "all are at work", func() bool { return tries.Load() == 5 })
	tx, err := w.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select from _system.node for update"); err != nil {
		t.Fatal(err)
	}
	<-time.After(2 * term)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	jobstest.Eventually(t, "all are begun anew", func() bool { return tries.Load() == 10 })
	close(release)
	for _, id := range ids {
		if job := jobstest.State(t, s.Service, id, jobs.Completed); len(job.Servers) != 2 || job.Servers[0] == job.Servers[1] {
			t.Errorf("%+v", job)
		}
	}
}

// TestWhatPostgreSQLCannotKeep has results, logs and errors that are no JSON for it: the job ends all the same, and so do others.
func TestWhatPostgreSQLCannotKeep(t *testing.T) {
	t.Parallel()
	w := world(t)
	handlers := map[string]jobs.Handler{}
	odd := map[string]jobs.Outcome{
		"surrogate": {Result: []byte(`{"a":"\ud800"}`)}, "huge": {Result: []byte(`{"a":1e999999}`)}, "nul": {Result: []byte(`"\u0000"`)}, "bytes": {Result: []byte("\"\xff\"")},
		"error": jobs.Final(errors.New("no\x00 \xff")), "fine": {Result: []byte(`{"a": "\\u0000 \ud83d\ude00"}`)},
	}
	for kind, o := range odd {
		handlers[kind] = func(_ context.Context, j *jobs.Try) jobs.Outcome {
			j.Say("said \x00 \xff")
			return o
		}
	}
	s := w.Serve(t, jobs.Config{Backend: "postgres", Concurrency: 10, Retry: brief()}, handlers)
	ids := map[string]string{}
	for kind := range odd {
		ids[kind] = jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: kind})
	}
	for kind, id := range ids {
		want := jobs.Completed
		if kind == "error" {
			want = jobs.Dead
		}
		job := jobstest.State(t, s.Service, id, want)
		if kind == "fine" && string(job.Result) != `{"a": "\\u0000 😀"}` || kind == "huge" && string(job.Result) != `"{\"a\":1e999999}"` || len(job.Log) != 1 || job.Log[0].Text != "said  \ufffd\n" {
			t.Errorf("%s: %s %+v", kind, job.Result, job.Log)
		}
	}
}

// TestDrainOfWhatIsRun has a program and a function at work when the server ends: that does not count as a try.
func TestDrainOfWhatIsRun(t *testing.T) {
	t.Parallel()
	w := world(t)
	if _, err := w.Pool.Exec(t.Context(), "create function waits(jsonb) returns void language sql as 'select pg_sleep(60)'"); err != nil {
		t.Fatal(err)
	}
	m := w.Join(t)
	t.Cleanup(m.Close)
	s, err := jobs.New(jobs.Config{Backend: "postgres", Concurrency: 5, AllowCommands: true, Handlers: map[string]jobs.Rule{
		"program": {Type: "command", Command: []string{"sleep", "60"}}, "function": {Type: "function", Function: "waits"},
	}}, jobs.Deps{Queue: m.Queue, Pool: w.Pool, Log: slog.New(slog.DiscardHandler), Alive: m.Alive})
	if err == nil {
		err = s.Declare(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, 200*time.Millisecond) }()
	ids := []string{jobstest.Enqueue(t, s, jobs.Spec{Kind: "program", MaxAttempts: 1}), jobstest.Enqueue(t, s, jobs.Spec{Kind: "function", MaxAttempts: 1})}
	for _, id := range ids {
		jobstest.State(t, s, id, jobs.Running)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if job, err := s.Get(t.Context(), id); err != nil || job.State != jobs.Available || job.Attempt != 0 {
			t.Errorf("%+v, %v", job, err)
		}
	}
}

// TestWhatNobodyHas is taken in the name of a server that does not know of it, as when an answer is lost.
func TestWhatNobodyHas(t *testing.T) {
	t.Parallel()
	w := world(t)
	s := w.Serve(t, jobs.Config{Backend: "postgres", Concurrency: 5, Retry: brief()}, map[string]jobs.Handler{"work": func(context.Context, *jobs.Try) jobs.Outcome { return jobs.Outcome{} }})
	first := jobstest.State(t, s.Service, jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work"}), jobs.Completed)
	lost := jobstest.Enqueue(t, s.Service, jobs.Spec{Kind: "work", RunAt: time.Now().Add(time.Hour)})
	if _, err := w.Pool.Exec(t.Context(), "update _system.river_job set state = 'running', attempt = 1, attempted_by = array['fraiseql_"+first.Servers[0]+"'], attempted_at = clock_timestamp() - interval '25 seconds' where id = $1", lost); err != nil {
		t.Fatal(err)
	}
	if job := jobstest.State(t, s.Service, lost, jobs.Completed); job.Attempt != 1 {
		t.Errorf("%+v", job)
	}
}
