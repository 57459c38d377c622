package httpapi

import (
	"context"
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
	large   atomic.Int64 // requests whose bodies take more than smallBody
}

// bounded gives each request its time, and refuses what finds neither a place nor room in the line. A request
// counts when it is there as a whole: whoever sends the head of one keeps nobody from his place.
func bounded(limits Limits, next http.Handler) http.Handler {
	p := &places{limits: limits, free: semaphore.NewWeighted(int64(max(1, limits.MaxConcurrentRequests)))}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		of := contextOf(r.Context())
		end := of.limit(limits.RequestTimeout)
		defer end()
		if r.Body != http.NoBody {
			body, err := p.receive(r.Body)
			defer p.release(body)
			if err != nil {
				WriteProblem(w, r, err)
				return
			}
			r.Body = body
		}
		if err := p.take(r.Context()); err != nil {
			WriteProblem(w, r, err)
			return
		}
		of.places, of.placed = p, true
		defer of.leave()
		next.ServeHTTP(w, r)
	})
}

// take gets a request its place, in the order in which requests have arrived whole, or says why there is none:
// the line is full, its time is over, or its client has gone.
func (p *places) take(ctx context.Context) error {
	if p.free.TryAcquire(1) {
		return nil
	}
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > int64(p.limits.MaxQueueDepth) || p.free.Acquire(ctx, 1) != nil {
		return busy()
	}
	return nil
}

func busy() error {
	return fault.New(fault.Unavailable, "server/busy", "the server is at work on as many requests as it may").
		WithHint("try again in a moment; [server.limits] max_concurrent_requests is the bound")
}
