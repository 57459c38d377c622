package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// handshakeGrace is how long connections that are being made when the server closes its door may take to
// become requests: several round trips within a data centre.
const handshakeGrace = 100 * time.Millisecond

// drain ends the server so that no request that reached it is lost:
//
//	not ready ── shutdown_delay ──> door closed ── handshakeGrace ──> no listener ── shutdown_timeout ──> cut off
//	└ load balancers look away;     └ nobody new;                     └ requests at work end
//	  every answer from here on       who knocked before is let in
//	  closes its connection
//
// A client whose connection lies idle for all of shutdown_delay may find it closed, as after any idle timeout.
func (s *Server) drain(stop context.Context) error {
	s.health.Drain()
	s.leaving.Store(true)
	delay := s.lifecycle.ShutdownDelay
	if !s.health.started.Load() { // a server that was never ready has been sent nothing
		delay = 0
	}
	s.log.Info("draining", slog.Duration("delay", delay), slog.Duration("timeout", s.lifecycle.ShutdownTimeout))
	<-time.After(delay)
	if err := closeDoor(s.listener); err != nil {
		s.log.Debug("connections made while the listener closes may be reset", slog.Any("error", err))
	}
	<-time.After(handshakeGrace)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), s.lifecycle.ShutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
		return fault.Wrap(fault.ActionNeeded, "server/drain-cut-short", "requests were still at work when the time for draining was over", err).
			WithHint("raise [lifecycle] shutdown_timeout, now %s", s.lifecycle.ShutdownTimeout)
	}
	return nil
}

// partings tells clients of a server that leaves to take their next request elsewhere: of the header net/http
// makes GOAWAY where the connection speaks HTTP/2. Its own switch, SetKeepAlivesEnabled, would also close
// connections that lie idle between two requests of a busy client.
func (s *Server) partings(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
