package transport

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Streams are connections whose answers have no end: subscriptions by server-sent events and by WebSocket. It counts them,
// and ends them when the server leaves.
type Streams struct {
	// Subscribe begins a subscription; what it gives goes to the feed until leave is called. Of a request that is none it gives
	// the response, as it does where a subscription is refused.
	Subscribe func(ctx context.Context, r Request, f Feed) (leave func(), response *Response)
	Ready     func() bool                                                         // whether there is something to subscribe to by now
	Verify    func(ctx context.Context, token string) (*httpapi.Principal, error) // nil: no tokens are taken

	Most      int           // connections
	PerSocket int           // operations of one WebSocket at a time
	Buffer    int           // bytes that wait for one client
	KeepAlive time.Duration // between signs of life
	Patience  time.Duration // for the first message of a WebSocket
	Origins   []string      // whose pages may open a WebSocket, beside our own
	Cookies   bool          // whether those of Origins that are named may do so as whom cookies and other headers say

	Nobody *httpapi.Principal // who asks where nobody says it; nil where that is not asked

	mu      sync.Mutex // guards what follows
	open    int
	leaving bool
	left    chan struct{} // is closed when the server leaves
	all     sync.WaitGroup
}

// Feed is where a subscription's messages go.
type Feed struct {
	Out   *subscribe.Outbox
	Of    *subscribe.Operation // nil where there is but one
	Token string               // where to resume; empty is now
	Begun func(token string)   // is called once, before the first message, with where it begins
	Ended func()               // is called when the subscription has failed, before that is told
}

// writing is how long a client may take to take what is written to it at once.
const writing = 10 * time.Second

// enter counts a connection in; refused says why it may not be.
func (s *Streams) enter() (left <-chan struct{}, refused *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.leaving:
		return nil, &refusal{status: http.StatusServiceUnavailable, problem: plan.Problem(plan.InternalError, "the server is about to end: subscribe again, elsewhere", nil)}
	case !s.Ready():
		return nil, &refusal{status: http.StatusServiceUnavailable, problem: plan.Problem(plan.InternalError, "the server is not ready yet: try again soon", nil)}
	case s.open >= s.Most:
		return nil, &refusal{status: http.StatusServiceUnavailable, problem: plan.Problem(plan.RateLimited,
			"the server has as many connections for subscriptions as it may ([graphql.subscriptions] max_connections): try again later", nil)}
	}
	if s.left == nil {
		s.left = make(chan struct{})
	}
	s.open++
	s.all.Add(1)
	return s.left, nil
}

func (s *Streams) exit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.all.Done()
}

// Open tells how many connections there are.
func (s *Streams) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Leave ends all connections, and takes no more. It does not wait.
func (s *Streams) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.leaving && s.left != nil {
		close(s.left)
	}
	s.leaving = true
}

// Wait waits until all connections have ended, after Leave.
func (s *Streams) Wait() { s.all.Wait() }

// until gives a channel that has something when a principal ends to hold; nil is never.
func until(p *httpapi.Principal) (expired <-chan time.Time, stop func()) {
	if p == nil || p.Until.IsZero() {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(p.Until))
	return timer.C, func() { timer.Stop() }
}

// bodyOf writes a response as an answer to one operation.
func bodyOf(r *Response) []byte {
	body := appendAnswer(nil, r.Result)
	r.Release()
	return body
}
