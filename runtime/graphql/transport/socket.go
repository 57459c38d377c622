package transport

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// socketProtocol is the one that is spoken: GraphQL over WebSocket, by its document PROTOCOL.md.
const socketProtocol = "graphql-transport-ws"

// Why a socket is closed: the protocol's codes, and RFC 6455's.
const (
	closeBadRequest   = 4400
	closeUnauthorized = 4401
	closeForbidden    = 4403
	closeNoProtocol   = 4406
	closeInitTimeout  = 4408
	closeTaken        = 4409
	closeTooManyInits = 4429
)

// upgrades tells whether a request wants to be a WebSocket.
func upgrades(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// allowed tells whether the page that opens a socket may: it is of this server, or one of Origins. Browsers let any page open one,
// with all cookies, and say whose it is; other clients say nothing. believed tells whether headers say who asks: a page of another
// server would else ask as whoever looks at it.
func (s *Streams) allowed(r *http.Request) (may, believed bool) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true, true
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true, true
	}
	for _, pattern := range s.Origins {
		before, after, wild := strings.Cut(pattern, "*")
		if pattern == "*" {
			may = true
		} else if strings.EqualFold(pattern, origin) || wild && len(origin) > len(before)+len(after) &&
			strings.HasPrefix(strings.ToLower(origin), strings.ToLower(before)) && strings.HasSuffix(strings.ToLower(origin), strings.ToLower(after)) {
			return true, s.Cookies
		}
	}
	return may, false
}

// socket serves a WebSocket until it closes.
func (h *Handler) socket(w http.ResponseWriter, r *http.Request) {
	may, believed := h.Streams.allowed(r)
	if !may {
		answer(w, responseJSON, refuse(http.StatusForbidden, "a page of another site may not open a WebSocket here: [server.cors] origins names those that may"))
		return
	}
	left, full := h.Streams.enter()
	if full != nil {
		answer(w, responseJSON, full)
		return
	}
	defer h.Streams.exit()
	ctx, end := httpapi.Outlive(r.Context(), w)
	defer end()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{socketProtocol}, InsecureSkipVerify: true}) // of origins, allowed has judged
	if err != nil {
		return // it has been answered
	}
	defer func() { _ = conn.CloseNow() }()
	if conn.Subprotocol() != socketProtocol {
		_ = conn.Close(closeNoProtocol, "Subprotocol not acceptable")
		return
	}
	conn.SetReadLimit(h.BodyLimit)
	who := httpapi.PrincipalOf(r.Context())
	if !believed {
		who = h.Streams.Nobody
	}
	s := &session{
		handler: h, conn: conn, out: subscribe.NewOutbox(h.Streams.Buffer), left: left, operations: map[string]*operation{}, principal: who,
		client: hostOf(r.RemoteAddr), trace: traceOf(r.Header), acknowledged: make(chan struct{}),
	}
	s.serve(ctx)
}

// farewell is how long a client may take to close when it is told to.
const farewell = 2 * time.Second

// serve reads, writes and keeps alive until one of them ends the session. To end what reads or writes would cut the connection
// before it is closed in order: that comes last.
func (s *session) serve(ctx context.Context) {
	working, end := context.WithCancelCause(ctx)
	reading, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	s.work.Go(func() { end(s.write(working)) })
	s.work.Go(func() { end(s.ping(working)) })
	s.work.Go(func() {
		<-working.Done()
		s.out.End(subscribe.Gone)
		late := time.AfterFunc(farewell, cut)
		defer late.Stop()
		if closing, told := errors.AsType[closeError](context.Cause(working)); told {
			_ = s.conn.Close(closing.code, closing.reason)
		}
		cut()
	})
	end(s.read(reading, working))
	s.work.Wait()
}

// closeError ends a session with a code.
type closeError struct {
	code   websocket.StatusCode
	reason string
}

func (e closeError) Error() string { return e.reason }

// whyClosed are the codes for outboxes that have ended.
var whyClosed = map[subscribe.Why]closeError{
	subscribe.Slow:    {websocket.StatusTryAgainLater, "Slow client: more waits for it than may"},
	subscribe.Altered: {websocket.StatusServiceRestart, "The schema has changed"},
	subscribe.Leaving: {websocket.StatusGoingAway, "The server is about to end"},
	subscribe.Expired: {closeForbidden, "Forbidden: the token has expired"},
	subscribe.Gone:    {websocket.StatusNormalClosure, ""},
}

// write sends messages as they come.
func (s *session) write(ctx context.Context) error {
	var items []subscribe.Item
	var buffer []byte
	late := time.NewTimer(s.handler.Streams.Patience)
	defer late.Stop()
	acknowledged := s.acknowledged
	var expired <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.left:
			return whyClosed[subscribe.Leaving]
		case <-expired:
			return whyClosed[subscribe.Expired]
		case <-late.C:
			if acknowledged != nil {
				return closeError{closeInitTimeout, "Connection initialisation timeout"}
			}
		case <-acknowledged:
			acknowledged = nil
			e, stop := until(s.who())
			defer stop()
			expired = e
			if err := s.send(ctx, []byte(`{"type":"connection_ack"}`)); err != nil {
				return err
			}
		case <-s.out.Ready():
			var why subscribe.Why
			if items, why = s.out.Take(items); why != subscribe.Open {
				return whyClosed[why]
			}
			for _, i := range items {
				if i.Of.Over() {
					continue // its id may be another operation's by now
				}
				buffer = appendMessage(buffer[:0], i)
				if err := s.send(ctx, buffer); err != nil {
					return err
				}
			}
			clear(items)
			s.out.Written()
		}
	}
}

// send writes one message; who does not take it in time is gone.
func (s *session) send(ctx context.Context, message []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writing)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, message)
}

// ping finds out that a client has gone without a word.
func (s *session) ping(ctx context.Context) error {
	every := time.NewTicker(s.handler.Streams.KeepAlive)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
		waiting, cancel := context.WithTimeout(ctx, writing)
		err := s.conn.Ping(waiting)
		cancel()
		if err != nil {
			return err
		}
	}
}

// appendMessage writes an item as the protocol has it.
func appendMessage(b []byte, i subscribe.Item) []byte {
	if i.Kind == subscribe.Pong {
		if i.Payload == nil {
			return append(b, `{"type":"pong"}`...)
		}
		return append(append(append(b, `{"type":"pong","payload":`...), i.Payload...), '}')
	}
	id, _ := json.Marshal(i.Of.ID) // a text can be written
	b = append(append(append(b, `{"id":`...), id...), `,"type":"`...)
	switch i.Kind {
	case subscribe.Next:
		b = append(append(b, `next","payload":`...), i.Payload...)
	case subscribe.Failed:
		b = append(append(b, `error","payload":`...), i.Payload...)
	case subscribe.Complete, subscribe.Pong:
		return append(b, `complete"}`...)
	}
	return append(b, '}')
}
