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
	// quickBelow is the time of a run up to which a statement shares a connection.
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
// A unit that waits behind one that takes long is sent again on a connection of its own; the first answer counts.
type lanes struct {
	dial    func(ctx context.Context) (*pgconn.PgConn, error)
	log     *slog.Logger
	unnamed bool

	queue chan *unit // of the quick lane
	quick int32      // its workers at most
	hired atomic.Int32
	idle  atomic.Int32
	stuck atomic.Int32 // workers whose statement takes long

	free    chan *worker // connections of the slow lane that nobody uses
	slow    int32        // how many there may be
	opened  atomic.Int32
	waiting atomic.Int32

	losses  atomic.Int64 // connections lost: those from before are asked before they are used
	quit    chan struct{}
	closing sync.Once
	work    sync.WaitGroup
}

// newLanes makes lanes that open no connection yet: each is opened when it is needed, or by warm.
func newLanes(dial func(ctx context.Context) (*pgconn.PgConn, error), log *slog.Logger, connections int, unnamed bool) *lanes {
	quick := max(1, min(4, connections/3))
	slow := max(1, connections-quick)
	return &lanes{
		dial: dial, log: log, unnamed: unnamed, quit: make(chan struct{}),
		queue: make(chan *unit, queueBound), quick: int32(quick),
		free: make(chan *worker, slow), slow: int32(slow),
	}
}

// errBusy refuses a unit that would be one too many in a queue.
var errBusy = errors.New("too many requests wait for the database")

// run runs a unit in the lane that suits it and gives what comes of it.
func (l *lanes) run(ctx context.Context, u *unit) (outcome, *Stream) {
	quick, large := l.judge(u)
	switch {
	case !quick && !large:
		return l.direct(ctx, u)
	case !quick:
		// Another one reads, so that the answer can leave meanwhile.
		u.handed = true
		l.work.Go(func() { l.direct(ctx, u) })
	default:
		u.stuck = make(chan struct{})
		select {
		case l.queue <- u:
			l.hire()
		default:
			u.leave(errBusy)
		}
	}
	select {
	case <-u.done:
	case <-u.stuck:
		return l.direct(ctx, u)
	case <-ctx.Done():
		u.leave(ctx.Err())
	}
	return u.answer()
}

// judge chooses by what is known of a unit's statements: whether they are quick, and otherwise whether the answer
// may be one that leaves in parts. One that nobody knows yet gets a connection of its own if one is free.
func (l *lanes) judge(u *unit) (quick, large bool) {
	known := true
	for i := range u.calls {
		pace := &u.calls[i].Pace
		took := pace.Took()
		if pace.Bytes() > streamFrom {
			return false, u.open
		}
		if took > quickBelow {
			return false, false
		}
		known = known && took > 0
	}
	busy := len(l.free) == 0 && l.opened.Load() >= l.slow
	if (known || busy) && l.stuck.Load() < l.quick {
		return true, false
	}
	return false, !known && u.open
}

// overtake gives what waits for the quick lane connections of its own.
func (l *lanes) overtake() {
	for {
		select {
		case u := <-l.queue:
			u.overtaken()
		default:
			return
		}
	}
}

// hire starts a worker of the quick lane when one is needed and there may be one more.
func (l *lanes) hire() {
	for int(l.idle.Load()) < len(l.queue) {
		hired := l.hired.Load()
		if hired >= l.quick {
			return
		}
		if l.hired.CompareAndSwap(hired, hired+1) {
			l.start(false)
			return
		}
	}
}

func (l *lanes) start(ahead bool) {
	w := &worker{lanes: l}
	l.work.Go(func() { w.run(ahead) })
}

// direct runs a unit on a connection that nobody else uses meanwhile.
func (l *lanes) direct(ctx context.Context, u *unit) (outcome, *Stream) {
	w, err := l.acquire(ctx)
	if err != nil {
		u.leave(err)
		return u.answer()
	}
	stop := context.AfterFunc(ctx, func() { u.left.Store(true) }) // watch cancels it then
	w.send(u)
	stop()
	l.release(w)
	if err := ctx.Err(); err != nil {
		u.leave(err)
	}
	return u.answer()
}

func (l *lanes) release(w *worker) {
	l.free <- w
	select {
	case <-l.quit:
		l.disconnect()
	default:
	}
}

// acquire takes a connection of the slow lane; those who wait get theirs in the order in which they came.
func (l *lanes) acquire(ctx context.Context) (*worker, error) {
	select {
	case w := <-l.free:
		return w, nil
	default:
	}
	for opened := l.opened.Load(); opened < l.slow; opened = l.opened.Load() {
		if l.opened.CompareAndSwap(opened, opened+1) {
			return &worker{lanes: l, alone: true}, nil
		}
	}
	if l.waiting.Add(1) > queueBound {
		l.waiting.Add(-1)
		return nil, errBusy
	}
	defer l.waiting.Add(-1)
	select {
	case w := <-l.free:
		return w, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.quit:
		return nil, pgconn.ErrConnClosed
	}
}

// warm opens all connections, so that no request waits for one: a new backend is slow for its first seconds.
func (l *lanes) warm() {
	for hired := l.hired.Load(); hired < l.quick; hired = l.hired.Load() {
		if l.hired.CompareAndSwap(hired, hired+1) {
			l.start(true)
		}
	}
	for opened := l.opened.Load(); opened < l.slow; opened = l.opened.Load() {
		if l.opened.CompareAndSwap(opened, opened+1) {
			l.work.Go(func() {
				w := &worker{lanes: l, alone: true}
				w.ahead()
				l.free <- w
			})
		}
	}
}

// close ends the workers after what they have on the way, and the connections.
func (l *lanes) close() {
	l.closing.Do(func() { close(l.quit) })
	l.work.Wait()
	for len(l.queue) > 0 {
		(<-l.queue).finish(outcome{failed: &failure{at: -1, err: pgconn.ErrConnClosed}})
	}
	l.disconnect()
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
