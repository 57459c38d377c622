package execute

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// worker owns one connection.
type worker struct {
	*lanes
	alone    bool // it has one unit at a time
	conn     *pgconn.PgConn
	known    *prepared
	reached  postgres.Position // that the server of the connection had replayed
	on       uint32            // the timeline that it was on
	losses   int64             // of the lanes, when conn was made or asked last
	watch    watch
	batch    []*unit // those to send, or on the way
	exchange exchange
}

// maxTries bounds how often a unit is sent in vain: each change of the schema while it is at work takes one, and so
// does each connection that is lost with it.
const maxTries = 4

// maxBlame bounds the blame of a unit for lost connections: 2 for each that was lost while it ran, else 1.
const maxBlame = maxTries - 1

// sideTime bounds what a worker asks for itself, in the background of requests.
const sideTime = 500 * time.Millisecond

// send sends the units of the batch that still need it, and gives those that must be sent again.
func (w *worker) send() (again []*unit) {
	units := w.batch[:0]
	for _, u := range w.batch {
		switch {
		case u.claimed.Load():
		case u.gone():
			if err := u.ctx.Err(); err != nil {
				u.leave(err) // nothing of it was sent
			}
		case u.tries.Load() >= maxTries:
			u.finish(outcome{failed: u.last.Load()}) // it was sent in vain because of that
		default:
			units = append(units, u)
		}
	}
	w.batch = units
	if len(units) == 0 {
		return nil
	}
	if err := w.ensure(); err != nil {
		if !w.alone || w.there.Load() > 0 {
			return append(again, units...)
		}
		for _, u := range units {
			u.finish(outcome{failed: &failure{at: -1, err: err}})
		}
		return nil
	}
	return w.roundTrip(units)
}

var errLater = errors.New("the connection is being made")

// ensure makes sure that there is a connection. Units of the quick lane do not wait for one.
func (w *worker) ensure() error {
	if losses := w.lanes.losses.Load(); w.conn != nil && w.losses != losses {
		// One from before another one broke may have broken as well, as when the server was started anew.
		w.losses = losses
		w.say("") // a round trip tells for certain; a glance with a deadline says nothing when it comes late
	}
	switch {
	case w.conn != nil:
		return nil
	case w.alone:
		return w.connect(w.batch[0].ctx)
	}
	return errLater
}

func (w *worker) connect(ctx context.Context) error {
	losses := w.lanes.losses.Load()
	conn, err := w.dial(ctx)
	if err != nil {
		return err
	}
	w.conn, w.known, w.losses, w.reached, w.on = conn, newPrepared(), losses, 0, 0
	w.count(1)
	var way time.Duration
	for range 2 { // the first time the server has some things to set up
		began := time.Now()
		if !w.say("") {
			return pgconn.ErrConnClosed
		}
		way = time.Since(began)
	}
	// A longer way than before may be a busy moment, or another server.
	if before := time.Duration(w.way.Load()); before > 0 && way > before {
		way = before + (way-before)/4
	}
	w.way.Store(int64(way))
	return nil
}

// count notes that the lane has a connection more or less.
func (w *worker) count(change int32) {
	if w.alone {
		w.there.Add(change)
	} else {
		w.ready.Add(change)
	}
}

func (w *worker) disconnect() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sideTime) // of the goodbye
	defer cancel()
	_ = w.conn.Close(ctx) // whatever it says, the connection is gone
	w.conn = nil
	w.count(-1)
}

// roundTrip is one exchange with units. It leaves a connection that can go on, or none.
func (w *worker) roundTrip(units []*unit) (again []*unit) {
	x := &w.exchange
	x.begin(w, units)
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("reading an answer panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			w.watch.end()
			w.disconnect()
			again = x.panicked(fmt.Errorf("reading an answer panicked: %v", p))
		}
	}()
	w.watch.begin(w, units)
	x.run()
	safe := w.watch.end()
	if u := x.settling; u != nil && safe {
		w.settle(u)
	} else if u != nil { // a cancel could hit its commit; with the connection goes what was done
		u.last.Store(&failure{at: -1, err: errUnsettled})
		x.again = append(x.again, u)
	}
	for _, u := range x.again {
		// A cancel was ours. One that hits a neighbour is no fault of it, and who is slow comes back ever later.
		if !isCancelled(u.last.Load().err) {
			u.tries.Add(1)
		}
	}
	if !safe || w.conn == nil || w.conn.IsClosed() {
		w.disconnect()
		return x.again
	}
	if w.conn.TxStatus() != 'I' {
		w.say("rollback") // a failure has ended a transaction that was begun
	}
	if x.stale && w.conn != nil && w.say("deallocate all") {
		w.known = newPrepared()
	}
	return x.again
}

// say runs a command of the worker's own; a connection that does not answer is given up.
func (w *worker) say(sql string) bool {
	_ = w.conn.Conn().SetDeadline(time.Now().Add(sideTime)) // what cannot be set fails in reading
	_, err := w.conn.Exec(background, sql).ReadAll()
	if err != nil {
		w.disconnect()
		return false
	}
	_ = w.conn.Conn().SetDeadline(time.Time{})
	return true
}
