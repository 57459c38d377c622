package subscribe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source reads a table of integers, all of it or what is positive.
type source struct {
	pool     *pgxpool.Pool
	positive bool
	reads    atomic.Int64
	before   func() error // each read
	pad      string       // of payloads
}

func (s *source) Relation() events.Relation { return events.Relation{Schema: "public", Table: "item"} }
func (s *source) Key() []string             { return []string{"id"} }
func (s *source) Ops() events.Ops {
	return events.SetOf(events.Insert, events.Update, events.Delete, events.Truncate)
}
func (s *source) Whole() bool                       { return !s.positive }
func (s *source) All(context.Context) (bool, error) { return true, nil }
func (s *source) Shows([]string) bool               { return true }
func (s *source) Altered() bool                     { return false }
func (s *source) Problem(err error) []byte          { return fmt.Appendf(nil, "[%q]", err) }

func (s *source) Keys(ctx context.Context) (keys [][]json.RawMessage, err error) {
	var list []byte
	err = s.pool.QueryRow(ctx, "select coalesce(json_agg(json_build_array(id)), '[]') from item where id > 0").Scan(&list)
	if err == nil {
		err = json.Unmarshal(list, &keys)
	}
	return keys, err
}

func (s *source) Rows(ctx context.Context, keys []json.RawMessage) (map[int][]json.RawMessage, error) {
	s.reads.Add(1)
	if s.before != nil {
		if err := s.before(); err != nil {
			return nil, err
		}
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	rows := map[int][]json.RawMessage{}
	var read []byte
	err = s.pool.QueryRow(ctx, `select coalesce(json_agg(json_build_array(e.number, i.n)), '[]') from jsonb_array_elements($1::jsonb) with ordinality e (v, number)
		join item i on i.id = (v ->> 'id')::int where $2 or i.id > 0`, string(list), !s.positive).Scan(&read)
	if err != nil {
		return nil, err
	}
	var all [][2]json.RawMessage
	err = json.Unmarshal(read, &all)
	for _, row := range all {
		var n int
		_ = json.Unmarshal(row[0], &n)
		rows[n-1] = []json.RawMessage{row[1]}
	}
	return rows, err
}

func (s *source) Payload(_ context.Context, t subscribe.Told) []byte {
	row := "-"
	if t.Rows != nil {
		row = string(t.Rows[0])
	}
	return fmt.Appendf(nil, "%s %s %s%s", t.Op, t.Key, row, s.pad)
}

// hubbed runs a hub on a table of integers.
func hubbed(t *testing.T, known int) (*subscribe.Hub, *pgxpool.Pool) {
	t.Helper()
	return hubbedBy(t, subscribe.Options{Known: known}, func(*pgxpool.Config) {})
}

// hubbedBy is hubbed where the hub has connections of its own.
func hubbedBy(t *testing.T, o subscribe.Options, by func(*pgxpool.Config)) (*subscribe.Hub, *pgxpool.Pool) {
	t.Helper()
	pool, err := postgres.Connect(t.Context(), pgtest.System(t, "create table item (id int primary key, n int);"), postgres.PoolOptions{Size: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	store := &events.Store{Pool: pool}
	s := &source{}
	if err := store.Declare(t.Context(), nil, nil, []events.Interest{{Relation: s.Relation(), Entity: "Item", Consumer: "subscriptions", Ops: s.Ops()}}); err != nil {
		t.Fatal(err)
	}
	drift, err := store.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = events.Install(t.Context(), conn.Conn(), drift)
	conn.Release()
	if err != nil {
		t.Fatal(err)
	}
	config := pool.Config()
	by(config)
	feed, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(feed.Close)
	o.Pool, o.Log, o.IdleMax = feed, slog.New(slog.DiscardHandler), 20*time.Millisecond
	h := subscribe.New(o)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	for !h.Running() {
		<-time.After(time.Millisecond)
	}
	return h, pool
}

func do(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// join subscribes, and gives what is told.
func join(t *testing.T, h *subscribe.Hub, name string, s *source, most int) *subscribe.Outbox {
	t.Helper()
	out := subscribe.NewOutbox(most)
	leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: name, Source: s, Out: out, Ended: func() {}}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	return out
}

// take waits for so many items, as long as they come.
func take(t *testing.T, out *subscribe.Outbox, count int) (items []subscribe.Item) {
	t.Helper()
	for len(items) < count {
		select {
		case <-out.Ready():
			more, why := out.Take(nil)
			out.Written()
			items = append(items, more...)
			if why != subscribe.Open {
				t.Fatalf("it has ended, by %d", why)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d came", len(items), count)
		}
	}
	return items
}

// TestThoseWhoReadAlikeShareAStatement has many of them.
func TestThoseWhoReadAlikeShareAStatement(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	s := &source{pool: pool}
	var outs []*subscribe.Outbox
	for range 50 {
		outs = append(outs, join(t, h, "one", s, 1<<20))
	}
	do(t, pool, "insert into item values (1, 7)")
	var first *byte
	for _, out := range outs {
		items := take(t, out, 1)
		if string(items[0].Payload) != `INSERT {"id": 1} 7` && string(items[0].Payload) != `INSERT {"id" : 1} 7` {
			t.Fatalf("told %s", items[0].Payload)
		}
		if first == nil {
			first = &items[0].Payload[0]
		}
		if first != &items[0].Payload[0] {
			t.Error("the payload was written more than once")
		}
	}
	if n := s.reads.Load(); n != 1 {
		t.Errorf("the row was read %d times", n)
	}
}

// TestASlowGroupHoldsUpNobody has a statement that does not end.
func TestASlowGroupHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	release := make(chan struct{})
	released := sync.OnceFunc(func() { close(release) })
	t.Cleanup(released) // before the hub's, which waits
	slow := &source{pool: pool, before: func() error { <-release; return nil }}
	stuck, quick := join(t, h, "slow", slow, 1<<20), join(t, h, "quick", &source{pool: pool}, 1<<20)
	for i := range 5 {
		do(t, pool, fmt.Sprintf("insert into item values (%d, 0)", i))
		take(t, quick, 1)
	}
	released()
	if items := take(t, stuck, 5); len(items) != 5 {
		t.Errorf("%d came", len(items))
	}
	if n := slow.reads.Load(); n > 2 {
		t.Errorf("what had waited was read by %d statements", n-1)
	}
}

// TestNothingIsToldTwice has one catch up with what a group has still to be told of, and join that.
func TestNothingIsToldTwice(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	release, reading := make(chan struct{}), make(chan struct{}, 10)
	released := sync.OnceFunc(func() { close(release) })
	t.Cleanup(released)
	first := subscribe.NewOutbox(1 << 20)
	var token string
	leave, err := h.Subscribe(t.Context(), subscribe.Request{
		Group: "one", Source: &source{pool: pool, before: func() error { reading <- struct{}{}; <-release; return nil }}, Out: first, Ended: func() {},
	}, func(at string) { token = at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	do(t, pool, "insert into item values (1, 1)")
	<-reading
	second := subscribe.NewOutbox(1 << 20)
	leave, err = h.Subscribe(t.Context(), subscribe.Request{Group: "one", Source: &source{pool: pool}, Out: second, Token: token, Ended: func() {}}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	take(t, second, 1)
	released()
	take(t, first, 1)
	do(t, pool, "insert into item values (2, 2)")
	take(t, first, 1)
	if items := take(t, second, 1); len(items) != 1 || items[0].Payload[len(items[0].Payload)-1] != '2' {
		t.Errorf("it was told %s", items[0].Payload)
	}
}

// TestADatabaseThatIsAway is asked again, and nothing is told twice.
func TestADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	tries := 0
	out := join(t, h, "one", &source{pool: pool, before: func() error {
		if tries++; tries < 4 {
			return fault.New(fault.Unavailable, "test/away", "away")
		}
		return nil
	}}, 1<<20)
	do(t, pool, "insert into item values (1, 1)")
	do(t, pool, "insert into item values (2, 2)")
	items := take(t, out, 2)
	if len(items) != 2 || tries < 4 {
		t.Errorf("%d came, after %d tries", len(items), tries)
	}
}

// TestOneThatFails tells why, and the next one begins anew.
func TestOneThatFails(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10)
	out := join(t, h, "one", &source{pool: pool, before: func() error { return fault.New(fault.Forbidden, "test/no", "no") }}, 1<<20)
	do(t, pool, "insert into item values (1, 1)")
	if items := take(t, out, 1); items[0].Kind != subscribe.Failed || string(items[0].Payload) != `["no"]` {
		t.Errorf("told %+v", items)
	}
	again := join(t, h, "one", &source{pool: pool}, 1<<20)
	do(t, pool, "insert into item values (2, 2)")
	take(t, again, 1)
	if items, why := out.Take(nil); len(items) > 0 || why != subscribe.Open {
		t.Errorf("told %+v", items)
	}
}

// TestWhatIsKnownIsBounded has more rows than are remembered.
func TestWhatIsKnownIsBounded(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 2)
	do(t, pool, "insert into item values (1, 1), (-1, 1)")
	out := join(t, h, "one", &source{pool: pool, positive: true}, 1<<20)
	do(t, pool, "insert into item values (2, 1), (3, 1), (-2, 1)")
	take(t, out, 2)
	do(t, pool, "delete from item where id in (3, -1, -2)")
	do(t, pool, "delete from item where id in (1, 2)")
	for _, i := range take(t, out, 2) {
		if text := string(i.Payload); text != `DELETE {"id" : 1} -` && text != `DELETE {"id" : 2} -` && text != `DELETE {"id": 1} -` && text != `DELETE {"id": 2} -` {
			t.Errorf("told %s", text)
		}
	}
}

// TestWhatAllKnowIsBounded has groups that come and go: what one has known others can know then.
func TestWhatAllKnowIsBounded(t *testing.T) {
	t.Parallel()
	h, pool := hubbedBy(t, subscribe.Options{Known: 10, All: 3}, func(*pgxpool.Config) {})
	do(t, pool, "insert into item values (1, 1), (2, 1)")
	for range 5 { // what those before have known is forgotten
		out := subscribe.NewOutbox(1 << 20)
		leave, err := h.Subscribe(t.Context(), subscribe.Request{Group: "a", Source: &source{pool: pool, positive: true}, Out: out, Ended: func() {}}, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		other := subscribe.NewOutbox(1 << 20)
		quit, err := h.Subscribe(t.Context(), subscribe.Request{Group: "b", Source: &source{pool: pool, positive: true}, Out: other, Ended: func() {}}, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		do(t, pool, "insert into item values (3, 1)")
		take(t, out, 1)
		take(t, other, 1)
		do(t, pool, "delete from item")
		take(t, out, 2) // 1 and 2, and not 3
		take(t, other, 1)
		do(t, pool, "insert into item values (1, 1), (2, 1), (4, 1)")
		take(t, out, 3)
		take(t, other, 3)
		leave()
		quit()
		do(t, pool, "delete from item where id = 4")
	}
}

// TestABurst is told whole to clients that take what comes, however little may wait for each of them; who takes nothing, or so
// little that others would wait for it, is cut off.
func TestABurst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rows, payload, buffer int }{{30_000, 0, 64 << 10}, {6_000, 5_000, 1 << 20}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			h, pool := hubbed(t, 10)
			s := &source{pool: pool, pad: strings.Repeat("x", c.payload)}
			var stopped []*subscribe.Outbox
			for range 3 {
				stopped = append(stopped, join(t, h, "one", s, c.buffer))
			}
			slow, quick := join(t, h, "one", s, c.buffer), join(t, h, "one", s, c.buffer)
			var lagging sync.WaitGroup
			lagging.Go(func() {
				for {
					select {
					case <-slow.Ready():
					case <-time.After(30 * time.Second):
						t.Error("one that lags is not cut off")
						return
					}
					items, why := slow.Take(nil)
					if why != subscribe.Open {
						if why != subscribe.Slow {
							t.Errorf("one that lags has ended by %d", why)
						}
						return
					}
					<-time.After(time.Duration(len(items)) * 3 * time.Millisecond) // some 300 rows a second, less than anybody else's
					slow.Written()
				}
			})
			do(t, pool, fmt.Sprintf("insert into item select i, i from generate_series(1, %d) i", c.rows))
			seen := map[int64]bool{}
			for _, i := range take(t, quick, c.rows) {
				n, err := numberIn(i)
				if err != nil || seen[n] {
					t.Fatalf("it was told of %d again: %v", n, err)
				}
				seen[n] = true
			}
			lagging.Wait()
			for _, out := range stopped {
				if items, why := out.Take(nil); why != subscribe.Slow {
					t.Errorf("%d wait for a client that takes nothing, which has ended by %d", len(items), why)
				}
			}
		})
	}
}

// numberIn gives the id of the row that an item tells of, which was inserted.
func numberIn(i subscribe.Item) (n int64, err error) {
	text := string(i.Payload)
	if !strings.HasPrefix(text, "INSERT {") {
		return 0, fmt.Errorf("it was told %s", text)
	}
	var key struct{ ID int64 }
	err = json.Unmarshal([]byte(text[len("INSERT "):strings.Index(text, "}")+1]), &key)
	return key.ID, err
}

// TestManyComeAndGo while rows are inserted, in the order of their ids: nobody misses one, or is told of one twice, from where he
// begins, or resumes.
func TestManyComeAndGo(t *testing.T) {
	t.Parallel()
	h, pool := hubbed(t, 10_000)
	const enough = 200
	stays := join(t, h, "one", &source{pool: pool, positive: true}, 1<<20)
	ctx, stop := context.WithCancel(t.Context())
	var there, resumed atomic.Int64 // there: rows, or one less
	come := func(token string, last int64) (string, int64, error) {
		out, latest := subscribe.NewOutbox(1<<20), int64(0)
		leave, err := h.Subscribe(ctx, subscribe.Request{Group: "one", Source: &source{pool: pool, positive: true}, Out: out, Token: token, Ended: func() {}},
			func(string) { latest = there.Load() + 2 })
		if err != nil {
			return "", 0, err
		}
		defer leave()
		for {
			select {
			case <-out.Ready():
			case <-ctx.Done():
				return "", 0, ctx.Err()
			}
			items, _ := out.Take(nil)
			out.Written()
			for _, i := range items {
				n, err := numberIn(i)
				switch {
				case err != nil:
					return "", 0, err
				case last > 0 && n != last+1:
					return "", 0, fmt.Errorf("after %d it was told of %d", last, n)
				case last == 0 && n > latest:
					return "", 0, fmt.Errorf("it was told of %d first, and had begun before %d", n, latest)
				}
				token, last = i.Token, n
			}
			if last%3 == 0 {
				return token, last, nil
			}
		}
	}
	var others sync.WaitGroup
	for who := range 8 {
		others.Go(func() {
			for ctx.Err() == nil {
				token, last, err := come("", 0)
				if err == nil && who%2 == 0 {
					if _, _, err = come(token, last); err == nil {
						resumed.Add(1)
					}
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	rows := 0
	for ; rows < enough || resumed.Load() < 4 && rows < 10_000; rows++ {
		do(t, pool, fmt.Sprintf("insert into item values (%d, 0)", rows+1))
		there.Store(int64(rows + 1))
	}
	items := take(t, stays, rows)
	stop()
	others.Wait()
	for i, item := range items {
		if n, err := numberIn(item); err != nil || n != int64(i+1) {
			t.Fatalf("who stays was told of %d after %d: %v", n, i, err)
		}
	}
	if len(items) != rows || resumed.Load() == 0 {
		t.Errorf("told of %d rows; %d have resumed", len(items), resumed.Load())
	}
}

func TestOutboxes(t *testing.T) {
	t.Parallel()
	out := subscribe.NewOutbox(1000)
	large := make([]byte, 2000)
	out.Put(subscribe.Item{Payload: large})
	if items, why := out.Take(nil); len(items) != 1 || why != subscribe.Open {
		t.Fatalf("one that is larger than the outbox: %d, %d", len(items), why)
	}
	waited := make(chan bool)
	go func() { waited <- out.PutWhenRoom(t.Context(), subscribe.Item{Payload: large[:100]}) }()
	select {
	case <-waited:
		t.Error("there was room beside what is being written")
	case <-time.After(20 * time.Millisecond):
	}
	out.Written()
	if !<-waited {
		t.Error("there was no room")
	}
	for range 20 {
		out.Put(subscribe.Item{Payload: large[:100]})
	}
	if items, why := out.Take(nil); len(items) != 0 || why != subscribe.Slow {
		t.Errorf("one that is full: %d, %d", len(items), why)
	}
	out.End(subscribe.Leaving)
	if _, why := out.Take(nil); why != subscribe.Slow {
		t.Errorf("it has ended twice: %d", why)
	}
	if out.PutWhenRoom(t.Context(), subscribe.Item{}) {
		t.Error("it has ended, and took something")
	}
}
