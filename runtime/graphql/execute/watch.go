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
// their own; when it holds a connection of the quick lane for long, or nobody waits for it any more, it is cancelled.
type watch struct {
	mu        sync.Mutex // guards what follows
	timer     *time.Timer
	armed     bool // the timer runs: it is not stopped between units, as setting one may wake a thread
	worker    *worker
	conn      *pgconn.PgConn
	units     []*unit // on the way, in the order of their answers; nil when there are none
	at        int     // the one that runs
	since     time.Time
	stuck     bool       // the one that runs takes long, and the lanes know it
	cancelled time.Time  // when a cancel request was sent last, for one of the units
	receipt   chan error // what came of it
	pending   bool       // it was for the unit that runs
	givenUp   bool       // the connection was closed, as it did not answer
}

func (s *watch) begin(w *worker, units []*unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worker, s.conn, s.units = w, w.conn, units
	s.at, s.since = 0, time.Now()
	s.cancelled, s.receipt, s.pending, s.givenUp = time.Time{}, nil, false, false
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

// end notes that nothing is on the way any more. It is false when a cancel request may still hit what is sent next.
func (s *watch) end() (safe bool) {
	s.mu.Lock()
	receipt := s.receipt
	s.units, s.receipt = nil, nil // it is given once
	s.loosen()
	s.mu.Unlock()
	// The server ends the connection of a cancel request when it has done what it asks for.
	return receipt == nil || <-receipt == nil
}

// loosen notes that what took long has ended.
func (s *watch) loosen() {
	if !s.stuck {
		return
	}
	s.stuck = false
	s.worker.stuck.Add(-1)
}

// interrupted tells whether a cancel request was sent that may have hit another unit than it was meant for.
func (s *watch) interrupted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receipt != nil
}

// gaveUp tells whether it was this side that closed the connection.
func (s *watch) gaveUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.givenUp
}

// soon has a look without waiting for the timer.
func (s *watch) soon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.armed {
		s.timer.Reset(0)
	}
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
	running := s.units[s.at]
	if took >= patience {
		s.hold(running, took)
	}
	switch {
	case !running.gone() && (s.worker.alone || took < s.sharing()):
	case !s.pending:
		running.slow.Store(true)
		s.cancel()
	case time.Since(s.cancelled) > cancelPatience:
		s.givenUp = true
		_ = s.conn.Conn().Close() // reading ends with an error, and the connection is replaced
	}
}

// sharing is how long a statement may hold a connection of the quick lane: where one has done so already, others of
// those that are on the way may be no better.
func (s *watch) sharing() time.Duration {
	if s.receipt != nil {
		return patience
	}
	return 5 * patience
}

// hold notes that a unit takes long: nobody is to wait because of it.
func (s *watch) hold(running *unit, took time.Duration) {
	for i := range running.calls {
		running.calls[i].Pace.Stuck(took)
	}
	if s.worker.alone {
		return
	}
	l := s.worker.lanes
	if !s.stuck {
		s.stuck = true
		l.stuck.Add(1)
	}
	vacant := l.vacant() // the others wait until the connection is taken back
	for _, u := range s.units[s.at+1:] {
		if vacant > 0 && !u.claimed.Load() && !u.moved.Load() {
			u.move()
			vacant--
		}
	}
	if l.stuck.Load() >= l.ready.Load() {
		l.overtake(vacant)
	}
}

// cancel asks the server to end the statement that runs.
func (s *watch) cancel() {
	s.pending, s.cancelled = true, time.Now()
	conn, before, receipt := s.conn, s.receipt, make(chan error, 1)
	s.receipt = receipt
	ask := func() {
		ctx, cancel := context.WithTimeout(context.Background(), cancelPatience) // nobody else waits for it
		defer cancel()
		err := conn.CancelRequest(ctx)
		if err == nil {
			err = ctx.Err() // the request left, but nothing says that it was taken
		}
		if before != nil && err == nil {
			err = <-before
		}
		receipt <- err
	}
	if !s.worker.spawn(ask) {
		go ask() // of a request that outlives the lanes
	}
}
