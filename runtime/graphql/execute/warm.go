package execute

import "log/slog"

// warm opens all connections, so that no request waits for one: a new backend is slow for its first seconds. The
// first is one of the slow lane, which serves everything.
func (l *lanes) warm() {
	begun := l.opened.Swap(l.slow)
	l.spawn(func() {
		for i := begun; i < l.slow && l.life.Err() == nil; i++ {
			w := &worker{lanes: l, alone: true}
			if err := w.connect(l.life); err != nil {
				w.log.Debug("a connection could not be opened ahead of requests", slog.Any("error", err))
			}
			w.rest()
			if i == begun {
				l.hireAll()
			}
		}
	})
}

func (l *lanes) hireAll() {
	for hired := l.hired.Load(); hired < l.quick; hired = l.hired.Load() {
		if l.hired.CompareAndSwap(hired, hired+1) {
			l.start()
		}
	}
}
