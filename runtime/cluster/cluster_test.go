package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const term = 1200 * time.Millisecond

type member struct {
	*cluster.Node
	share *cluster.Share

	mu     sync.Mutex
	giving []int // given already, perhaps: the database may have it before this node knows

	stop func() // in order
	die  func() // at once, as by kill -9
}

// join makes a node that gives away what it has to.
func join(t *testing.T, address string) *member {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	m := &member{Node: cluster.New(cluster.Options{Pool: pool, Log: slog.New(slog.DiscardHandler), Name: t.Name(), Term: term})}
	m.share = m.Share("lane", 16)
	ctx, stop := context.WithCancel(context.Background())
	giving, stopGiving := context.WithCancel(context.Background())
	var beat, give sync.WaitGroup
	beat.Go(func() { _ = m.Run(ctx) })
	give.Go(func() {
		for {
			_, leaving := m.share.Held()
			var numbers []int
			for _, s := range leaving {
				numbers = append(numbers, s.Number)
			}
			m.gives(numbers)
			_ = m.share.Give(giving, numbers)
			m.gives(nil)
			select {
			case <-giving.Done():
				return
			case <-m.share.Changed():
			}
		}
	})
	m.stop = sync.OnceFunc(func() { stopGiving(); give.Wait(); stop(); beat.Wait(); pool.Close() })
	m.die = sync.OnceFunc(func() { pool.Close(); m.stop() })
	t.Cleanup(m.stop)
	return m
}

func (m *member) gives(numbers []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.giving = numbers
}

// held are the slots that this node may work for and is not about to give away.
func (m *member) held() (numbers []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	working, leaving := m.share.Held()
	for _, s := range append(working, leaving...) {
		if !slices.Contains(m.giving, s.Number) {
			numbers = append(numbers, s.Number)
		}
	}
	return numbers
}

func count(members ...*member) []int {
	counts := make([]int, len(members))
	for i, m := range members {
		working, _ := m.share.Held()
		counts[i] = len(working)
	}
	return counts
}

// within waits for a state of all, in which no slot is held twice.
func within(t *testing.T, limit time.Duration, what string, ok func(counts []int) bool, members ...*member) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok(count(members...)) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v after %s", what, count(members...), limit)
		}
		seen := map[int]int{}
		for i, m := range members {
			for _, number := range m.held() {
				// The looks at two nodes are not at one moment: the other one may have given it meanwhile.
				if other, twice := seen[number]; twice && slices.Contains(members[other].held(), number) && slices.Contains(m.held(), number) {
					t.Fatalf("slot %d is held by %d and %d", number, other, i)
				}
				seen[number] = i
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestNodesDivideTheSlots(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t)
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	a := join(t, address)
	within(t, 20*time.Second, "alone", func(c []int) bool { return c[0] == 16 }, a)
	b, c := join(t, address), join(t, address)
	within(t, 20*time.Second, "three", func(c []int) bool { return c[0] == 6 && c[0]+c[1]+c[2] == 16 && c[1] > 3 && c[2] > 3 }, a, b, c)
	within(t, 20*time.Second, "a knows of them", func([]int) bool { return a.Peers() == 3 }, a, b, c)
	b.stop()
	within(t, 20*time.Second, "one has left", func(c []int) bool { return c[0] == 8 && c[1] == 8 }, a, c)
	var expires, now time.Time
	ask := func(sql string, at *time.Time, args ...any) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), sql, args...).Scan(at); err != nil {
			t.Fatal(err)
		}
	}
	ask("select max(expires_at) from _system.lease where holder = $1", &expires, c.ID())
	c.die()
	within(t, 20*time.Second, "one has died", func(c []int) bool { return c[0] == 16 }, a)
	if ask("select clock_timestamp()", &now); now.Before(expires) {
		t.Errorf("what a dead node had was taken %s early", expires.Sub(now))
	}
}

// TestWhatANodeDoesNotKnowExpires puts slots into a node's name of which it has not heard, as when an answer is lost.
func TestWhatANodeDoesNotKnowExpires(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t)
	a, b := join(t, address), join(t, address)
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var put time.Time
	for touched := int64(0); touched == 0; { // those of a node that lives: what is free may be taken before
		within(t, 5*time.Second, "two", func(c []int) bool { return c[0] == 8 && c[1] == 8 }, a, b)
		put = time.Now()
		tag, err := pool.Exec(t.Context(), fmt.Sprintf("update _system.lease set holder = '%s', expires_at = clock_timestamp() + interval '2 seconds' where holder = '%s'", a.ID(), b.ID()))
		if err != nil {
			t.Fatal(err)
		}
		touched = tag.RowsAffected()
	}
	b.stop()
	within(t, 10*time.Second, "they expire", func(c []int) bool { return c[0] == 16 }, a)
	if took := time.Since(put); took < 2*time.Second {
		t.Errorf("it had them after %s, before they have expired", took)
	}
}

// TestEpochsGrow has a slot change hands: its epoch tells the holders apart.
func TestEpochsGrow(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t)
	var last int64
	for range 3 {
		m := join(t, address)
		var working []cluster.Slot
		within(t, 5*time.Second, "alone", func([]int) bool { working, _ = m.share.Held(); return len(working) == 16 }, m)
		if working[0].Epoch <= last {
			t.Errorf("epoch %d after %d", working[0].Epoch, last)
		}
		last = working[0].Epoch
		m.stop()
	}
}

func TestIDsOfATimeStandTogether(t *testing.T) {
	t.Parallel()
	before := cluster.NewTimeID()
	time.Sleep(2 * time.Millisecond)
	after := cluster.NewTimeID()
	if len(before) != 36 || before[14] != '7' || after <= before {
		t.Errorf("%s, %s", before, after)
	}
}

// TestADatabaseThatSaysNothing is waited for in vain when slots are given away: they expire, and whoever gave them goes on.
func TestADatabaseThatSaysNothing(t *testing.T) {
	t.Parallel()
	address := pgtest.System(t)
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	m := join(t, address)
	within(t, 20*time.Second, "alone", func(c []int) bool { return c[0] == 16 }, m)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "lock table _system.lease in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	given := make(chan error, 1)
	go func() { given <- m.share.Give(context.Background(), []int{0}) }()
	select {
	case err := <-given:
		if err == nil {
			t.Error("it was given although nobody could know")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for ever")
	}
}
