package execute

import (
	"log/slog"
	"net"
	"net/netip"
	"runtime"

	"github.com/jackc/pgx/v5/pgconn"
)

// warm opens all connections, so that no request waits for one: a new backend is slow for its first seconds.
func (l *lanes) warm() {
	begun := l.opened.Swap(l.slow)
	l.work.Go(func() {
		for i := begun; i < l.slow; i++ {
			w := &worker{lanes: l, alone: true}
			w.ahead()
			if i < l.turns.Load() {
				w.rest()
			} else {
				l.spare <- w
			}
			if i > begun {
				continue
			}
			// The slow lane, which serves everything, has one now: the other one may have some.
			for hired := l.hired.Load(); hired < l.quick; hired = l.hired.Load() {
				if l.hired.CompareAndSwap(hired, hired+1) {
					l.start()
				}
			}
		}
	})
}

// perProcessor is how many statements of the slow lane run at once for each processor, where PostgreSQL shares them
// with us. With more of them PostgreSQL takes 10 to 18 % more time for each, as they push each other out of the
// processors' caches.
const perProcessor = 2

// ahead opens the connection before anybody asks.
func (w *worker) ahead() {
	if err := w.connect(background); err != nil {
		w.log.Debug("a connection could not be opened ahead of requests", slog.Any("error", err))
		return
	}
	if near(w.conn) {
		w.turns.Store(min(w.slow, max(4, perProcessor*int32(runtime.GOMAXPROCS(0)))))
	}
}

// near tells whether the server is on this machine: both ends of the connection have to say so, as there may be a
// proxy or a pooler in between.
func near(conn *pgconn.PgConn) bool {
	if a, tcp := conn.Conn().RemoteAddr().(*net.TCPAddr); tcp && !a.IP.IsLoopback() {
		return false
	}
	results, err := conn.Exec(background, "select host(inet_server_addr())").ReadAll()
	if err != nil {
		return false
	}
	address := results[0].Rows[0][0]
	if address == nil {
		return true // a socket of the file system
	}
	ip, err := netip.ParseAddr(string(address))
	return err == nil && ip.IsLoopback()
}
