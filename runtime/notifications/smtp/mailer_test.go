package smtp_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	server "github.com/emersion/go-smtp"

	"github.com/fraiseql/fraiseql/runtime/notifications/smtp"
)

// TestFallback says when another provider may have a mail.
func TestFallback(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(o *office)
		second int // mails that the second one gets
		class  smtp.Class
	}{
		"temporary": {func(o *office) { o.onRcpt = answer(451) }, 1, 0},
		"account":   {func(o *office) { o.onMail = answer(535) }, 1, 0},
		"away":      {func(o *office) { o.provider.Port = 1 }, 1, 0},
		"permanent": {func(o *office) { o.onRcpt = answer(550) }, 0, smtp.Permanent},
		"unknown":   {func(o *office) { o.onData = hangUp }, 0, smtp.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := open(t, c.change), open(t, nil)
			two.provider.From = "Other <other@example.net>"
			_, err := mailer(t, one, two).Send(t.Context(), message())
			if got := len(two.letters()); got != c.second {
				t.Errorf("the second one got %d mails, want %d: %v", got, c.second, err)
			}
			if (err == nil) != (c.second == 1) || err != nil && smtp.ClassOf(err) != c.class {
				t.Errorf("the class is %d: %v", smtp.ClassOf(err), err)
			}
			if c.second == 1 {
				if m, _ := read(t, two.letters()[0]); m.Header.Get("Message-ID") != "<evt_1_a_welcome_1@example.com>" || !strings.Contains(m.Header.Get("From"), "other@example.net") {
					t.Errorf("it is %v", m.Header)
				}
			}
		})
	}
}

func TestAllProvidersFail(t *testing.T) {
	t.Parallel()
	one, two := open(t, func(o *office) { o.onMail = answer(450) }), open(t, func(o *office) { o.onMail = answer(535); o.provider.Name = "other" })
	_, err := mailer(t, one, two).Send(t.Context(), message())
	if err == nil || smtp.ClassOf(err) != smtp.Temporary || !strings.Contains(err.Error(), "office answers MAIL with 450") || !strings.Contains(err.Error(), "; then other answers MAIL with 535") {
		t.Errorf("the class is %d and the error %v", smtp.ClassOf(err), err)
	}
}

// TestMessageIDs wants one that is the same at each try, and another one for another mail.
func TestMessageIDs(t *testing.T) {
	t.Parallel()
	o := open(t, func(o *office) { o.onData = once(hangUp) })
	m := mailer(t, o)
	if _, err := m.Send(t.Context(), message()); smtp.ClassOf(err) != smtp.Unknown || err == nil {
		t.Fatal(err)
	}
	for _, key := range []string{message().Key, "another", "odd key\r\nBcc: eve@example.com", "odd.key", ""} {
		again := message()
		again.Key = key
		if _, err := m.Send(t.Context(), again); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, l := range o.letters() {
		m, _ := read(t, l)
		ids = append(ids, m.Header.Get("Message-ID"))
		if m.Header.Get("Bcc") != "" {
			t.Error("a key has become a header")
		}
	}
	if len(ids) != 6 || ids[0] != ids[1] || ids[0] != "<evt_1_a_welcome_1@example.com>" {
		t.Fatalf("the ids are %v", ids)
	}
	seen := map[string]bool{}
	for _, id := range ids[1:] {
		if seen[id] || !regexp.MustCompile(`^<[A-Za-z0-9_~.-]+@example\.com>$`).MatchString(id) {
			t.Errorf("%s is there twice, or odd", id)
		}
		seen[id] = true
	}
}

// TestConnectionsAreKept wants one for mails that come one after the other, and a new one where it has ended.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]func(n int, c *server.Conn) error{
		"it is there":   nil,
		"it is gone":    func(n int, c *server.Conn) error { return at(n, 3, func() error { return hangUp(n, c) }) },
		"it says so":    func(n int, c *server.Conn) error { return at(n, 3, func() error { return answer(421)(n, c) }) },
		"it says no":    func(n int, c *server.Conn) error { return at(n, 3, func() error { return answer(450)(n, c) }) },
		"it is not his": func(n int, c *server.Conn) error { return at(n, 3, func() error { return answer(535)(n, c) }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, func(o *office) { o.onMail = ends })
			m := mailer(t, o)
			failed := 0
			for range 5 {
				if _, err := m.Send(t.Context(), message()); err != nil {
					failed++
				}
			}
			want := map[string][3]int{ // connections, mails, failures
				"it is there": {1, 5, 0}, "it is gone": {2, 5, 0}, "it says so": {2, 5, 0}, "it says no": {2, 4, 1}, "it is not his": {2, 4, 1},
			}[name]
			if got := [3]int{o.sessions, len(o.letters()), failed}; got != want {
				t.Errorf("connections, mails and failures are %v, want %v", got, want)
			}
		})
	}
}

func at(n, this int, do func() error) error {
	if n == this {
		return do()
	}
	return nil
}

func TestClosingEndsConnections(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	m := smtp.New(o.provider)
	if _, err := m.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	m.Close()
	<-o.left
	if _, err := m.Send(t.Context(), message()); err != nil {
		t.Errorf("one that was closed keeps no connections, and sends: %v", err)
	}
	<-o.left
}

func TestConnectionsHaveALifetime(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	m := mailer(t, o)
	for range 150 {
		if _, err := m.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
	}
	if o.sessions != 2 {
		t.Errorf("150 mails took %d connections, want 2", o.sessions)
	}
}

// TestFewConnections holds all mails up until as many are there as may be.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	const most = 4
	var mu sync.Mutex
	at, highest := 0, 0
	full := make(chan struct{})
	o := open(t, func(o *office) {
		o.onData = func(int, *server.Conn) error {
			mu.Lock()
			at++
			highest = max(highest, at)
			if at == most {
				select {
				case <-full:
				default:
					close(full)
				}
			}
			mu.Unlock()
			<-full
			mu.Lock()
			at--
			mu.Unlock()
			return nil
		}
	})
	m := mailer(t, o)
	var sending sync.WaitGroup
	for i := range 40 {
		sending.Go(func() {
			one := message()
			one.Key = fmt.Sprint("mail", i)
			if _, err := m.Send(t.Context(), one); err != nil {
				t.Error(err)
			}
		})
	}
	sending.Wait()
	if highest != most || len(o.letters()) != 40 {
		t.Errorf("%d at once, want %d; %d mails", highest, most, len(o.letters()))
	}
}

func TestWaitingForAConnectionEnds(t *testing.T) {
	t.Parallel()
	release, there := make(chan struct{}), make(chan struct{}, 4)
	o := open(t, func(o *office) {
		o.onData = func(int, *server.Conn) error { there <- struct{}{}; <-release; return nil }
	})
	m := mailer(t, o)
	var sending sync.WaitGroup
	for range 4 {
		sending.Go(func() { _, _ = m.Send(t.Context(), message()) })
	}
	for range 4 {
		<-there
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // were there a fifth place, some would get it
		if _, err := m.Send(ctx, message()); err == nil || smtp.ClassOf(err) != smtp.Temporary || !strings.Contains(err.Error(), "no connection was free") {
			t.Errorf("it is %v", err)
		}
	}
	close(release)
	sending.Wait()
}
