package execute

import (
	"log/slog"
	"time"
)

// overtake gives what waits for the quick lane connections of its own.
func (l *lanes) overtake() {
	for {
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
			l.start(false)
			return
		}
	}
}

// start begins a worker of the quick lane; ahead has it open its connection before anybody asks.
func (l *lanes) start(ahead bool) {
	w := &worker{lanes: l}
	l.work.Go(func() {
		if ahead {
			w.ahead()
		}
		w.run()
	})
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
		case u := <-w.queue:
			w.idle.Add(-1)
			w.batch = append(w.batch, u)
		}
		w.fill()
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
// retryAtMost.
const (
	retryAfter  = 50 * time.Millisecond
	retryAtMost = time.Second
)

// connected waits until there is a connection, and is false when the lanes are closed. While no other connection is
// open it does not wait: whoever asks is told soon that the database is away.
func (w *worker) connected() bool {
	for pause := retryAfter; w.conn == nil && w.alive.Load() > 0; pause = min(2*pause, retryAtMost) {
		err := w.connect(background)
		if err == nil {
			break
		}
		w.overtake()
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
