package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/fraiseql/fraiseql/runtime/cluster"
)

// take looks at which lanes are held now. What belongs to a lane that was lost is forgotten, and its work is told to stop;
// for one that was won all consumers read anew what is there.
func (d *Dispatcher) take(ctx, work context.Context) {
	working, leaving := d.share.Held()
	now := map[int]cluster.Slot{}
	for _, s := range append(working, leaving...) {
		now[s.Number] = s
	}
	d.mu.Lock()
	lost, won := map[int]bool{}, false
	for number, l := range d.holds {
		// A term that was over ended the work, though nobody else had taken the lane: it begins anew.
		if s, held := now[number]; !held || s.Epoch != l.Epoch || l.ctx.Err() != nil {
			l.cancel()
			delete(d.holds, number)
			lost[number] = true
		} else {
			l.Until = s.Until
		}
	}
	for _, s := range working {
		if d.holds[s.Number] == nil {
			held, lose := context.WithCancel(work)
			d.holds[s.Number] = &lane{Slot: s, ctx: held, cancel: lose}
			won = true
		}
	}
	for _, s := range leaving {
		if l := d.holds[s.Number]; l != nil {
			l.leaving = true
		}
	}
	d.mu.Unlock()
	if len(lost) > 0 && ctx.Err() == nil {
		d.options.Log.Debug("lanes were lost", slog.Int("lanes", len(lost)))
	}
	for _, c := range d.consumers {
		if len(lost) > 0 {
			c.forget(func(lane int) bool { return lost[lane] })
		}
		if won {
			c.anew()
		}
	}
}

// valid tells whether a lane may still be worked for: a process that was halted may come back to a term that is over.
func (d *Dispatcher) valid(l *lane, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Before(l.Until) && l.ctx.Err() == nil
}

// leave gives lanes away that others are to have, when nothing of them is at work any more.
func (d *Dispatcher) leave(ctx context.Context) error {
	var numbers []int
	gone := map[int]bool{}
	_, leaving := d.share.Held()
	for _, s := range leaving {
		// One that is not held is one whose term was over: nothing of it is at work that counts.
		if l := d.holds[s.Number]; l == nil || l.leaving && l.running == 0 {
			numbers = append(numbers, s.Number)
			gone[s.Number] = true
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	d.mu.Lock()
	for _, number := range numbers {
		if l := d.holds[number]; l != nil {
			l.cancel()
			delete(d.holds, number)
		}
	}
	d.mu.Unlock()
	for _, c := range d.consumers {
		c.forget(func(lane int) bool { return gone[lane] })
	}
	return d.share.Give(ctx, numbers)
}

// guard ends the work for lanes whose term is over, also when the loop waits for the database.
func (d *Dispatcher) guard(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held := map[int]int64{}
		working, leaving := d.share.Held()
		for _, s := range append(working, leaving...) {
			held[s.Number] = s.Epoch
		}
		d.mu.Lock()
		for number, l := range d.holds {
			if held[number] != l.Epoch {
				l.cancel()
			}
		}
		d.mu.Unlock()
	}
}

// holding is what marks say of the lanes.
func (d *Dispatcher) holding() holding {
	h := holding{node: d.options.Node.ID()}
	for number, l := range d.holds {
		h.lanes, h.epochs = append(h.lanes, number), append(h.epochs, l.Epoch)
	}
	return h
}

// drain lets what is at work finish, and gives the lanes back.
func (d *Dispatcher) drain(work context.Context) {
	d.share.Stop()
	deadline := time.Now().Add(d.options.Drain)
	tick := time.NewTicker(busy)
	defer tick.Stop()
	for {
		d.take(work, work)
		err := d.settle(work)
		if err == nil {
			err = d.leave(work)
		}
		if len(d.holds) == 0 || time.Now().After(deadline) {
			return
		}
		if err != nil {
			d.options.Log.Debug("draining", slog.Any("error", err))
		}
		select {
		case <-tick.C:
		case <-d.wake:
		}
	}
}
