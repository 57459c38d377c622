package httpapi

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"
)

// exchange is one request on its way through the server: the writer of its answer and its context, in one
// piece because every request pays for it.
type exchange struct {
	http.ResponseWriter
	status int // of the answer; 0 before it has begun
	of     requestContext
	header [2][1]string // the values of two headers, where they need no memory of their own
}

// requestContext is the context of a request. It is given its deadline in place, before anybody has derived
// another from it: a context in a context would want a second copy of the request.
type requestContext struct {
	context.Context
	id     string
	whole  context.Context // without the deadline
	places *places         // of the server; nil where they are not bounded
	placed bool            // the request has one
}

type requestKey struct{}

func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// limit lets the context end after a time; the function that it gives ends it at once.
func (c *requestContext) limit(after time.Duration) context.CancelFunc {
	ctx, cancel := context.WithTimeout(c.Context, after)
	c.whole, c.Context = c.Context, ctx
	return cancel
}

// leave gives the place back.
func (c *requestContext) leave() {
	if c.placed {
		c.places.free.Release(1)
		c.placed = false
	}
}

// Outlive lets a request go on for as long as its client stays, as one does whose answer has no end: it is none of those at
// work any more, which are bounded, nor has it a time to end in. Whoever calls it bounds such requests himself. It is for the
// goroutine of the request.
func Outlive(ctx context.Context, w http.ResponseWriter) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	whole := ctx
	if c := contextOf(ctx); c != nil && c.whole != nil {
		c.leave()
		whole = c.whole
	}
	stop := context.AfterFunc(whole, cancel)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // of HTTP/2 the connection has none
	_ = control.SetWriteDeadline(time.Time{})
	return lasting, func() { stop(); cancel() }
}

// Work takes a place among the requests at work for a part of one that has outlived them, such as one of the operations of a
// WebSocket: it waits in line as they do, and has as much time. The error says that there is no place. done may be called more
// than once, by the goroutine that works.
func Work(ctx context.Context) (working context.Context, done context.CancelFunc, err error) {
	c := contextOf(ctx)
	if c == nil || c.places == nil {
		return ctx, func() {}, nil
	}
	working, cancel := context.WithTimeout(ctx, c.places.limits.RequestTimeout)
	if err := c.places.take(working); err != nil {
		cancel()
		return nil, nil, err
	}
	held := true
	return working, func() {
		cancel()
		if held {
			held = false
			c.places.free.Release(1)
		}
	}, nil
}

// RequestID gives the id of the request that a context belongs to; empty outside of one.
func RequestID(ctx context.Context) string {
	if c := contextOf(ctx); c != nil {
		return c.id
	}
	return ""
}

func contextOf(ctx context.Context) *requestContext {
	c, _ := ctx.Value(requestKey{}).(*requestContext)
	return c
}

// begin takes a request in: it has an id from here on.
func begin(w http.ResponseWriter, r *http.Request) (*exchange, *http.Request) {
	id := r.Header.Get("X-Request-Id")
	if !sane(id) {
		id = newID()
	}
	x := &exchange{ResponseWriter: w, of: requestContext{Context: r.Context(), id: id}}
	x.header = [2][1]string{{id}, {"nosniff"}} // answers are what their type says, and no script
	h := w.Header()
	h["X-Request-Id"], h["X-Content-Type-Options"] = x.header[0][:], x.header[1][:]
	return x, r.WithContext(&x.of)
}

// sane tells whether a proxy's id may be taken over: it goes into logs and headers.
func sane(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// newID makes 16 hexadecimal digits. An id is no secret, so numbers that need no call of the kernel will do.
func newID() string {
	const digits = "0123456789abcdef"
	var text [16]byte
	for i, n := 0, rand.Uint64(); i < len(text); i, n = i+1, n>>4 {
		text[i] = digits[n&15]
	}
	return string(text[:])
}

// WriteHeader remembers what was answered. Of several heads of an answer the last one counts: those before it
// only inform (RFC 9110, section 15.2).
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	if len(b) >= buffered/2 { // with its head it may be more than fits
		if c, ok := x.of.Value(connectionKey{}).(*connection); ok {
			return c.writeWhole(x.ResponseWriter, b)
		}
	}
	return x.ResponseWriter.Write(b)
}

// FlushError sends what was written, and the answer's head if it has not gone yet.
func (x *exchange) FlushError() error {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return http.NewResponseController(x.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
