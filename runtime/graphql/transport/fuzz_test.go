package transport_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// FuzzBodies sends anything as a body: the answer is JSON, and what is run is one request, or a list within its bound.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		ask("{a}"), batched(ask("{a}"), ask("{b}")), batched(), `{"documentId":"sha256:ab"}`, `{"extensions":` + extension(digest("{a}")) + `}`,
		`{"query":"{a}","extensions":` + extension(digest("{a}")) + `}`, `[{"query":"{a}"},[{}],1]`, `{"query":null,"documentId":null}`, `[`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		ran := 0
		h := &transport.Handler{BodyLimit: 1000, Batch: 3, AnswerLimit: 1 << 20, Execute: func(_ context.Context, r transport.Request) transport.Response {
			ran++
			if r.DocumentID != "" && (r.Query != "" || r.Digest != "") || r.Query != "" && r.Digest != "" && r.Digest != digest(r.Query) {
				t.Errorf("it could mean two documents: %+v", r)
			}
			return transport.Response{Result: execute.Result{Data: []byte(`{}`)}}
		}}
		w := call{body: body}.do(h)
		list := strings.HasPrefix(w.Body.String(), "[")
		if !json.Valid(w.Body.Bytes()) || (ran > 0) != (w.Code == 200) || ran > 3 || ran > 1 && !list || list && strings.Count(w.Body.String(), `{"data":{}}`) != ran {
			t.Errorf("answered %d %s, and %d were run", w.Code, w.Body, ran)
		}
	})
}
