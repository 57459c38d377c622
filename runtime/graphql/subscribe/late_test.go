package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
)

// picky is a source that tells of some things only.
type picky struct {
	*source

	ops    events.Ops
	hidden bool // no column is shown
}

func (p picky) Ops() events.Ops     { return p.ops }
func (p picky) Shows([]string) bool { return !p.hidden }

// held is a source whose reads say that they begin, and wait.
func held(t *testing.T, s *source) (reading chan struct{}, release func()) {
	t.Helper()
	reading = make(chan struct{}, 100)
	hold := make(chan struct{})
	release = sync.OnceFunc(func() { close(hold) })
	t.Cleanup(release)
	s.before = func() error { reading <- struct{}{}; <-hold; return nil }
	return reading, release
}

func told(t *testing.T, i subscribe.Item, want string) {
	t.Helper()
	if got := strings.NewReplacer(" : ", ":", ": ", ":").Replace(string(i.Payload)); got != want {
		t.Errorf("it was told %s, not %s", got, want)
	}
}

// TestWhoComesHoldsUpNobody has one begin whose every read finds that there is more by then: it is in all the same, and others
// are told of changes while it reads.
func TestWhoComesHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	quick := join(t, h, "quick", &source{pool: pool}, 1<<20)
	var in atomic.Bool
	var n, heard int64
	more := func() {
		if !in.Load() && n < 50 {
			n++
			do(t, pool, fmt.Sprintf("insert into item values (%d, 0)", n))
		}
	}
	s := &source{pool: pool, before: func() error {
		more()
		for late := time.After(20 * time.Second); heard < n; {
			select {
			case <-quick.Ready():
			case <-late:
				return errors.New("nobody else is told of anything meanwhile")
			}
			items, _ := quick.Take(nil)
			quick.Written()
			for _, i := range items {
				heard, _ = numberIn(i)
			}
		}
		return nil
	}}
	out := subscribe.NewOutbox(1 << 20)
	leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: "late", Source: s, Out: out, Ended: func() {}}, func(string) { more() })
	in.Store(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	if reads := s.reads.Load(); reads > 10 {
		t.Errorf("it was in after %d reads", reads)
	}
	do(t, pool, "insert into item values (100, 0)")
	for last := int64(0); last != 100; {
		for _, i := range take(t, out, 1) {
			next, err := numberIn(i)
			if err != nil || next != last+1 && next != 100 {
				t.Fatalf("it was told of %d after %d: %v", next, last, err)
			}
			last = next
		}
	}
}

// TestWhoIsAheadOfTheFeed is told of nothing again when the feed comes to it.
func TestWhoIsAheadOfTheFeed(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	var token string
	leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: "first", Source: &source{pool: pool}, Out: subscribe.NewOutbox(1 << 20), Ended: func() {}}, func(at string) { token = at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	for n := int64(1); n < 20; n++ {
		do(t, pool, fmt.Sprintf("insert into item values (%d, 0)", n))
		out := subscribe.NewOutbox(1 << 20)
		leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: fmt.Sprint(n), Source: &source{pool: pool}, Out: out, Token: token, Ended: func() {}}, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		do(t, pool, fmt.Sprintf("insert into item values (%d, 0)", 100+n))
		items := take(t, out, 2)
		leave()
		for i, item := range items {
			if got, err := numberIn(item); err != nil || got != []int64{n, 100 + n}[i] {
				t.Fatalf("it was told of %d: %v", got, err)
			}
		}
		token = items[1].Token
	}
}

// TestADeletionAfterWhatIsNotTold has a row updated and deleted before it is read, for one who wants to hear of deletions alone.
func TestADeletionAfterWhatIsNotTold(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	do(t, pool, "insert into item values (1, 1), (2, 1)")
	s := &source{pool: pool, positive: true}
	reading, release := held(t, s)
	out := subscribe.NewOutbox(1 << 20)
	leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: "d", Source: picky{source: s, ops: events.SetOf(events.Delete)}, Out: out, Ended: func() {}}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	do(t, pool, "update item set n = 2 where id = 1")
	<-reading
	do(t, pool, "delete from item where id = 1")
	release()
	told(t, take(t, out, 1)[0], `DELETE {"id":1} -`)
}

// TestWhatOneKnowsWhoJoins has one resume, and so know of a row that a group has not read yet when the row goes.
func TestWhatOneKnowsWhoJoins(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	s := &source{pool: pool, positive: true}
	reading, release := held(t, s)
	var token string
	leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: s, Out: subscribe.NewOutbox(1 << 20), Ended: func() {}}, func(at string) { token = at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	do(t, pool, "insert into item values (1, 1)")
	<-reading
	out := subscribe.NewOutbox(1 << 20)
	leave, err = h.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: &source{pool: pool, positive: true}, Out: out, Token: token, Ended: func() {}}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	told(t, take(t, out, 1)[0], `INSERT {"id":1} 1`)
	do(t, pool, "delete from item where id = 1")
	release()
	told(t, take(t, out, 1)[0], `DELETE {"id":1} -`)
}

// TestAKeyThatMovesIsResumedWhole has one change told by two items: whoever is cut off between them is told of both again.
func TestAKeyThatMovesIsResumedWhole(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	do(t, pool, "insert into item values (1, 1)")
	out := join(t, h, "one", &source{pool: pool, positive: true}, 1<<20)
	do(t, pool, "update item set id = 2")
	items := take(t, out, 2)
	told(t, items[0], `UPDATE {"id":1} -`)
	told(t, items[1], `UPDATE {"id":2} 1`)
	if items[0].Token != "" || items[1].Token == "" {
		t.Errorf("one can resume behind %q and %q", items[0].Token, items[1].Token)
	}
}

// TestHiddenColumnsOfRowsThatAreNotRemembered are no news either.
func TestHiddenColumnsOfRowsThatAreNotRemembered(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 1)
	do(t, pool, "insert into item values (1, 1), (2, 1)")
	s := picky{source: &source{pool: pool, positive: true}, ops: events.SetOf(events.Insert, events.Update), hidden: true}
	out := subscribe.NewOutbox(1 << 20)
	leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: s, Out: out, Ended: func() {}}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	do(t, pool, "update item set n = 2")
	do(t, pool, "insert into item values (3, 3)")
	told(t, take(t, out, 1)[0], `INSERT {"id":3} 3`)
}

// TestTokensOfOtherServers hold as long as events are kept.
func TestTokensOfOtherServers(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	var token string
	leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: &source{pool: pool}, Out: subscribe.NewOutbox(1 << 20), Ended: func() {}}, func(at string) { token = at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	for kept, want := range map[time.Duration]string{time.Nanosecond: "events/position-gone", time.Hour: "subscriptions/leaving"} { // it does not run
		other := subscribe.New(subscribe.Options{Pool: pool, Kept: kept, Known: 10})
		_, err := other.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: &source{pool: pool}, Out: subscribe.NewOutbox(1 << 20), Token: token, Ended: func() {}}, func(string) {})
		if fault.CodeOf(err) != want {
			t.Errorf("where events are kept for %v: %v", kept, err)
		}
	}
}

// TestWhatIsNotCaptured cannot be subscribed to: nothing would be told.
func TestWhatIsNotCaptured(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	do(t, pool, "update _system.event_source set columns = '{n}'") // the key is left out
	if _, err := h.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: &source{pool: pool}, Out: subscribe.NewOutbox(1 << 20), Ended: func() {}}, func(string) {}); fault.CodeOf(err) != "subscriptions/not-captured" {
		t.Errorf("without the key: %v", err)
	}
	do(t, pool, "update _system.event_source set columns = '{id,n}'")
	for _, sql := range []string{"alter table item disable trigger fraiseql_capture", "drop trigger fraiseql_capture on item", "drop table item"} {
		do(t, pool, sql)
		_, err := h.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: &source{pool: pool}, Out: subscribe.NewOutbox(1 << 20), Ended: func() {}}, func(string) {})
		if fault.CodeOf(err) != "subscriptions/not-captured" {
			t.Errorf("after %q: %v", sql, err)
		}
	}
}

// stalling is a tracer that holds up statements of those who are marked.
type stalling struct {
	stalled chan struct{}
	hold    chan struct{}
}

type stalls struct{}

func (s *stalling) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if ctx.Value(stalls{}) != nil {
		s.stalled <- struct{}{}
		<-s.hold
	}
	return ctx
}

func (s *stalling) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestWhoCatchesUpLeavesTheFeedAConnection has more of them than there are connections.
func TestWhoCatchesUpLeavesTheFeedAConnection(t *testing.T) {
	t.Parallel()
	tracer := &stalling{stalled: make(chan struct{}, 100), hold: make(chan struct{})}
	h, pool := hubbedBy(t, subscribe.Options{Known: 10}, func(c *pgxpool.Config) { c.MaxConns, c.ConnConfig.Tracer = 3, tracer })
	out := join(t, h, "one", &source{pool: pool}, 1<<20)
	var others sync.WaitGroup
	for range 5 {
		others.Go(func() {
			ctx := context.WithValue(t.Context(), stalls{}, true)
			leave, err := h.Subscribe(ctx, subscribe.Request{Group: "other", Source: &source{pool: pool}, Out: subscribe.NewOutbox(1 << 20), Ended: func() {}}, func(string) {})
			if err != nil {
				t.Error(err)
				return
			}
			leave()
		})
	}
	release := sync.OnceFunc(func() { close(tracer.hold); others.Wait() })
	t.Cleanup(release)
	<-tracer.stalled
	<-tracer.stalled
	for n := range 20 {
		do(t, pool, fmt.Sprintf("insert into item values (%d, 0)", n))
		take(t, out, 1)
	}
	release()
}
