package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
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
	mux     *http.ServeMux
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
	l.mux, l.handler = mux, httpapi.New(c.Server, c.Lifecycle, httpapi.NewHealth(), slog.New(slog.DiscardHandler), mux).Handler()
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

// expect has the server say that it waits for the body: whoever is told so is being received.
const expect = "Expect: 100-continue\r\n"

// echo answers with the body, once it is there.
var echo = map[string]http.HandlerFunc{"POST /echo": func(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	_, _ = io.Copy(&text, r.Body)
	_, _ = w.Write(text.Bytes())
}}

func TestWhatHasNotArrivedTakesNoPlace(t *testing.T) {
	t.Parallel()
	for _, depth := range []string{"0", "1"} {
		for name, body := range map[string]string{"a head": "", "half a body": "{"} {
			t.Run(name+" before a line of "+depth, func(t *testing.T) {
				t.Parallel()
				s := serveRoutes(t, map[string]string{"server.limits.max_concurrent_requests": "1", "server.limits.max_queue_depth": depth}, echo)
				for range 5 {
					conn, told := send(t, s, "/echo", expect)
					if line, err := told.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
						t.Fatalf("it was told %q %v", line, err)
					}
					write(t, conn, body)
				}
				conn, told := send(t, s, "/echo")
				write(t, conn, "{}")
				if line, err := told.ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
					t.Errorf("one that is whole got %q %v", line, err)
				}
			})
		}
	}
}

// TestLargeBodiesThatStallAreBounded has clients that send much and then nothing more: so many are held in memory
// as may be at work, and small requests are served beside them.
func TestLargeBodiesThatStallAreBounded(t *testing.T) {
	t.Parallel()
	s := serveRoutes(t, map[string]string{"server.limits.max_concurrent_requests": "2"}, echo)
	post := func(size int) (int, string) {
		text := strings.Repeat("x", size)
		response, err := http.Post(s.url+"/echo", "text/plain", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		got, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode == 200 && string(got) != text {
			t.Fatalf("of %d bytes %d came back: %v", size, len(got), err)
		}
		return response.StatusCode, string(got)
	}
	for _, size := range []int{0, 1, 16<<10 - 1, 16 << 10, 16<<10 + 1, 256 << 10, 256<<10 + 1, 256<<10 + 2, 1 << 20} {
		if status, _ := post(size); status != 200 {
			t.Errorf("%d bytes got %d", size, status)
		}
	}
	until := func(what string, done func() bool) {
		for deadline := time.Now().Add(10 * time.Second); !done(); {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	var stalled []net.Conn
	until("a third large body was taken", func() bool { // the places of those before may still be given back
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		write(t, conn, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 50000))
		stalled = append(stalled, conn)
		status, text := post(100000)
		return status == 503 && strings.Contains(text, "server/busy")
	})
	if status, _ := post(1000); status != 200 {
		t.Errorf("a small one got %d", status)
	}
	for _, conn := range stalled {
		_ = conn.Close()
	}
	until("no large body is taken any more", func() bool { status, _ := post(100000); return status == 200 })
}

func TestAClientThatHangsUpLeavesTheLine(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"server.limits.max_concurrent_requests": "1", "server.limits.max_queue_depth": "1"})
	first, answer := send(t, s, "/slow")
	write(t, first, "{}")
	<-s.entered
	inLine := func() (net.Conn, *bufio.Reader) { // who gets no answer at once is in line
		for deadline := time.Now().Add(10 * time.Second); ; {
			conn, told := send(t, s, "/invalid")
			write(t, conn, "{}")
			if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			line, err := told.ReadString('\n')
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return conn, told
			}
			if time.Now().After(deadline) {
				t.Fatalf("the line is full: %q %v", line, err)
			}
		}
	}
	second, _ := inLine()
	if response, _ := do(t, "GET", s.url+"/invalid"); response.StatusCode != 503 {
		t.Errorf("one more than the line has room for got %d", response.StatusCode)
	}
	_ = second.Close()
	third, told := inLine()
	close(s.release)
	if err := third.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for reader, status := range map[*bufio.Reader]string{answer: " 200 ", told: " 400 "} {
		if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, status) {
			t.Errorf("it got %q %v, want %s", line, err, status)
		}
	}
}

// TestPartsOfARequestThatGoesOn take places like requests: what goes on has none itself.
func TestPartsOfARequestThatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, "0")
		work := make(chan struct{})
		var told []string
		over := make(chan struct{})
		l.mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
			ctx, end := httpapi.Outlive(r.Context(), w)
			defer end()
			for range work {
				working, done, err := httpapi.Work(ctx)
				if err != nil {
					told = append(told, err.Error())
					continue
				}
				until, _ := working.Deadline()
				<-working.Done()
				told = append(told, fmt.Sprint("for ", time.Until(until), " ", context.Cause(working)))
				done()
				done()
			}
		})
		go func() {
			defer close(over)
			l.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/stream", http.NoBody))
		}()
		work <- struct{}{}
		synctest.Wait()
		if answer, _ := l.ask(t.Context(), "/refused"); answer.Code != http.StatusServiceUnavailable {
			t.Errorf("beside a part that works: %d", answer.Code)
		}
		time.Sleep(31 * time.Second) // request_timeout
		synctest.Wait()
		_, done := l.ask(t.Context(), "/served")
		work <- struct{}{}
		synctest.Wait()
		l.release <- struct{}{}
		<-done
		close(work)
		<-over
		if want := []string{"for 0s context deadline exceeded", "the server is at work on as many requests as it may"}; !slices.Equal(told, want) || !slices.Equal(l.order, []string{"/served"}) {
			t.Errorf("told %q, served %q", told, l.order)
		}
	})
}
