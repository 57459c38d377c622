//go:build unix

package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// copied has a view that tells which server answers.
const copied = `
	create role member nologin; create role guest nologin; create role api login noinherit password 'api'; grant member, guest to api;
	create table item (id int primary key, body text not null);
	insert into item values (1, 'first');
	create table own (id int generated always as identity primary key, owner text not null default current_setting('request.jwt.claims', true)::json ->> 'sub', body text not null);
	alter table own enable row level security;
	create policy own on own to member using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
	create unlogged table passing (id int primary key, body text); insert into passing values (1, 'here');
	create view server as select pg_is_in_recovery() as replica, inet_server_port() as port;
	create view greeting as select 'old' as text;
	create view slow as select i.id, case when pg_is_in_recovery() then pg_sleep(8)::text end as slept from item i where i.id = 1;
	create view large as select i as id, repeat('x', 3000) as body from generate_series(1, 900) i;
	create function late(i int, b text) returns item language plpgsql as $$
		declare r item; begin update item set body = b where id = i returning * into r; perform pg_advisory_xact_lock(42); return r; end $$;
	create function risky(n int) returns boolean stable language plpgsql as $$
		begin if n < 0 then raise 'not these' using errcode = 'feature_not_supported'; end if; return pg_is_in_recovery(); end $$;
	create schema _system;
	create table _system.idempotency_keys (scope bytea not null, key text not null, request bytea not null, answer bytea, created_at timestamptz not null default now(), primary key (scope, key));
	grant usage on schema _system to api; grant select, insert, update, delete on _system.idempotency_keys to api;
	grant usage on schema public to member, guest;
	grant select, insert, update, delete on item, own, passing to member, guest;
	grant select on server, greeting, slow, large to member, guest;
	insert into own (owner, body) values ('ann', 'of ann'), ('bob', 'of bob');`

// copies are a primary and its standbys.
type copies struct {
	primary  *embedded.Cluster
	standbys []*embedded.Cluster
	owner    *pgxpool.Pool
	replays  []*pgxpool.Pool // as superuser on the standbys
}

func newCopies(t *testing.T, standbys int) *copies {
	t.Helper()
	c := &copies{primary: pgtest.Primary(t)}
	for range standbys {
		c.standbys = append(c.standbys, pgtest.Standby(t, c.primary))
	}
	c.owner = poolOf(t, c.primary.URL(embedded.Database))
	exec(t, c.owner, copied)
	for _, s := range c.standbys {
		c.replays = append(c.replays, poolOf(t, s.URL(embedded.Database)))
	}
	return c
}

func poolOf(t *testing.T, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Connect(t.Context(), address, postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// api is the address of the login on one of the servers.
func api(c *embedded.Cluster) string {
	return "postgres://api:api@" + net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)) + "/" + embedded.Database
}

// serve gives a service that reads from replicas, and runs it.
func (c *copies) serve(t *testing.T, log *slog.Logger, replicas ...graphql.Replica) *graphql.Service {
	t.Helper()
	return serveAt(t, log, api(c.primary), time.Hour, replicas...) // the tests say when it looks at the schema
}

// serveAt gives a service of the primary at an address.
func serveAt(t *testing.T, log *slog.Logger, primary string, interval time.Duration, replicas ...graphql.Replica) *graphql.Service {
	t.Helper()
	config := graphql.DefaultConfig()
	config.Roles = map[string]graphql.Role{"member": {}, "guest": {}}
	s := graphql.New(config, graphql.Deps{
		Pool: poolOf(t, primary), Schemas: []string{"public"}, Log: log, Replicas: replicas, Timeout: 10 * time.Second,
		Interval: interval,
	})
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return s
}

// replicas are the standbys, each with the same weight.
func (c *copies) replicas(t *testing.T) (list []graphql.Replica) {
	t.Helper()
	for i, s := range c.standbys {
		list = append(list, graphql.Replica{Name: fmt.Sprint("standby ", i), Pool: poolOf(t, api(s)), Weight: 1})
	}
	return list
}

// pause stops the standbys from replaying; the returned function lets them go on.
func (c *copies) pause(t *testing.T) (resume func()) {
	t.Helper()
	for _, pool := range c.replays {
		exec(t, pool, "select pg_wal_replay_pause()")
		wait(t, func() bool {
			var state string
			err := pool.QueryRow(t.Context(), "select pg_get_wal_replay_pause_state()").Scan(&state)
			return err == nil && state == "paused"
		})
	}
	return func() {
		for _, pool := range c.replays {
			exec(t, pool, "select pg_wal_replay_resume()")
		}
	}
}

// says is an answer with who gave it.
type says struct {
	Items   []struct{ Body string }
	Owns    []struct{ Body string }
	Servers []struct {
		Replica bool
		Port    int
	}
	Greetings []struct{ Text string }
}

// server is the selection that tells who answers.
const server = " servers { replica port } "

func told(t *testing.T, s *graphql.Service, r transport.Request) (transport.Response, says) {
	t.Helper()
	got := s.Execute(t.Context(), r)
	var said says
	if len(got.Errors) > 0 {
		t.Fatalf("%s: %s", r.Query, firstError(got))
	}
	if err := json.Unmarshal(got.Data, &said); err != nil {
		t.Fatal(err)
	}
	return got, said
}

// from tells whether a replica answers somebody now.
func from(t *testing.T, s *graphql.Service, r transport.Request) bool {
	t.Helper()
	r.Query = "{ " + server + "}"
	_, said := told(t, s, r)
	return said.Servers[0].Replica
}

// TestReplicas reads from standbys that stream from a primary.
func TestReplicas(t *testing.T) {
	t.Parallel()
	c := newCopies(t, 2)
	s := c.serve(t, quiet, c.replicas(t)...)
	other := c.serve(t, quiet, c.replicas(t)...) // another server process, as it were
	ann, bob := as("member", "ann"), as("member", "bob")
	caughtUp := func(t *testing.T) {
		t.Helper()
		for _, who := range []*httpapi.Principal{ann, bob, {Role: "guest"}} {
			for _, s := range []*graphql.Service{s, other} {
				wait(t, func() bool { return from(t, s, transport.Request{Principal: who}) })
			}
		}
	}
	caughtUp(t)
	write := func(t *testing.T, s *graphql.Service, who *httpapi.Principal, body string) transport.Response {
		t.Helper()
		got, _ := told(t, s, transport.Request{Principal: who, Query: `mutation { updateItem(id: 1, set: {body: "` + body + `"}) { body } }`})
		if got.Position == 0 {
			t.Fatal("a mutation does not say where it is")
		}
		return got
	}
	// reads requires what somebody reads, and who answers. A replica that does not say in time where it is gets no queries for a
	// moment: where one has to answer, it is waited for.
	reads := func(t *testing.T, s *graphql.Service, r transport.Request, body string, replica bool) {
		t.Helper()
		for _, query := range []string{ // one statement, one of several fields, several in a snapshot
			"{ servers { replica } items(limit: 1) { body } }", "{ servers { replica } item(id: 1) { body } items(limit: 1) { body } }",
			"{ servers { replica } items(limit: 1) { body } larges(limit: 900) { id } }",
		} {
			r.Query = query
			_, said := told(t, s, r)
			for until := time.Now().Add(20 * time.Second); replica && !said.Servers[0].Replica && time.Now().Before(until); <-time.After(5 * time.Millisecond) {
				_, said = told(t, s, r)
			}
			if said.Items[0].Body != body || said.Servers[0].Replica != replica {
				t.Fatalf("%+v, want %s, of a replica: %v", said, body, replica)
			}
		}
	}

	t.Run("queries are spread", func(t *testing.T) {
		wait(t, func() bool { // both stand in line
			count := map[int]int{}
			for range 40 {
				got, said := told(t, s, transport.Request{Principal: ann, Query: "{ " + server + "}"})
				if got.Position != 0 {
					t.Error("a query says where it is")
				}
				count[said.Servers[0].Port]++
			}
			return count[c.standbys[0].Port] == 20 && count[c.standbys[1].Port] == 20
		})
	})

	t.Run("a caller sees what it wrote", func(t *testing.T) {
		caughtUp(t)
		resume := c.pause(t)
		version := write(t, s, ann, "second").Position
		reads(t, s, transport.Request{Principal: ann}, "second", false)
		reads(t, s, transport.Request{Principal: bob}, "first", true)
		reads(t, other, transport.Request{Principal: ann}, "first", true) // which knows nothing of it
		reads(t, other, transport.Request{Principal: ann, Version: transport.Version{At: version}}, "second", false)
		reads(t, other, transport.Request{Principal: bob, Version: transport.Version{At: version}}, "second", false)
		resume()
		caughtUp(t)
		reads(t, s, transport.Request{Principal: ann}, "second", true)
		wait(t, func() bool {
			return from(t, other, transport.Request{Principal: ann, Version: transport.Version{At: version}})
		})
		reads(t, other, transport.Request{Principal: ann, Version: transport.Version{At: version}}, "second", true)
	})

	t.Run("callers without a name", func(t *testing.T) {
		caughtUp(t)
		resume := c.pause(t)
		guest := &httpapi.Principal{Role: "guest"}
		before := write(t, s, guest, "third").Position
		reads(t, s, transport.Request{Principal: guest}, "third", false)
		reads(t, s, transport.Request{Principal: guest, Version: transport.Version{At: 1}}, "second", true) // it says itself what it has seen
		reads(t, s, transport.Request{Principal: guest, Version: transport.Version{At: before}}, "third", false)
		reads(t, s, transport.Request{Principal: &httpapi.Principal{Role: "member"}}, "second", true)
		resume()
	})

	t.Run("the same answer to the same key says where it is", func(t *testing.T) {
		caughtUp(t)
		resume := c.pause(t)
		r := transport.Request{Principal: ann, IdempotencyKey: "k1", Query: `mutation { updateItem(id: 1, set: {body: "fourth"}) { body } }`}
		if got, _ := told(t, s, r); got.Position == 0 || got.Replayed {
			t.Errorf("the first answer is %+v", got.Result)
		}
		reads(t, s, transport.Request{Principal: ann}, "fourth", false)
		if got, _ := told(t, other, r); got.Position == 0 || !got.Replayed {
			t.Errorf("the second answer is %+v", got.Result)
		}
		reads(t, other, transport.Request{Principal: ann}, "fourth", false)
		resume()
	})

	t.Run("a mutation that fails is none", func(t *testing.T) {
		caughtUp(t)
		got := s.Execute(t.Context(), transport.Request{Principal: ann, Query: `mutation { createItem(input: {id: 1, body: "again"}) { body } }`})
		if code(got) != "CONFLICT" || got.Position != 0 || !from(t, s, transport.Request{Principal: ann}) {
			t.Errorf("answered %s at %d", firstError(got), got.Position)
		}
	})

	t.Run("a mutation that nobody knows the end of may be one", func(t *testing.T) {
		caughtUp(t)
		conn, err := c.owner.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		if _, err := conn.Exec(t.Context(), "select pg_advisory_lock(42)"); err != nil {
			t.Fatal(err)
		}
		eve := as("member", "eve")
		done := make(chan transport.Response, 1)
		go func() {
			done <- s.Execute(t.Context(), transport.Request{Principal: eve, Query: `mutation { late(i: 1, b: "lost") { body } }`})
		}()
		wait(t, func() bool { return running(t, []*pgxpool.Pool{c.owner}, "%late%") > 0 })
		if _, err := conn.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where query like '%late%' and pid <> pg_backend_pid()"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "select pg_advisory_unlock(42)"); err != nil {
			t.Fatal(err)
		}
		if got := <-done; got.Position != postgres.Nowhere || from(t, s, transport.Request{Principal: eve}) || !from(t, s, transport.Request{Principal: bob}) {
			t.Errorf("answered %s at %d", firstError(got), got.Position)
		}
	})

	t.Run("without replicas nothing says where it is", func(t *testing.T) {
		alone := c.serve(t, quiet)
		if got, _ := told(t, alone, transport.Request{Principal: ann, Query: `mutation { updateItem(id: 1, set: {body: "fourth"}) { body } }`}); got.Position != 0 {
			t.Errorf("it is at %d", got.Position)
		}
	})

	t.Run("what the schema was made of is there", func(t *testing.T) {
		caughtUp(t)
		resume := c.pause(t)
		exec(t, c.owner, `alter table item add column extra int not null default 7; create or replace view greeting as select 'new' as text;
			create policy nobody on own as restrictive to member using (false)`)
		if err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, said := told(t, s, transport.Request{Principal: bob, Query: "{ greetings { text } owns { body } " + server + "}"}) // a replica would not fail
		if said.Greetings[0].Text != "new" || len(said.Owns) > 0 || said.Servers[0].Replica {
			t.Errorf("answered %s", got.Data)
		}
		if got, _ := told(t, s, transport.Request{Principal: bob, Query: "{ items { extra } }"}); !strings.Contains(string(got.Data), `"extra":7`) {
			t.Errorf("answered %s", got.Data)
		}
		resume()
		exec(t, c.owner, `drop policy nobody on own`)
		if err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		caughtUp(t)
		resume = c.pause(t)
		exec(t, c.owner, `alter table item drop column extra`) // of which the replicas know nothing, and neither does the schema
		reads(t, s, transport.Request{Principal: bob}, "fourth", true)
		if got := s.Execute(t.Context(), transport.Request{Principal: bob, Version: transport.Version{At: 1 << 60}, Query: "{ items { extra } }"}); !got.Outdated {
			t.Errorf("the primary answered %s %s", got.Data, firstError(got))
		}
		resume()
		if err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := other.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("a policy that was made just now holds", func(t *testing.T) {
		caughtUp(t)
		s := serveAt(t, quiet, api(c.primary), 50*time.Millisecond, c.replicas(t)...) // it looks by itself
		wait(t, func() bool { return from(t, s, transport.Request{Principal: bob}) })
		resume := c.pause(t)
		exec(t, c.owner, `create policy nobody on own as restrictive to member using (false)`)
		wait(t, func() bool {
			_, said := told(t, s, transport.Request{Principal: bob, Query: "{ owns { body } " + server + "}"})
			return len(said.Owns) == 0 && !said.Servers[0].Replica
		})
		resume()
		exec(t, c.owner, `drop policy nobody on own`)
		for _, pool := range c.replays {
			wait(t, func() bool {
				var policies int
				err := pool.QueryRow(t.Context(), "select count(*) from pg_policy where polname = 'nobody'").Scan(&policies)
				return err == nil && policies == 0
			})
		}
	})

	t.Run("policies see the claims", func(t *testing.T) {
		caughtUp(t)
		for _, who := range []*httpapi.Principal{ann, bob} {
			for _, query := range []string{"{ owns { body }" + server + "}", "{ owns { body }" + server + "ownsConnection { totalCount } }"} {
				if _, said := told(t, s, transport.Request{Principal: who, Query: query}); len(said.Owns) != 1 || said.Owns[0].Body != "of "+who.Subject || !said.Servers[0].Replica {
					t.Errorf("%s reads %+v", who.Subject, said)
				}
			}
		}
	})

	t.Run("what replicas do not have", func(t *testing.T) {
		caughtUp(t)
		for range 3 {
			if got, said := told(t, s, transport.Request{Principal: ann, Query: "{ passings { body }" + server + "}"}); said.Servers[0].Replica || !strings.Contains(string(got.Data), "here") {
				t.Errorf("answered %s", got.Data)
			}
		}
	})

	t.Run("what fails for the values of one request", func(t *testing.T) {
		caughtUp(t)
		risky := func(n int) (replica, failed bool) {
			t.Helper()
			got := s.Execute(t.Context(), transport.Request{Principal: ann, Query: "query($n: Int!) { risky(n: $n) }", Variables: map[string]any{"n": json.Number(strconv.Itoa(n))}})
			return string(got.Data) == `{"risky":true}`, len(got.Errors) > 0
		}
		for range 3 {
			if replica, failed := risky(1); !replica || failed {
				t.Fatal("a replica does not answer")
			}
			if _, failed := risky(-1); !failed {
				t.Fatal("it did not fail")
			}
		}
	})

	t.Run("large answers", func(t *testing.T) {
		caughtUp(t)
		for range 3 {
			got := s.Execute(t.Context(), transport.Request{Principal: ann, Open: true, Query: "{ larges(limit: 900) { id body } }"})
			size := len(got.Data)
			for got.Stream != nil {
				part, err := got.Stream.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if size += len(part); part == nil {
					got.Stream.Close()
					break
				}
			}
			if size < 2_700_000 {
				t.Errorf("an answer of %d bytes: %s", size, firstError(got))
			}
		}
	})

	t.Run("a conflict with what is replayed", func(t *testing.T) {
		caughtUp(t)
		for _, pool := range c.replays {
			exec(t, pool, "alter system set max_standby_streaming_delay = 0")
			exec(t, pool, "select pg_reload_conf()")
		}
		answered := make(chan says, 1)
		go func() {
			_, said := told(t, s, transport.Request{Principal: bob, Query: "{ slows { id slept }" + server + "}"})
			answered <- said
		}()
		wait(t, func() bool { return running(t, c.replays, "%slow%") > 0 })
		exec(t, c.owner, "begin; lock table item in access exclusive mode; insert into item values (2, 'x'); delete from item where id = 2; commit")
		if said := <-answered; said.Servers[0].Replica {
			t.Error("a replica has answered after all")
		}
	})

	t.Run("the commit counts", func(t *testing.T) { // a replica that has all of a change but its commit has not got there
		caughtUp(t)
		conn, err := c.owner.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		if _, err := conn.Exec(t.Context(), "select pg_advisory_lock(42)"); err != nil {
			t.Fatal(err)
		}
		done := make(chan transport.Response, 1)
		go func() {
			done <- s.Execute(t.Context(), transport.Request{Principal: ann, Query: `mutation { late(i: 1, b: "late") { body } }`})
		}()
		wait(t, func() bool { return running(t, []*pgxpool.Pool{c.owner}, "%late%") > 0 })
		exec(t, c.owner, "insert into item values (3, 'x')") // which puts on the disk what is before it
		exec(t, c.owner, "delete from item where id = 3")
		caught := func() bool {
			primary, err := postgres.Stand(t.Context(), c.owner)
			for _, pool := range c.replays {
				stands, failed := postgres.Stand(t.Context(), pool)
				if err != nil || failed != nil || stands.Position < primary.Flushed {
					return false
				}
			}
			return primary.Flushed == primary.Position
		}
		wait(t, caught)
		resume := c.pause(t)
		if _, err := conn.Exec(t.Context(), "select pg_advisory_unlock(42)"); err != nil {
			t.Fatal(err)
		}
		if got := <-done; len(got.Errors) > 0 {
			t.Fatal(firstError(got))
		}
		for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); <-time.After(10 * time.Millisecond) {
			reads(t, s, transport.Request{Principal: ann}, "late", false)
		}
		reads(t, s, transport.Request{Principal: bob}, "fourth", true)
		resume()
		write(t, s, ann, "fourth")
	})

	t.Run("several servers behind one address", func(t *testing.T) {
		caughtUp(t)
		// The connection that asks where it is goes to the first standby, and those of requests to the other one.
		address := forward(t, c.standbys[0].Port, c.standbys[1].Port)
		s := c.serve(t, quiet, graphql.Replica{Name: "both", Pool: poolOf(t, address), Weight: 1})
		port := func(r transport.Request) int {
			r.Query = "{" + server + "}"
			_, said := told(t, s, r)
			return said.Servers[0].Port
		}
		wait(t, func() bool { return port(transport.Request{Principal: ann}) == c.standbys[1].Port })
		exec(t, c.replays[1], "select pg_wal_replay_pause()")
		write(t, other, bob, "fifth")
		write(t, s, ann, "sixth")
		for until := time.Now().Add(time.Second); time.Now().Before(until); <-time.After(10 * time.Millisecond) {
			reads(t, s, transport.Request{Principal: ann}, "sixth", false)
			reads(t, s, transport.Request{Principal: as("member", "carl")}, "fourth", true)
		}
		exec(t, c.replays[1], "select pg_wal_replay_resume()")
		wait(t, func() bool { return port(transport.Request{Principal: ann}) == c.standbys[1].Port })
		reads(t, s, transport.Request{Principal: ann}, "sixth", true)
	})

	t.Run("everybody reads what it wrote, all the time", func(t *testing.T) {
		caughtUp(t)
		exec(t, c.owner, "insert into item select i, '0' from generate_series(100, 107) i")
		var replicas, primary atomic.Int64
		var writing sync.WaitGroup
		for i := 100; i < 108; i++ {
			writing.Go(func() {
				who := as("member", "writer "+strconv.Itoa(i))
				for n := range 40 {
					got := s.Execute(t.Context(), transport.Request{Principal: who, Query: fmt.Sprintf(`mutation { updateItem(id: %d, set: {body: "%d"}) { body } }`, i, n)})
					if len(got.Errors) > 0 {
						t.Error(firstError(got))
						return
					}
					for range 8 {
						got := s.Execute(t.Context(), transport.Request{Principal: who, Query: fmt.Sprintf(`{ item(id: %d) { body } servers { replica } }`, i)})
						want := fmt.Sprintf(`{"item":{"body":"%d"},"servers":[{"replica":`, n)
						if !bytes.HasPrefix(got.Data, []byte(want)) {
							t.Errorf("%s, want %s", got.Data, want)
						}
						if bytes.HasSuffix(got.Data, []byte(`true}]}`)) {
							replicas.Add(1)
						} else {
							primary.Add(1)
						}
						<-time.After(10 * time.Millisecond)
					}
				}
			})
		}
		writing.Wait()
		t.Logf("%d reads of replicas, %d of the primary", replicas.Load(), primary.Load())
		if replicas.Load() == 0 {
			t.Error("no replica was asked")
		}
	})

	t.Run("replicas that go", func(t *testing.T) {
		caughtUp(t)
		ctx, stop := context.WithCancel(t.Context())
		var reading sync.WaitGroup
		var answered, replicas atomic.Int64
		for range 4 {
			reading.Go(func() {
				for ctx.Err() == nil {
					got := s.Execute(t.Context(), transport.Request{Principal: bob, Query: "{ servers { replica } item(id: 1) { body } }"})
					if len(got.Errors) > 0 {
						t.Errorf("a read failed: %s", firstError(got))
						stop()
					}
					answered.Add(1)
					if bytes.Contains(got.Data, []byte("true")) {
						replicas.Add(1)
					}
				}
			})
		}
		more := func(counter *atomic.Int64, n int64) {
			t.Helper()
			before := counter.Load()
			wait(t, func() bool { return counter.Load() > before+n || ctx.Err() != nil })
		}
		more(&replicas, 200)
		kill(t, c.standbys[0])
		more(&answered, 200)
		if err := c.standbys[1].Stop(t.Context()); err != nil {
			t.Error(err)
		}
		more(&answered, 200)
		more(&replicas, 200) // the first one is back
		if err := c.standbys[0].Stop(t.Context()); err != nil {
			t.Error(err)
		}
		more(&answered, 200)
		wait(t, func() bool { return !from(t, s, transport.Request{Principal: bob}) })
		stop()
		reading.Wait()
		t.Logf("%d reads, %d of replicas", answered.Load(), replicas.Load())
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("without replicas it is not ready: %v", err)
		}
	})
}

// running counts statements that run on servers.
func running(t *testing.T, pools []*pgxpool.Pool, like string) (count int) {
	t.Helper()
	for _, pool := range pools {
		var n int
		if err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()", like).Scan(&n); err != nil {
			t.Fatal(err)
		}
		count += n
	}
	return count
}

// forward gives the address of a line whose first connection goes to one port, and all others to another.
func forward(t *testing.T, first, others int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var lines sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); lines.Wait() })
	lines.Go(func() {
		for to := first; ; to = others {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(to)))
			if err != nil {
				_ = in.Close()
				continue
			}
			lines.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
			lines.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		}
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "postgres://api:api@127.0.0.1:" + port + "/" + embedded.Database + "?sslmode=disable"
}

// kill ends a server as a crash does; its keeper starts it anew.
func kill(t *testing.T, c *embedded.Cluster) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestServersThatAreNoReplicas get no queries.
func TestServersThatAreNoReplicas(t *testing.T) {
	t.Parallel()
	c := newCopies(t, 1)
	exec(t, c.owner, "create database another")
	elsewhere := poolOf(t, pgtest.Database(t))
	exec(t, c.replays[0], "select 1")
	another := strings.TrimSuffix(api(c.standbys[0]), embedded.Database) + "another"
	var lock sync.Mutex
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(locked{&lock, &text}, nil))
	read := func() string { lock.Lock(); defer lock.Unlock(); return text.String() }
	good := graphql.Replica{Name: "good", Pool: poolOf(t, api(c.standbys[0])), Weight: 1, MaxLag: 3 * time.Second}
	s := c.serve(
		t, log, good,
		graphql.Replica{Name: "elsewhere", Pool: elsewhere, Weight: 1},
		graphql.Replica{Name: "another", Pool: poolOf(t, another), Weight: 1},
		graphql.Replica{Name: "itself", Pool: poolOf(t, api(c.primary)), Weight: 1},
		graphql.Replica{Name: "nothing", Pool: poolOf(t, "postgres://api:api@127.0.0.1:1/fraiseql"), Weight: 1},
		graphql.Replica{Name: "idle", Pool: poolOf(t, api(c.standbys[0]))},
	)
	wait(t, func() bool { return strings.Count(read(), "replica=") >= 6 })
	for _, want := range []string{
		`a replica gets queries" replica=good`, `replica=elsewhere error="it holds the data of another cluster`,
		`replica=another error="it is another database of the cluster`, `replica=itself error="it is no standby`,
		`replica=nothing error="the database cannot be reached`,
	} {
		if !strings.Contains(read(), want) {
			t.Errorf("the log has no %s", want)
		}
	}
	bob := transport.Request{Principal: as("member", "bob")}
	for range 50 {
		wait(t, func() bool { // the primary answers while a look takes long, but no other
			_, said := told(t, s, transport.Request{Principal: bob.Principal, Query: "{ " + server + "}"})
			if port := said.Servers[0].Port; port != c.standbys[0].Port && port != c.primary.Port {
				t.Fatal("another one than the replica answered")
			}
			return said.Servers[0].Replica
		})
	}
	resume := c.pause(t)
	for until := time.Now().Add(20 * time.Second); from(t, s, bob); <-time.After(50 * time.Millisecond) {
		exec(t, c.owner, "update item set body = body")
		if time.Now().After(until) {
			t.Fatal("a replica that is far behind is asked")
		}
	}
	if !strings.Contains(read(), `replica=good error="it is more than max_lag`) {
		t.Error("nothing tells of it")
	}
	resume()
	wait(t, func() bool { return from(t, s, bob) })
	last := map[string]string{}
	for line := range strings.Lines(read()) {
		if _, said, told := strings.Cut(line, " level="); told && strings.Contains(said, "replica=") {
			_, name, _ := strings.Cut(said, "replica=")
			name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
			if last[name] == said {
				t.Errorf("this was said again: %s", said)
			}
			last[name] = said
		}
	}
}
