package app_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// subscribing is a configuration on a database of its own.
type subscribing struct {
	t       *testing.T
	path    string
	address string
}

func subscribingTo(t *testing.T, text, script string) *subscribing {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fraiseql.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &subscribing{t: t, path: path, address: pgtest.System(t, script)}
}

func (p *subscribing) do(sql string) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.address)
	if err == nil {
		_, err = conn.PgConn().Exec(p.t.Context(), sql).ReadAll()
		_ = conn.Close(p.t.Context())
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// open builds the program as a command, or as a server.
func (p *subscribing) open(o app.Options) *app.App {
	p.t.Helper()
	c, _, problems := app.Load(config.Options{Path: p.path, Env: empty, Flags: map[string]string{"database.url": p.address, "server.port": "0"}, Live: true})
	if problems.HasErrors() {
		p.t.Fatal(problems)
	}
	o.Log, o.Dir = slog.New(slog.DiscardHandler), filepath.Dir(p.path)
	a, err := app.Open(p.t.Context(), c, o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { a.Close(context.WithoutCancel(p.t.Context())) })
	return a
}

const subscribable = `
[server.limits]
request_timeout = "1s"
max_concurrent_requests = 1
[server.compression]
min_size = "1B"
[lifecycle]
shutdown_delay = "0s"
[graphql.subscriptions]
entities = ["Item"]
`

// TestSubscriptionsOfAServer has one from its start to its end: triggers, what requests may take, and draining.
func TestSubscriptionsOfAServer(t *testing.T) {
	t.Parallel()
	p := subscribingTo(t, subscribable, "create table item (id int primary key, name text); create function nap() returns boolean language plpgsql stable as 'begin perform pg_sleep(10); return true; end'")
	if err := p.open(app.Options{Serve: true}).Run(t.Context(), nil); fault.CodeOf(err) != "events/not-captured" {
		t.Errorf("without triggers it ended with %v", err)
	}
	if err := p.open(app.Options{}).Capture(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := p.open(app.Options{Serve: true})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	at := make(chan string, 1)
	var running sync.WaitGroup
	var ended error
	running.Go(func() { ended = a.Run(ctx, func(url string) { at <- url }) })
	url := <-at
	ask := func(accept, query string) io.ReadCloser {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", strings.NewReader(fmt.Sprintf(`{"query": %q}`, query)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", accept)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != 200 {
			body, _ := io.ReadAll(response.Body)
			t.Fatalf("%d %s", response.StatusCode, body)
		}
		return response.Body
	}
	stream := ask("text/event-stream", "subscription { itemChanged { op item { name } } }")
	defer func() { _ = stream.Close() }()
	lines := bufio.NewScanner(stream)
	next := func() string {
		for lines.Scan() {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				return data
			}
		}
		return "cut"
	}
	<-time.After(1200 * time.Millisecond) // longer than a request may take: it has begun before
	p.do("insert into item values (1, 'a')")
	if got := next(); got != `{"data":{"itemChanged":{"op":"INSERT","item":{"name":"a"}}}}` {
		t.Fatalf("it was told %s", got)
	}
	body := ask("application/json", `mutation { updateItem(id: 1, set: {name: "b"}) { name } }`) // there is a place for it
	text, err := io.ReadAll(body)
	_ = body.Close()
	if err != nil || !bytes.Contains(text, []byte(`"b"`)) {
		t.Fatalf("%s %v", text, err)
	}
	if got := next(); got != `{"data":{"itemChanged":{"op":"UPDATE","item":{"name":"b"}}}}` {
		t.Fatalf("it was told %s", got)
	}
	// Whoever asks by a stream has the place of a request, and its time.
	watcher, err := pgx.Connect(t.Context(), p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watcher.Close(t.Context()) }()
	napping := func() (is bool) {
		t.Helper()
		if err := watcher.QueryRow(t.Context(), "select exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and wait_event = 'PgSleep')").Scan(&is); err != nil {
			t.Fatal(err)
		}
		return is
	}
	busy, got := 0, ""
	for tries := 0; busy == 0 && tries < 5; tries++ { // a machine that stalls may see no nap before it is over
		slow := make(chan string, 1)
		go func() {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", strings.NewReader(`{"query": "{ nap }"}`))
			r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				slow <- err.Error()
				return
			}
			text, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			slow <- string(text)
		}()
		for len(slow) == 0 && !napping() {
			time.Sleep(time.Millisecond)
		}
		for len(slow) == 0 {
			response, err := http.Post(url+"/graphql", "application/json", strings.NewReader(`{"query": "{ __typename }"}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode == http.StatusServiceUnavailable {
				busy++
			}
			time.Sleep(20 * time.Millisecond)
		}
		if got = <-slow; !strings.Contains(got, "TIMEOUT") {
			break
		}
	}
	if busy == 0 || !strings.Contains(got, "TIMEOUT") {
		t.Errorf("by a stream: %s; %d requests beside it were refused", got, busy)
	}
	stop()
	if got := next(); got != "cut" {
		t.Errorf("it was told %s", got)
	}
	if running.Wait(); ended != nil {
		t.Errorf("draining ended with %v", ended)
	}
	if err := os.WriteFile(p.path, []byte("[events]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.open(app.Options{}).Capture(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var left int
	if err := conn.QueryRow(t.Context(), "select count(*) from pg_trigger where tgname ~ '^fraiseql'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d triggers are left: %v", left, err)
	}
}

// TestWhatCannotBeSubscribedTo is refused by name.
func TestWhatCannotBeSubscribedTo(t *testing.T) {
	t.Parallel()
	for entities, want := range map[string]string{
		`["Nothing"]`: "subscriptions/no-entity", `["Keyless"]`: "subscriptions/no-entity", `["Seen"]`: "subscriptions/no-entity",
		`["Tagged"]`: "subscriptions/no-entity", `["Document"]`: "subscriptions/no-entity",
		`["Session"]`: "subscriptions/key-left-out", `["Item", "public.other"]`: "", `["*"]`: "", `["*", "Session"]`: "subscriptions/key-left-out",
	} {
		p := subscribingTo(t, "[graphql.subscriptions]\nentities = "+entities+"\n", `
			create table item (id int primary key); create table other (id int primary key); create table keyless (n int); create view seen as select 1 as id;
			create table session (token text primary key, at date);
			create table tagged (tags text[] primary key); create table document (body jsonb primary key);`)
		err := p.open(app.Options{}).Capture(t.Context())
		if want == "" && err != nil || want != "" && fault.CodeOf(err) != want {
			t.Errorf("%s: %v", entities, err)
		}
	}
}
