package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// session is one WebSocket.
//
//	open ── connection_init ──> acknowledged ── subscribe, complete, … ──> closed
//	  └── nothing in time: 4408      └── a second connection_init: 4429
type session struct {
	handler       *Handler
	conn          *websocket.Conn
	out           *subscribe.Outbox
	left          <-chan struct{}
	client, trace string
	acknowledged  chan struct{}
	work          sync.WaitGroup

	inits int // of the reader

	mu         sync.Mutex // guards what follows
	principal  *httpapi.Principal
	operations map[string]*operation
}

// operation is one that has not ended.
type operation struct {
	subscribe.Operation

	cancel context.CancelFunc
}

// message is one of a client.
type message struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

func (s *session) who() *httpapi.Principal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.principal
}

// read takes messages until the client closes, or breaks the protocol. Operations end with ctx.
func (s *session) read(reading, ctx context.Context) error {
	for {
		kind, data, err := s.conn.Read(reading)
		if err != nil {
			return err
		}
		var m message
		if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil {
			return closeError{closeBadRequest, "Invalid message: it is no JSON object with a type"}
		}
		if bytes.Equal(m.Payload, []byte("null")) {
			m.Payload = nil
		}
		if err := s.take(ctx, m); err != nil {
			return err
		}
	}
}

func (s *session) take(ctx context.Context, m message) error {
	switch m.Type {
	case "connection_init":
		return s.init(ctx, m)
	case "ping":
		s.out.Put(subscribe.Item{Kind: subscribe.Pong, Payload: m.Payload})
	case "pong":
	case "subscribe":
		return s.subscribe(ctx, m)
	case "complete":
		s.mu.Lock()
		defer s.mu.Unlock()
		if o := s.operations[m.ID]; o != nil {
			o.End()
			o.cancel()
			delete(s.operations, m.ID)
		}
	default:
		return closeError{closeBadRequest, "Invalid message: there is no such type"}
	}
	return nil
}

// init takes who asks from the first message: browsers can send no headers with a WebSocket.
func (s *session) init(ctx context.Context, m message) error {
	if s.inits++; s.inits > 1 {
		return closeError{closeTooManyInits, "Too many initialisation requests"}
	}
	token, given, err := tokenIn(m.Payload)
	if err != nil {
		return closeError{closeBadRequest, err.Error()}
	}
	if verify := s.handler.Streams.Verify; given && verify != nil {
		if who := s.who(); who != nil && who.Claims != nil {
			return closeError{closeForbidden, "Forbidden: headers and the first message both say who asks"}
		}
		who, err := verify(ctx, token)
		if err != nil {
			reason := "Forbidden"
			if told, known := fault.As(err); known {
				reason += ": " + told.Message
			}
			return closeError{closeForbidden, plan.Shorten(reason, 100)}
		}
		s.mu.Lock()
		s.principal = who
		s.mu.Unlock()
	}
	close(s.acknowledged)
	return nil
}

// tokenIn finds `Authorization: Bearer …` in the first message: as a member of its payload, or of "headers" in that.
func tokenIn(payload json.RawMessage) (token string, given bool, _ error) {
	if payload == nil {
		return "", false, nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return "", false, errors.New("Invalid payload: it is no object") //nolint:staticcheck // as the protocol's own reasons are written
	}
	for name, value := range members {
		if strings.EqualFold(name, "headers") {
			if token, given, err := tokenIn(value); given || err != nil {
				return token, given, err
			}
		}
		if !strings.EqualFold(name, "authorization") {
			continue
		}
		var text string
		if json.Unmarshal(value, &text) != nil {
			return "", false, errors.New("Invalid payload: the authorization is no text") //nolint:staticcheck // as above
		}
		scheme, token, found := strings.Cut(text, " ")
		if !found || !strings.EqualFold(scheme, "Bearer") {
			return text, true, nil // it will not hold
		}
		return strings.TrimSpace(token), true, nil
	}
	return "", false, nil
}

// subscribe begins an operation.
func (s *session) subscribe(ctx context.Context, m message) error {
	select {
	case <-s.acknowledged:
	default:
		return closeError{closeUnauthorized, "Unauthorized"}
	}
	if m.ID == "" || m.Payload == nil {
		return closeError{closeBadRequest, "Invalid message: an operation has an id and a payload"}
	}
	request, _, bad := decode(bytes.NewBuffer(m.Payload), 0)
	if bad != nil {
		return closeError{closeBadRequest, "Invalid message: " + plan.Shorten(bad.problem.Message, 100)}
	}
	ctx, cancel := context.WithCancel(ctx)
	o := &operation{Operation: subscribe.Operation{ID: m.ID}, cancel: cancel}
	s.mu.Lock()
	_, taken := s.operations[m.ID]
	most := len(s.operations) >= s.handler.Streams.PerSocket
	if !taken && !most {
		s.operations[m.ID] = o
	}
	s.mu.Unlock()
	switch {
	case taken:
		cancel()
		return closeError{closeTaken, "Subscriber for " + plan.Shorten(m.ID, 64) + " already exists"}
	case most:
		cancel()
		s.out.Put(subscribe.Item{Of: &o.Operation, Kind: subscribe.Failed, Payload: encode(gqlerror.List{plan.Problem(plan.RateLimited,
			"the connection has as many operations as it may ([graphql.subscriptions] max_per_connection)", nil)})})
		return nil
	}
	s.work.Go(func() { s.operate(ctx, m.ID, request, o) })
	return nil
}

// operate runs one operation to its end. A subscription has none but the client's word.
func (s *session) operate(ctx context.Context, id string, request Request, o *operation) {
	defer o.cancel()
	request.Principal, request.Client, request.Trace, request.Open = s.who(), s.client, s.trace, false
	leave, response := s.handler.Streams.Subscribe(ctx, request, Feed{
		Out: s.out, Of: &o.Operation, Begun: func(string) {}, Ended: func() { s.forget(id, o); o.cancel() },
	})
	if response == nil {
		<-ctx.Done()
		leave()
		s.forget(id, o)
		return
	}
	if response.Data == nil {
		s.end(id, o, subscribe.Item{Of: &o.Operation, Kind: subscribe.Failed, Payload: encode(response.Errors)})
		return
	}
	s.end(id, o, subscribe.Item{Of: &o.Operation, Kind: subscribe.Next, Payload: bodyOf(response)}, subscribe.Item{Of: &o.Operation, Kind: subscribe.Complete})
}

// forget makes the id of an operation free.
func (s *session) forget(id string, o *operation) (was bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[id] != o {
		return false
	}
	delete(s.operations, id)
	return true
}

// end gives the last messages of an operation, unless the client has ended it: its id may be another one's by now.
func (s *session) end(id string, o *operation, last ...subscribe.Item) {
	if !s.forget(id, o) {
		return
	}
	for _, i := range last {
		s.out.Put(i)
	}
}
