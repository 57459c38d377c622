package outbound_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

// serve starts a server and a client that may reach it.
func serve(t testing.TB, handler http.HandlerFunc) (*httptest.Server, *outbound.Client) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server, open(t, outbound.Config{}, outbound.Deps{Loopback: true})
}

// TestWhatIsSent arrives as it was given, and what was given stays as it was.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	var got atomic.Pointer[http.Request]
	var body atomic.Pointer[[]byte]
	server, c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body.Store(&text)
		got.Store(r)
	})
	given := http.Header{
		"X-A": {"1", "2"}, "Content-Type": {"application/json"},
		"Host": {"other"}, "Upgrade": {"x"}, "connection": {"x-a"}, "Content-Length": {"9"}, "Transfer-Encoding": {"chunked"}, "Te": {"x"},
	}
	want := given.Clone()
	r := c.Do(t.Context(), outbound.Request{URL: strings.Replace(server.URL, "://", "://me:se%20cret@", 1) + "/in?x=1", Header: given, Body: []byte(`{}`), Repeatable: true})
	name, password, _ := got.Load().BasicAuth()
	switch sent := got.Load(); {
	case r.Class != outbound.Delivered:
		t.Fatal(r.Err)
	case sent.Method != "POST" || sent.RequestURI != "/in?x=1" || string(*body.Load()) != "{}" || sent.ContentLength != 2:
		t.Errorf("%s %s %s", sent.Method, sent.RequestURI, *body.Load())
	case name != "me" || password != "se cret":
		t.Errorf("%s %s", name, password)
	case sent.Header.Get("User-Agent") != "fraiseql" || !slices.Equal(sent.Header["X-A"], []string{"1", "2"}) || sent.Header.Get("Content-Type") != "application/json":
		t.Errorf("%v", sent.Header)
	case !strings.HasPrefix(sent.Host, "127.0.0.1:") || sent.Header["Upgrade"] != nil || sent.Header["Connection"] != nil || sent.Header["Te"] != nil || sent.TransferEncoding != nil:
		t.Errorf("what is ours to say was taken from the header: %v", sent.Header)
	case sent.Header["Idempotency-Key"] != nil || sent.Header["Accept-Encoding"] != nil || sent.Header["Referer"] != nil:
		t.Errorf("more than was asked for: %v", sent.Header)
	}
	if len(given) != len(want) || !slices.Equal(given["X-A"], want["X-A"]) {
		t.Errorf("the header is now %v", given)
	}
	named := open(t, outbound.Config{UserAgent: "shop/1"}, outbound.Deps{Loopback: true})
	for want, header := range map[string]http.Header{"shop/1": nil, "mine": {"User-Agent": {"mine"}}} {
		if named.Do(t.Context(), outbound.Request{Method: "DELETE", URL: server.URL, Header: header}); got.Load().UserAgent() != want || got.Load().Method != "DELETE" {
			t.Errorf("%s by %s", got.Load().Method, got.Load().UserAgent())
		}
	}
}

// TestConnectionsAreKept for the next call, whatever was answered, but for answers that are longer than what is read.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var made atomic.Int32
	full := bytes.Repeat([]byte("x"), 1<<20)
	ended := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/full":
			_, _ = w.Write(full)
		case "/endless":
			for {
				if _, err := w.Write(full); err != nil {
					ended <- struct{}{}
					return
				}
			}
		default:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "no")
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := open(t, outbound.Config{}, outbound.Deps{Loopback: true})
	for i := range 40 {
		path := []string{"/full", "/no"}[i%2]
		if r := c.Do(t.Context(), outbound.Request{URL: server.URL + path}); r.Cut || r.Status == 0 || path == "/full" && len(r.Body) != 1<<20 {
			t.Fatalf("%s: %d %t %v", path, r.Status, r.Cut, r.Err)
		}
	}
	if n := made.Load(); n != 1 {
		t.Errorf("%d connections for 40 calls, one after the other", n)
	}
	r := c.Do(t.Context(), outbound.Request{URL: server.URL + "/endless"})
	if r.Class != outbound.Delivered || !r.Cut || len(r.Body) != 1<<20 {
		t.Errorf("%s, cut: %t, %d bytes", r.Class, r.Cut, len(r.Body))
	}
	<-ended // the connection was closed
}

// TestKeptConnectionThatIsClosed has a server that takes a second request on a connection and closes it without an answer, as one
// does whose time for idle connections is over just then.
func TestKeptConnectionThatIsClosed(t *testing.T) {
	t.Parallel()
	for _, repeatable := range []bool{false, true} {
		var requests atomic.Int32
		server, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) == 2 {
				conn, _, _ := http.NewResponseController(w).Hijack()
				_ = conn.Close()
			}
			_, _ = io.Copy(io.Discard, r.Body)
		})
		first := c.Do(t.Context(), outbound.Request{URL: server.URL, Body: []byte("x"), Repeatable: repeatable})
		second := c.Do(t.Context(), outbound.Request{URL: server.URL, Body: []byte("x"), Repeatable: repeatable})
		switch {
		case first.Class != outbound.Delivered:
			t.Error(first.Err)
		case repeatable && (second.Class != outbound.Delivered || requests.Load() != 3):
			t.Errorf("repeatable: %s %v after %d", second.Class, second.Err, requests.Load())
		case !repeatable && (second.Class != outbound.Again || !second.Unknown || fault.CodeOf(second.Err) != "outbound/no-answer" || requests.Load() != 2):
			t.Errorf("once: %s %v after %d", second.Class, second.Err, requests.Load())
		}
	}
}

// TestGivenUp ends calls from outside: before, and while the other side thinks. None of it is the host's fault.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	server, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { arrived <- struct{}{}; <-r.Context().Done() })
	c := open(t, outbound.Config{BreakAfter: 1}, outbound.Deps{Loopback: true})
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-arrived; cancel(errors.New("the program ends")) }()
	if r := c.Do(ctx, outbound.Request{URL: server.URL}); r.Class != outbound.Again || fault.KindOf(r.Err) != fault.Interrupted || !r.Unknown {
		t.Errorf("while it thinks: %s %v", r.Class, r.Err)
	}
	if r := c.Do(ctx, outbound.Request{URL: server.URL}); r.Class != outbound.Again || fault.KindOf(r.Err) != fault.Interrupted || r.Unknown {
		t.Errorf("before: %s %v", r.Class, r.Err)
	}
	if c.Unwell() != 0 {
		t.Error("it counts against the host")
	}
	late, cancelLate := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), errors.New("too late"))
	defer cancelLate()
	if r := c.Do(late, outbound.Request{URL: server.URL}); r.Class != outbound.Again || fault.KindOf(r.Err) != fault.Timeout || r.Unknown {
		t.Errorf("too late: %s %v", r.Class, r.Err)
	}
}

// TestClose has connections that wait for a call, and such that one is at work on: none is left.
func TestClose(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived, answer, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}, 2)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/waits" {
					arrived <- struct{}{}
					<-answer
				}
				_, _ = io.WriteString(w, r.Proto)
			}))
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateClosed {
					ended <- struct{}{}
				}
			}
			server.EnableHTTP2 = http2
			server.StartTLS()
			t.Cleanup(server.Close)
			for _, path := range []string{"/", "/waits"} {
				c := open(t, outbound.Config{}, outbound.Deps{Loopback: true})
				c.Trust(pool(server))
				done := make(chan outbound.Result, 1)
				go func() { done <- c.Do(t.Context(), outbound.Request{URL: server.URL + path}) }()
				if path == "/waits" {
					<-arrived
					c.Close()
					close(answer)
				}
				if r := <-done; r.Class != outbound.Delivered || string(r.Body) != name {
					t.Errorf("%s %v", r.Body, r.Err)
				}
				if path == "/" {
					c.Close()
				}
				<-ended
				if r := c.Do(t.Context(), outbound.Request{URL: server.URL}); r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/closed" || r.Unknown {
					t.Errorf("a call after it: %s %v", r.Class, r.Err)
				}
			}
		})
	}
}
