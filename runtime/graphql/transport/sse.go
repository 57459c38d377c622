package transport

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

const eventStream = "text/event-stream"

// takesEvents tells whether a client names server-sent events as what it takes.
func takesEvents(accept []string) bool {
	for media, quality := range ranges(strings.Join(accept, ",")) {
		if media == eventStream {
			return quality > 0
		}
	}
	return false
}

// sameOrigin tells whether a browser says that the page of a request is one of this server. It is what EventSource can say,
// which sends no headers of a page's choice.
func sameOrigin(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Site") == "same-origin" }

// events answers one operation by server-sent events: the protocol GraphQL over SSE, mode of distinct connections.
//
//	id: where to resume            (a position before the first event, too)
//	event: next
//	data: {"data":{…}}
//	…
//	event: complete
//
// A server that leaves, and one whose client is too slow, cuts the stream without `complete`: the client is to come again,
// with Last-Event-ID.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, request Request) {
	left, full := h.Streams.enter()
	if full != nil {
		answer(w, responseJSON, full)
		return
	}
	defer h.Streams.exit()
	ctx, end := httpapi.Outlive(r.Context(), w)
	defer end()
	request.Open = false
	s := &eventWriter{w: w, control: http.NewResponseController(w)}
	out := subscribe.NewOutbox(h.Streams.Buffer)
	begun, refused := make(chan string, 1), make(chan *Response, 1)
	token := r.Header.Get("Last-Event-ID")
	// What is missed is told at the pace of the client, while it is written.
	done := make(chan struct{})
	subscribing, stop := context.WithCancel(ctx)
	go func() {
		defer close(done)
		leave, response := h.Streams.Subscribe(subscribing, request, Feed{
			Out: out, Token: token, Begun: func(token string) { begun <- token }, Ended: func() {},
		})
		if response != nil {
			refused <- response
			return
		}
		<-subscribing.Done()
		leave()
	}()
	defer func() { stop(); <-done }()
	select {
	case at := <-begun:
		s.begin(at)
	case response := <-refused:
		h.eventsOf(w, r, s, response)
		return
	case <-ctx.Done():
		return
	}
	h.pass(ctx, s, out, refused, left, request.Principal)
}

// pass writes what comes, until the client has gone or there is nothing more.
func (h *Handler) pass(ctx context.Context, s *eventWriter, out *subscribe.Outbox, refused <-chan *Response, left <-chan struct{}, who *httpapi.Principal) {
	alive := time.NewTicker(h.Streams.KeepAlive)
	defer alive.Stop()
	expired, stop := until(who)
	defer stop()
	var items []subscribe.Item
	for s.err == nil {
		select {
		case <-ctx.Done():
			return
		case <-left:
			return
		case <-expired:
			s.fail(problemBody(plan.Problem(plan.Unauthenticated, "the token has expired: subscribe again with another one", nil)))
			return
		case response := <-refused:
			s.fail(bodyOf(response))
			return
		case <-alive.C:
			s.write([]byte(":\n\n"))
		case <-out.Ready():
			var why subscribe.Why
			if items, why = out.Take(items); why != subscribe.Open {
				panic(http.ErrAbortHandler) // it is not to be taken for the end
			}
			if !s.items(items) {
				return
			}
			clear(items)
			out.Written()
		}
	}
}

// eventsOf answers where there is no subscription. What HTTP has a status for that clients act on is told by that.
func (h *Handler) eventsOf(w http.ResponseWriter, r *http.Request, s *eventWriter, response *Response) {
	if response.Unavailable || response.MethodNotAllowed || response.Data == nil && refused(response.Errors) != 0 {
		h.respond(w, r, responseJSON, *response)
		return
	}
	s.begin("")
	s.fail(bodyOf(response))
}

// problemBody writes a response of one error.
func problemBody(problem *gqlerror.Error) []byte {
	return appendAnswer(nil, execute.Result{Errors: gqlerror.List{problem}})
}

// eventWriter writes events. After an error it writes nothing more.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  bytes.Buffer
	err     error
}

// begin sends the head, with where the stream begins.
func (s *eventWriter) begin(token string) {
	head := s.w.Header()
	head.Set("Content-Type", eventStream+"; charset=utf-8")
	head.Set("Cache-Control", "no-cache, no-transform") // each compressed stream would take memory for as long as it lasts
	head.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
	if token != "" {
		s.write([]byte("id: " + token + "\n\n"))
	} else {
		s.write([]byte(":\n\n"))
	}
}

// items writes messages, and tells whether there may be more.
func (s *eventWriter) items(items []subscribe.Item) bool {
	s.buffer.Reset()
	open := true
	for _, i := range items {
		switch i.Kind {
		case subscribe.Next:
			s.event(i.Token, i.Payload)
		case subscribe.Failed:
			s.event("", append(append([]byte(`{"errors":`), i.Payload...), '}'))
			open = false
		case subscribe.Complete, subscribe.Pong:
		}
	}
	if !open {
		s.buffer.WriteString("event: complete\ndata: \n\n")
	}
	s.write(s.buffer.Bytes())
	return open && s.err == nil
}

// event adds one. JSON of ours has no line breaks but in what JSON columns hold: there they are white space.
func (s *eventWriter) event(token string, payload []byte) {
	if token != "" {
		s.buffer.WriteString("id: " + token + "\n")
	}
	s.buffer.WriteString("event: next\ndata: ")
	if bytes.ContainsAny(payload, "\r\n") {
		payload = bytes.Map(func(r rune) rune {
			if r == '\r' || r == '\n' {
				return ' '
			}
			return r
		}, payload)
	}
	s.buffer.Write(payload)
	s.buffer.WriteString("\n\n")
}

// fail ends the stream with a last response.
func (s *eventWriter) fail(body []byte) {
	s.buffer.Reset()
	s.event("", body)
	s.buffer.WriteString("event: complete\ndata: \n\n")
	s.write(s.buffer.Bytes())
}

func (s *eventWriter) write(b []byte) {
	if s.err != nil {
		return
	}
	s.err = s.control.SetWriteDeadline(time.Now().Add(writing))
	if errors.Is(s.err, http.ErrNotSupported) {
		s.err = nil
	}
	if s.err == nil {
		_, s.err = s.w.Write(b)
	}
	if s.err == nil {
		s.err = s.control.Flush()
	}
}
