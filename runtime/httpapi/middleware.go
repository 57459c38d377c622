package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// guarded gives every request an id, logs it, and turns a panic into an answer and a log entry. An answer that
// has begun when its handler panics is cut, so that the client does not take it for a whole one.
func guarded(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, r := begin(w, r)
		if log.Enabled(r.Context(), slog.LevelDebug) {
			began := time.Now()
			defer func() {
				log.Debug("request", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", x.status),
					slog.Duration("took", time.Since(began)), slog.String("request_id", x.of.id))
			}()
		}
		defer func() {
			if p := recover(); p != nil {
				x.rescue(log, r, p)
			}
		}()
		next.ServeHTTP(x, r)
	})
}

// rescue answers a request whose handler panicked.
func (x *exchange) rescue(log *slog.Logger, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) { // no defect: whoever was writing saw that the rest will not come
		panic(p)
	}
	log.Error("a request panicked", slog.Any("panic", p), slog.String("request_id", x.of.id), slog.String("stack", string(debug.Stack())))
	if x.status != 0 {
		panic(http.ErrAbortHandler)
	}
	for _, of := range []string{"Content-Length", "Content-Encoding", "Cache-Control", "Etag"} { // of the answer that did not come
		x.Header().Del(of)
	}
	WriteProblem(x, r, fault.New(fault.Internal, "internal", "the request could not be answered"))
}
