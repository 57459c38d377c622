package transport_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// silent is a ResponseWriter that costs nothing itself.
type silent struct{ header http.Header }

func (w silent) Header() http.Header         { return w.header }
func (w silent) Write(b []byte) (int, error) { return len(b), nil }
func (w silent) WriteHeader(int)             {}

// BenchmarkHandler is what HTTP costs a request, with an answer that is there already.
func BenchmarkHandler(b *testing.B) {
	body := []byte(`{"data":{"a":1}}`)
	h := &transport.Handler{BodyLimit: 1 << 20, Execute: func(context.Context, transport.Request) transport.Response {
		return transport.Response{Result: execute.Result{Body: body, Data: body[8 : len(body)-1]}}
	}}
	const document = "query($id: Int!) { author(id: $id) { id name } }"
	post := `{"query":"` + document + `","variables":{"id":7}}`
	for _, c := range []struct{ name, method, content, accept string }{
		{"POST", http.MethodPost, plain, "*/*"},
		{"POST as the clients do", http.MethodPost, plain + "; charset=utf-8", modern + ", " + plain + ";q=0.9"},
		{"POST as axios does", http.MethodPost, plain, plain + ", text/plain, */*"},
		{"GET", http.MethodGet, plain, modern},
	} {
		b.Run(c.name, func(b *testing.B) {
			text := strings.NewReader(post)
			r := httptest.NewRequest(c.method, "/graphql", text)
			if c.method == http.MethodGet {
				r.URL.RawQuery = url.Values{"query": {document}, "variables": {`{"id":7}`}}.Encode()
			}
			r.Header.Set("Content-Type", c.content)
			r.Header.Set("Accept", c.accept)
			w := silent{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				text.Reset(post)
				r.Body = io.NopCloser(text)
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}
