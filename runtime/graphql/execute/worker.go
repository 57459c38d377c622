package execute

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// worker owns one connection.
type worker struct {
	*lanes
	alone  bool // it has one unit at a time
	conn   *pgconn.PgConn
	known  *prepared
	losses int64 // of the lanes, when conn was made or asked last
	watch  watch
	batch  []*unit
}

// maxTries bounds how often a unit is sent: each change of the schema while it is at work takes one, and so
// does each connection that is lost with it.
const maxTries = 4

// run takes units of the quick lane until the lanes are closed.
func (w *worker) run(ahead bool) {
	defer w.disconnect()
	if ahead {
		w.ahead()
	}
	for {
		w.idle.Add(1)
		select {
		case <-w.quit:
			w.idle.Add(-1)
			return
		case u := <-w.queue:
			w.idle.Add(-1)
			w.batch = append(w.batch[:0], u)
		}
		w.fill()
		w.send(w.batch...)
	}
}

// ahead opens the connection before anybody needs it.
func (w *worker) ahead() {
	if err := w.connect(); err != nil {
		w.log.Debug("a connection could not be opened ahead of requests", slog.Any("error", err))
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

// send sends units together, and those that have to be sent again one by one: whatever went wrong with one of
// them cannot hurt the others a second time.
func (w *worker) send(units ...*unit) {
	again := w.once(units)
	for len(again) > 0 {
		u := again[0]
		again = append(w.once([]*unit{u}), again[1:]...)
	}
}

// once sends units and gives those that must be sent again.
func (w *worker) once(units []*unit) (again []*unit) {
	waiting := units[:0:len(units)]
	for _, u := range units {
		if u.claimed.Load() {
			continue
		}
		if u.tries.Add(1) > maxTries {
			u.finish(outcome{failed: &failure{at: -1, err: errTried}})
			continue
		}
		waiting = append(waiting, u)
	}
	if len(waiting) == 0 {
		return nil
	}
	if err := w.connect(); err != nil {
		for _, u := range waiting {
			u.finish(outcome{failed: &failure{at: -1, err: err}})
		}
		return nil
	}
	return w.exchange(waiting)
}

var errTried = errors.New("the statement was sent several times without an answer")

// exchange is one round trip with units.
func (w *worker) exchange(units []*unit) (again []*unit) {
	x := exchange{worker: w, units: units}
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("reading an answer panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			w.watch.end()
			w.disconnect()
			again = x.panicked(fmt.Errorf("reading an answer panicked: %v", p))
		}
	}()
	w.watch.begin(w, units)
	again = x.run()
	w.watch.end()
	if w.conn.IsClosed() {
		w.lanes.losses.Add(1)
		w.disconnect()
	} else if w.conn.TxStatus() != 'I' {
		w.rollback()
	}
	return again
}

// rollback leaves a transaction that a failure has ended.
func (w *worker) rollback() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // it outlives the request that failed
	defer cancel()
	if _, err := w.conn.Exec(ctx, "rollback").ReadAll(); err != nil {
		w.disconnect()
	}
}

// connect makes sure that there is a connection. One from before another one was lost is asked first: it may
// have been lost as well, as when the server was started anew.
func (w *worker) connect() error {
	ctx := context.Background() // the connection serves others than who asks first; the dialer has its own time limit
	losses := w.lanes.losses.Load()
	if w.conn != nil && w.losses != losses {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := w.conn.Exec(ctx, "").ReadAll()
		cancel()
		if err != nil {
			w.disconnect()
		}
	}
	w.losses = losses
	if w.conn != nil {
		return nil
	}
	conn, err := w.dial(ctx)
	if err != nil {
		return err
	}
	w.conn, w.known = conn, newPrepared()
	return nil
}

func (w *worker) disconnect() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // of the goodbye
	defer cancel()
	_ = w.conn.Close(ctx) // whatever it says, the connection is gone
	w.conn = nil
}

// forgetPrepared makes a connection prepare everything anew.
func (w *worker) forgetPrepared() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // it serves whoever comes next
	defer cancel()
	if _, err := w.conn.Exec(ctx, "deallocate all").ReadAll(); err != nil {
		w.disconnect()
		return
	}
	w.known = newPrepared()
}
