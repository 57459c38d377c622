package execute

import (
	"context"
	"log/slog"
	"time"
)

// share runs a unit in the quick lane, until that says that it is none for it.
func (l *lanes) share(u *unit) (next lane) {
	if u.elsewhere == nil { // a worker may still have it from before
		u.elsewhere = make(chan struct{}, 1)
	}
	u.slow.Store(false)
	for sent := false; ; sent = true {
		u.moved.Store(false)
		select {
		case l.queue <- u:
			l.hire()
			select {
			case <-l.quit: // closed just now: nobody takes it
				l.drop()
			default:
			}
		default:
			if !sent { // else it may be answered still
				u.leave(errBusy)
				return noLane
			}
		}
		select {
		case <-u.done:
			return noLane
		case <-u.ctx.Done():
			u.leave(u.ctx.Err())
			return noLane
		case <-u.elsewhere:
		}
		if u.slow.Load() {
			u.known()
			return slowLane
		}
		// Without a free connection it waits in the quick lane again: what is quick waits for nothing that is slow.
		if w := l.vacancy(); w != nil && !w.serve(u) {
			break
		}
	}
	if err := u.ctx.Err(); err != nil {
		u.leave(err)
	}
	return noLane
}

// overtake gives as many units as there may be, of those that wait for the quick lane, connections of their own.
func (l *lanes) overtake(most int) {
	for range most {
		select {
		case u := <-l.queue:
			u.move()
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
			l.start()
			return
		}
	}
}

func (l *lanes) start() {
	w := &worker{lanes: l}
	l.spawn(w.run)
}

// run takes units of the quick lane until the lanes are closed.
func (w *worker) run() {
	defer w.disconnect()
	for w.connected() {
		w.idle.Add(1)
		select {
		case <-w.quit:
			w.idle.Add(-1)
			return
		case u := <-w.lent:
			w.idle.Add(-1)
			w.batch = append(w.batch, u)
		case u := <-w.queue:
			w.idle.Add(-1)
			w.batch = append(w.batch, u)
			w.fill()
		}
		for _, u := range w.send() {
			u.move()
		}
		clear(w.batch)
		w.batch = w.batch[:0]
	}
}

// fill takes what else is in the queue, as far as it may be on the way together.
func (w *worker) fill() {
	for len(w.batch) < quickDepth {
		select {
		case u := <-w.queue:
			w.batch = append(w.batch, u)
		default:
			return
		}
	}
}

// retryAfter is how long a connection that could not be made is left alone at first; the time doubles up to
// retryAtMost. An attempt takes at most twenty times as long: the line may have broken in the middle of it.
const (
	retryAfter  = 50 * time.Millisecond
	retryAtMost = time.Second / 2
)

// connected waits until there is a connection, and is false when the lanes are closed. While the slow lane has no
// other one it does not wait: whoever asks is told soon that the database is away.
func (w *worker) connected() bool {
	for pause := retryAfter; w.conn == nil && (!w.alone || w.there.Load() > 0); pause = min(2*pause, retryAtMost) {
		ctx, cancel := context.WithTimeout(w.life, 20*pause)
		err := w.connect(ctx)
		cancel()
		if err == nil {
			break
		}
		if !w.alone {
			w.overtake(queueBound)
		}
		if pause == retryAfter {
			w.log.Warn("a connection could not be opened; the others do its work meanwhile", slog.Any("error", err))
		}
		select {
		case <-time.After(pause):
		case <-w.quit:
			return false
		}
	}
	return true
}
