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
	// queueBound is how many units may wait for a connection, in each lane.
	queueBound = 4096
	// quickBelow is the time of a run, beside the way to the server and back, up to which a statement shares a connection.
	quickBelow = time.Millisecond
)

// lanes are connections with an owner each, and the queues before them. Statements that are known to be quick
// share few connections: many are on the way at once, each with a synchronisation of its own, so that a
// failure stays where it is. All others have a connection to themselves while they run, and whoever asks
// reads the answer without a hand-over.
//
//	unit ─┬─ quick ─────────> queue ─> 1-4 workers, up to 16 units on the way on the connection of each
//	      └─ slow, unknown ─> queue ─> one of the other connections, for this unit
//
// What writes has a connection to itself as well: one of the slow lane, or one of the quick lane that has nothing to do.
// There it may stay as long as any other unit, and is then cancelled and goes on in the slow lane.
//
// One that was quick and lately was not, as when the machine stood still, is tried in the quick lane again while no
// connection of the slow lane is free: it must not wait for those that really are slow. Where the quick lane has no place
// for strangers, a worker that has nothing to do takes it as it takes what writes.
//
// A unit of the quick lane that waits behind one that takes long, or whose connection is lost, is run once more by
// whoever asks for it, in the slow lane if a connection is free there; the first answer counts. One that takes long
// itself is cancelled and goes on in the slow lane.
type lanes struct {
	dial      func(ctx context.Context) (*pgconn.PgConn, error)
	log       *slog.Logger
	unnamed   bool
	positions bool // it is asked where in the log a write is

	queue     chan *unit // of the quick lane
	quick     int32      // its workers at most
	hired     atomic.Int32
	idle      atomic.Int32
	ready     atomic.Int32 // its connections that are open
	stuck     atomic.Int32 // workers whose statement takes long
	strangers atomic.Int32 // units of which nobody knows whether they are quick

	lent chan *unit // to a worker of the quick lane that has nothing to do, for one unit of the slow lane

	free    chan *worker // connections of the slow lane that nobody uses
	slow    int32        // how many there may be
	opened  atomic.Int32
	waiting atomic.Int32
	there   atomic.Int32 // its connections that are open

	losses atomic.Int64 // connections that broke: those from before are asked before they are used
	way    atomic.Int64 // nanoseconds of the way to the server and back

	quit    chan struct{}
	life    context.Context // of connecting ahead of requests: until then
	end     context.CancelFunc
	closing sync.RWMutex // held to start work, so that none begins when close waits for its end
	work    sync.WaitGroup
}

// newLanes makes lanes that open no connection yet: each is opened when it is needed, or by warm.
func newLanes(dial func(ctx context.Context) (*pgconn.PgConn, error), log *slog.Logger, connections int, unnamed bool) *lanes {
	quick := max(1, min(4, connections/3))
	slow := max(1, connections-quick)
	l := &lanes{
		dial: dial, log: log, unnamed: unnamed, quit: make(chan struct{}),
		queue: make(chan *unit, queueBound), quick: int32(quick), lent: make(chan *unit),
		free: make(chan *worker, slow), slow: int32(slow),
	}
	l.life, l.end = context.WithCancel(background)
	return l
}

// errBusy refuses a unit that would be one too many in a queue.
var errBusy = errors.New("too many requests wait for the database")

// run runs a unit in the lane that suits it and gives what comes of it.
func (l *lanes) run(ctx context.Context, u *unit) (outcome, *Stream) {
	u.ctx = ctx
	select {
	case <-l.quit:
		u.leave(pgconn.ErrConnClosed)
		return u.answer()
	default:
	}
	switch chosen := l.judge(u); chosen {
	case quickLane, slowLane:
		for next := chosen; next != noLane; {
			if next == quickLane {
				next = l.share(u)
			} else {
				next = l.direct(u)
			}
		}
	case handedOver:
		// Another one reads, so that the answer can leave meanwhile.
		u.handed = true
		if !l.spawn(func() { l.direct(u) }) {
			u.leave(pgconn.ErrConnClosed)
			break
		}
		select {
		case <-u.done:
		case <-ctx.Done():
			u.leave(ctx.Err())
		}
	}
	return u.answer()
}

type lane uint8

const (
	noLane lane = iota // there is an answer, or nobody waits for one
	quickLane
	slowLane
	handedOver // the slow lane, with another one to read
)

// below is the time up to which a statement is quick.
func (l *lanes) below() time.Duration { return quickBelow + time.Duration(l.way.Load()) }

// judge chooses a lane by what is known of a unit's statements. One that nobody knows yet, or that may be quick again,
// gets a connection of its own if one is free; else such units may take all workers of the quick lane but one.
func (l *lanes) judge(u *unit) lane {
	if u.writes { // it may wait for a lock, or for the disk
		return slowLane
	}
	quick, known, below := true, true, l.below()
	for i := range u.calls {
		pace := &u.calls[i].Pace
		took := pace.Took()
		switch {
		case pace.Bytes() > streamFrom && u.open:
			return handedOver
		case pace.Bytes() > streamFrom, took > below && !pace.WasQuick(below):
			return slowLane
		}
		known = known && took > 0
		quick = quick && 0 < took && took <= below
	}
	switch {
	case quick && (l.ready.Load() > 0 || l.vacant() == 0 || l.hired.Load() == 0):
		return quickLane
	case quick:
	case l.vacant() == 0 && !u.tried:
		if l.strangers.Add(1) < l.quick {
			u.tried = true
			u.stranger.Store(l)
			return quickLane
		}
		l.strangers.Add(-1)
	}
	if !known && u.open {
		return handedOver
	}
	return slowLane
}

// wasQuick tells whether a unit may well be quick again.
func (l *lanes) wasQuick(u *unit) bool {
	for i := range u.calls {
		if !u.calls[i].Pace.WasQuick(l.below()) {
			return false
		}
	}
	return true
}

// spawn starts work that close waits for. It is false when the lanes are closed.
func (l *lanes) spawn(work func()) bool {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.life.Err() != nil {
		return false
	}
	l.work.Go(work)
	return true
}

// close ends the workers after what they have on the way, and the connections.
func (l *lanes) close() {
	l.closing.Lock()
	if l.life.Err() == nil {
		l.end()
		close(l.quit)
	}
	l.closing.Unlock()
	l.work.Wait()
	l.drop()
	l.disconnect()
}

// drop ends what waits in the queue of the quick lane.
func (l *lanes) drop() {
	for {
		select {
		case u := <-l.queue:
			u.finish(outcome{failed: &failure{at: -1, err: pgconn.ErrConnClosed}})
		default:
			return
		}
	}
}

// disconnect ends the connections that nobody uses.
func (l *lanes) disconnect() {
	for {
		select {
		case w := <-l.free:
			w.disconnect()
		default:
			return
		}
	}
}
