package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

type requestIDKey struct{}

// RequestID gives the id of the request that a context belongs to; empty outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// saneID is what a proxy's id may look like to be taken over: it goes into logs and headers.
var saneID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !saneID.MatchString(id) {
			var b [8]byte
			_, _ = rand.Read(b[:]) // never fails since Go 1.24
			id = hex.EncodeToString(b[:])
		}
		w.Header().Set("X-Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff") // answers are what their type says, and no script
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// recorder remembers what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// guarded logs every request, and turns a panic into an answer and a log entry.
func guarded(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		out := &recorder{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				log.Error("a request panicked", slog.Any("panic", p), slog.String("request_id", RequestID(r.Context())), slog.String("stack", string(debug.Stack())))
				if out.status == 0 {
					WriteProblem(out, r, fault.New(fault.Internal, "internal", "the request could not be answered"))
				}
			}
			log.Debug("request", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", out.status),
				slog.Duration("took", time.Since(began)), slog.String("request_id", RequestID(r.Context())))
		}()
		next.ServeHTTP(out, r)
	})
}

// bounded gives each request its time and refuses more at once than places.
func bounded(limits Limits, next http.Handler) http.Handler {
	places := make(chan struct{}, max(1, limits.MaxConcurrentRequests))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			WriteProblem(w, r, fault.New(fault.Unavailable, "server/busy", "the server is at work on as many requests as it may").
				WithHint("try again in a moment; [server.limits] max_concurrent_requests is the bound"))
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), limits.RequestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
