package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// statusOf is the one place where kinds of faults become HTTP statuses.
var statusOf = map[fault.Kind]int{
	fault.Internal: http.StatusInternalServerError, fault.Usage: http.StatusBadRequest, fault.Invalid: http.StatusBadRequest,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.ActionNeeded: http.StatusConflict,
	fault.RateLimited: http.StatusTooManyRequests, fault.Timeout: http.StatusGatewayTimeout, fault.Interrupted: http.StatusServiceUnavailable,
	fault.NotSupported: http.StatusMethodNotAllowed,
}

// WriteProblem answers a request with an error as RFC 9457 says. Of an error that is not a fault, or
// that is internal, the client learns nothing but the request's id.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status := statusOf[kind]
	body := map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status,
		"code": fault.CodeOf(err), "request_id": RequestID(r.Context()),
	}
	if e, ok := fault.As(err); ok && kind != fault.Internal {
		body["detail"] = e.Message
		if e.Hint != "" {
			body["hint"] = e.Hint
		}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if kind == fault.Unavailable || kind == fault.RateLimited {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}
