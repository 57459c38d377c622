package outbound_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

func TestClasses(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Path[1:])
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
	})
	for status, want := range map[int]struct {
		class outbound.Class
		code  string
		kind  fault.Kind
		wait  time.Duration
	}{
		200: {class: outbound.Delivered, code: "internal"},
		201: {class: outbound.Delivered, code: "internal"},
		204: {class: outbound.Delivered, code: "internal"},
		299: {class: outbound.Delivered, code: "internal"},
		300: {outbound.Refused, "outbound/redirect", fault.Invalid, 0},
		304: {outbound.Refused, "outbound/redirect", fault.Invalid, 0},
		400: {outbound.Refused, "outbound/refused", fault.Invalid, 0},
		401: {outbound.Refused, "outbound/refused", fault.Invalid, 0},
		404: {outbound.Refused, "outbound/refused", fault.Invalid, 0},
		407: {outbound.Again, "outbound/failing", fault.Unavailable, 0},
		408: {outbound.Again, "outbound/failing", fault.Unavailable, 0},
		409: {outbound.Refused, "outbound/refused", fault.Invalid, 0},
		410: {outbound.Gone, "outbound/gone", fault.NotFound, 0},
		425: {outbound.Again, "outbound/failing", fault.Unavailable, 0},
		429: {outbound.Again, "outbound/rate-limited", fault.RateLimited, 7 * time.Second},
		451: {outbound.Refused, "outbound/refused", fault.Invalid, 0},
		500: {outbound.Again, "outbound/failing", fault.Unavailable, 0},
		501: {outbound.Again, "outbound/failing", fault.Unavailable, 0},
		502: {outbound.Again, "outbound/failing", fault.Unavailable, 7 * time.Second},
		503: {outbound.Again, "outbound/failing", fault.Unavailable, 7 * time.Second},
		504: {outbound.Again, "outbound/failing", fault.Unavailable, 7 * time.Second},
		599: {outbound.Again, "outbound/failing", fault.Unavailable, 0},
		999: {outbound.Again, "outbound/failing", fault.Unavailable, 0},
	} {
		c := open(t, outbound.Config{}, outbound.Deps{Loopback: true})
		r := c.Do(t.Context(), outbound.Request{URL: server.URL + "/" + strconv.Itoa(status)})
		if r.Class != want.class || r.Status != status || fault.CodeOf(r.Err) != want.code || fault.KindOf(r.Err) != want.kind || r.Wait != want.wait || r.Unknown || r.Cut {
			t.Errorf("%d: %+v", status, r)
		}
		if (r.Err == nil) != (want.class == outbound.Delivered) {
			t.Errorf("%d: %v", status, r.Err)
		}
	}
	if outbound.ClassOf(0) != outbound.Again || outbound.ClassOf(99) != outbound.Again || outbound.ClassOf(101) != outbound.Refused {
		t.Error("what is no answer has the wrong class")
	}
	words := []string{outbound.Again.String(), outbound.Delivered.String(), outbound.Refused.String(), outbound.Gone.String()}
	if !slices.Equal(words, []string{"again", "delivered", "refused", "gone"}) {
		t.Error(words)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	elsewhere, _ := serve(t, func(http.ResponseWriter, *http.Request) { arrived.Add(1) })
	server, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.Header.Get("To"))
		status, _ := strconv.Atoi(r.URL.Path[1:])
		w.WriteHeader(status)
	})
	for _, status := range []string{"/301", "/302", "/303", "/307", "/308"} {
		for _, method := range []string{"GET", "POST"} {
			r := c.Do(t.Context(), outbound.Request{Method: method, URL: server.URL + status, Header: http.Header{"To": {elsewhere.URL}}})
			if r.Class != outbound.Refused || fault.CodeOf(r.Err) != "outbound/redirect" || !strings.Contains(r.Err.Error(), "redirects are not followed") {
				t.Errorf("%s: %s %v", status, r.Class, r.Err)
			}
		}
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
	for to, hint := range map[string]string{
		"https://user:hunter2@New.example/hunter2?hunter2": "at https://new.example",
		"https://new.example:8443/":                        "at https://new.example:8443",
		"/other/":                                          "",
		"http://169.254.169.254/":                          "",
		"javascript:alert(1)":                              "",
		"https://\u202eevil.example/":                      "",
	} {
		r := c.Do(t.Context(), outbound.Request{URL: server.URL + "/301", Header: http.Header{"To": {to}}})
		e, _ := fault.As(r.Err)
		if !strings.HasSuffix(e.Hint, hint) || hint == "" && e.Hint != "" || strings.Contains(e.Hint, "hunter2") {
			t.Errorf("%s: %s", to, e.Hint)
		}
	}
}

func TestSnippet(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                              "",
		" ok\r\n":                       "ok",
		"a\tb\nc\x00d\x1b[31me\x7f":     "a b c d [31me",
		"\u202egnp.exe\u2028x\u200b":    "gnp.exe x",
		"\xff\xfeé":                     "\uFFFDé",
		strings.Repeat("a", 2000):       strings.Repeat("a", 1024),
		strings.Repeat("a", 1023) + "é": strings.Repeat("a", 1023),
		strings.Repeat("é", 600):        strings.Repeat("é", 512),
	} {
		if got := (outbound.Result{Body: []byte(body)}).Snippet(); got != want {
			t.Errorf("%q: %q", body, got)
		}
	}
}
