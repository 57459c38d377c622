package execute

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// quickDepth is how many units are on the way at once on a connection of the quick lane.
	quickDepth = 16
	// queueBound is how many units may wait for a connection.
	queueBound = 4096
	// slowAbove is the time of a run from which on a statement does not share a connection.
	slowAbove = 10 * time.Millisecond
)

// lanes are connections with an owner each, and the queues before them. Statements that are known to be
// quick share few connections: many are on the way at once, each with a synchronisation of its own, so that
// a failure stays where it is. All others have a connection to themselves while they run.
//
//	unit ──┬─ quick ──> queue ──> 1-4 connections, up to 16 units on the way on each
//	       └─ slow, unknown ─> queue ──> the other connections, one unit each
//
// A unit that waits behind one that takes long is sent again on the slow lane; the first answer counts.
type lanes struct {
	dial    func(ctx context.Context) (*pgconn.PgConn, error)
	log     *slog.Logger
	unnamed bool

	quick, slow *lane

	losses  atomic.Int64 // connections lost: those from before are asked before they are used
	quit    chan struct{}
	closing sync.Once
	workers sync.WaitGroup
}

// lane is a queue and the workers that take from it.
type lane struct {
	*lanes
	queue chan *unit
	depth int
	most  int32
	hired atomic.Int32
	idle  atomic.Int32
}

// newLanes makes lanes that open no connection yet: each is opened when it is needed, or by warm.
func newLanes(dial func(ctx context.Context) (*pgconn.PgConn, error), log *slog.Logger, connections int, unnamed bool) *lanes {
	l := &lanes{dial: dial, log: log, unnamed: unnamed, quit: make(chan struct{})}
	quick := max(1, min(4, connections/3))
	l.quick = &lane{lanes: l, queue: make(chan *unit, queueBound), depth: quickDepth, most: int32(quick)}
	l.slow = &lane{lanes: l, queue: make(chan *unit, queueBound), depth: 1, most: int32(max(1, connections-quick))}
	return l
}

// errBusy refuses a unit that would be one too many in a queue.
var errBusy = errors.New("too many requests wait for the database")

// submit puts a unit into the queue of the lane that suits it.
func (l *lanes) submit(u *unit) error {
	return l.laneOf(u).take(u)
}

// laneOf chooses by what is known of a unit's statements. One that nobody knows yet gets a connection of its
// own if one is free.
func (l *lanes) laneOf(u *unit) *lane {
	known := true
	for _, c := range u.calls {
		took := c.Pace.Took()
		if took > slowAbove || c.Pace.Bytes() > streamFrom {
			return l.slow
		}
		known = known && took > 0
	}
	if known || !l.slow.free() {
		return l.quick
	}
	return l.slow
}

// free tells whether a unit would not have to wait for others.
func (l *lane) free() bool {
	return int(l.idle.Load()) > len(l.queue) || l.hired.Load() < l.most
}

func (l *lane) take(u *unit) error {
	select {
	case l.queue <- u:
	default:
		return errBusy
	}
	l.hire()
	return nil
}

// hire starts a worker when one is needed and there may be one more.
func (l *lane) hire() {
	for {
		hired := l.hired.Load()
		if hired >= l.most || int(l.idle.Load()) >= len(l.queue) {
			return
		}
		if l.hired.CompareAndSwap(hired, hired+1) {
			l.start(false)
			return
		}
	}
}

func (l *lane) start(ahead bool) {
	w := &worker{lane: l}
	l.workers.Go(func() { w.run(ahead) })
}

// warm opens all connections, so that no request waits for one: a new backend is slow for its first seconds.
func (l *lanes) warm() {
	for _, lane := range []*lane{l.quick, l.slow} {
		for hired := lane.hired.Load(); hired < lane.most; hired = lane.hired.Load() {
			if lane.hired.CompareAndSwap(hired, hired+1) {
				lane.start(true)
			}
		}
	}
}

// close ends the workers after what they have on the way, and their connections.
func (l *lanes) close() {
	l.closing.Do(func() { close(l.quit) })
	l.workers.Wait()
	for _, lane := range []*lane{l.quick, l.slow} {
		for len(lane.queue) > 0 {
			(<-lane.queue).finish(outcome{failed: &failure{at: -1, err: pgconn.ErrConnClosed}})
		}
	}
}
