package graphql_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

const counters = `
	create table counter (id int primary key, n int not null default 0);
	insert into counter select generate_series(1, 20);`

func raise(id int) transport.Request {
	return transport.Request{Query: fmt.Sprintf(`mutation { updateCounter(id: %d, set: {_inc: {n: 1}}) { n } }`, id)}
}

func counted(t *testing.T, pool *pgxpool.Pool, id int) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "select n from counter where id = $1", id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWritesThatWaitForALockStopNobody has two connections: one write waits in each lane, and reads and other writes go on.
func TestWritesThatWaitForALockStopNobody(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Connections: 2}, sql(t, counters))
	for range 20 { // both lanes have a connection, and reading is known to be quick
		if got := s.Execute(t.Context(), transport.Request{Query: `{ counter(id: 2) { id } }`}); len(got.Errors) > 0 {
			t.Fatal(firstError(got))
		}
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "update counter set n = n where id = 1"); err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	for range 3 {
		waiting.Go(func() {
			if got := s.Execute(t.Context(), raise(1)); len(got.Errors) > 0 {
				t.Error(firstError(got))
			}
		})
	}
	wait(t, func() bool {
		var blocked int
		err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").Scan(&blocked)
		return err == nil && blocked > 0
	})
	for range 10 {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		if got := s.Execute(ctx, transport.Request{Query: `{ counter(id: 2) { id } }`}); len(got.Errors) > 0 {
			t.Errorf("reading waits: %s", firstError(got))
		}
		if got := s.Execute(ctx, raise(3)); len(got.Errors) > 0 {
			t.Errorf("another write waits: %s", firstError(got))
		}
		stop()
	}
	// One that is given up has an answer, wherever it waits: by the lane that would have been free for long, too.
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	if got := s.Execute(short, raise(1)); code(got) != "TIMEOUT" {
		t.Errorf("one that is given up: %s %s", got.Data, firstError(got))
	}
	stop()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	if one, three := counted(t, pool, 1), counted(t, pool, 3); one != 3 || three != 10 {
		t.Errorf("written %d times, want 3, and %d times, want 10", one, three)
	}
}

// TestAReadThatWasSlowOnceWaitsForNoLock has two connections: a read had to wait for a lock itself, so that nobody knows
// whether it is quick, when writes wait in the slow lane.
func TestAReadThatWasSlowOnceWaitsForNoLock(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Connections: 2}, sql(t, counters))
	read := func() transport.Response {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		return s.Execute(ctx, transport.Request{Query: `{ counter(id: 2) { id } }`})
	}
	for range 20 {
		if got := read(); len(got.Errors) > 0 {
			t.Fatal(firstError(got))
		}
	}
	blocked := func() int {
		var n int
		if err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	lock := func(statement string) (unlock func()) {
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}
	}
	var waiting sync.WaitGroup
	unlock := lock("lock table counter in access exclusive mode")
	waiting.Go(func() {
		if got := read(); len(got.Errors) > 0 {
			t.Errorf("the one that waits: %s", firstError(got))
		}
	})
	wait(t, func() bool { return blocked() > 0 })
	<-time.After(100 * time.Millisecond) // long enough to be known as slow
	unlock()
	waiting.Wait()
	unlock = lock("update counter set n = n where id = 1")
	for range 3 {
		waiting.Go(func() {
			if got := s.Execute(t.Context(), raise(1)); len(got.Errors) > 0 {
				t.Error(firstError(got))
			}
		})
	}
	wait(t, func() bool { return blocked() > 0 })
	if got := read(); len(got.Errors) > 0 {
		t.Errorf("reading waits: %s", firstError(got))
	}
	unlock()
	waiting.Wait()
}

// TestAWriteThatTakesTooLongIsUndone gives up on a lock: nothing is changed, and the connection goes on.
func TestAWriteThatTakesTooLongIsUndone(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Timeout: 2 * time.Second}, sql(t, counters))
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "update counter set n = n where id = 2"); err != nil {
		t.Fatal(err)
	}
	two := transport.Request{Query: `mutation { a: updateCounter(id: 1, set: {_inc: {n: 1}}) { n } b: updateCounter(id: 2, set: {_inc: {n: 1}}) { n } }`}
	if got := s.Execute(t.Context(), two); code(got) != "TIMEOUT" {
		t.Errorf("it gave %s %s", got.Data, firstError(got))
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if one, two := counted(t, pool, 1), counted(t, pool, 2); one != 0 || two != 0 {
		t.Errorf("%d and %d writes were done", one, two)
	}
	var left int
	if err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and query like '%update%counter%' and state <> 'idle' and pid <> pg_backend_pid()").Scan(&left); err != nil || left > 0 {
		t.Errorf("%d statements go on: %v", left, err)
	}
	for range 5 {
		if got := s.Execute(t.Context(), raise(1)); len(got.Errors) > 0 {
			t.Error(firstError(got))
		}
	}
}

// TestWritesThatMeetAreDoneOnce lets many change the same rows in different orders. PostgreSQL ends some of them because
// of deadlocks; each that is answered was done once, and each that is refused was not.
func TestWritesThatMeetAreDoneOnce(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Connections: 10}, sql(t, counters))
	exec(t, pool, fmt.Sprintf("alter database %s set deadlock_timeout = '10ms'", pool.Config().ConnConfig.Database))
	var writing sync.WaitGroup
	var lock sync.Mutex
	done := map[int]int{}
	for worker := range 8 {
		writing.Go(func() {
			for i := range 25 {
				a, b := 1+(worker+i)%3, 1+(worker+2*i+1)%3
				got := s.Execute(t.Context(), transport.Request{Query: fmt.Sprintf(
					`mutation { a: updateCounter(id: %d, set: {_inc: {n: 1}}) { n } b: updateCounter(id: %d, set: {_inc: {n: 1}}) { n } }`, a, b)})
				switch code(got) {
				case "":
					lock.Lock()
					done[a]++
					done[b]++
					lock.Unlock()
				case "CONFLICT":
				default:
					t.Errorf("it gave %s", firstError(got))
				}
			}
		})
	}
	writing.Wait()
	for id := 1; id <= 3; id++ {
		if n := counted(t, pool, id); n != done[id] {
			t.Errorf("row %d was changed %d times, and %d are known", id, n, done[id])
		}
	}
}

// TestWritesThatFailByOthersAreTriedAgain has a serialization failure the first two times: in a statement, and at the end of
// the transaction, with and without a key.
func TestWritesThatFailByOthersAreTriedAgain(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{}, sql(t, keysTable(t)+`
		create table soon (id int primary key); create table late (id int primary key); create sequence tries;
		create function fails() returns trigger language plpgsql as $$ begin
			if nextval('tries') % 3 <> 0 then raise exception using errcode = '40001'; end if; return new; end $$;
		create trigger fails before insert on soon for each row execute function fails();
		create constraint trigger fails after insert on late deferrable initially deferred for each row execute function fails();`))
	for i, field := range []string{"createSoon", "createLate", "createSoon", "createLate"} {
		r := transport.Request{Query: fmt.Sprintf(`mutation { %s(input: {id: %d}) { id } }`, field, i)}
		if i > 1 {
			r.IdempotencyKey = fmt.Sprint("k", i)
		}
		if got := s.Execute(t.Context(), r); len(got.Errors) > 0 {
			t.Errorf("%s, key %q: %s", field, r.IdempotencyKey, firstError(got))
		}
	}
	var tries, rows int
	if err := pool.QueryRow(t.Context(), "select last_value, (select count(*) from soon) + (select count(*) from late) from tries").Scan(&tries, &rows); err != nil || tries != 12 || rows != 4 {
		t.Errorf("%d tries made %d rows, want 12 and 4: %v", tries, rows, err)
	}
}

// TestWritesWhoseConnectionsEnd ends all connections while many write. What is answered was done once; what nobody can
// know is said to be so; nothing was done twice.
func TestWritesWhoseConnectionsEnd(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Connections: 6}, sql(t, counters))
	var writing sync.WaitGroup
	var lock sync.Mutex
	done, unsure := map[int]int{}, map[int]int{}
	stop := make(chan struct{})
	for worker := range 6 {
		writing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got := s.Execute(t.Context(), raise(worker+1))
				lock.Lock()
				switch {
				case len(got.Errors) == 0:
					done[worker+1]++
				case strings.Contains(got.Errors[0].Message, "whether the change was made"):
					unsure[worker+1]++
				case !got.Unavailable:
					t.Errorf("it gave %s", firstError(got))
				}
				lock.Unlock()
			}
		})
	}
	for range times(20) {
		<-time.After(15 * time.Millisecond)
		exec(t, pool, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name = 'fraiseql' and query like '%counter%'")
	}
	close(stop)
	writing.Wait()
	for id := 1; id <= 6; id++ {
		if n := counted(t, pool, id); n < done[id] || n > done[id]+unsure[id] {
			t.Errorf("row %d was changed %d times; %d are known, %d may be", id, n, done[id], unsure[id])
		}
	}
	t.Log(done, unsure)
}

// TestAWriteThatIsGivenUp is of a client that hangs up before anything was sent.
func TestAWriteThatIsGivenUp(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{}, sql(t, counters))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("hung up"))
	if got := s.Execute(ctx, raise(1)); code(got) != "TIMEOUT" {
		t.Errorf("it gave %s %s", got.Data, firstError(got))
	}
	if n := counted(t, pool, 1); n != 0 {
		t.Errorf("%d writes were done", n)
	}
}

// cutter stands between the service and PostgreSQL, and can cut a line just when the answer comes: what was asked for has
// been done then.
type cutter struct {
	listener net.Listener
	armed    atomic.Bool
	cuts     atomic.Int64
}

// newCutter gives a way to a database that can be cut.
func newCutter(t *testing.T, host string, port uint16) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l}
	var lines sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); lines.Wait() })
	lines.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
			if err != nil {
				_ = near.Close()
				continue
			}
			lines.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			lines.Go(func() { c.answers(near, far); _ = near.Close(); _ = far.Close() })
		}
	})
	return c
}

func (c *cutter) answers(near, far net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := far.Read(buffer)
		if err != nil {
			return
		}
		if c.armed.CompareAndSwap(true, false) {
			c.cuts.Add(1)
			return
		}
		if _, err := near.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestAnAnswerThatIsLost cuts the line when PostgreSQL has answered. A write has been done, and is not done again; with an
// Idempotency-Key it has not, as its answer was not kept yet, and the next try does it.
func TestAnAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	direct, err := postgres.Connect(t.Context(), pgtest.Database(t, sql(t, keysTable(t)+counters)), postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(direct.Close)
	c := direct.Config().ConnConfig
	cut := newCutter(t, c.Host, c.Port)
	through, err := postgres.Connect(t.Context(), "postgres://"+c.User+":"+c.Password+"@"+cut.listener.Addr().String()+"/"+c.Database+"?sslmode=disable", postgres.PoolOptions{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := graphql.New(graphql.DefaultConfig(), graphql.Deps{Pool: through, Connections: 3, Schemas: []string{"public"}, Log: quiet})
	t.Cleanup(func() { s.Close(); through.Close() })
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	keyed := raise(2)
	keyed.IdempotencyKey = "k"
	for _, r := range []transport.Request{raise(1), keyed} { // everything is prepared then, and there is a connection
		before := r
		before.IdempotencyKey = strings.Repeat("before", len(r.IdempotencyKey))
		if got := s.Execute(t.Context(), before); len(got.Errors) > 0 {
			t.Fatal(firstError(got))
		}
		cut.armed.Store(true)
		got := s.Execute(t.Context(), r)
		if len(got.Errors) == 0 || !strings.Contains(got.Errors[0].Message, "whether the change was made") || got.Unavailable {
			t.Errorf("it gave %s %s", got.Data, firstError(got))
		}
	}
	if cut.cuts.Load() != 2 {
		t.Fatalf("the line was cut %d times", cut.cuts.Load())
	}
	if one := counted(t, direct, 1); one != 2 {
		t.Errorf("the write was done %d times, want once before and once", one)
	}
	wait(t, func() bool { // PostgreSQL sees the end of the line, and undoes what was not ended
		var open int
		err := direct.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'").Scan(&open)
		return err == nil && open == 0
	})
	var keys int
	if err := direct.QueryRow(t.Context(), "select count(*) from _system.idempotency_keys where key = 'k'").Scan(&keys); err != nil || keys != 0 || counted(t, direct, 2) != 1 {
		t.Errorf("%d keys are kept without an answer, and it was written %d times: %v", keys, counted(t, direct, 2), err)
	}
	if got := s.Execute(t.Context(), keyed); len(got.Errors) > 0 || got.Replayed {
		t.Errorf("the next try gave %s %s", got.Data, firstError(got))
	}
	if got := s.Execute(t.Context(), keyed); !got.Replayed || counted(t, direct, 2) != 2 {
		t.Errorf("the one after it gave %s, after %d writes", got.Data, counted(t, direct, 2))
	}
}

// TestAValueThatIsTooLarge is in the answer of a mutation: the driver gives the connection up with it, and nobody knows
// whether the change was made. That is what is said, and why.
func TestAValueThatIsTooLarge(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Connect(t.Context(), pgtest.Database(t, sql(t, `create table page (id int primary key, text text)`)), postgres.PoolOptions{Size: 4, MaxMessage: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := graphql.New(graphql.DefaultConfig(), graphql.Deps{Pool: pool, Schemas: []string{"public"}, Log: quiet})
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := s.Execute(t.Context(), transport.Request{
		Query: `mutation ($t: String) {createPage(input: {id: 1, text: $t}) {text}}`, Variables: map[string]any{"t": strings.Repeat("x", 70<<10)},
	})
	if code(got) != "QUERY_TOO_COMPLEX" || string(got.Data) != "null" || !strings.Contains(got.Errors[0].Message, "nobody knows whether the change was made") {
		t.Errorf("it gave %s %s", got.Data, firstError(got))
	}
	if got := s.Execute(t.Context(), transport.Request{Query: `{ page(id: 1) { id } }`}); len(got.Errors) > 0 {
		t.Errorf("after it, a query gave %s", firstError(got))
	}
}

// TestAnAnswerThatIsTooLarge has mutations whose answers are larger than they may be: it is said whether they were done.
func TestAnAnswerThatIsTooLarge(t *testing.T) {
	t.Parallel()
	c := graphql.DefaultConfig()
	c.Limits.Response = 64 << 10
	s, pool := open(t, c, sql(t, keysTable(t)+`create table page (id int primary key, text text); create table stamp (id int primary key)`))
	text := strings.Repeat("x", 70<<10)
	for i, request := range []transport.Request{
		{Query: `mutation ($t: String) {createPage(input: {id: 1, text: $t}) {text}}`},
		{Query: `mutation ($t: String) {createPage(input: {id: 2, text: $t}) {text} createStamp(input: {id: 1}) {id}}`},
		{Query: `mutation ($t: String) {createPage(input: {id: 3, text: $t}) {text} a: createStamp(input: {id: 1}) {id}}`},
		{Query: `mutation ($t: String) {createPage(input: {id: 4, text: $t}) {text}}`, IdempotencyKey: "k"},
	} {
		request.Variables = map[string]any{"t": text}
		got := s.Execute(t.Context(), request)
		want := []string{"the change was made, but its answer is larger", "the change was made, but its answer is larger", "there is a row with the same id already", "the answer is larger than it may be"}[i]
		if len(got.Errors) == 0 || !strings.HasPrefix(got.Errors[0].Message, want) {
			t.Errorf("request %d says %v", i, got.Errors)
		}
		var there bool
		if err := pool.QueryRow(t.Context(), "select exists (select from page where id = $1)", i+1).Scan(&there); err != nil || there != strings.HasPrefix(want, "the change was made") {
			t.Errorf("of request %d it says %q, and whether the row is there is %t %v", i, want, there, err)
		}
	}
}
