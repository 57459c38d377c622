package events_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events"
)

// ids reads all that is new, in pages, going by way of the text of each position.
func ids(t testing.TB, r *events.Reader, most int) []int64 {
	t.Helper()
	var all []int64
	for {
		page, err := r.Next(t.Context(), most)
		if err != nil {
			t.Fatal(err)
		}
		if r.At, err = events.ParsePosition(r.At.String()); err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			all = append(all, e.ID)
		}
		if len(page) < most {
			return all
		}
	}
}

// begin starts a transaction that has its number already.
func begin(t testing.TB, s *events.Store) pgx.Tx {
	t.Helper()
	tx, err := s.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	return tx
}

// TestOrderOfARowForReaders has a transaction with a lower number change a row after one with a higher number, while a third
// one idles: an order by numbers of transactions would give the later change first, a horizon would give neither.
func TestOrderOfARowForReaders(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key, n integer); insert into item values (1, 0), (2, 0);", "item")
	position, err := events.Now(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	r := &events.Reader{Pool: pool, At: position}
	low, idle, high := begin(t, s), begin(t, s), begin(t, s)
	change := func(tx pgx.Tx, sql string) {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	change(idle, "update item set n = 7 where id = 2")
	change(high, "update item set n = 1 where id = 1")
	if err := high.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	change(low, "update item set n = 2 where id = 1")
	if err := low.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err := r.Next(t.Context(), 10)
	if err != nil || len(page) != 2 {
		t.Fatalf("%d events while a transaction idles: %v", len(page), err)
	}
	for i, want := range []string{`{"id":1,"n":1}`, `{"id":1,"n":2}`} {
		if string(page[i].New) != want {
			t.Errorf("event %d is %s, want %s", i, page[i].New, want)
		}
	}
	if page[0].XID < page[1].XID {
		t.Error("the test does not do what it says")
	}
	if again := ids(t, r, 10); len(again) != 0 {
		t.Errorf("%d came twice", len(again))
	}
	if err := idle.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if late := ids(t, r, 10); len(late) != 1 || late[0] > page[0].ID {
		t.Errorf("late: %v", late)
	}
}

// TestReadersMissNothing reads while many write, in pages of different sizes.
func TestReadersMissNothing(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key, n integer); insert into item select i, 0 from generate_series(1, 40) i;", "item")
	position, err := events.Now(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 120
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var writing sync.WaitGroup
	committed := make([]int, writers)
	for w := range writers {
		writing.Go(func() {
			for range each {
				tx, err := pool.Begin(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				rows := 1 + rand.IntN(3)
				first := 1 + rand.IntN(37)
				_, err = tx.Exec(ctx, "update item set n = n + 1 where id >= $1 and id < $2", first, first+rows)
				if rand.IntN(5) == 0 {
					time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
				}
				if err != nil || rand.IntN(10) == 0 {
					_ = tx.Rollback(ctx)
				} else if err := tx.Commit(ctx); err != nil {
					t.Error(err)
				} else {
					committed[w] += rows
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	for _, most := range []int{1, 7, 1000} {
		r := &events.Reader{Pool: pool, At: position}
		var all []int64
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			default:
			}
			all = append(all, ids(t, r, most)...)
		}
		seen := map[int64]bool{}
		for _, id := range all {
			if seen[id] {
				t.Fatalf("%d came twice", id)
			}
			seen[id] = true
		}
		total := 0
		for _, n := range committed {
			total += n
		}
		if len(seen) != total {
			t.Errorf("in pages of %d: %d were committed, %d read", most, total, len(seen))
		}
		inOrder(t, s, all)
	}
}

// inOrder wants the changes of each row in the order in which they came about.
func inOrder(t *testing.T, s *events.Store, all []int64) {
	t.Helper()
	list, err := s.List(t.Context(), events.Filter{IDs: all, Limit: len(all)})
	if err != nil {
		t.Fatal(err)
	}
	byID := map[int64]*events.Event{}
	for _, e := range list {
		byID[e.ID] = e
	}
	last := map[int]int{}
	for _, id := range all {
		var row struct{ ID, N int }
		if err := json.Unmarshal(byID[id].New, &row); err != nil {
			t.Fatal(err)
		}
		if row.N != last[row.ID]+1 {
			t.Fatalf("row %d went from %d to %d", row.ID, last[row.ID], row.N)
		}
		last[row.ID] = row.N
	}
}

func TestPositionsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "1", "1:2", "1:2:'", "1:2:/1:2:", "1:2:/1:2:/x", "1:2:/1:2:/3/4", "1:2:;drop"} {
		if _, err := events.ParsePosition(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	for _, text := range []string{"1:2:", "10:20:10,11", "1:2:/3:4:3/17"} {
		if p, err := events.ParsePosition(text); err != nil || p.String() != text {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestSeenIsWhatPostgreSQLSees compares what is said without the database with what it says.
func TestSeenIsWhatPostgreSQLSees(t *testing.T) {
	t.Parallel()
	s, _ := captured(t, "create table item (id integer primary key);", "item")
	for _, snapshot := range []string{"10:10:", "10:20:10,11,15,19", "10:11:10", "3:1000:3,4,5,999"} {
		p, err := events.ParsePosition(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		between, err := events.ParsePosition("3:3:/" + snapshot + "/50")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.Pool.Query(t.Context(), "select x, pg_visible_in_snapshot(x::text::xid8, $1::pg_snapshot) from generate_series(3, 1100) x", snapshot)
		if err != nil {
			t.Fatal(err)
		}
		var xid int64
		var visible bool
		if _, err := pgx.ForEachRow(rows, []any{&xid, &visible}, func() error {
			if got := p.Seen().Has(uint64(xid), 100); got != visible {
				t.Errorf("%s sees %d: %v", snapshot, xid, got)
			}
			if got := between.Seen().Has(uint64(xid), 50); got != visible {
				t.Errorf("%s sees %d, up to an event: %v", snapshot, xid, got)
			}
			if between.Seen().Has(uint64(xid), 51) {
				t.Errorf("%s has what comes after an event, of %d", snapshot, xid)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if (events.Position{}).Seen().Has(5, 1) {
		t.Error("nothing has been read, and this has")
	}
}
