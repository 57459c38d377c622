package graphql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
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
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	if one, three := counted(t, pool, 1), counted(t, pool, 3); one != 3 || three != 10 {
		t.Errorf("written %d times, want 3, and %d times, want 10", one, three)
	}
}

// TestAWriteThatTakesTooLongIsUndone gives up on a lock: nothing is changed, and the connection goes on.
func TestAWriteThatTakesTooLongIsUndone(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Timeout: 100 * time.Millisecond}, sql(t, counters))
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
