package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestKeysThatChange moves rows from key to key, uses keys again, and empties the table, on three servers with a receiver that
// is slow and fails now and then: what touches a key is delivered in its order, under the old key as under the new one.
func TestKeysThatChange(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts)
	pool := connect(t, address)
	const keys = 30
	exec(t, pool, "insert into account (id) select generate_series(1, 15)")
	for range 400 {
		a, b := 1+rand.IntN(keys), 1+rand.IntN(keys)
		switch p := rand.IntN(20); {
		case p < 9:
			exec(t, pool, "update account set id = $2 where id = $1 and not exists (select from account where id = $2)", a, b)
		case p < 14:
			exec(t, pool, "update account set n = n + 1 where id = $1", a)
		case p < 16:
			exec(t, pool, "delete from account where id = $1", a)
		case p < 19:
			exec(t, pool, "insert into account (id) values ($1) on conflict do nothing", a)
		default:
			if rand.IntN(6) == 0 {
				exec(t, pool, "truncate account")
			}
		}
	}
	exec(t, pool, "delete from _system.event_delivery where consumer = 2")
	var changes int
	if err := pool.QueryRow(t.Context(), "select count(*) from _system.event_delivery").Scan(&changes); err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	consumer := dispatch.Consumer{Name: "one", Concurrency: 48, Work: func(_ context.Context, d *dispatch.Delivery) dispatch.Result {
		if rand.IntN(10) == 0 {
			return dispatch.Result{Outcome: dispatch.Again, Wait: time.Duration(rand.IntN(40)) * time.Millisecond, Err: errors.New("now and then")}
		}
		time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
		s.take(d.Event)
		return dispatch.Result{Outcome: dispatch.Done}
	}}
	for range 3 {
		serve(t, address, consumer)
	}
	settledAll(t, pool)
	all := s.events()
	if len(all) != changes {
		t.Errorf("%d changes, %d delivered", changes, len(all))
	}
	last, latest, emptied := map[int]int64{}, int64(0), int64(0)
	for _, e := range all {
		if e.Op == events.Truncate {
			if e.ID < latest {
				t.Fatalf("the table was emptied by %d after %d", e.ID, latest)
			}
			emptied = e.ID
		}
		latest = max(latest, e.ID)
		if e.ID < emptied {
			t.Fatalf("%d came after the table was emptied by %d", e.ID, emptied)
		}
		for _, text := range []json.RawMessage{e.Old, e.New} {
			var row struct{ ID int }
			if text == nil || json.Unmarshal(text, &row) != nil {
				continue
			}
			if e.ID < last[row.ID] {
				t.Fatalf("key %d: %d came after %d", row.ID, e.ID, last[row.ID])
			}
			last[row.ID] = e.ID
		}
	}
}

// TestAReplayDoesNotWait replays an event of a row of which a later one waits for its next try, or is at work: it comes before
// that, and never beside it.
func TestAReplayDoesNotWait(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t, accounts)
	pool := connect(t, address)
	exec(t, pool, "insert into account (id) values (1)")
	s := &sink{}
	var working, tries atomic.Int32
	consumer := dispatch.Consumer{Name: "one", Work: func(_ context.Context, d *dispatch.Delivery) dispatch.Result {
		if working.Add(1) > 1 {
			t.Error("two changes of one row are at work")
		}
		defer working.Add(-1)
		time.Sleep(20 * time.Millisecond)
		if d.Event.Op == events.Update && len(s.events()) < 4 && tries.Add(1) < 400 {
			return dispatch.Result{Outcome: dispatch.Again, Wait: 100 * time.Millisecond, Err: errors.New("not yet")}
		}
		s.take(d.Event)
		return dispatch.Result{Outcome: dispatch.Done}
	}}
	serve(t, address, consumer)
	settledAll(t, pool)
	exec(t, pool, "update account set n = 1 where id = 1")
	for tries.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	store := &events.Store{Pool: pool}
	for range 3 {
		if n, err := store.Replay(t.Context(), events.Filter{IDs: []int64{1}}, false); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	}
	exec(t, pool, "delete from _system.event_delivery where consumer = 2")
	settledAll(t, pool)
	var got []events.Op
	for _, e := range s.events() {
		got = append(got, e.Op)
	}
	if fmt.Sprint(got) != "[INSERT INSERT INSERT INSERT UPDATE]" {
		t.Errorf("delivered %v", got)
	}
}
