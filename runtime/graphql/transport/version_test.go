package transport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// TestVersionsGoThereAndBack has mutations at places in the log. In a list each request sees what those before it wrote.
func TestVersionsGoThereAndBack(t *testing.T) {
	t.Parallel()
	var seen []transport.Version
	h := &transport.Handler{BodyLimit: 1 << 10, Batch: 3, AnswerLimit: 1 << 20, Execute: func(_ context.Context, r transport.Request) transport.Response {
		seen = append(seen, r.Version)
		var at postgres.Position
		var timeline uint32
		if strings.HasPrefix(r.Query, "mutation") {
			at, timeline = 0xabc, 2
		}
		if r.Query == "unsure" { // a mutation of which nobody knows whether it was made
			at = postgres.Nowhere
		}
		return transport.Response{Result: execute.Result{Data: []byte("{}"), Position: at, Timeline: timeline}}
	}}
	for _, c := range []struct {
		sent, body, back string
		seen             []transport.Version
	}{
		{"", `{"query":"{a}"}`, "", []transport.Version{{}}},
		{"", `{"query":"mutation {a}"}`, "2.abc", []transport.Version{{}}},
		{"2.abc", `{"query":"{a}"}`, "", []transport.Version{{At: 0xabc, Timeline: 2}}},
		{"abc", `{"query":"{a}"}`, "", []transport.Version{{At: postgres.Nowhere}}},
		{"1.what", `{"query":"{a}"}`, "", []transport.Version{{At: postgres.Nowhere}}},
		{"ffffffffffffffff", `{"query":"{a}"}`, "", []transport.Version{{At: postgres.Nowhere}}},
		{"", `{"query":"unsure"}`, "soon", []transport.Version{{}}},
		{"1.12", `[{"query":"unsure"},{"query":"{a}"}]`, "soon", []transport.Version{{At: 0x12, Timeline: 1}, {At: postgres.Nowhere, Timeline: 1}}},
		{"1.12", `[{"query":"{a}"},{"query":"mutation {a}"},{"query":"{a}"}]`, "2.abc", []transport.Version{{At: 0x12, Timeline: 1}, {At: 0x12, Timeline: 1}, {At: 0xabc, Timeline: 2}}},
	} {
		seen = nil
		r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		if c.sent != "" {
			r.Header.Set("x-fraiseql-version", c.sent)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if c.back == "soon" { // it is known when it was, and so when it must have ended
			n, err := strconv.ParseUint(strings.TrimPrefix(w.Header().Get("X-Fraiseql-Version"), "0."), 16, 64)
			when, unsure := postgres.Position(n).Unsure()
			if err != nil || !unsure || time.Since(when) > time.Minute || time.Until(when) > 0 {
				t.Errorf("%+v: sent %v, of %v", c, w.Header(), when)
			}
			c.back = w.Header().Get("X-Fraiseql-Version")
		}
		back, given := w.Header()["X-Fraiseql-Version"]
		if strings.Join(back, " ") != c.back || given != (c.back != "") || len(seen) != len(c.seen) {
			t.Errorf("%+v: sent %q, seen %d", c, back, seen)
			continue
		}
		for i := range seen {
			if seen[i] != c.seen[i] {
				t.Errorf("%+v: seen %d", c, seen)
			}
		}
	}
}
