package outbound_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

// script is what a server does with a connection; after it, the connection is closed.
type script func(w net.Conn, r *bufio.Reader)

// over lets calls arrive at a script, by pipes: inside a bubble of synctest it is known when a call ends, to the nanosecond.
func over(c *outbound.Client, s script) {
	c.Over(func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }()
			s(theirs, bufio.NewReader(theirs))
		}()
		return ours, nil
	})
}

// take reads one request to its end.
func take(r *bufio.Reader) {
	if request, err := http.ReadRequest(r); err == nil {
		_, _ = io.Copy(io.Discard, request.Body)
	}
}

// says answers with a text and hangs up.
func says(text string) script {
	return func(w net.Conn, r *bufio.Reader) {
		take(r)
		_, _ = io.WriteString(w, text)
	}
}

// holds answers with a text and nothing more.
func holds(text string) script {
	return func(w net.Conn, r *bufio.Reader) {
		says(text)(w, r)
		_, _ = r.ReadByte()
	}
}

// drips answers with a text, and then another one again and again.
func drips(text, again string, every time.Duration) script {
	return func(w net.Conn, r *bufio.Reader) {
		says(text)(w, r)
		for {
			if _, err := io.WriteString(w, again); err != nil {
				return
			}
			<-time.After(every)
		}
	}
}

// trickles takes a request one byte a second.
func trickles(_ net.Conn, r *bufio.Reader) {
	for {
		if _, err := r.ReadByte(); err != nil {
			return
		}
		<-time.After(time.Second)
	}
}

// early answers before it has read a request, of which it reads no more.
func early(w net.Conn, r *bufio.Reader) {
	_, _ = r.ReadByte()
	_, _ = io.WriteString(w, "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n")
	<-time.After(time.Minute)
}

// TestHostileAnswers has servers that would hold a caller up, or fill it. A call is over after its time, and not a moment later.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	const (
		whole   = 10 * time.Second
		ok      = "HTTP/1.1 200 OK\r\n"
		chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
		sized   = ok + "Content-Length: 1000\r\n\r\n"
		other   = "HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
		idle    = time.Hour
	)
	late := outbound.Result{Class: outbound.Again, Unknown: true, Err: fault.New(fault.Timeout, "outbound/timeout", "")}
	bad := outbound.Result{Class: outbound.Again, Unknown: true, Err: fault.New(fault.Unavailable, "outbound/no-answer", "")}
	failing := outbound.Result{Class: outbound.Again, Status: 500, Cut: true, Err: fault.New(fault.Unavailable, "outbound/failing", "")}
	refused := fault.New(fault.Invalid, "outbound/refused", "")
	cut := outbound.Result{Class: outbound.Delivered, Status: 200, Cut: true}
	for name, c := range map[string]struct {
		script script
		took   time.Duration
		want   outbound.Result
	}{
		"says nothing":     {holds(""), whole, late},
		"reads nothing":    {func(net.Conn, *bufio.Reader) { <-time.After(idle) }, whole, late},
		"reads slowly":     {trickles, whole, late},
		"hangs up":         {func(net.Conn, *bufio.Reader) {}, 0, bad},
		"hangs up later":   {says(""), 0, bad},
		"trickling status": {drips("HTTP/1.1 200 ", "O", time.Second), whole, late},
		"trickling header": {drips(ok, "A: b\r\n", time.Second), whole, late},
		"trickling 1xx":    {drips("", "HTTP/1.1 102 X\r\n\r\n", time.Second), whole, late},
		"endless status":   {drips("HTTP/1.1 200 ", strings.Repeat("O", 4096), 0), 0, bad},
		"endless headers":  {drips(ok, "A: b\r\n", 0), 0, bad},
		"endless 1xx":      {drips("", "HTTP/1.1 103 X\r\nA: b\r\n\r\n", 0), 0, bad},
		"no HTTP":          {says("SSH-2.0-x\r\n\x1b[31m\r\n"), 0, bad},
		"bad header":       {says(ok + "\x1b[31m\r\n\r\n"), 0, bad},
		"long headers":     {says(ok + strings.Repeat("A: b\r\n", 1<<15) + "\r\n"), 0, bad},
		"long line":        {says(ok + strings.Repeat("x", 60000) + "\r\n\r\n"), 0, bad},
		"two lengths":      {says(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 0, bad},
		"another protocol": {holds(other), 0, outbound.Result{Class: outbound.Refused, Status: 101, Err: refused}},
		"trickling body":   {drips(sized, "x", time.Second), whole, cut},
		"trickling chunks": {drips(chunked, "1\r\nx\r\n", time.Second), whole, cut},
		"no body":          {holds(ok + "Content-Length: 1000000000000\r\n\r\n"), whole, cut},
		"half a body":      {says(sized + "x"), 0, cut},
		"bad chunks":       {says(chunked + "zz\r\n"), 0, cut},
		"endless body":     {drips("HTTP/1.1 500 X\r\n\r\n", strings.Repeat("x", 65536), 0), 0, failing},
		"early":            {early, 50 * time.Millisecond, outbound.Result{Class: outbound.Refused, Status: 413, Err: refused}}, // which net/http gives the rest of a request
	} {
		synctest.Test(t, func(t *testing.T) {
			client, err := outbound.New(outbound.Config{Timeout: whole}, outbound.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			over(client, c.script)
			began := time.Now()
			r := client.Do(t.Context(), outbound.Request{URL: "http://hook.test/", Body: []byte(strings.Repeat("b", 1<<20))})
			took := time.Since(began)
			if w := c.want; took != c.took || r.Class != w.Class || fault.CodeOf(r.Err) != fault.CodeOf(w.Err) || r.Status != w.Status || r.Cut != w.Cut || r.Unknown != w.Unknown || len(r.Body) > 1<<20 {
				t.Errorf("%s: after %s %s, status %d, cut %t, unknown %t, %d bytes: %v", name, took, r.Class, r.Status, r.Cut, r.Unknown, len(r.Body), r.Err)
			}
			if r.Err != nil && (strings.ContainsAny(r.Err.Error(), "\x1b\r\n") || len(r.Err.Error()) > 1200) {
				t.Errorf("%s: %.2000q", name, r.Err)
			}
			client.Close()
			<-time.After(2 * time.Hour) // until the slowest script has noticed
		})
	}
}

// TestConnectTime bounds what comes before a request can be sent: a TLS that never begins to speak.
func TestConnectTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := outbound.New(outbound.Config{ConnectTimeout: 2 * time.Second}, outbound.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		over(client, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
		began := time.Now()
		r := client.Do(t.Context(), outbound.Request{URL: "https://hook.test/"})
		if took := time.Since(began); took != 2*time.Second || r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/timeout" || r.Unknown {
			t.Errorf("after %s %s %v", took, r.Class, r.Err)
		}
		if !strings.Contains(r.Err.Error(), "no connection to https://hook.test could be opened within 2s") {
			t.Error(r.Err)
		}
		// A call's own time is the tighter bound, whichever way it is given.
		began = time.Now()
		if r = client.Do(t.Context(), outbound.Request{URL: "https://hook.test/", Timeout: time.Second}); time.Since(began) != time.Second || fault.CodeOf(r.Err) != "outbound/timeout" {
			t.Errorf("after %s: %v", time.Since(began), r.Err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if r = client.Do(ctx, outbound.Request{URL: "https://hook.test/"}); time.Since(began) != time.Second || fault.CodeOf(r.Err) != "outbound/timeout" {
			t.Errorf("after %s: %v", time.Since(began), r.Err)
		}
		client.Close()
		<-time.After(2 * time.Second) // connections that nobody waits for any more end in their time
	})
}
