package execute

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// direct runs a unit on a connection that nobody else uses meanwhile, and on another one when that is lost. While it
// waits for one it may get a place in the quick lane, to which it then has to go.
func (l *lanes) direct(u *unit) (next lane) {
	for more := true; more; {
		w, err := l.acquire(u)
		if errors.Is(err, errQuickAgain) {
			u.returns++
			return quickLane
		}
		if errors.Is(err, errLent) {
			var end <-chan struct{}
			if !u.writes { // else whoever asks waits for the end in any case: what was written, was
				end = u.ctx.Done()
			}
			select {
			case <-u.done:
				more = false
			case <-end:
				more = false
			case <-u.elsewhere:
			}
			continue
		}
		if err != nil {
			u.leave(err)
		}
		if w == nil {
			break
		}
		more = w.serve(u)
	}
	if err := u.ctx.Err(); err != nil {
		u.leave(err)
	}
	return noLane
}

var (
	errQuickAgain = errors.New("there is a place in the quick lane")
	errLent       = errors.New("a worker of the quick lane has it")
)

// serve runs a unit by itself, as often as that helps. It tells whether the unit is to be run on another connection.
func (w *worker) serve(u *unit) (elsewhere bool) {
	defer w.release()
	for {
		w.batch = append(w.batch[:0], u)
		again := w.send()
		clear(w.batch)
		if len(again) == 0 {
			return false
		}
		if w.conn == nil {
			return true
		}
	}
}

// release gives a connection of the slow lane back. One that is broken comes back when it is made again, or at
// once where no other is open: whoever takes it is told soon that the database is away.
func (w *worker) release() {
	mend := func() {
		if w.connected() {
			w.rest()
		}
	}
	if w.conn != nil || w.there.Load() == 0 || !w.spawn(mend) {
		w.rest()
	}
}

func (w *worker) rest() {
	select {
	case <-w.quit:
		w.disconnect()
		return
	default:
	}
	w.free <- w
	select {
	case <-w.quit: // closed just now
		w.lanes.disconnect()
	default:
	}
}

// vacancy takes a connection of the slow lane if one is free, or may be opened.
func (l *lanes) vacancy() *worker {
	select {
	case w := <-l.free:
		return w
	default:
	}
	for opened := l.opened.Load(); opened < l.slow; opened = l.opened.Load() {
		if l.opened.CompareAndSwap(opened, opened+1) {
			return &worker{lanes: l, alone: true}
		}
	}
	return nil
}

// vacant gives how many units could have a connection of the slow lane now.
func (l *lanes) vacant() int { return len(l.free) + int(max(0, l.slow-l.opened.Load())) }

// acquire takes a connection of the slow lane; those who wait get theirs in the order in which they came, but for
// units that may be quick again, which lose their place in line when they look. It gives none when the answer has come
// meanwhile.
func (l *lanes) acquire(u *unit) (*worker, error) {
	if w := l.vacancy(); w != nil {
		return w, nil
	}
	if l.waiting.Add(1) > queueBound {
		l.waiting.Add(-1)
		return nil, errBusy
	}
	defer l.waiting.Add(-1)
	var lent chan<- *unit
	if u.writes && !u.slow.Load() { // not one that was lent before, and waits for a lock
		lent = l.lendable(u)
	}
	var look <-chan time.Time
	if !u.handed && !u.writes && l.wasQuick(u) {
		ticker := time.NewTicker(patience << min(u.returns, 8)) // its statement may be quick, and it slow: on a lock
		defer ticker.Stop()
		look = ticker.C
	}
	for {
		select {
		case w := <-l.free:
			return w, nil
		case lent <- u:
			return nil, errLent
		case <-look:
			if l.judge(u) == quickLane {
				return nil, errQuickAgain
			}
			if !u.slow.Load() { // nobody tried it there yet
				lent = l.lendable(u)
			}
		case <-u.done:
			return nil, nil
		case <-u.ctx.Done():
			return nil, u.ctx.Err()
		case <-l.quit:
			return nil, pgconn.ErrConnClosed
		}
	}
}

// lendable gives where a worker of the quick lane takes a unit from that waits in the slow one.
func (l *lanes) lendable(u *unit) chan<- *unit {
	if u.elsewhere == nil {
		u.elsewhere = make(chan struct{}, 1)
	}
	return l.lent
}
