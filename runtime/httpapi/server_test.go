package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a server that runs, with a handler for each thing that can happen to a request.
type site struct {
	url  string
	log  *lockedBuffer
	stop func() error // drains and gives how it ended

	entered chan struct{} // a request has come to /slow
	release chan struct{} // /slow answers when it closes
}

type lockedBuffer struct {
	mu    sync.Mutex // guards what follows
	text  bytes.Buffer
	words string
	gate  chan struct{}
}

// hold has whoever writes a line with some words wait there until it is released.
func (b *lockedBuffer) hold(words string) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	gate := make(chan struct{})
	b.words, b.gate = words, gate
	return sync.OnceFunc(func() { close(gate) })
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	gate := b.gate
	if gate != nil && !bytes.Contains(p, []byte(b.words)) {
		gate = nil
	}
	n, err := b.text.Write(p)
	b.mu.Unlock()
	if gate != nil {
		<-gate
	}
	return n, err
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

type table struct {
	Server    httpapi.Config    `toml:"server"`
	Lifecycle httpapi.Lifecycle `toml:"lifecycle"`
}

// serve runs a server with what is configured; the defaults are those of the program.
func serve(t *testing.T, flags map[string]string, checks ...httpapi.Check) *site {
	t.Helper()
	return serveRoutes(t, flags, nil, checks...)
}

// serveRoutes has routes of a test's own besides.
func serveRoutes(t *testing.T, flags map[string]string, routes map[string]http.HandlerFunc, checks ...httpapi.Check) *site {
	t.Helper()
	all := map[string]string{"server.port": "0", "lifecycle.shutdown_delay": "0s"}
	for key, value := range flags {
		all[key] = value
	}
	var c table
	if _, problems := config.Load(&c, config.Options{Flags: all}); problems.HasErrors() {
		t.Fatal(problems)
	}
	s := &site{log: &lockedBuffer{}, entered: make(chan struct{}, 10), release: make(chan struct{})}
	mux := http.NewServeMux()
	for pattern, handler := range routes {
		mux.HandleFunc(pattern, handler)
	}
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.entered <- struct{}{}
		select {
		case <-s.release:
			_, _ = io.WriteString(w, "done")
		case <-r.Context().Done():
			httpapi.WriteProblem(w, r, fault.New(fault.Timeout, "slow/timeout", "it took too long"))
		}
	})
	mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("DELETE /orders/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("a defect") })
	mux.HandleFunc("/internal", func(w http.ResponseWriter, r *http.Request) {
		httpapi.WriteProblem(w, r, errors.New("pq: password of db.internal is wrong"))
	})
	mux.HandleFunc("/invalid", func(w http.ResponseWriter, r *http.Request) {
		httpapi.WriteProblem(w, r, fault.Wrap(fault.Invalid, "thing/bad", "the thing is bad", errors.New("hidden")).WithHint("send a good one"))
	})
	server := httpapi.New(c.Server, c.Lifecycle, httpapi.NewHealth(checks...), slog.New(slog.NewTextHandler(s.log, nil)), mux)
	if err := server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.url = server.URL()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = s.stop() })
	return s
}

func do(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestProblemsAreToldAsRFC9457Says(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for path, want := range map[string]map[string]any{
		"/nowhere":  {"status": 404.0, "title": "Not Found", "code": "server/no-route", "detail": "there is nothing at /nowhere"},
		"/invalid":  {"status": 400.0, "title": "Bad Request", "code": "thing/bad", "detail": "the thing is bad", "hint": "send a good one"},
		"/internal": {"status": 500.0, "title": "Internal Server Error", "code": "internal"},
		"/panic":    {"status": 500.0, "title": "Internal Server Error", "code": "internal"},
	} {
		response, body := do(t, "GET", s.url+path, "X-Request-Id", "from-the-proxy.1")
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v: %s", path, err, body)
		}
		want["type"], want["request_id"] = "about:blank", "from-the-proxy.1"
		for key := range want {
			if got[key] != want[key] {
				t.Errorf("%s: %s is %v, want %v", path, key, got[key], want[key])
			}
		}
		if len(got) > len(want)+1 || strings.Contains(body, "hidden") || strings.Contains(body, "db.internal") || strings.Contains(body, "defect") {
			t.Errorf("%s tells too much: %s", path, body)
		}
		if response.Header.Get("Content-Type") != "application/problem+json" || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, response.Header)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "a defect") || !strings.Contains(log, "from-the-proxy.1") || !strings.Contains(log, "server_test.go") {
		t.Errorf("the log does not tell of the panic: %s", log)
	}
}

func TestAWrongMethodIsToldTheRightOnes(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for path, want := range map[string]string{"/ready": "GET, HEAD", "/health": "GET, HEAD", "/orders/1": "GET, HEAD, DELETE", "/nowhere": ""} {
		response, body := do(t, "POST", s.url+path)
		status := 405
		if want == "" {
			status = 404
		}
		if got := response.Header.Get("Allow"); response.StatusCode != status || got != want || !strings.Contains(body, path) {
			t.Errorf("%s: %d, Allow %q: %s", path, response.StatusCode, got, body)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	seen := map[string]bool{}
	for _, given := range []string{"", "two words", strings.Repeat("x", 65), "a\"b", "trace-1"} {
		response, _ := do(t, "GET", s.url+"/health", "X-Request-Id", given)
		id := response.Header.Get("X-Request-Id")
		if seen[id] || len(id) < 7 || (id == given) != (given == "trace-1") {
			t.Errorf("%q was given, %q came back", given, id)
		}
		seen[id] = true
	}
}

func TestABusyServerIsAliveAndSaysSo(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"server.limits.max_concurrent_requests": "1"})
	var first sync.WaitGroup
	first.Go(func() {
		if _, body := do(t, "GET", s.url+"/slow"); body != "done" {
			t.Errorf("the request that was at work got %q", body)
		}
	})
	<-s.entered
	response, body := do(t, "GET", s.url+"/slow")
	if response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" || !strings.Contains(body, "server/busy") {
		t.Errorf("one too many got %d %s", response.StatusCode, body)
	}
	if response, _ := do(t, "GET", s.url+"/health"); response.StatusCode != 200 {
		t.Errorf("/health answers %d", response.StatusCode)
	}
	close(s.release)
	first.Wait()
}

func TestARequestHasItsTime(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"server.limits.request_timeout": "100ms"})
	if response, body := do(t, "GET", s.url+"/slow"); response.StatusCode != 504 || !strings.Contains(body, "slow/timeout") {
		t.Errorf("answered %d %s", response.StatusCode, body)
	}
}

func TestAClientThatSendsNoHeadersIsLeft(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"server.limits.header_timeout": "100ms"})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /health HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || strings.Contains(string(text), "200 OK") {
		t.Errorf("the connection stayed open: %q %v", text, err)
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	s := serve(t, map[string]string{"lifecycle.health_path": "/livez"}, httpapi.Check{Name: "database", Run: func(context.Context) error {
		if down.Load() {
			return fault.Wrap(fault.Unavailable, "x/down", "the database cannot be reached", errors.New("dial db.internal"))
		}
		return nil
	}})
	expect := func(moment string, want map[string]int) {
		t.Helper()
		for path, status := range want {
			response, body := do(t, "GET", s.url+path)
			if response.StatusCode != status || strings.Contains(body, "db.internal") {
				t.Errorf("%s: %s answers %d %s, want %d", moment, path, response.StatusCode, body, status)
			}
			if path == "/ready" && moment == "before the database" && !strings.Contains(body, `"database":"the database cannot be reached"`) {
				t.Errorf("%s: %s", moment, body)
			}
		}
	}
	expect("before the database", map[string]int{"/livez": 200, "/startup": 503, "/ready": 503, "/readiness": 503, "/health": 404})
	down.Store(false)
	expect("with it", map[string]int{"/livez": 200, "/startup": 200, "/ready": 200, "/readiness": 200})
	down.Store(true)
	expect("when it went", map[string]int{"/livez": 200, "/startup": 200, "/ready": 503})
}

func TestDrainingFinishesWhatIsAtWork(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"lifecycle.shutdown_delay": "300ms"})
	begin := s.log.hold("msg=draining") // the delay, which a slow machine may be late for
	t.Cleanup(begin)
	if response, _ := do(t, "GET", s.url+"/ready"); response.StatusCode != 200 {
		t.Fatalf("/ready answers %d", response.StatusCode)
	}
	var at sync.WaitGroup
	at.Go(func() {
		if _, body := do(t, "GET", s.url+"/slow"); body != "done" {
			t.Errorf("the request that was at work got %q", body)
		}
	})
	<-s.entered
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	for deadline := time.Now().Add(20 * time.Second); ; { // until the load balancer would look away
		response, body := do(t, "GET", s.url+"/ready")
		if response.StatusCode == 503 && strings.Contains(body, "draining") && response.Close {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("/ready still answers %d %s", response.StatusCode, body)
		}
	}
	begin()
	for { // until the listener is closed
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	close(s.release)
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	at.Wait()
}

func TestDrainingIsCutShortAndSaysSo(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"lifecycle.shutdown_timeout": "200ms"})
	var at sync.WaitGroup
	at.Go(func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		if response, err := client.Get(s.url + "/slow"); err == nil {
			_ = response.Body.Close()
		}
	})
	<-s.entered
	if err := s.stop(); fault.KindOf(err) != fault.ActionNeeded {
		t.Errorf("it ended with %v", err)
	}
	at.Wait()
}
