package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// line is a server with one place, without sockets: inside a bubble of synctest it is known who waits.
type line struct {
	handler http.Handler
	order   []string      // who came to work, by path
	release chan struct{} // one at work may end
}

func newLine(t *testing.T, depth string) *line {
	t.Helper()
	var c table
	flags := map[string]string{"server.limits.max_concurrent_requests": "1", "server.limits.max_queue_depth": depth}
	if _, problems := config.Load(&c, config.Options{Flags: flags}); problems.HasErrors() {
		t.Fatal(problems)
	}
	l := &line{release: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		l.order = append(l.order, r.URL.Path)
		<-l.release
		_, _ = io.Copy(w, r.Body)
	})
	l.handler = httpapi.New(c.Server, c.Lifecycle, httpapi.NewHealth(), slog.New(slog.DiscardHandler), mux).Handler()
	return l
}

// ask sends a request and waits until it is at work, in line or answered.
func (l *line) ask(ctx context.Context, path string) (answer *httptest.ResponseRecorder, done chan struct{}) {
	answer, done = httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		l.handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader("body of "+path)))
	}()
	synctest.Wait()
	return answer, done
}

func over(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func TestTheLineIsServedInItsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, "3")
		answers := map[string]*httptest.ResponseRecorder{}
		leaving, hangUp := context.WithCancel(t.Context())
		for _, path := range []string{"/1", "/2", "/3", "/4"} {
			ctx := t.Context()
			if path == "/3" {
				ctx = leaving
			}
			answers[path], _ = l.ask(ctx, path)
		}
		if answer, done := l.ask(t.Context(), "/5"); !over(done) || answer.Code != 503 || answer.Header().Get("Retry-After") != "1" {
			t.Fatalf("one more than may wait got %d %s", answer.Code, answer.Body)
		}
		hangUp()
		synctest.Wait()
		answers["/6"], _ = l.ask(t.Context(), "/6")
		for range 4 {
			l.release <- struct{}{}
			synctest.Wait()
		}
		if want := []string{"/1", "/2", "/4", "/6"}; !slices.Equal(l.order, want) {
			t.Errorf("served in the order %v, want %v", l.order, want)
		}
		for _, path := range l.order {
			if got := answers[path]; got.Code != 200 || got.Body.String() != "body of "+path {
				t.Errorf("%s got %d %s", path, got.Code, got.Body)
			}
		}
	})
}

func TestNobodyWaitsLongerThanARequestMayTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, "1")
		_, first := l.ask(t.Context(), "/1")
		began := time.Now()
		answer, second := l.ask(t.Context(), "/2")
		<-second
		if took := time.Since(began); answer.Code != 503 || took != 30*time.Second {
			t.Errorf("it got %d after %s", answer.Code, took)
		}
		l.release <- struct{}{}
		<-first
		if len(l.order) != 1 {
			t.Errorf("who had waited too long came to work: %v", l.order)
		}
	})
}

// send writes a POST to a connection of its own and gives the connection.
func send(t *testing.T, s *site, path string, headers ...string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n%s\r\n", path, strings.Join(headers, "\r\n")); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestAClientThatHangsUpFreesItsPlace(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"server.limits.max_concurrent_requests": "1"})
	conn, _ := send(t, s, "/slow")
	write(t, conn, "{}")
	<-s.entered
	if response, _ := do(t, "GET", s.url+"/invalid"); response.StatusCode != 503 {
		t.Fatalf("beside the only one that may be at work, another got %d", response.StatusCode)
	}
	_ = conn.Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if response, _ := do(t, "GET", s.url+"/invalid"); response.StatusCode == 400 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of the client that has gone is still taken")
		}
	}
}

// expect has the server say that it waits for the body: whoever is told so is in line.
const expect = "Expect: 100-continue\r\n"

func TestAClientThatHangsUpLeavesTheLine(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(net.Conn){
		"after its body":  func(conn net.Conn) { write(t, conn, "{}"); _ = conn.Close() },
		"before its body": func(conn net.Conn) { _ = conn.Close() },
		"within its body": func(conn net.Conn) { write(t, conn, "{"); _ = conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string]string{"server.limits.max_concurrent_requests": "1", "server.limits.max_queue_depth": "1"})
			first, answer := send(t, s, "/slow")
			write(t, first, "{}")
			<-s.entered
			second, told := send(t, s, "/invalid", expect)
			if line, err := told.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
				t.Fatalf("the second was told %q %v", line, err)
			}
			leave(second)
			for deadline := time.Now().Add(10 * time.Second); ; {
				third, told := send(t, s, "/invalid", expect)
				line, err := told.ReadString('\n')
				if err == nil && strings.Contains(line, " 100 ") {
					close(s.release)
					write(t, third, "{}")
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("the line is still full: %q %v", line, err)
				}
			}
			if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
				t.Errorf("the first got %q %v", line, err)
			}
		})
	}
}
