//go:build unix

package graphql_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

// address is one behind which there may be another server than before.
type address struct {
	listener net.Listener
	to       atomic.Int64
	mu       sync.Mutex // guards what follows
	lines    []net.Conn
}

func newAddress(t *testing.T, port int) *address {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &address{listener: l}
	a.to.Store(int64(port))
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.FormatInt(a.to.Load(), 10)))
			if err != nil {
				_ = in.Close()
				continue
			}
			a.mu.Lock()
			a.lines = append(a.lines, in, out)
			a.mu.Unlock()
			all.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
			all.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); a.cut(); all.Wait() })
	return a
}

// move has new connections go to another server, and ends those that there are.
func (a *address) move(port int) {
	a.to.Store(int64(port))
	a.cut()
}

func (a *address) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.lines {
		_ = line.Close()
	}
	a.lines = nil
}

// TestAFailover promotes a standby that is behind another one. That one has left the history of the cluster, at places that
// the new primary has as well: nobody may be shown what it holds. A third one follows the new primary, and is asked again.
func TestAFailover(t *testing.T) {
	t.Parallel()
	c := newCopies(t, 3)
	heir, ahead, faithful := 0, 1, 2
	var lock sync.Mutex
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(locked{&lock, &text}, nil))
	primary := newAddress(t, c.primary.Port)
	copies := c.replicas(t)
	s := serveAt(t, log, "postgres://api:api@"+primary.listener.Addr().String()+"/"+embedded.Database+"?sslmode=disable", time.Hour, copies[ahead], copies[faithful])
	ann, bob, carl := transport.Request{Principal: as("member", "ann")}, transport.Request{Principal: as("member", "bob")}, transport.Request{Principal: as("member", "carl")}
	answers := func(r transport.Request) (says, bool) {
		r.Query = "{ servers { replica port } items(limit: 1) { body } }"
		got, said := told(t, s, r)
		return said, len(got.Errors) == 0
	}
	asked := func(port int) bool {
		for range 20 {
			if said, _ := answers(bob); said.Servers[0].Port == port {
				return true
			}
		}
		return false
	}
	wait(t, func() bool { return asked(c.standbys[ahead].Port) && asked(c.standbys[faithful].Port) })

	toHeir := regexp.MustCompile(`port=\d+`).ReplaceAllString(followed(t, c.replays[ahead]), "port="+strconv.Itoa(c.standbys[heir].Port))
	exec(t, c.owner, "create role watcher login password 'api'; grant pg_read_all_stats to watcher, api")
	for _, pool := range c.replays {
		wait(t, func() bool {
			var known bool
			return pool.QueryRow(t.Context(), "select to_regrole('watcher') is not null").Scan(&known) == nil && known
		})
	}
	follow(t, c.replays[heir], "")
	follow(t, c.replays[faithful], "")
	exec(t, c.owner, "create table filler as select repeat('x', 1000) from generate_series(1, 5000)")
	change := ann
	change.Query = `mutation { updateItem(id: 1, set: {body: "lost"}) { body } }`
	if got := s.Execute(t.Context(), change); len(got.Errors) > 0 || got.Timeline != 1 {
		t.Fatalf("on timeline %d: %s", got.Timeline, firstError(got))
	}
	wait(t, func() bool {
		var body string
		err := c.replays[ahead].QueryRow(t.Context(), "select body from item where id = 1 and to_regclass('filler') is not null").Scan(&body)
		return err == nil && body == "lost"
	})
	follow(t, c.replays[ahead], "")
	exec(t, c.replays[heir], "select pg_promote()")
	for i, pool := range c.replays {
		if i != heir {
			follow(t, pool, toHeir)
		}
	}
	wait(t, func() bool {
		stands, err := postgres.Stand(t.Context(), c.replays[heir])
		return err == nil && !stands.Recovers
	})
	primary.move(c.standbys[heir].Port)

	// What another server has written at the new primary is seen by who says so, before this one has met it.
	exec(t, c.replays[heir], "update item set body = 'elsewhere' where id = 1")
	stands, err := postgres.Stand(t.Context(), c.replays[heir])
	if err != nil || stands.Timeline != 2 {
		t.Fatalf("it stands at %+v: %v", stands, err)
	}
	told := transport.Request{
		Principal: as("member", "dora"), Query: "{ servers { replica port } items(limit: 1) { body } }",
		Version: transport.Version{At: stands.Position, Timeline: stands.Timeline},
	}
	for until, seen := time.Now().Add(1500*time.Millisecond), 0; time.Now().Before(until) || seen == 0; {
		if got := s.Execute(t.Context(), told); len(got.Errors) == 0 { // else its connection was just cut
			if seen++; !strings.Contains(string(got.Data), "elsewhere") {
				t.Fatalf("it answered %s", got.Data)
			}
		}
	}

	change.Query = strings.Replace(change.Query, "lost", "mine", 1)
	var wrote transport.Response
	wait(t, func() bool {
		wrote = s.Execute(t.Context(), change)
		return len(wrote.Errors) == 0 && wrote.Timeline == 2
	})
	bob.Version = transport.Version{At: wrote.Position, Timeline: wrote.Timeline}
	for until := time.Now().Add(4 * time.Second); time.Now().Before(until); <-time.After(5 * time.Millisecond) {
		for _, who := range []transport.Request{carl, ann, bob} {
			if said, _ := answers(who); said.Items[0].Body != "mine" || said.Servers[0].Port == c.standbys[ahead].Port {
				t.Fatalf("the server at %d answered %+v", said.Servers[0].Port, said)
			}
		}
	}
	// One that follows tells it at once to a login that may see what it receives, and not to one that only is a member.
	tells := func(login string) bool {
		var told bool
		pool := poolOf(t, strings.Replace(api(c.standbys[faithful]), "api:api", login+":api", 1))
		if err := pool.QueryRow(t.Context(), "select coalesce(max(received_tli), 0) = 2 from pg_stat_wal_receiver").Scan(&told); err != nil {
			t.Fatal(err)
		}
		return told
	}
	wait(t, func() bool { return tells("watcher") })
	if tells("api") {
		t.Error("a login that inherits nothing sees what the standby receives")
	}
	exec(t, c.replays[heir], "checkpoint") // with which the one that follows comes to a restartpoint soon
	wait(t, func() bool { exec(t, c.replays[faithful], "checkpoint"); return asked(c.standbys[faithful].Port) })
	wait(t, func() bool { // also somebody whose changes the new primary never had
		said, _ := answers(ann)
		return said.Servers[0].Port == c.standbys[faithful].Port
	})
	for range 50 {
		said, _ := answers(ann)
		if said.Items[0].Body != "mine" || said.Servers[0].Port == c.standbys[ahead].Port {
			t.Fatalf("the server at %d answered %+v", said.Servers[0].Port, said)
		}
	}
	lock.Lock()
	defer lock.Unlock()
	for _, want := range []string{`the primary writes another timeline than before`, `replica="standby 1" error="the primary writes timeline 2 of the cluster, and it is known to have got to 1`, `hint="after a failover`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, text.String())
		}
	}
	if stands, _ = postgres.Stand(t.Context(), c.replays[ahead]); stands.Timeline != 1 || !stands.Recovers {
		t.Errorf("the one that has left stands at %+v", stands)
	}
}

// follow has a standby follow another server, or none.
func follow(t *testing.T, pool *pgxpool.Pool, conninfo string) {
	t.Helper()
	exec(t, pool, "alter system set primary_conninfo = '"+strings.ReplaceAll(conninfo, "'", "''")+"'")
	exec(t, pool, "select pg_reload_conf()")
	wait(t, func() bool { return followed(t, pool) == conninfo })
}

// followed tells which server a standby follows.
func followed(t *testing.T, pool *pgxpool.Pool) (conninfo string) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "show primary_conninfo").Scan(&conninfo); err != nil {
		t.Fatal(err)
	}
	return conninfo
}
