package httpapi

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// places are what requests at work hold, and the line of those that wait for one.
type places struct {
	limits  Limits
	free    *semaphore.Weighted // first come, first served
	waiting atomic.Int64
}

// bounded gives each request its time, and refuses what finds neither a place nor room in the line.
func bounded(limits Limits, next http.Handler) http.Handler {
	p := &places{limits: limits, free: semaphore.NewWeighted(int64(max(1, limits.MaxConcurrentRequests)))}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := p.free.TryAcquire(1)
		if !at && limits.MaxQueueDepth == 0 {
			WriteProblem(w, r, busy())
			return
		}
		end := contextOf(r.Context()).limit(limits.RequestTimeout)
		defer end()
		if !at {
			if err := p.wait(r); err != nil {
				WriteProblem(w, r, err)
				return
			}
		}
		defer p.free.Release(1)
		next.ServeHTTP(w, r)
	})
}

// wait gets a request its place, in the order in which requests have arrived whole, or says why there is none:
// the line is full, its time is over, or its client has gone.
func (p *places) wait(r *http.Request) error {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > int64(p.limits.MaxQueueDepth) {
		return busy()
	}
	if err := receive(r, int64(p.limits.MaxRequestSize)); err != nil {
		return fault.Wrap(fault.Invalid, "server/body-cut", "the request's body could not be read to its end", err)
	}
	if p.free.Acquire(r.Context(), 1) != nil {
		return busy()
	}
	return nil
}

// receive reads a request's body before anybody asks for it: only of a connection from which all has been read
// does net/http see that the client hangs up. What is larger than limit bytes is left for its handler to refuse.
func receive(r *http.Request, limit int64) error {
	rest := r.Body
	body, err := io.ReadAll(io.LimitReader(rest, limit+1))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	return err
}

func busy() error {
	return fault.New(fault.Unavailable, "server/busy", "the server is at work on as many requests as it may").
		WithHint("try again in a moment; [server.limits] max_concurrent_requests is the bound")
}
