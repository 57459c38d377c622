package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/migrations"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/graphql/watch"
)

const unindexed = `
	create table writer (id int primary key, name text not null, email varchar(80), born date);
	create table work (id int primary key, writer_id int not null references writer, title text not null, made timestamptz, data jsonb);
	create table sorted (id int primary key, at timestamptz);
	create index on sorted (at desc, id desc);
	create index on work using brin (made, id); -- it has no order
	insert into writer select n, 'W' || n, n || '@example.com', '1900-01-01'::date + n from generate_series(1, 20000) n;
	insert into work select n, 1 + n % 20000, 'T' || n, now() + n * '1 s'::interval, jsonb_build_object('isbn', n) from generate_series(1, 30000) n;
	insert into sorted select n, now() + n * '1 s'::interval from generate_series(1, 20000) n;
	create view mine as select id from work where writer_id::text = current_setting('server_version_num');
	analyze writer; analyze work; analyze sorted;`

// found runs a request until it is one that is looked at, and gives what was kept of it. A look that PostgreSQL is late for is
// none: a document that differs in its spaces has a plan of its own, which is looked at as well.
func found(t *testing.T, s *graphql.Service, query string, times int) []watch.Note {
	t.Helper()
	for range 5 {
		for range times {
			if got := s.Execute(t.Context(), transport.Request{Query: query, Client: "10.0.0.1"}); len(got.Errors) > 0 {
				t.Fatalf("%s: %s", query, firstError(got))
			}
		}
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until); <-time.After(10 * time.Millisecond) {
			if notes, none, err := s.Findings(t.Context()); err != nil || none {
				t.Fatal(err, none)
			} else if len(notes) > 0 {
				return notes
			}
		}
		query += " "
	}
	return nil
}

func openWatched(t *testing.T, script string) (*graphql.Service, *pgxpool.Pool, func() string) {
	t.Helper()
	var log bytes.Buffer
	var lock sync.Mutex
	up, err := migrations.Files.ReadFile("00003_findings.sql")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(up), "-- +goose Down")
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{
		Interval: 10 * time.Millisecond, Log: slog.New(slog.NewTextHandler(locked{&lock, &log}, nil)),
	}, sql(t, "create schema _system; "+table+script))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return s, pool, func() string { lock.Lock(); defer lock.Unlock(); return log.String() }
}

// TestSlowPlansAreFound runs statements that read whole tables, and some that look alike and do not.
func TestSlowPlansAreFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, query, kind, subject, fix string }{
		{"relation", `{ writers(limit: 50) { id works(limit: 3) { title } } }`, watch.NestedLoop, "public.work (writer_id)", "create index concurrently on \"public\".\"work\" (writer_id);"},
		{"computed of a relation", `{ writers(limit: 50) { id worksAggregate { count } } }`, watch.NestedLoop, "public.work (writer_id)", "create index concurrently on \"public\".\"work\" (writer_id);"},
		{"condition", `{ writers(where: {email: {eq: "17@example.com"}}) { id } }`, watch.NoIndex, "public.writer (email)", "create index concurrently on \"public\".\"writer\" (email);"},
		{"two conditions", `{ writers(where: {name: {eq: "it's AND (\"x\" = 'y')"}, born: {gt: "1901-01-01", eq: "1901-01-02"}}) { id } }`, watch.NoIndex, "public.writer (name, born)", "create index concurrently on \"public\".\"writer\" (name, born);"},
		{"in", `{ writers(where: {name: {in: ["W1", "W2"]}}) { id } }`, watch.NoIndex, "public.writer (name)", "create index concurrently on \"public\".\"writer\" (name);"},
		{"order", `{ works(orderBy: [{made: DESC}], limit: 5) { id } }`, watch.NoIndex, "public.work (made DESC, id DESC)", "create index concurrently on \"public\".\"work\" (made DESC, id DESC);"},
		{"a cast in a view", `{ mines { id } }`, "", "", ""},
		{"key", `{ writer(id: 5) { name } }`, "", "", ""},
		{"order with an index", `{ sorteds(orderBy: [{at: ASC}], limit: 5) { id } }`, "", "", ""},
		{"all rows", `{ writersAggregate { count } }`, "", "", ""},
		{"alternatives", `{ writers(where: {_or: [{name: {eq: "W1"}}, {email: {eq: "1"}}]}) { id } }`, "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, pool, logged := openWatched(t, unindexed)
			if test.kind == "" { // nothing is found: as something else is, it would have been
				for range 16 {
					s.Execute(t.Context(), transport.Request{Query: test.query})
				}
				if list := found(t, s, `{ works(where: {title: {eq: "T1"}}) { id } }`, 16); len(list) != 1 || list[0].Subject != "public.work (title)" {
					t.Errorf("found %+v", list)
				}
				return
			}
			list := found(t, s, test.query, 16)
			if len(list) != 1 || list[0].Kind != test.kind || list[0].Subject != test.subject || list[0].Fix != test.fix {
				t.Fatalf("found %+v", list)
			}
			wait(t, func() bool { return strings.Contains(logged(), "graphql/"+test.kind) }) // it may be kept before
			if n := strings.Count(logged(), "graphql/"+test.kind); n != 1 {
				t.Errorf("it was logged %d times", n)
			}
			if strings.Contains(logged()+list[0].Message, "example.com") {
				t.Error("it tells of values")
			}
			exec(t, pool, strings.Replace(test.fix, "concurrently ", "", 1))
			if list, _, err := s.Findings(t.Context()); err != nil || len(list) > 0 {
				t.Errorf("with the index it is still found: %+v %v", list, err)
			}
		})
	}
}

// TestRequestsOneByOneAreFound has clients that could ask for all rows at once.
func TestRequestsOneByOneAreFound(t *testing.T) {
	t.Parallel()
	s, _, logged := openWatched(t, "create table writer (id int primary key, name text); create table pair (a int, b int, primary key (a, b));")
	var parts []string
	for i := range 6 {
		parts = append(parts, fmt.Sprintf("w%d: writer(id: %d) { name }", i, i))
	}
	list := found(t, s, "{"+strings.Join(parts, " ")+"}", 1)
	if len(list) != 1 || list[0].Kind != watch.Repeated || list[0].Rows != 6 || list[0].Fix != "writers(where: {id: {in: […]}}) reads them by one statement" {
		t.Fatalf("found %+v", list)
	}
	ask := func(client string, id int) {
		s.Execute(t.Context(), transport.Request{Query: `query($id: Int!) { pair(a: $id, b: 1) { a } }`, Variables: map[string]any{"id": json.Number(fmt.Sprint(id))}, Client: client})
	}
	for i := range 30 { // many clients, or the same row again and again, are no loop
		ask(fmt.Sprint("10.1.0.", i), i)
		ask("10.2.0.1", 7)
	}
	if text := logged(); strings.Contains(text, "graphql/"+watch.OneByOne) {
		t.Errorf("found %s", text)
	}
	wait(t, func() bool { // within the time: on a machine at rest the first try is
		var asking sync.WaitGroup
		for i := range 10 {
			asking.Go(func() { ask("10.0.0.9", i) })
		}
		asking.Wait()
		return strings.Contains(logged(), "graphql/"+watch.OneByOne)
	})
	wait(t, func() bool { // what is found is kept now and then
		list, _, err := s.Findings(t.Context())
		return err == nil && len(list) == 2
	})
	list, _, _ = s.Findings(t.Context())
	if list[0].Kind != watch.OneByOne || list[0].Subject != "pair" || list[0].Fix != "pairs(where: {_or: [{a: {eq: …}, b: {eq: …}}, …]}) reads them by one statement" {
		t.Errorf("found %+v", list)
	}
}
