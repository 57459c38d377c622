package observers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/observers"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const orders = `
create table orders (order_id integer primary key, status text not null, total numeric, note text);
create table ledger (event text, order_id integer, status text);
create function on_order(e jsonb) returns text language plpgsql as $$ begin
  if e->'new'->>'note' = 'refuse' then raise exception 'this order is refused'; end if;
  insert into ledger values (e->>'id', (e->'new'->>'order_id')::int, e->'new'->>'status');
  return 'noted ' || (e->'new'->>'order_id');
end $$;`

// receiver is a server that answers as it is told, and keeps what it got.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []call
	answer func(n int, c call) (status int, header http.Header)
}

type call struct {
	id, body, path string
	header         http.Header
	at             time.Time
}

func receive(t *testing.T, answer func(n int, c call) (int, http.Header)) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		c := call{id: q.Header.Get("Webhook-Id"), body: string(body), path: q.URL.RequestURI(), header: q.Header, at: time.Now()}
		r.mu.Lock()
		r.got = append(r.got, c)
		n := len(r.got)
		r.mu.Unlock()
		status, header := r.answer(n, c)
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "answer %d", n)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) calls() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call(nil), r.got...)
}

func ok(int, call) (int, http.Header) { return http.StatusOK, nil }

// server is one server with its observers.
type server struct {
	*observers.Service
	pool  *pgxpool.Pool
	log   *lockedBuffer
	heard []events.Interest
	stop  func()
}

type lockedBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// rules are what a test's observers are, with quick retries.
func rule(events string, entity string, actions ...observers.Action) observers.Rule {
	for i := range actions {
		if actions[i].Method == "" {
			actions[i].Method = "POST"
		}
		if actions[i].Timeout == 0 {
			actions[i].Timeout = 5 * time.Second
		}
	}
	return observers.Rule{
		Event: strings.Split(events, ","), Entity: entity, Mode: "queue", Concurrency: 10, Timeout: 10 * time.Second, OnFailure: "dead",
		Retry: retry.Policy{MaxAttempts: 3, Initial: 10 * time.Millisecond, Max: 20 * time.Millisecond}, Actions: actions,
	}
}

func serve(t *testing.T, address string, named map[string]observers.Rule) *server {
	t.Helper()
	return serveWith(t, address, named, observers.Deps{})
}

// serveWith is given what not all tests need.
func serveWith(t *testing.T, address string, named map[string]observers.Rule, more observers.Deps) *server {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	buffer := &lockedBuffer{}
	log := slog.New(slog.NewTextHandler(buffer, nil))
	client, err := outbound.New(outbound.Config{BreakAfter: 1000}, outbound.Deps{Log: log, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	node := cluster.New(cluster.Options{Pool: pool, Log: log, Name: t.Name()})
	d := dispatch.New(dispatch.Options{Pool: pool, Node: node, Log: log, IdleMax: 20 * time.Millisecond})
	store := &events.Store{Pool: pool}
	s := &server{pool: pool, log: buffer}
	s.Service = observers.New(observers.Config{Named: named}, observers.Deps{
		Pool: pool, Log: log, Outbound: client, Know: func(names []string) { node.Know("observers", names) }, Dir: more.Dir, Mailer: more.Mailer, Judge: more.Judge,
		Relation: func(entity string) (events.Relation, bool) {
			return events.Relation{Schema: "public", Table: map[string]string{"Order": "orders"}[entity]}, entity == "Order"
		},
		Listen: func(ctx context.Context, names []string, all []events.Interest, consumers []dispatch.Consumer) error {
			if err := store.Declare(ctx, nil, names, all); err != nil {
				return err
			}
			d.Register(consumers...)
			s.heard = all
			captured, err := store.Drift(ctx)
			if err != nil {
				return err
			}
			conn, err := pgx.Connect(ctx, address)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close(context.Background()) }()
			_, err = events.Install(ctx, conn, captured)
			return err
		},
	})
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	beating, stopBeat := context.WithCancel(context.Background())
	var loops, beat sync.WaitGroup
	loops.Go(func() { _ = d.Run(ctx) })
	loops.Go(func() { _ = s.Run(ctx, time.Hour) })
	beat.Go(func() { _ = node.Run(beating) })
	s.stop = sync.OnceFunc(func() { stop(); loops.Wait(); stopBeat(); beat.Wait() })
	t.Cleanup(s.stop)
	return s
}

func (s *server) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := s.pool.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// settled waits until nothing is left to do.
func (s *server) settled(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		var left int
		if err := s.pool.QueryRow(t.Context(), "select count(*) from _system.event_delivery").Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d deliveries are left", left)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// logged gives the log in short, the oldest first.
func (s *server) logged(t *testing.T, name string) []string {
	t.Helper()
	all, err := s.Logs(t.Context(), name, "", time.Now().Add(time.Minute), 1000)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(all))
	for i, l := range all {
		lines[len(all)-1-i] = fmt.Sprintf("%d %d %s %s %d %s %s", *l.EventID, l.Action, l.Type, l.Status, l.Attempts, l.Response, l.Error)
	}
	return lines
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestActionsFollowInOrder has three actions of three kinds, of which the middle one fails at first.
func TestActionsFollowInOrder(t *testing.T) {
	t.Parallel()
	r := receive(t, func(n int, _ call) (int, http.Header) {
		if n < 3 {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	})
	paid := rule("INSERT,UPDATE", "Order",
		observers.Action{Type: "log", Level: "warn", Message: "order {{row.order_id}}: {{old.status}} -> {{new.status}}"},
		observers.Action{Type: "webhook", URL: r.URL + "/in/{{row.order_id}}?note={{row.note}}", Headers: map[string]string{"X-Status": "{{new.status}}"}, Body: `{"order": {{json new.order_id}}, "note": "{{new.note}}"}`},
		observers.Action{Type: "database", Function: "on_order"})
	paid.When, paid.Columns = "new.status == 'paid' && changed('status')", []string{"status"}
	s := serve(t, pgtest.System(t, orders), map[string]observers.Rule{"order.paid": paid})
	s.exec(t, `insert into orders values (1, 'new', 1.50, 'a "b" & c/d')`)
	s.exec(t, "update orders set total = 2")
	s.exec(t, "update orders set status = 'paid'")
	s.exec(t, "update orders set note = 'x'")
	s.settled(t)
	expect(t, "log", s.logged(t, ""), `2 1 log success 1 order 1: new -> paid `, "2 2 webhook success 3 200 answer 3 ", "2 3 database success 1 noted 1 ")
	calls := r.calls()
	if len(calls) != 3 || calls[0].id == "" || calls[0].id != calls[2].id || calls[0].path != "/in/1?note=a%20%22b%22%20%26%20c%2Fd" || calls[0].body != `{"order": 1, "note": "a \"b\" \u0026 c/d"}` || calls[0].header.Get("X-Status") != "paid" || strings.Contains(calls[0].id, ".") {
		t.Errorf("calls: %+v", calls)
	}
	if !strings.Contains(s.log.String(), "order 1: new -> paid") || !strings.Contains(s.log.String(), "level=WARN") {
		t.Errorf("log:\n%s", s.log.String())
	}
}

// TestWhatFailsForGood becomes a dead letter, or what on_failure says, and its key goes on.
func TestWhatFailsForGood(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	broken.Store(true)
	r := receive(t, func(_ int, c call) (int, http.Header) {
		var e struct{ New struct{ Status string } }
		_ = json.Unmarshal([]byte(c.body), &e)
		switch {
		case broken.Load() && e.New.Status == "bad":
			return http.StatusInternalServerError, nil
		case e.New.Status == "no":
			return http.StatusUnprocessableEntity, nil
		}
		return http.StatusOK, nil
	})
	hook := observers.Action{Type: "webhook", URL: r.URL}
	last := observers.Action{Type: "log", Level: "info"}
	named := map[string]observers.Rule{}
	for _, how := range []string{"dead", "continue", "stop"} {
		one := rule("INSERT,UPDATE", "Order", hook, last)
		one.OnFailure = how
		named[how] = one
	}
	s := serve(t, pgtest.System(t, orders), named)
	s.exec(t, "insert into orders values (1, 'bad'); update orders set status = 'no'; update orders set status = 'good'")
	s.settled(t)
	short := func(name string) []string {
		lines := s.logged(t, name)
		for i, line := range lines {
			if f := strings.Fields(line); f[2] == "webhook" {
				lines[i] = strings.Join(f[:6], " ")
			}
			lines[i] = strings.TrimSpace(lines[i])
		}
		return lines
	}
	expect(t, "dead", short("dead"), "1 1 webhook failed 3 500", "2 1 webhook failed 1 422", "3 1 webhook success 1 200", "3 2 log success 1 UPDATE Order")
	expect(t, "continue", short("continue"), "1 1 webhook failed 3 500", "1 2 log success 1 INSERT Order", "2 1 webhook failed 1 422", "2 2 log success 1 UPDATE Order", "3 1 webhook success 1 200", "3 2 log success 1 UPDATE Order")
	expect(t, "stop", short("stop"), "1 1 webhook failed 3 500", "2 1 webhook failed 1 422", "3 1 webhook success 1 200", "3 2 log success 1 UPDATE Order")
	for said, times := range map[string]int{"it is a dead letter": 2, "on_failure has it passed over": 4} {
		n := strings.Count(s.log.String(), said)
		for deadline := time.Now().Add(10 * time.Second); n < times && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) { // it follows the mark
			n = strings.Count(s.log.String(), said)
		}
		if n != times {
			t.Errorf("the log says %d times that %s:\n%s", n, said, s.log.String())
		}
	}
	dead, err := s.Dead(t.Context(), "", 0, 10)
	if err != nil || len(dead) != 2 || dead[0].Consumer != "observer:dead" || dead[1].Attempts != 3 {
		t.Fatalf("dead letters: %+v %v", dead, err)
	}
	broken.Store(false)
	if n, err := s.Retry(t.Context(), dead[1].ID, ""); err != nil || n != 1 {
		t.Fatalf("%d %v", n, err)
	}
	s.settled(t)
	expect(t, "retried", short("dead")[3:], "1 1 webhook success 1 200", "1 2 log success 1 INSERT Order")
	if _, err := s.Retry(t.Context(), dead[1].ID, ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("retried twice: %v", err)
	}
}

// TestConditionsThatCannotBeJudged leave a dead letter at once, whatever on_failure says: nobody knows what was to be done.
func TestConditionsThatCannotBeJudged(t *testing.T) {
	t.Parallel()
	named := map[string]observers.Rule{}
	for _, how := range []string{"dead", "continue", "stop"} {
		for _, one := range []observers.Rule{
			rule("INSERT", "Order", observers.Action{Type: "log"}, observers.Action{Type: "log"}),
			rule("INSERT", "Order", observers.Action{Type: "database", Function: "on_order"}),
			rule("INSERT", "Order", observers.Action{Type: "database", Function: "on_order"}, observers.Action{Type: "log"}),
		} {
			one.When, one.OnFailure = "new.status > 3", how
			named[fmt.Sprintf("%s_%s_%d", how, one.Actions[0].Type, len(one.Actions))] = one
		}
	}
	s := serve(t, pgtest.System(t, orders), named)
	s.exec(t, "insert into orders values (1, 'text')")
	s.settled(t)
	dead, err := s.Dead(t.Context(), "", 0, 100)
	if err != nil || len(dead) != len(named) {
		t.Errorf("%d dead letters of %d: %v", len(dead), len(named), err)
	}
	for _, d := range dead {
		if d.Attempts != 1 || !strings.Contains(d.Error, "condition") {
			t.Errorf("%+v", d)
		}
	}
	for _, line := range s.logged(t, "") {
		if !strings.Contains(line, " 1 ") || !strings.Contains(line, "failed") {
			t.Errorf("it was acted on: %s", line)
		}
	}
	var booked int
	if err := s.pool.QueryRow(t.Context(), "select count(*) from ledger").Scan(&booked); err != nil || booked != 0 {
		t.Errorf("%d functions ran: %v", booked, err)
	}
}

// TestRowsThatWereCut acts on rows that are too large to be kept, of which nobody can ask a condition again.
func TestRowsThatWereCut(t *testing.T) {
	t.Parallel()
	exact, loose := rule("UPDATE", "Order", observers.Action{Type: "log", Message: "exact {{json old}} {{row.order_id}}"}), rule("UPDATE", "Order", observers.Action{Type: "log"})
	exact.When = "old.status == 'new' && new.status == 'paid' && changed('body')"
	loose.When = "lower(new.status) == 'paid'"
	batch := rule("UPDATE", "Order", observers.Action{Type: "database", Function: "on_order"})
	s := serve(t, pgtest.System(t, orders+"alter table orders add column body text;"), map[string]observers.Rule{
		"exact": exact, "loose": loose, "batch": batch, "all": rule("UPDATE", "Order", observers.Action{Type: "log", Message: "all {{row.status}}"}),
	})
	conn, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = events.Filters(t.Context(), conn.Conn(), s.heard)
	conn.Release()
	if err != nil {
		t.Fatal(err)
	}
	s.exec(t, "insert into orders (order_id, status, body) values (1, 'new', repeat('x', 300000)), (2, 'new', 'x')")
	s.exec(t, "update orders set status = 'paid', body = body || 'y'")
	s.settled(t)
	s.exec(t, "update orders set status = 'new'")
	s.settled(t)
	var got []string
	for _, name := range []string{"exact", "loose", "all", "batch"} {
		for _, line := range s.logged(t, name) {
			_, rest, _ := strings.Cut(line, " ") // after the event's id
			rest = rest[:min(len(rest), 60)]
			got = append(got, name+" "+rest)
		}
	}
	slices.Sort(got)
	trial, err := s.Test(t.Context(), "exact", 0)
	if err != nil || !trial.Matches || trial.Event.New == nil {
		t.Errorf("tried with %+v %v", trial.Event, err)
	}
	expect(t, "what was done", got,
		"all 1 log success 1 all new ", "all 1 log success 1 all new ", "all 1 log success 1 all paid ", "all 1 log success 1 all paid ",
		"batch 1 database success 1 noted 1 ", "batch 1 database success 1 noted 1 ", "batch 1 database success 1 noted 2 ", "batch 1 database success 1 noted 2 ",
		"exact 1 log success 1 exact null 1 ", `exact 1 log success 1 exact {"body":"x","note":null,"order_id":2,"`,
		"loose 1 log failed 1  the row is larger than what is kept of it, a", "loose 1 log failed 1  the row is larger than what is kept of it, a", "loose 1 log success 1 UPDATE Order ",
	)
}

// TestSignedAndRefusedForEver signs by two keys, honours Retry-After, and is switched off by 410.
func TestSignedAndRefusedForEver(t *testing.T) {
	t.Setenv("HOOK_SECRETS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
	keys, err := outbound.ParseKeys("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
	if err != nil {
		t.Fatal(err)
	}
	r := receive(t, func(n int, c call) (int, http.Header) {
		if err := keys.Verify(c.header, []byte(c.body), time.Now()); err != nil {
			t.Errorf("call %d: %v", n, err)
		}
		switch n {
		case 1:
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}
		case 3:
			return http.StatusGone, nil
		}
		return http.StatusNoContent, nil
	})
	one := rule("INSERT", "Order", observers.Action{Type: "webhook", URL: r.URL})
	one.Actions[0].Secret.Env = "HOOK_SECRETS"
	s := serve(t, pgtest.System(t, orders), map[string]observers.Rule{"hook": one})
	s.exec(t, "insert into orders values (1, 'a')")
	s.settled(t)
	s.exec(t, "insert into orders values (2, 'a')")
	s.settled(t)
	var paused bool // at once: what is on its way waits
	if err := s.pool.QueryRow(t.Context(), "select paused from _system.event_consumer").Scan(&paused); err != nil || !paused {
		t.Errorf("it is worked for after it was told to stop: %v", err)
	}
	if calls := r.calls(); len(calls) != 3 || calls[1].at.Sub(calls[0].at) < 900*time.Millisecond || calls[0].id != calls[1].id || calls[2].id == calls[1].id {
		t.Errorf("calls: %+v", calls)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		o, err := s.Show(t.Context(), "hook")
		if err != nil {
			t.Fatal(err)
		}
		var heard int
		if err := s.pool.QueryRow(t.Context(), "select count(*) from _system.event_interest").Scan(&heard); err != nil {
			t.Fatal(err)
		}
		if !o.Enabled && strings.Contains(o.Reason, "410") && heard == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is still on: %+v", o)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.exec(t, "insert into orders values (3, 'a')")
	if err := s.Switch(t.Context(), "hook", true); err != nil {
		t.Fatal(err)
	}
	s.exec(t, "insert into orders values (4, 'a')")
	s.settled(t)
	if calls := r.calls(); len(calls) != 4 || !strings.Contains(calls[3].body, `"order_id": 4`) && !strings.Contains(calls[3].body, `"order_id":4`) {
		t.Errorf("after it was enabled again: %+v", calls[3:])
	}
	if err := s.Switch(t.Context(), "nobody", true); fault.KindOf(err) != fault.NotFound {
		t.Errorf("nobody: %v", err)
	}
}

// TestFunctionsRunOnce has a function refuse some rows: all others are done once, what is refused dies, with nothing done.
func TestFunctionsRunOnce(t *testing.T) {
	t.Parallel()
	one := rule("INSERT", "Order", observers.Action{Type: "database", Function: "public.on_order"})
	one.When = "new.status != 'skip'"
	s := serve(t, pgtest.System(t, orders), map[string]observers.Rule{"book": one})
	s.exec(t, "insert into orders select i, case when i % 10 = 0 then 'skip' else 'a' end, 1, case when i % 50 = 1 then 'refuse' end from generate_series(1, 500) i")
	s.settled(t)
	var rows, distinct, dead, success, failed int
	err := s.pool.QueryRow(t.Context(), `select count(*), count(distinct order_id), (select count(*) from _system.event_dead), (select count(*) from _system.observer_logs where status = 'success'),
		(select count(*) from _system.observer_logs where status = 'failed' and attempts = 3 and error_message like '%this order is refused%') from ledger`).Scan(&rows, &distinct, &dead, &success, &failed)
	if err != nil || rows != 440 || distinct != 440 || dead != 10 || success != 440 || failed != 10 {
		t.Errorf("%d rows of %d orders, %d dead, %d success, %d failed: %v", rows, distinct, dead, success, failed, err)
	}
}

// TestTrials renders what would be sent, and sends nothing. The observer is off, so what is sent was sent by a trial.
func TestTrials(t *testing.T) {
	t.Parallel()
	r := receive(t, ok)
	one := rule("UPDATE", "Order", observers.Action{Type: "webhook", URL: r.URL + "/{{row.order_id}}"}, observers.Action{Type: "database", Function: "on_order"}, observers.Action{Type: "log", Message: "{{row.nothing}}"})
	one.When = "new.status == 'paid'"
	s := serve(t, pgtest.System(t, orders), map[string]observers.Rule{"one": one, "all": rule("INSERT,UPDATE,DELETE", "Order", observers.Action{Type: "log"})})
	if err := s.Switch(t.Context(), "one", false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Test(t.Context(), "one", 0); fault.KindOf(err) != fault.NotFound {
		t.Errorf("without an event: %v", err)
	}
	s.exec(t, "insert into orders values (1, 'new')")
	trial, err := s.Test(t.Context(), "one", 0)
	if err != nil || trial.Hears || trial.Matches {
		t.Errorf("%+v %v", trial, err)
	}
	s.exec(t, "update orders set status = 'paid'")
	trial, err = s.Test(t.Context(), "one", 0)
	if err != nil || !trial.Hears || !trial.Matches {
		t.Fatalf("%+v %v", trial, err)
	}
	s.exec(t, "insert into orders values (2, 'new')") // which it does not hear
	if again, err := s.Test(t.Context(), "one", 0); err != nil || again.Event.ID != trial.Event.ID {
		t.Errorf("it was tried with %+v %v", again.Event, err)
	}
	text, _ := json.Marshal(trial.Actions)
	for _, want := range []string{r.URL + "/1", "on_order", "nothing"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	s.settled(t)
	if calls, logged := r.calls(), s.logged(t, "one"); len(calls) != 0 || len(logged) != 0 {
		t.Errorf("a trial has done something: %+v %q", calls, logged)
	}
}

// TestCustomEventsAndBadNames hear what somebody emits, and refuse what is not there.
func TestCustomEventsAndBadNames(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, orders)
	s := serve(t, address, map[string]observers.Rule{"paid": rule("CUSTOM", "order.paid", observers.Action{Type: "log", Message: "{{new.n}} of {{key.id}}"})})
	s.exec(t, `begin; select _system.emit_event('order.paid', '{"n": 1}', '{"id": 7}'); rollback`)
	s.exec(t, `begin; select _system.emit_event('order.paid', '{"n": 2}', '{"id": 7}'); commit`)
	s.settled(t)
	expect(t, "log", s.logged(t, "paid"), "2 1 log success 1 2 of 7 ")
	bad := observers.New(observers.Config{Named: map[string]observers.Rule{"x": rule("INSERT", "Nothing", observers.Action{Type: "log"})}}, observers.Deps{
		Pool: s.pool, Log: slog.New(slog.DiscardHandler), Know: func([]string) {}, Relation: func(string) (events.Relation, bool) { return events.Relation{}, false },
		Listen: func(context.Context, []string, []events.Interest, []dispatch.Consumer) error { return nil },
	})
	if err := bad.Reload(t.Context()); fault.CodeOf(err) != "observers/no-entity" {
		t.Errorf("an entity that is not there: %v", err)
	}
}

// TestARowThatTheLogCannotHold must not keep anything from being marked: what comes after it is acted on.
func TestARowThatTheLogCannotHold(t *testing.T) {
	t.Parallel()
	r := receive(t, ok)
	s := serve(t, pgtest.System(t, orders+"alter table orders add column j json;"), map[string]observers.Rule{
		"hook": rule("INSERT", "Order", observers.Action{Type: "webhook", URL: r.URL}), "book": rule("INSERT", "Order", observers.Action{Type: "database", Function: "on_order"}),
	})
	s.exec(t, `insert into orders (order_id, status, j) values (1, 'a', '{"x": "\u0000"}')`)
	s.exec(t, "insert into orders (order_id, status) values (2, 'a')")
	s.settled(t)
	var hooks []string
	for _, line := range s.logged(t, "hook") {
		hooks = append(hooks, strings.Join(strings.Fields(line)[:5], " "))
	}
	if len(r.calls()) != 2 || len(hooks) != 2 {
		t.Errorf("%d calls, %v", len(r.calls()), hooks)
	}
	dead, err := s.Dead(t.Context(), "book", 0, 10)
	if err != nil || len(dead) != 1 || dead[0].EventID != 1 {
		t.Errorf("dead letters: %+v %v", dead, err)
	}
}

// TestAServerWithAnotherFile starts and stops while another one runs: what either has is heard as long as one of them runs that has
// it, and no longer.
func TestAServerWithAnotherFile(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, orders)
	log := observers.Action{Type: "log"}
	s := serve(t, address, map[string]observers.Rule{"new": rule("INSERT", "Order", log), "both": rule("INSERT", "Order", log)})
	heard := func(want string) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for {
			var got string
			err := s.pool.QueryRow(t.Context(), "select coalesce(string_agg(split_part(c.name, ':', 2), ' ' order by c.name), '') from _system.event_interest i join _system.event_consumer c on c.id = i.consumer").Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if got == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s are heard, want %s", got, want)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	// known waits for the beat of a server that has an observer.
	known := func(name string) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for known := false; !known; time.Sleep(20 * time.Millisecond) {
			if err := s.pool.QueryRow(t.Context(), "select exists (select from _system.node where $1 = any (knows))", "observer:"+name).Scan(&known); err != nil {
				t.Fatal(err)
			}
			if time.Now().After(deadline) {
				t.Fatal("no server knows " + name)
			}
		}
	}
	// settledLong makes all observers look as if they had been there for long.
	settledLong := func() {
		t.Helper()
		s.exec(t, "update _system.observers set updated_at = updated_at - interval '1 minute'")
	}
	heard("both new")
	known("new")
	settledLong()
	other := serve(t, address, map[string]observers.Rule{"old": rule("INSERT", "Order", log), "both": rule("INSERT", "Order", log)})
	heard("both new old")
	known("old")
	if err := s.Delete(t.Context(), "old"); fault.CodeOf(err) != "observers/in-use" {
		t.Errorf("deleted while a server has it: %v", err)
	}
	settledLong()
	time.Sleep(5 * time.Second) // both look twice
	heard("both new old")
	var touched int
	if err := s.pool.QueryRow(t.Context(), "select count(*) from _system.observers where updated_at > now() - interval '30 seconds'").Scan(&touched); err != nil || touched != 0 {
		t.Errorf("%d were switched: %v", touched, err)
	}
	other.stop()
	heard("both new")
	o, err := s.Show(t.Context(), "old")
	if err != nil || o.Enabled || o.Reason == "" {
		t.Errorf("%+v %v", o, err)
	}
	s.exec(t, "insert into orders values (1, 'a')")
	s.settled(t)
	if len(s.logged(t, "new")) != 1 || len(s.logged(t, "both")) != 1 || len(s.logged(t, "old")) != 0 {
		t.Errorf("%v", s.logged(t, ""))
	}
	if err := s.Delete(t.Context(), "old"); err != nil {
		t.Errorf("deleted: %v", err)
	}
}

// TestWhatIsDeletedIsGone deletes an observer when a server has read of it, and is about to say what it hears: nobody hears in its
// name any more.
func TestWhatIsDeletedIsGone(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, orders)
	s := serve(t, address, map[string]observers.Rule{})
	var once sync.Once
	other := serveWith(t, address, map[string]observers.Rule{}, observers.Deps{Judge: func(ctx context.Context, _ observers.Rule) ([]observers.Mistake, error) {
		once.Do(func() {
			if err := s.Delete(ctx, "ghost"); err != nil {
				t.Error(err)
			}
		})
		return nil, nil
	}})
	if _, err := s.Create(t.Context(), "ghost", json.RawMessage(`{"event": "INSERT", "entity": "Order", "actions": [{"type": "log"}]}`)); err != nil {
		t.Fatal(err)
	}
	if err := other.Listen(t.Context()); err != nil { // or it has, by itself
		t.Fatal(err)
	}
	once.Do(func() { t.Error("it has not read of it") })
	var left []string
	if err := s.pool.QueryRow(t.Context(), "select array_agg(name) from _system.event_consumer").Scan(&left); err != nil || len(left) > 0 {
		t.Errorf("%v hear still: %v", left, err)
	}
}
