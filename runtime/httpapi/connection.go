package httpapi

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/fraiseql/fraiseql/runtime/socket"
)

// buffered is what net/http gathers before it writes to a connection. Of an answer that is larger it writes so much
// first, head and all, and then the rest: two calls of the system, two segments, and a client that wakes up twice.
const buffered = 4 << 10

// connection makes one call of the system of those two. It holds a write back only while a large piece of an answer
// is being written, never beyond that.
type connection struct {
	*socket.Conn
	mu      sync.Mutex // guards what follows
	holding bool
	held    *[]byte // the first write; nil when there is none
}

// firsts are what connections hold first writes in.
var firsts = sync.Pool{New: func() any { b := make([]byte, 0, buffered); return &b }}

// writeWhole writes a large piece of an answer. When it fits into net/http's buffer but for its beginning, the rest
// is sent on at once as well.
func (c *connection) writeWhole(w http.ResponseWriter, b []byte) (int, error) {
	c.hold()
	defer c.release()
	n, err := w.Write(b)
	if err == nil && c.holds() {
		err = http.NewResponseController(w).Flush()
	}
	return n, err
}

func (c *connection) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = true
}

func (c *connection) holds() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held != nil
}

// release sends what is held still. When that fails, nothing may follow it.
func (c *connection) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = false
	if c.held != nil {
		if _, err := c.send(nil); err != nil {
			_ = c.Close()
		}
	}
}

func (c *connection) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held != nil:
		return c.send(b)
	case c.holding && len(b) <= buffered:
		c.held = firsts.Get().(*[]byte)
		*c.held = append((*c.held)[:0], b...)
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// send sends what is held and b behind it; the number is that of the bytes of b.
func (c *connection) send(b []byte) (int, error) {
	first := len(*c.held)
	n, err := c.WriteBoth(*c.held, b)
	firsts.Put(c.held)
	c.held = nil
	return max(0, n-first), err
}

// listener gives connections that join writes.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &connection{Conn: socket.New(tcp)}, err
	}
	return c, err
}

type connectionKey struct{}

// withConnection lets requests find their connection.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	if joining, ok := c.(*connection); ok {
		return context.WithValue(ctx, connectionKey{}, joining)
	}
	return ctx
}
