package outbound_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

// TestNothingSecretIsTold fails in many ways, with secrets in every part of the address: none is in an error or in the log.
func TestNothingSecretIsTold(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("How") {
		case "close":
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		case "slow":
			<-r.Context().Done()
		case "redirect":
			w.Header().Set("Location", "/hunter2?hunter2")
			w.WriteHeader(http.StatusMovedPermanently)
		default:
			status, _ := strconv.Atoi(r.Header.Get("How"))
			w.WriteHeader(status)
		}
	})
	closed := listen(t, "127.0.0.1:0")
	_ = closed.Close()
	secret := "/hunter2?key=hunter2#hunter2"
	with := func(base string) string { return strings.Replace(base, "://", "://hunter2:hunter2@", 1) + secret }
	for _, how := range []string{"close", "slow", "redirect", "400", "404", "410", "429", "500", "503"} {
		var log journal
		c := open(t, outbound.Config{BreakAfter: 1, Timeout: time.Second}, outbound.Deps{Loopback: true, Log: log.logger()})
		ask := outbound.Request{URL: with(server.URL), Header: http.Header{"How": {how}, "Authorization": {"hunter2"}}}
		if how == "slow" {
			ask.Timeout = 50 * time.Millisecond
		}
		for range 2 { // the second may find the host resting
			tellsNothing(t, how, c.Do(t.Context(), ask), &log)
		}
	}
	for how, ask := range map[string]outbound.Request{
		"no listener": {URL: with("http://" + closed.Addr().String())},
		"header name": {URL: with(server.URL), Header: http.Header{"a b": {"hunter2"}}},
		"header":      {URL: with(server.URL), Header: http.Header{"A": {"hunter2\r\nB: c"}}},
		"method":      {URL: with(server.URL), Method: "GET /hunter2"},
		"connect":     {URL: with(server.URL), Method: "CONNECT"},
		"address":     {URL: with("http://%zz")},
		"scheme":      {URL: with("ftp://a.example")},
		"port":        {URL: with("http://a.example:99999")},
		"forbidden":   {URL: with("http://10.0.0.1")},
	} {
		var log journal
		c := open(t, outbound.Config{BreakAfter: 1}, outbound.Deps{Loopback: true, Log: log.logger()})
		r := c.Do(t.Context(), ask)
		tellsNothing(t, how, r, &log)
		if (r.Class == outbound.Again) != (how == "no listener") || r.Unknown {
			t.Errorf("%s: %s %v", how, r.Class, r.Err)
		}
		badRequest := how == "method" || how == "connect" || strings.HasPrefix(how, "header")
		if (fault.CodeOf(r.Err) == "outbound/bad-request") != badRequest {
			t.Errorf("%s: %v", how, r.Err)
		}
	}
}

func tellsNothing(t *testing.T, how string, r outbound.Result, log *journal) {
	t.Helper()
	e, known := fault.As(r.Err)
	if !known || e.Message == "" {
		t.Errorf("%s: %v", how, r.Err)
	} else if told := e.Error() + e.Hint + log.String(); strings.Contains(told, "hunter2") {
		t.Errorf("%s: %s", how, told)
	}
}
