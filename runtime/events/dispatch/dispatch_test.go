package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accounts is a table that consumers 1 and 2 hear of, the second of updates of n only.
const accounts = `
create table account (id integer primary key, n integer not null default 0, note text);
insert into _system.event_source (schema_name, table_name, entity) values ('public', 'account', 'Account');
insert into _system.event_consumer (name) values ('one'), ('two');
insert into _system.event_interest (source, consumer, ops, columns, delivers) values (1, 1, 15, null, true), (1, 2, 2, '{n}', true);
select _system.recapture(1);
create trigger fraiseql_capture after insert or update or delete on account for each row execute function _system.capture_1();
create trigger fraiseql_capture_truncate after truncate on account for each statement execute function _system.capture_truncate(1);
`

func connect(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// small makes a pool of few connections.
func small(t testing.TB, address string, size int32) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = size
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// server is one of those that share a database.
type server struct {
	*dispatch.Dispatcher
	node *cluster.Node
	stop func() // in order
	kill func() // as a process that is gone: nothing is given back
}

func serve(t testing.TB, address string, consumers ...dispatch.Consumer) *server {
	t.Helper()
	return serveFor(t, address, cluster.Term, consumers...)
}

// short is a term for tests of leases that expire: a machine that stands still for two seconds loses them, too.
const short = 2400 * time.Millisecond

func serveFor(t testing.TB, address string, term time.Duration, consumers ...dispatch.Consumer) *server {
	t.Helper()
	pool, work := small(t, address, 2), small(t, address, 2)
	log := slog.New(slog.DiscardHandler)
	node := cluster.New(cluster.Options{Pool: pool, Log: log, Name: t.Name(), Term: term})
	s := &server{Dispatcher: dispatch.New(dispatch.Options{Pool: pool, Work: work, Node: node, Log: log, IdleMax: 50 * time.Millisecond, Drain: 5 * time.Second}), node: node}
	s.Register(consumers...)
	running, stop := context.WithCancel(context.Background())
	beating, stopBeat := context.WithCancel(context.Background())
	var loops, beat sync.WaitGroup
	loops.Go(func() { _ = s.Run(running) })
	beat.Go(func() { _ = node.Run(beating) })
	s.stop = sync.OnceFunc(func() { stop(); loops.Wait(); stopBeat(); beat.Wait() })
	s.kill = sync.OnceFunc(func() { work.Close(); pool.Close(); s.stop() })
	t.Cleanup(s.stop)
	return s
}

// sink keeps what was delivered.
type sink struct {
	mu  sync.Mutex
	all []*events.Event
}

func (s *sink) take(e *events.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, e)
}

func (s *sink) events() []*events.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*events.Event(nil), s.all...)
}

// to makes a consumer that puts all into a sink.
func (s *sink) to(name string) dispatch.Consumer {
	return dispatch.Consumer{Name: name, Concurrency: 50, Work: func(_ context.Context, d *dispatch.Delivery) dispatch.Result {
		s.take(d.Event)
		return dispatch.Result{Outcome: dispatch.Done}
	}}
}

// settledAll waits until nothing is left to do.
func settledAll(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		var left int
		if err := pool.QueryRow(t.Context(), "select count(*) from _system.event_delivery").Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d deliveries are left", left)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestWhatIsCommittedIsDelivered(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts)
	pool := connect(t, address)
	one, two := &sink{}, &sink{}
	exec(t, pool, "insert into account (id) values (1)") // before there is a server
	serve(t, address, one.to("one"), two.to("two"))
	exec(t, pool, "begin; insert into account (id) values (2); rollback")
	exec(t, pool, "begin; savepoint a; insert into account (id) values (3); rollback to a; update account set n = 5, note = 'x' where id = 1; commit")
	exec(t, pool, "update account set note = 'y' where id = 1")
	exec(t, pool, "update account set note = 'y' where id = 1") // which changes nothing
	exec(t, pool, "delete from account where id = 1")
	exec(t, pool, "truncate account")
	settledAll(t, pool)
	var got []string
	for _, e := range one.events() {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Op       string
			Key      map[string]int
			Old, New map[string]any
			Changed  []string
		}
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(v.Op, " ", v.Key, " ", v.Old, " ", v.New, " ", v.Changed))
	}
	want := []string{
		"INSERT map[id:1] map[] map[id:1 n:0 note:<nil>] []",
		"UPDATE map[id:1] map[id:1 n:0 note:<nil>] map[id:1 n:5 note:x] [n note]",
		"UPDATE map[id:1] map[id:1 n:5 note:x] map[id:1 n:5 note:y] [note]",
		"DELETE map[id:1] map[id:1 n:5 note:y] map[] []",
		"TRUNCATE map[] map[] map[] []",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("delivered\n%q\nwant\n%q", got, want)
	}
	if all := two.events(); len(all) != 1 || all[0].Op != events.Update {
		t.Errorf("the second heard %d", len(all))
	}
}

// TestThreeServers writes at random on three servers, of which one is killed and one leaves: nothing is lost, nothing is
// invented, and each key is in order.
func TestThreeServers(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts, "insert into account (id) select generate_series(1, 200); delete from _system.event_delivery;")
	pool := connect(t, address)
	s := &sink{}
	consumer := s.to("one")
	take := consumer.Work
	consumer.Work = func(ctx context.Context, d *dispatch.Delivery) dispatch.Result {
		if rand.IntN(20) == 0 {
			return dispatch.Result{Outcome: dispatch.Again, Wait: 10 * time.Millisecond, Err: errors.New("the other side fails now and then")}
		}
		return take(ctx, d)
	}
	first, second := serveFor(t, address, short, consumer), serveFor(t, address, short, consumer)
	serveFor(t, address, short, consumer)
	const writers, each = 8, 150
	var writing sync.WaitGroup
	committed := make([]int, writers)
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				tx, err := pool.Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				id := 1 + rand.IntN(200)
				if _, err := tx.Exec(t.Context(), "update account set n = n + 1 where id = $1", id); err != nil {
					t.Error(err)
				}
				if rand.IntN(4) == 0 {
					time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
				}
				if rand.IntN(10) == 0 {
					_ = tx.Rollback(t.Context())
				} else if err := tx.Commit(t.Context()); err != nil {
					t.Error(err)
				} else {
					committed[w]++
				}
				if w == 0 && i == 50 {
					first.kill()
				}
				if w == 0 && i == 100 {
					second.stop()
				}
			}
		})
	}
	writing.Wait()
	exec(t, pool, "delete from _system.event_delivery where consumer = 2")
	settledAll(t, pool)
	total := 0
	for _, n := range committed {
		total += n
	}
	seen := map[int64]bool{}
	values := map[int]int{}
	duplicates := 0
	for _, e := range s.events() {
		if seen[e.ID] {
			duplicates++
			continue
		}
		seen[e.ID] = true
		var row struct{ ID, N int }
		if err := json.Unmarshal(e.New, &row); err != nil {
			t.Fatal(err)
		}
		if row.N != values[row.ID]+1 {
			t.Errorf("account %d went from %d to %d", row.ID, values[row.ID], row.N)
		}
		values[row.ID] = row.N
	}
	if len(seen) != total || duplicates > 50 {
		t.Errorf("%d were committed, %d delivered, %d of them again", total, len(seen), duplicates)
	}
}

// TestABatchIsDoneOnce does work within the database: what fails is undone with its mark, alone.
func TestABatchIsDoneOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts, "create table ledger (event bigint, account integer, n integer)")
	pool := connect(t, address)
	consumer := dispatch.Consumer{
		Name: "one",
		Batch: func(ctx context.Context, tx pgx.Tx, ds []*dispatch.Delivery) error {
			for _, d := range ds {
				if _, err := tx.Exec(ctx, `insert into ledger select $1, (r->>'id')::int, (r->>'n')::int from (select $2::json as r) x
					where 1 / (case when (r->>'n')::int = 13 then 0 else 1 end) = 1`, d.Event.ID, string(d.Event.New)); err != nil {
					return err
				}
			}
			return nil
		},
		Failed: func(d *dispatch.Delivery, err error) dispatch.Result {
			if d.Attempt == 1 {
				return dispatch.Result{Outcome: dispatch.Dead, Err: err}
			}
			return dispatch.Result{Outcome: dispatch.Again, Wait: 10 * time.Millisecond, Err: err}
		},
	}
	exec(t, pool, "insert into account (id, n) select i, 1 from generate_series(1, 300) i")
	exec(t, pool, "update account set n = 13 where id = 7")
	exec(t, pool, "update account set n = 14 where id = 7")
	exec(t, pool, "delete from _system.event_delivery where consumer = 2")
	serve(t, address, consumer)
	serve(t, address, consumer)
	settledAll(t, pool)
	var rows, distinct, dead int
	if err := pool.QueryRow(t.Context(), "select count(*), count(distinct event), (select count(*) from _system.event_dead where attempts = 2 and error like '%division%') from ledger").Scan(&rows, &distinct, &dead); err != nil {
		t.Fatal(err)
	}
	if rows != 301 || distinct != 301 || dead != 1 {
		t.Errorf("%d rows of %d events, %d dead", rows, distinct, dead)
	}
}

// TestATermThatWasOver has the database not answer for longer than a term: the work stops, and goes on when it answers again,
// though nobody else has taken the lanes.
func TestATermThatWasOver(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts)
	pool := connect(t, address)
	s := &sink{}
	consumer := s.to("one")
	begun, ended := make(chan struct{}, 100), make(chan struct{}, 100)
	take := consumer.Work
	consumer.Work = func(ctx context.Context, d *dispatch.Delivery) dispatch.Result {
		if d.Event.Op == events.Insert && len(s.events()) == 0 {
			begun <- struct{}{}
			select {
			case <-ctx.Done():
				ended <- struct{}{}
				return dispatch.Result{}
			case <-time.After(20 * time.Second):
			}
		}
		return take(ctx, d)
	}
	serveFor(t, address, short, consumer)
	exec(t, pool, "insert into account (id) values (1)")
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-begun:
	case <-time.After(30 * time.Second):
		t.Fatal("the work has not begun")
	}
	if _, err := tx.Exec(t.Context(), "lock table _system.lease, _system.node in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		t.Fatal("the work went on after its term")
	}
	s.take(&events.Event{})
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	settledAll(t, pool)
	if n := len(s.events()); n != 2 {
		t.Errorf("%d were delivered", n-1)
	}
}
