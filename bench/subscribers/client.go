package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// client is one that subscribes, as a member of a tenant.
type client struct {
	tenant int
	conn   *websocket.Conn
}

const ask = `{"id":"1","type":"subscribe","payload":{"query":"subscription { messageChanged { message { id tenant body } } }"}}`

// connect lets clients subscribe, some at a time, and waits until all have.
func (l *load) connect(ctx context.Context, url string) ([]*client, error) {
	clients := make([]*client, l.clients)
	var connecting sync.WaitGroup
	failed := make(chan error, 1)
	places := make(chan struct{}, 20)
	for i := range clients {
		places <- struct{}{}
		connecting.Go(func() {
			defer func() { <-places }()
			c := &client{tenant: i % l.tenants}
			if err := c.subscribe(ctx, url, i); err != nil {
				select {
				case failed <- err:
				default:
				}
				return
			}
			clients[i] = c
		})
	}
	connecting.Wait()
	select {
	case err := <-failed:
		return nil, err
	default:
	}
	return clients, nil
}

// subscribe asks to be told.
func (c *client) subscribe(ctx context.Context, url string, number int) error {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{ //nolint:bodyclose // the library's
		Subprotocols: []string{"graphql-transport-ws"},
		HTTPHeader:   http.Header{"X-Fraiseql-Claims": {fmt.Sprintf(`{"role":"member","tenant":%d}`, c.tenant)}},
	})
	if err != nil {
		return err
	}
	c.conn = conn
	for _, text := range []string{`{"type":"connection_init"}`, ask} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return err
		}
	}
	if _, text, err := conn.Read(ctx); err != nil || !strings.Contains(string(text), "connection_ack") {
		return fmt.Errorf("client %d was told %s: %w", number, text, err)
	}
	return nil
}

var idIs = []byte(`"message":{"id":`)

// read takes frames until the connection ends.
func (l *load) read(ctx context.Context, c *client) (times []time.Duration) {
	var begun sync.Once
	for {
		_, frame, err := c.conn.Read(ctx)
		if err != nil {
			return times
		}
		now := time.Now().UnixNano()
		_, rest, found := bytes.Cut(frame, idIs)
		digits, _, _ := bytes.Cut(rest, []byte(","))
		id, err := strconv.Atoi(string(digits))
		if id < 0 {
			begun.Do(func() { l.begun.Add(1) })
			continue
		}
		if !found || err != nil || id%l.tenants != c.tenant {
			l.wrong.Add(1)
			fmt.Printf("a client of tenant %d was told %s\n", c.tenant, frame)
			continue
		}
		times = append(times, time.Duration(now-l.sent[id].Load()))
		l.told.Add(1)
	}
}
