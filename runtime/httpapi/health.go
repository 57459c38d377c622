package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Check is something that must be well for requests to be answered.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
}

// Health answers the probes of whoever runs the server.
type Health struct {
	checks   []Check
	started  atomic.Bool // every check has passed at least once
	draining atomic.Bool
}

// NewHealth makes the probes over some checks.
func NewHealth(checks ...Check) *Health { return &Health{checks: checks} }

// Drain makes /ready fail from now on.
func (h *Health) Drain() { h.draining.Store(true) }

// Routes adds the probes. Liveness says nothing of the database: restarting us would not mend that.
func (h *Health) Routes(mux *http.ServeMux, l Lifecycle) {
	mux.HandleFunc("GET "+l.HealthPath, func(w http.ResponseWriter, _ *http.Request) {
		writeHealth(w, http.StatusOK, map[string]any{"status": "ok"})
	})
	mux.HandleFunc("GET "+l.ReadyPath, h.ready)
	if l.ReadyPath != "/readiness" {
		mux.HandleFunc("GET /readiness", h.ready)
	}
	mux.HandleFunc("GET /startup", func(w http.ResponseWriter, r *http.Request) {
		if h.started.Load() {
			writeHealth(w, http.StatusOK, map[string]any{"status": "ok"})
			return
		}
		h.ready(w, r)
	})
}

// Ready runs the checks: nil when all pass.
func (h *Health) Ready(ctx context.Context) map[string]error {
	failures := map[string]error{}
	for _, c := range h.checks {
		if err := c.Run(ctx); err != nil {
			failures[c.Name] = err
		}
	}
	if len(failures) == 0 {
		h.started.Store(true)
	}
	return failures
}

func (h *Health) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if h.draining.Load() {
		writeHealth(w, http.StatusServiceUnavailable, map[string]any{"status": "draining"})
		return
	}
	failures := h.Ready(ctx)
	checks := map[string]string{}
	for _, c := range h.checks {
		checks[c.Name] = "ok"
		if err := failures[c.Name]; err != nil {
			checks[c.Name] = "failed"
			if e, ok := fault.As(err); ok {
				checks[c.Name] = e.Message // the cause can name hosts and stays in the log
			}
		}
	}
	if len(failures) > 0 {
		writeHealth(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "checks": checks})
		return
	}
	writeHealth(w, http.StatusOK, map[string]any{"status": "ok", "checks": checks})
}

func writeHealth(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a probe that has gone needs no answer
}
