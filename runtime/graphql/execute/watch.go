package execute

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// patience is how long the units behind one that runs wait for it.
	patience = 40 * time.Millisecond
	// cancelPatience is how long a connection may take to answer after a cancel request before it is given up.
	cancelPatience = 500 * time.Millisecond
)

// watch looks after the unit that runs on a connection. When it takes long, those behind it get connections of
// their own; when nobody waits for it any more, it is cancelled.
type watch struct {
	mu        sync.Mutex // guards what follows
	timer     *time.Timer
	armed     bool // the timer runs: it is not stopped between units, as setting one may wake a thread
	worker    *worker
	conn      *pgconn.PgConn
	units     []*unit // on the way, in the order of their answers; nil when there are none
	at        int     // the one that runs
	since     time.Time
	stuck     bool      // the one that runs takes long, and the lanes know it
	cancelled time.Time // when a cancel request was sent last
	pending   bool      // it was for the unit that runs
}

func (s *watch) begin(w *worker, units []*unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worker, s.conn, s.units = w, w.conn, units
	s.at, s.since, s.pending = 0, time.Now(), false
	if s.armed {
		return
	}
	s.armed = true
	if s.timer == nil {
		s.timer = time.AfterFunc(patience, s.look)
	} else {
		s.timer.Reset(patience)
	}
}

// next notes that the answer of a unit is complete, and gives how long that took.
func (s *watch) next() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	took := now.Sub(s.since)
	s.at, s.since, s.pending = s.at+1, now, false
	s.loosen()
	return took
}

func (s *watch) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.units = nil
	s.loosen()
}

// loosen notes that what took long has ended.
func (s *watch) loosen() {
	if s.stuck {
		s.stuck = false
		s.worker.stuck.Add(-1)
	}
}

// cancelledLately tells whether a cancel request may still hit a statement that it was not meant for.
func (s *watch) cancelledLately() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.cancelled.IsZero() && time.Since(s.cancelled) < cancelPatience
}

// look is called by the timer.
func (s *watch) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at >= len(s.units) {
		s.armed = false
		return
	}
	defer s.timer.Reset(patience)
	took := time.Since(s.since)
	if took < patience {
		return
	}
	running := s.units[s.at]
	if !s.worker.alone {
		if !s.stuck {
			s.stuck = true
			s.worker.stuck.Add(1)
		}
		for i := range running.calls {
			running.calls[i].Pace.Stuck(took)
		}
		for _, behind := range s.units[s.at+1:] {
			behind.overtaken()
		}
		s.worker.overtake()
	}
	switch {
	case !running.gone():
	case !s.pending:
		s.pending, s.cancelled = true, time.Now()
		conn := s.conn
		s.worker.work.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), cancelPatience) // nobody else waits for it
			defer cancel()
			_ = conn.CancelRequest(ctx) // when it does not arrive, the connection is given up below
		})
	case time.Since(s.cancelled) > cancelPatience:
		_ = s.conn.Conn().Close() // reading ends with an error, and the connection is replaced
	}
}
