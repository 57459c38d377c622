package execute

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// streamFrom is the size from which on an answer leaves in parts.
	streamFrom = 1 << 20
	// streamAhead is how many parts may wait for a client that is slower than the database.
	streamAhead = 4
	// streamPatience is how long the database waits for a client in all. After that the rest of the answer is held in
	// memory, as any other answer is, and others have the connection.
	streamPatience = 2 * time.Second
)

var (
	// errLeft ends an answer whose client has gone.
	errLeft = errors.New("the client has gone")
	// errSlow ends an answer whose time is over before the client has taken enough of it.
	errSlow = errors.New("the client took more time to read than the request has")
)

// Stream is the rest of an answer that is too large to be held: it is read from the database while it is
// sent. It must be closed. A failure on the way can no longer be told as an error of the response: the answer is cut.
type Stream struct {
	more chan struct{} // has one when there is something to take
	room chan struct{} // has one when something was taken
	end  chan struct{} // closed by the reader
	once sync.Once

	patience time.Duration // the writer's, what is left of it

	mu      sync.Mutex // guards what follows
	parts   [][]byte
	ended   bool
	err     error
	release []func()
}

func newStream() *Stream {
	return &Stream{more: make(chan struct{}, 1), room: make(chan struct{}, 1), end: make(chan struct{}), patience: streamPatience}
}

// Next gives the next part; nil without an error is the end.
func (s *Stream) Next(ctx context.Context) ([]byte, error) {
	for {
		part, ended, err := s.take()
		if part != nil || ended {
			return part, err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Stream) take() (part []byte, ended bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.parts) == 0 {
		return nil, s.ended, s.err
	}
	part, s.parts = s.parts[0], s.parts[1:]
	signal(s.room)
	return part, false, nil
}

// Close lets the rest go.
func (s *Stream) Close() {
	s.once.Do(func() {
		close(s.end)
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.release {
			f()
		}
	})
}

// OnClose has a function called when nobody reads the stream any more.
func (s *Stream) OnClose(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release = append(s.release, f)
}

func (s *Stream) closed() bool {
	select {
	case <-s.end:
		return true
	default:
		return false
	}
}

// put hands a part over. It waits for a client that is slower than the database, but not for ever.
func (s *Stream) put(ctx context.Context, part []byte) error {
	if s.closed() {
		return errLeft
	}
	for full := s.add(part); full && s.patience > 0; full = s.full() {
		began := time.Now()
		patience := time.NewTimer(s.patience)
		select {
		case <-s.room:
		case <-patience.C:
		case <-s.end:
			return errLeft
		case <-ctx.Done():
			return errSlow
		}
		patience.Stop()
		s.patience -= time.Since(began)
	}
	return nil
}

func (s *Stream) add(part []byte) (full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, part)
	signal(s.more)
	return len(s.parts) > streamAhead
}

func (s *Stream) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.parts) > streamAhead
}

func (s *Stream) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.err = true, err
	signal(s.more)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
