package httpapi

import (
	"net/http"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

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
		defer contextOf(r.Context()).limit(limits.RequestTimeout)()
		next.ServeHTTP(w, r)
	})
}
