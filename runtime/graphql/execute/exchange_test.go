package execute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

const room = 1 << 20

// open gives lanes over a fresh database that has no connection yet, and a pool beside them.
func open(t *testing.T, connections int, unnamed bool) (*lanes, *pgxpool.Pool) {
	t.Helper()
	pool, err := postgres.Connect(t.Context(), pgtest.Database(t), postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	e := New(Options{Pool: pool, Log: slog.New(slog.NewTextHandler(noPanics{t}, nil)), Connections: connections, Unnamed: unnamed})
	t.Cleanup(e.Close)
	return e.lanes, pool
}

// noPanics is a log in which no panic may be, as recovering from one hides it.
type noPanics struct{ t *testing.T }

func (n noPanics) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("panicked")) && n.t.Name() != "TestAPanicHurtsOnlyItsUnit" {
		n.t.Errorf("%s", line)
	}
	return len(line), nil
}

// alone gives a worker with a connection.
func alone(t *testing.T, unnamed bool) *worker {
	t.Helper()
	l, _ := open(t, 2, unnamed)
	w := &worker{lanes: l, alone: true}
	if err := w.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.disconnect)
	return w
}

// send sends units together, and one by one those that are to be sent again.
func send(w *worker, units ...*unit) {
	w.batch = append(w.batch[:0], units...)
	for again := w.send(); len(again) > 0; {
		w.batch = append(w.batch[:0], again[0])
		again = append(again[1:], w.send()...)
	}
}

// one is a statement whose only column is called v.
func one(sql string, args ...string) plan.Call {
	call := plan.Call{Statement: &plan.Statement{SQL: sql, Columns: []plan.Column{{Before: `{"v":`, Encoding: schema.Raw}}, End: "}"}}
	for _, a := range args {
		call.Args = append(call.Args, []byte(a))
	}
	return call
}

// rows runs SQL beside the executor and gives the first column.
func rows(t *testing.T, conn *pgconn.PgConn, sql string) []string {
	t.Helper()
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range results {
		for _, row := range r.Rows {
			list = append(list, string(row[0]))
		}
	}
	return list
}

// why gives the error that ended a unit, for messages.
func why(o outcome) error {
	if o.failed == nil {
		return nil
	}
	return o.failed.err
}

// agree compares what a connection is taken to have prepared with what it has.
func agree(t *testing.T, w *worker) {
	t.Helper()
	var names []string
	for e := w.known.order.Front(); e != nil; e = e.Next() {
		names = append(names, e.Value.(*statement).name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(rows(t, w.conn, `select name from pg_prepared_statements where name like 'fraiseql%' order by name collate "C"`), names); diff != "" {
		t.Errorf("the server has prepared something else (-server +list):\n%s", diff)
	}
}

func codeOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return fmt.Sprint(err)
}

// TestAFailureEndsAUnit fails at each point of an exchange, with each statement: what came before it is given, its
// place is told, its neighbours get their answers, and the connection can go on.
func TestAFailureEndsAUnit(t *testing.T) {
	t.Parallel()
	good := func(n int) plan.Call { return one(fmt.Sprintf("select %d", n)) }
	parse, bind := one("select nothing"), one("select $1::int", "x")
	run, late := one("select 1 / (n - 3) from generate_series(1, 5) n"), one("insert into pairs values (1) returning 7")
	locked := good(1)
	locked.Locks = []string{"absent"}
	writing := one("select nextval('numbers')")
	writing.Calls = true
	for name, c := range map[string]struct {
		calls []plan.Call
		at    int
		code  string
		out   []string
	}{
		"none":             {[]plan.Call{good(1)}, 0, "", []string{`[{"v":1}]`}},
		"none of two":      {[]plan.Call{good(1), good(2)}, 0, "", []string{`[{"v":1}]`, `[{"v":2}]`}},
		"twice the same":   {[]plan.Call{good(1), good(1)}, 0, "", []string{`[{"v":1}]`, `[{"v":1}]`}},
		"parse":            {[]plan.Call{parse}, 0, "42703", nil},
		"parse, second":    {[]plan.Call{good(1), parse, good(2)}, 1, "42703", []string{`[{"v":1}]`}},
		"bind":             {[]plan.Call{bind}, 0, "22P02", nil},
		"bind, third":      {[]plan.Call{good(1), good(2), bind}, 2, "22P02", []string{`[{"v":1}]`, `[{"v":2}]`}},
		"run":              {[]plan.Call{run}, 0, "22012", nil},
		"run, first":       {[]plan.Call{run, good(1)}, 0, "22012", nil},
		"lock":             {[]plan.Call{locked, good(2)}, -1, "42P01", nil},
		"writing, second":  {[]plan.Call{good(1), late}, 1, "25006", []string{`[{"v":1}]`}},
		"writing in reads": {[]plan.Call{writing}, 0, "25006", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, unnamed := range []bool{false, true} {
				w := alone(t, unnamed)
				rows(t, w.conn, "create table pairs (id int); create sequence numbers")
				for range 2 { // the second time the good ones are prepared
					before, u, after := newUnit([]plan.Call{good(8)}, room, false), newUnit(c.calls, room, false), newUnit([]plan.Call{good(9)}, room, false)
					send(w, before, u, after)
					for _, neighbour := range []*unit{before, after} {
						<-neighbour.done
						if neighbour.failed != nil {
							t.Errorf("a neighbour failed by %v", neighbour.failed.err)
						}
					}
					<-u.done
					at, code := 0, ""
					if u.failed != nil {
						at, code = u.failed.at, codeOf(u.failed.err)
					}
					if at != c.at || code != c.code {
						t.Errorf("it failed at %d by %q", at, code)
					}
					for i, want := range c.out {
						if string(u.parts[i]) != want {
							t.Errorf("%d gave %s, want %s", i, u.parts[i], want)
						}
					}
					if w.conn == nil || w.conn.IsClosed() || w.conn.TxStatus() != 'I' {
						t.Fatal("the connection cannot go on")
					}
					agree(t, w)
				}
			}
		})
	}
}

// TestWhatIsPreparedIsBounded runs many more statements than are kept, with failures in between.
func TestWhatIsPreparedIsBounded(t *testing.T) {
	t.Parallel()
	w := alone(t, false)
	for i := range 3 * maxPrepared {
		calls := []plan.Call{one(fmt.Sprintf("select %d", i)), one(fmt.Sprintf("select %d / $1::int", i), []string{"1", "0", "x"}[i%3])}
		if i%5 == 0 {
			calls = append(calls, one(fmt.Sprintf("select nothing%d", i)), one(fmt.Sprintf("select -%d", i)))
		}
		send(w, newUnit(calls, room, false), newUnit(calls[:1], room, false), newUnit(calls[len(calls)-1:], room, false))
	}
	send(w, newUnit([]plan.Call{one("select 1" + strings.Repeat(" ", maxPreparedText))}, room, false))
	agree(t, w)
	if kept := w.known.order.Len(); kept != maxPrepared {
		t.Errorf("%d are kept", kept)
	}
}

// TestAnAnswerHasItsRoom stops at the bound, and leaves a connection that can go on.
func TestAnAnswerHasItsRoom(t *testing.T) {
	t.Parallel()
	w := alone(t, false)
	endless := one("select generate_series(1, 2000000000)")
	u := newUnit([]plan.Call{one("select 5"), endless, one("select 6 where true")}, room, false) // the last is not prepared yet
	send(w, u)
	<-u.done
	if u.failed == nil || u.failed.at != 1 || !tooLarge(u.failed.err) {
		t.Fatalf("it failed by %v", u.failed)
	}
	if string(u.parts[0]) != `[{"v":5}]` || len(u.parts) != 1 {
		t.Errorf("it gave %.100q", u.parts)
	}
	next := newUnit([]plan.Call{one("select 8")}, room, false)
	send(w, next)
	if <-next.done; string(next.parts[0]) != `[{"v":8}]` {
		t.Errorf("then it says %v", next.outcome)
	}
}

// TestALostConnectionIsNobodysFault ends the backend under a batch: all others get their answers on another one, and
// who ends it each time is told so.
func TestALostConnectionIsNobodysFault(t *testing.T) {
	t.Parallel()
	w := alone(t, false)
	units := []*unit{newUnit([]plan.Call{one("select 1")}, room, false), newUnit([]plan.Call{one("select pg_terminate_backend(pg_backend_pid())::int")}, room, false)}
	for i := range 5 {
		units = append(units, newUnit([]plan.Call{one(fmt.Sprintf("select %d", i)), one("select 7")}, room, false))
	}
	send(w, units...)
	for i, u := range units {
		<-u.done
		if (u.failed != nil) != (i == 1) {
			t.Errorf("%d: %v", i, u.outcome)
		}
	}
	if err := units[1].failed.err; !isLostConnection(err) || isStatementError(err) {
		t.Errorf("it failed by %v", err)
	}
}

// TestASessionThatTheServerEnds has a connection that has been idle for too long: it is no request's fault.
func TestASessionThatTheServerEnds(t *testing.T) {
	t.Parallel()
	w := alone(t, false)
	for range 3 {
		u := newUnit([]plan.Call{one("select 7")}, room, false)
		send(w, u)
		if <-u.done; u.failed != nil || string(u.parts[0]) != `[{"v":7}]` {
			t.Errorf("it gave %v", u.outcome)
		}
		rows(t, w.conn, "set idle_session_timeout = '10ms'")
		<-time.After(50 * time.Millisecond)
	}
}

// TestASlowStatementStopsNoOther has many statements that do not end: those that were quick before, and such as
// nobody knows. All the others are answered meanwhile.
func TestASlowStatementStopsNoOther(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"quick before": true, "unknown": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, pool := open(t, 6, false)
			if _, err := pool.Exec(t.Context(), "create table gate (id int); insert into gate values (1)"); err != nil {
				t.Fatal(err)
			}
			quick := one("select 2")
			held := make([]plan.Call, 30)
			for i := range held {
				held[i] = one(fmt.Sprintf("select id from gate where %d > 0", i+1))
			}
			learn := append([]plan.Call{quick}, held...)
			if !known {
				learn = learn[:1]
			}
			for _, c := range learn {
				if o, _ := l.run(t.Context(), newUnit([]plan.Call{c}, room, false)); o.failed != nil {
					t.Fatal(o.failed.err)
				}
				for range 30 {
					c.Pace.Note(time.Microsecond, 0)
				}
			}
			quick.Pace.Stuck(time.Second) // as when all stood still for a moment
			tx, err := pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "lock table gate in access exclusive mode"); err != nil {
				t.Fatal(err)
			}
			var waiting, others sync.WaitGroup
			for _, c := range held {
				waiting.Go(func() {
					if o, _ := l.run(t.Context(), newUnit([]plan.Call{c}, room, false)); o.failed != nil || string(o.parts[0]) != `[{"v":1}]` {
						t.Errorf("a slow one: %s %v", o.parts, why(o))
					}
				})
			}
			for range 200 {
				others.Go(func() {
					if o, _ := l.run(t.Context(), newUnit([]plan.Call{quick}, room, false)); o.failed != nil || string(o.parts[0]) != `[{"v":2}]` {
						t.Errorf("a quick one: %s %v", o.parts, why(o))
					}
				})
			}
			others.Wait() // while the slow ones still hold
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			waiting.Wait()
		})
	}
}

// TestCancelsOfOursFailNobody cancels a unit again and again, as one may be that is on the way beside those that are
// slow: it is sent once more each time, and answered when it is left alone.
func TestCancelsOfOursFailNobody(t *testing.T) {
	t.Parallel()
	shared := alone(t, false)
	shared.alone = false
	u := newUnit([]plan.Call{one("select 1 from pg_sleep(3600)")}, room, false)
	u.elsewhere = make(chan struct{}, 1)
	for range maxTries + 1 {
		shared.batch = append(shared.batch[:0], u)
		if again := shared.send(); len(again) != 1 || !u.slow.Load() {
			t.Fatalf("%d to send again, %+v", len(again), u.outcome)
		}
	}
	u.calls = []plan.Call{one("select 1")}
	send(alone(t, false), u)
	if o, _ := u.answer(); o.failed != nil || string(o.parts[0]) != `[{"v":1}]` {
		t.Errorf("by itself: %s %v", o.parts, why(o))
	}
}

// TestWhoIsSlowComesBackEverLater has a unit on a lock whose statement is quick for all others, while the slow lane is
// full: each time that it tries the quick lane again it has waited twice as long.
func TestWhoIsSlowComesBackEverLater(t *testing.T) {
	t.Parallel()
	l, _ := open(t, 6, false)
	var holding []*worker
	for w := l.vacancy(); w != nil; w = l.vacancy() {
		holding = append(holding, w)
	}
	call := one("select 1 from pg_sleep(3600)")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	go func() { // the others
		for ctx.Err() == nil {
			call.Pace.Note(time.Microsecond, 0)
			<-time.After(time.Millisecond)
		}
	}()
	u := newUnit([]plan.Call{call}, room, false)
	if o, _ := l.run(ctx, u); o.failed == nil || !errors.Is(o.failed.err, context.DeadlineExceeded) {
		t.Errorf("it gave %s %v", o.parts, why(o))
	}
	// A run of 200 ms each, and 40, 80, 160, 320, 640 ms before the next: a sixth return has no time.
	if u.returns < 1 || u.returns > 5 {
		t.Errorf("it came back %d times", u.returns)
	}
	for _, w := range holding {
		w.rest()
	}
}

// TestConnectionsThatCannotBeMade lets the database take fewer connections than there could be: those that there are
// do all the work, and when it takes more the others come by themselves.
func TestConnectionsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	l, _ := open(t, 6, false)
	dial := l.dial
	var most, made atomic.Int32
	most.Store(3)
	l.dial = func(ctx context.Context) (*pgconn.PgConn, error) {
		if made.Add(1) > most.Load() {
			made.Add(-1)
			return nil, &pgconn.PgError{Code: "53300", Message: "sorry, too many clients already"}
		}
		return dial(ctx)
	}
	slow := one("select 1 from pg_sleep(0.001)")
	slow.Pace.Note(time.Hour, 0)
	quick := one("select 2")
	quick.Pace.Note(time.Microsecond, 0)
	if o, _ := l.run(t.Context(), newUnit([]plan.Call{slow}, room, false)); o.failed != nil {
		t.Fatal(o.failed.err)
	}
	for range 20 {
		var asking sync.WaitGroup
		for i := range 40 {
			asking.Go(func() {
				if o, _ := l.run(t.Context(), newUnit([]plan.Call{[]plan.Call{slow, quick}[i%2]}, room, false)); o.failed != nil {
					t.Errorf("it failed by %v", o.failed.err)
				}
			})
		}
		asking.Wait()
	}
	most.Store(6)
	for l.there.Load() < 4 || l.ready.Load() < 2 {
		<-time.After(time.Millisecond)
	}
}

// TestAStalePlanOfSeveralStatements changes a table under units that have prepared it: in a transaction nothing can
// be dropped until it has ended.
func TestAStalePlanOfSeveralStatements(t *testing.T) {
	t.Parallel()
	w := alone(t, false)
	rows(t, w.conn, "create table changing (n int); insert into changing values (1)")
	for _, change := range []string{"select 1", "alter table changing alter n type bigint"} {
		rows(t, w.conn, change)
		u := newUnit([]plan.Call{one("select * from changing"), one("select 5")}, room, false)
		send(w, u)
		if <-u.done; u.failed != nil || string(u.parts[0]) != `[{"v":1}]` {
			t.Errorf("after %s: %v", change, u.outcome)
		}
		agree(t, w)
	}
}

// TestWhoLeavesIsCancelled leaves statements in both lanes: none of them goes on in the server.
func TestWhoLeavesIsCancelled(t *testing.T) {
	t.Parallel()
	l, pool := open(t, 3, false)
	sleeping := one("select 1 from pg_sleep(600)")
	for _, took := range []time.Duration{time.Microsecond, time.Hour} {
		sleeping.Statement = &plan.Statement{SQL: sleeping.SQL, Columns: sleeping.Columns, End: "}"}
		sleeping.Pace.Note(took, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if o, _ := l.run(ctx, newUnit([]plan.Call{sleeping}, room, false)); o.failed == nil || !errors.Is(o.failed.err, context.Canceled) {
				t.Errorf("it gave %v", o)
			}
		})
		count := func() (n int) {
			if err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		until := time.Now().Add(20 * time.Second)
		for want := 1; ; {
			if n := count(); n == want {
				if want == 0 {
					break
				}
				cancel()
				want = 0
			}
			if time.Now().After(until) {
				t.Fatalf("%d statements run", count())
			}
			<-time.After(5 * time.Millisecond)
		}
		running.Wait()
		cancel()
		if o, _ := l.run(t.Context(), newUnit([]plan.Call{one("select 3")}, room, false)); o.failed != nil {
			t.Errorf("the next one failed by %v", o.failed.err)
		}
	}
}

// TestAPanicHurtsOnlyItsUnit has an answer that our own code cannot write.
func TestAPanicHurtsOnlyItsUnit(t *testing.T) {
	t.Parallel()
	w := alone(t, false)
	broken := one("select 1")
	broken.Columns = append(broken.Columns, plan.Column{Before: ","}) // the row has no second value
	units := []*unit{newUnit([]plan.Call{one("select 1")}, room, false), newUnit([]plan.Call{broken}, room, false), newUnit([]plan.Call{one("select 3")}, room, false)}
	send(w, units...)
	for i, u := range units {
		<-u.done
		if (u.failed != nil) != (i == 1) {
			t.Errorf("%d: %v", i, u.outcome)
		}
	}
}

// TestClosingUnderLoad closes lanes while all kinds of units are under way: each is answered, or told that the
// connections are closed, and nothing begins after that.
func TestClosingUnderLoad(t *testing.T) {
	t.Parallel()
	for range 3 {
		l, _ := open(t, 6, false)
		quick, slow, unknown := one("select 1"), one("select 1 from pg_sleep(0.002)"), one("select 1 where true")
		slow.Pace.Note(time.Hour, 0)
		unknown.One = false
		var asking sync.WaitGroup
		var closed atomic.Int32
		for i := range 60 {
			asking.Go(func() {
				for closed.Load() < 100 {
					u := newUnit([]plan.Call{[]plan.Call{quick, slow, unknown}[i%3]}, room, i%3 == 2)
					o, stream := l.run(t.Context(), u)
					switch {
					case stream != nil:
						stream.Close()
					case o.failed == nil:
					case errors.Is(o.failed.err, pgconn.ErrConnClosed):
						closed.Add(1)
					default:
						t.Errorf("it failed with %v", o.failed.err)
						return
					}
				}
			})
		}
		<-time.After(50 * time.Millisecond)
		l.close()
		asking.Wait()
		if n := l.ready.Load() + l.there.Load(); n != 0 {
			t.Errorf("%d connections are open", n)
		}
	}
}
