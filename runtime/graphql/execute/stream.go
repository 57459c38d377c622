package execute

import (
	"context"
	"errors"
	"sync"
)

const (
	// streamFrom is the size from which on an answer leaves in parts.
	streamFrom = 1 << 20
	// streamAhead is how many parts may wait for a client that is slower than the database.
	streamAhead = 4
)

// errLeft ends an answer whose client has gone.
var errLeft = errors.New("the client has gone")

// Stream is the rest of an answer that is too large to be held: it is read from the database while it is
// sent. It must be read to its end or closed. A failure on the way can no longer be told as an error of
// the response: the answer is cut.
type Stream struct {
	parts chan []byte
	end   chan struct{} // closed by the reader
	once  sync.Once
	err   error // set before parts is closed
}

func newStream() *Stream {
	return &Stream{parts: make(chan []byte, streamAhead), end: make(chan struct{})}
}

// Next gives the next part; nil without an error is the end.
func (s *Stream) Next(ctx context.Context) ([]byte, error) {
	select {
	case part, more := <-s.parts:
		if !more {
			return nil, s.err
		}
		return part, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close lets the rest go.
func (s *Stream) Close() { s.once.Do(func() { close(s.end) }) }

func (s *Stream) closed() bool {
	select {
	case <-s.end:
		return true
	default:
		return false
	}
}

// put hands a part over; it waits for a client that is slower than the database.
func (s *Stream) put(part []byte) error {
	select {
	case s.parts <- part:
		return nil
	case <-s.end:
		return errLeft
	}
}

func (s *Stream) finish(err error) {
	s.err = err
	close(s.parts)
}
