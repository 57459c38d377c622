package httpapi_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// silent is a ResponseWriter that costs nothing itself.
type silent struct{ header http.Header }

func (w silent) Header() http.Header         { return w.header }
func (w silent) Write(b []byte) (int, error) { return len(b), nil }
func (w silent) WriteHeader(int)             {}

// BenchmarkMiddleware is what stands around every request, with a handler that does nothing and a log that
// takes no debug messages.
func BenchmarkMiddleware(b *testing.B) {
	var c table
	if _, problems := config.Load(&c, config.Options{}); problems.HasErrors() {
		b.Fatal(problems)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", func(http.ResponseWriter, *http.Request) {})
	log := slog.New(slog.DiscardHandler)
	h := httpapi.New(c.Server, c.Lifecycle, httpapi.NewHealth(), log, mux).Handler()
	for _, id := range []string{"", "from-the-proxy.1"} {
		name := "own id"
		if id != "" {
			name = "given id"
		}
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
			if id != "" {
				r.Header.Set("X-Request-Id", id)
			}
			w := silent{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}
