package httpapi

import (
	"net/http"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// noRoute answers what no route of some muxes takes: 405 with the methods that there are for its path (RFC 9110,
// section 15.5.6), else 404. The standard library's 405 is out of reach where "/" takes every method.
func noRoute(muxes ...*http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			if isRoute(r, method, muxes) {
				allowed = append(allowed, method)
			}
		}
		if allowed == nil {
			WriteProblem(w, r, fault.New(fault.NotFound, "server/no-route", "there is nothing at "+r.URL.Path))
			return
		}
		list := strings.Join(allowed, ", ")
		w.Header().Set("Allow", list)
		WriteProblem(w, r, fault.New(fault.NotSupported, "server/no-method", r.URL.Path+" is served by "+list+", not by "+r.Method))
	}
}

// isRoute tells whether one of the muxes would have taken the request by another method.
func isRoute(r *http.Request, method string, muxes []*http.ServeMux) bool {
	other := *r
	other.Method = method
	for _, mux := range muxes {
		if _, pattern := mux.Handler(&other); pattern != "" && pattern != "/" {
			return true
		}
	}
	return false
}
