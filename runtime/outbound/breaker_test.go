package outbound_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

// receiver is a host whose answers a test chooses, inside a bubble of synctest.
type receiver struct {
	client *outbound.Client
	log    journal
	status atomic.Int32  // 0: it hangs up
	held   chan struct{} // not nil: answers wait for it
	calls  atomic.Int32
}

func newReceiver(t *testing.T, c outbound.Config) *receiver {
	t.Helper()
	r := &receiver{}
	client, err := outbound.New(c, outbound.Deps{Log: r.log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	r.client = client
	over(client, func(conn net.Conn, in *bufio.Reader) {
		take(in)
		r.calls.Add(1)
		status := r.status.Load()
		if r.held != nil {
			<-r.held
		}
		if status != 0 {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 3600\r\n\r\n", status)
		}
	})
	return r
}

func (r *receiver) ask(t *testing.T, path string) outbound.Result {
	t.Helper()
	return r.client.Do(t.Context(), outbound.Request{URL: "http://u:hunter2@hook.test" + path + "?hunter2"})
}

func rests(r outbound.Result) bool {
	return r.Class == outbound.Again && fault.CodeOf(r.Err) == "outbound/host-rests" && fault.KindOf(r.Err) == fault.Unavailable && !r.Unknown && r.Status == 0 && r.Wait > 0
}

// said counts what the log says of hosts, and wants nothing secret in it.
func (r *receiver) said(t *testing.T, fell, rose int) {
	t.Helper()
	text := r.log.String()
	if f, w := strings.Count(text, "left alone"), strings.Count(text, "well again"); f != fell || w != rose || strings.Contains(text, "hunter2") || strings.Contains(text, "/path") {
		t.Errorf("said %d and %d times:\n%s", f, w, text)
	}
}

func TestHostsRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, outbound.Config{BreakAfter: 3, BreakFor: time.Minute})
		r.status.Store(500)
		for range 2 {
			if got := r.ask(t, "/path"); got.Status != 500 {
				t.Fatal(got.Err)
			}
		}
		r.status.Store(200) // not three in a row
		r.ask(t, "/path")
		if r.client.Unwell() != 0 {
			t.Error("a host that is well is remembered")
		}
		for _, status := range []int32{0, 503, 408} {
			r.status.Store(status)
			if got := r.ask(t, "/path"); rests(got) {
				t.Fatalf("it rests before it failed three times")
			}
		}
		r.said(t, 1, 0)
		calls := r.calls.Load()
		<-time.After(20 * time.Second)
		if got := r.ask(t, "/other"); !rests(got) || got.Wait != 40*time.Second || !strings.Contains(got.Err.Error(), "http://hook.test has failed and is left alone for 40s") {
			t.Errorf("%+v", got)
		}
		if other := r.client.Do(t.Context(), outbound.Request{URL: "http://hook.test:81"}); rests(other) {
			t.Error("another port is another host")
		}
		if same := r.client.Do(t.Context(), outbound.Request{URL: "HTTP://HOOK.test:80"}); !rests(same) {
			t.Error("80 is the port that http means")
		}
		if r.calls.Load() != calls+1 {
			t.Error("a host that rests is called")
		}
		<-time.After(40 * time.Second)
		if got := r.ask(t, "/path"); rests(got) { // the try, which fails
			t.Error(got.Err)
		}
		if got := r.ask(t, "/path"); !rests(got) || got.Wait != time.Minute {
			t.Errorf("after a try that failed: %+v", got)
		}
		<-time.After(time.Minute)
		r.status.Store(404) // an answer, if not a kind one
		if got := r.ask(t, "/path"); got.Status != 404 {
			t.Errorf("%+v", got)
		}
		if got := r.ask(t, "/path"); got.Status != 404 || r.client.Unwell() != 0 && got.Err == nil {
			t.Errorf("after a try that was answered: %+v", got)
		}
		r.said(t, 1, 1)
		r.client.Close()
	})
}

// TestOneTriesAtATime has many that ask while one tries, for longer than the host rests.
func TestOneTriesAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, outbound.Config{BreakAfter: 1, BreakFor: 10 * time.Second, Timeout: time.Minute})
		r.ask(t, "/path")
		<-time.After(10 * time.Second)
		r.held, r.calls = make(chan struct{}), atomic.Int32{}
		r.status.Store(200)
		results := make(chan outbound.Result, 50)
		for range cap(results) {
			go func() { results <- r.ask(t, "/path") }()
		}
		synctest.Wait()
		if len(results) != cap(results)-1 || r.calls.Load() != 1 {
			t.Errorf("%d rest and %d try", len(results), r.calls.Load())
		}
		for len(results) > 0 {
			if got := <-results; !rests(got) || got.Wait != 10*time.Second {
				t.Errorf("%+v", got)
			}
		}
		<-time.After(15 * time.Second) // the try takes longer than a rest
		if got := r.ask(t, "/path"); !rests(got) || got.Wait != 10*time.Second || r.calls.Load() != 1 {
			t.Errorf("%+v", got)
		}
		close(r.held)
		if got := <-results; got.Class != outbound.Delivered {
			t.Error(got.Err)
		}
		if got := r.ask(t, "/path"); got.Class != outbound.Delivered || r.client.Unwell() != 0 {
			t.Error(got.Err)
		}
		r.said(t, 1, 1)
		r.client.Close()
	})
}

// TestTriesThatSayNothing are broken off, or were never sent: the next one tries, at once.
func TestTriesThatSayNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, outbound.Config{BreakAfter: 1, BreakFor: 10 * time.Second})
		r.ask(t, "/path")
		<-time.After(10 * time.Second)
		r.held = make(chan struct{})
		r.status.Store(200)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if got := r.client.Do(ctx, outbound.Request{URL: "http://hook.test"}); fault.KindOf(got.Err) != fault.Interrupted {
			t.Errorf("%+v", got)
		}
		if got := r.client.Do(t.Context(), outbound.Request{URL: "http://hook.test", Header: map[string][]string{"A": {"\n"}}}); got.Class != outbound.Refused {
			t.Errorf("%+v", got)
		}
		close(r.held)
		if got := r.ask(t, "/path"); got.Class != outbound.Delivered {
			t.Error(got.Err)
		}
		r.said(t, 1, 1)
		r.client.Close()
	})
}

// TestLateAnswers come from calls that were made before the host rested.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, outbound.Config{BreakAfter: 2, BreakFor: 10 * time.Second})
		ask := func(status int32) (release chan struct{}, done chan outbound.Result) {
			r.held, done = make(chan struct{}), make(chan outbound.Result, 1)
			r.status.Store(status)
			go func() { done <- r.ask(t, "/path") }()
			synctest.Wait()
			return r.held, done
		}
		bad, badDone := ask(500)
		good, goodDone := ask(200)
		r.held = nil
		r.status.Store(500)
		r.ask(t, "/path")
		r.ask(t, "/path")
		<-time.After(4 * time.Second)
		close(bad)
		<-badDone
		if got := r.ask(t, "/path"); !rests(got) || got.Wait != 6*time.Second {
			t.Errorf("a failure that comes late makes the rest longer, or ends it: %+v", got)
		}
		close(good)
		<-goodDone
		if got := r.ask(t, "/path"); got.Status != 500 {
			t.Errorf("an answer that comes late does not make it well: %+v", got)
		}
		good, goodDone = ask(200)
		r.held = nil
		r.status.Store(500)
		r.ask(t, "/path") // the second failure
		<-time.After(10 * time.Second)
		try, tryDone := ask(500)
		close(good)
		<-goodDone
		close(try)
		<-tryDone
		if got := r.ask(t, "/path"); got.Status != 500 {
			t.Errorf("a try counts for more than another call, although the host has been well since: %+v", got)
		}
		r.said(t, 3, 2)
		r.client.Close()
	})
}

// TestTooManyCalls is an answer of a host that is well: it does not rest, although it says for how long nobody should call.
func TestTooManyCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, outbound.Config{BreakAfter: 1})
		for _, status := range []int32{429, 404, 410, 301} {
			r.status.Store(status)
			for range 3 {
				if got := r.ask(t, "/path"); got.Status != int(status) || (got.Wait == time.Hour) != (status == 429) {
					t.Errorf("%+v", got)
				}
			}
		}
		r.said(t, 0, 0)
		if r.client.Unwell() != 0 {
			t.Error("it is remembered")
		}
		r.client.Close()
	})
}

// TestManyHosts has more that fail than are remembered: those that nothing was heard of for longest are forgotten.
func TestManyHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := outbound.New(outbound.Config{BreakAfter: 1, BreakFor: time.Hour}, outbound.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		client.Over(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("away") })
		ask := func(i int) outbound.Result {
			<-time.After(time.Millisecond)
			return client.Do(t.Context(), outbound.Request{URL: fmt.Sprintf("http://h%d.test", i)})
		}
		for i := range outbound.MostHosts + 10 {
			if got := ask(i); rests(got) || got.Unknown || fault.CodeOf(got.Err) != "outbound/unreachable" {
				t.Fatal(got.Err)
			}
		}
		if n := client.Unwell(); n != outbound.MostHosts {
			t.Errorf("%d hosts are remembered", n)
		}
		if !rests(ask(10)) || !rests(ask(outbound.MostHosts+9)) || rests(ask(9)) {
			t.Error("the wrong ones are forgotten")
		}
		client.Close()
	})
}
