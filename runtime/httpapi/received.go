package httpapi

import (
	"bytes"
	"io"
	"sync"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// smallBody is what a connection may send of a body before it counts: about what it takes in memory anyway.
const smallBody = 16 << 10

// received is a body that has come before anybody asks for it.
type received struct {
	held  bytes.Buffer
	rest  io.LimitedReader // of the connection
	of    io.ReadCloser
	large bool
}

// bodies are used again: no handler reads the body of a request that it has answered.
var bodies = sync.Pool{New: func() any { return new(received) }}

// receive reads a body: only of a connection from which all has been read does net/http see that the client hangs
// up. Of large ones only as many are held as there are places and room in the line; what is larger than a request
// may be is left for its handler to refuse.
func (p *places) receive(of io.ReadCloser) (*received, error) {
	b := bodies.Get().(*received)
	b.of = of
	most := int64(p.limits.MaxRequestSize) + 1
	b.rest = io.LimitedReader{R: of, N: min(smallBody, most)}
	_, err := b.held.ReadFrom(&b.rest)
	if err == nil && b.rest.N == 0 && most > smallBody {
		b.large = true
		if p.large.Add(1) > int64(p.limits.MaxConcurrentRequests+p.limits.MaxQueueDepth) {
			return b, busy()
		}
		b.rest.N = most - smallBody
		_, err = b.held.ReadFrom(&b.rest)
	}
	if err != nil {
		return b, fault.Wrap(fault.Invalid, "server/body-cut", "the request's body could not be read to its end", err)
	}
	return b, nil
}

func (p *places) release(b *received) {
	if b.large {
		p.large.Add(-1)
	}
	b.held.Reset()
	b.of, b.rest, b.large = nil, io.LimitedReader{}, false
	bodies.Put(b)
}

func (b *received) Read(into []byte) (int, error) {
	if b.held.Len() > 0 {
		return b.held.Read(into)
	}
	return b.of.Read(into)
}

func (b *received) Close() error { return b.of.Close() }
