package graphql_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// live is a service that tells of changes, behind HTTP.
type live struct {
	service *graphql.Service
	owner   *pgxpool.Pool
	url     string
	stop    func() // as at the end of a server
	again   func(t *testing.T) *live
}

// lively gives a service over a fresh database, with all tables captured. Where the script has roles (member_DB, guest_DB), requests
// run as them: who asks is said by a header, or by the token of a WebSocket, as "role:subject".
func lively(t *testing.T, c graphql.Config, script string) *live {
	t.Helper()
	return livelyAt(t, c, time.Hour, script)
}

// livelyAt is lively where the schema is looked at every so often.
func livelyAt(t *testing.T, c graphql.Config, interval time.Duration, script string) *live {
	t.Helper()
	return livelyBy(t, c, interval, script, nil)
}

// livelyBy is livelyAt where the service has connections of its own.
func livelyBy(t *testing.T, c graphql.Config, interval time.Duration, script string, connect func(address string) *pgxpool.Pool) *live {
	t.Helper()
	owner, err := postgres.Connect(t.Context(), pgtest.System(t), postgres.PoolOptions{Size: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.Close)
	name := owner.Config().ConnConfig.Database
	in := func(text string) string { return strings.ReplaceAll(text, "_DB", "_"+name) }
	pool := owner
	if strings.Contains(script, "_DB") {
		exec(t, owner, in(`create role member_DB nologin; create role guest_DB nologin; create role api_DB login noinherit password 'api'; grant member_DB, guest_DB to api_DB`))
		t.Cleanup(func() {
			if _, err := owner.Exec(context.Background(), in(`drop owned by member_DB, guest_DB, api_DB; drop role member_DB, guest_DB, api_DB`)); err != nil {
				t.Error(err)
			}
		})
		c.Roles = map[string]graphql.Role{"member": {Role: in("member_DB")}, "guest": {Role: in("guest_DB")}}
		config := owner.Config().ConnConfig
		if pool, err = postgres.Connect(t.Context(), "postgres://"+in("api_DB")+":api@"+net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))+"/"+name, postgres.PoolOptions{Size: 2}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
	}
	feeds := owner
	if connect != nil {
		pool = connect(owner.Config().ConnString())
		feeds = pool
	}
	exec(t, owner, in(script))
	if c.Subscriptions == nil {
		s := subscriptions("*")
		c.Subscriptions = &s
	}
	var start func(t *testing.T) *live
	start = func(t *testing.T) *live {
		t.Helper()
		feed := &graphql.Feed{Pool: feeds, IdleMax: 20 * time.Millisecond, Kept: 7 * 24 * time.Hour, Verify: verify, Origins: []string{"https://*.example.com"}}
		s := graphql.New(c, graphql.Deps{Pool: pool, Schemas: []string{"public"}, Dev: true, Log: quiet, Feed: feed, Interval: interval, Unnamed: connect != nil})
		if err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		return &live{service: s, owner: owner, again: start}
	}
	l := start(t)
	capture(t, l)
	if err := l.service.Load(t.Context()); err != nil { // triggers are new
		t.Fatal(err)
	}
	l.serve(t)
	return l
}

func subscriptions(entities ...string) graphql.Subscriptions {
	return graphql.Subscriptions{
		Entities: entities, MaxConnections: 100, MaxPerConnection: 5, Buffer: 1 << 20, KnownRows: 1000, KeepAlive: time.Second, InitTimeout: 20 * time.Second,
	}
}

// in puts the names of the roles of this database in.
func (l *live) in(script string) string {
	return strings.ReplaceAll(script, "_DB", "_"+l.owner.Config().ConnConfig.Database)
}

// capture has the changes of all tables kept that can be subscribed to.
func capture(t *testing.T, l *live) {
	t.Helper()
	store := &events.Store{Pool: l.owner}
	tables, _ := l.service.Interests()
	var all []events.Interest
	for _, table := range tables {
		all = append(all, interest(table))
	}
	if err := store.Declare(t.Context(), nil, []string{"subscriptions"}, all); err != nil {
		t.Fatal(err)
	}
	drift, err := store.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.owner.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := events.Install(t.Context(), conn.Conn(), drift); err != nil {
		t.Fatal(err)
	}
}

func interest(t *catalog.Table) events.Interest {
	return events.Interest{
		Relation: events.Relation{Schema: t.Schema, Table: t.Name}, Entity: t.Name, Consumer: "subscriptions",
		Ops: events.SetOf(events.Insert, events.Update, events.Delete, events.Truncate),
	}
}

// serve begins to answer, until the test ends or stop is called.
func (l *live) serve(t *testing.T) {
	t.Helper()
	mux := http.NewServeMux()
	l.service.Routes(mux)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who, err := verify(r.Context(), r.Header.Get("Test-Who")); err == nil {
			r = r.WithContext(httpapi.WithPrincipal(r.Context(), who))
		}
		mux.ServeHTTP(w, r)
	}))
	l.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = l.service.Run(ctx) })
	l.stop = sync.OnceFunc(func() {
		l.service.Leave()
		cancel()
		running.Wait()
		server.Close()
		l.service.Close()
	})
	t.Cleanup(l.stop)
	wait(t, func() bool { // until it can be subscribed to
		return l.stream(t, "", `{ __typename }`, "").status != http.StatusServiceUnavailable
	})
}

// restart ends the server and begins another one on the same database.
func (l *live) restart(t *testing.T) *live {
	t.Helper()
	l.stop()
	next := l.again(t)
	next.serve(t)
	return next
}

// verify reads tokens of tests: role:subject, and how long it holds.
func verify(_ context.Context, token string) (*httpapi.Principal, error) {
	parts := strings.Split(token, ":")
	if len(parts) < 2 {
		return nil, errors.New("it is no token")
	}
	p := as(parts[0], parts[1])
	if len(parts) == 3 {
		holds, err := time.ParseDuration(parts[2])
		if err != nil {
			return nil, err
		}
		p.Until = time.Now().Add(holds)
	}
	return p, nil
}

// stream is a client of server-sent events.
type stream struct {
	t      *testing.T
	status int
	body   string // of what is no stream
	read   *bufio.Scanner
	id     string
	cancel context.CancelFunc
}

// stream subscribes as somebody, and waits until the stream has begun.
func (l *live) stream(t *testing.T, who, query, resume string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream", "Test-Who": who, "Last-Event-ID": resume} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	s := &stream{t: t, status: response.StatusCode, read: bufio.NewScanner(response.Body), cancel: cancel}
	s.read.Buffer(nil, 16<<20)
	if response.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		for s.read.Scan() {
			s.body += s.read.Text()
		}
		return s
	}
	s.read.Scan() // where it begins, or a comment
	s.id, _ = strings.CutPrefix(s.read.Text(), "id: ")
	return s
}

// next gives the next payload; "complete", or "cut" where the stream ends without.
func (s *stream) next() string {
	s.t.Helper()
	event, data := "", ""
	for s.read.Scan() {
		name, value, _ := strings.Cut(s.read.Text(), ": ")
		switch name {
		case "id":
			s.id = value
		case "event":
			event = value
		case "data":
			data = value
		case "":
			if event == "complete" {
				return event
			}
			if event != "" {
				return data
			}
		}
	}
	return "cut"
}

// expect reads payloads, each of which is to be as it is said: of a subscription called c that asks for key, op and row.
func (s *stream) expect(want ...string) {
	s.t.Helper()
	for _, w := range want {
		got := s.next()
		if strings.HasPrefix(got, `{"data":{"c":`) {
			got = got[len(`{"data":{"c":`) : len(got)-2]
		}
		if got != w {
			s.t.Errorf("it was told\n%s, want\n%s", got, w)
		}
	}
}

// socket opens a WebSocket and says hello.
func (l *live) socket(t *testing.T, who string) *websocket.Conn {
	t.Helper()
	conn := l.dial(t, nil)
	payload := map[string]any{}
	if who != "" {
		payload["Authorization"] = "Bearer " + who
	}
	say(t, conn, map[string]any{"type": "connection_init", "payload": payload})
	hear(t, conn, `{"type":"connection_ack"}`)
	return conn
}

func (l *live) dial(t *testing.T, header http.Header) *websocket.Conn {
	t.Helper()
	conn, response, err := websocket.Dial(t.Context(), l.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body
	conn.SetReadLimit(16 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func say(t *testing.T, conn *websocket.Conn, message any) {
	t.Helper()
	text, isText := message.(string)
	if !isText {
		b, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T, conn *websocket.Conn) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, text, err := conn.Read(ctx)
	return string(text), err
}

func hear(t *testing.T, conn *websocket.Conn, want ...string) {
	t.Helper()
	for _, w := range want {
		if got, err := listen(t, conn); err != nil || got != w {
			t.Fatalf("it heard %s %v, want %s", got, err, w)
		}
	}
}

// closed reads until the socket closes, and gives the code.
func closed(t *testing.T, conn *websocket.Conn) websocket.StatusCode {
	t.Helper()
	for {
		if _, err := listen(t, conn); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}
