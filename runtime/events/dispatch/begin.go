package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// begin starts what may be started now.
func (d *Dispatcher) begin(ctx context.Context, now time.Time) error {
	var chosen []result
	for _, c := range d.consumers {
		c.awake(now)
		if c.paused || c.rests.After(now) {
			continue
		}
		err := d.unblock(ctx, c)
		if err == nil {
			var some []result
			some, err = d.choose(ctx, c, now)
			chosen = append(chosen, some...)
		}
		if err != nil {
			for _, r := range chosen {
				d.back(r)
			}
			return err
		}
	}
	return d.start(ctx, chosen)
}

// limit is how many deliveries of a consumer this server may have at work: its part of what all may.
func (d *Dispatcher) limit(c *consumer) int {
	return max(1, (c.by.Concurrency*len(d.holds)+lanes-1)/lanes)
}

// choose takes the heads of lines, for Batch with what stands behind them.
func (d *Dispatcher) choose(ctx context.Context, c *consumer, now time.Time) ([]result, error) {
	var chosen []result
	limit := d.limit(c)
	if c.by.Batch != nil {
		if int(c.batches.Load()) >= limit && !c.by.Immediate {
			return nil, nil
		}
		limit = batchSize * min(batchesAtOnce, limit)
	}
	ready := c.ready
	c.ready = nil
	for i, l := range ready {
		if c.running >= limit && !c.by.Immediate {
			c.ready = append(c.ready, ready[i:]...)
			break
		}
		l.listed = false
		head, err := d.first(ctx, c, l, now)
		switch {
		case err != nil:
			c.lists(ready[i:])
			return chosen, err
		case head == nil:
			continue
		case c.running >= limit && head.attempt > 0:
			c.lists(ready[i : i+1])
			continue
		}
		free, err := d.free(ctx, c, head, now)
		if err != nil {
			c.lists(ready[i:])
			return chosen, err
		}
		if !free {
			c.lists(ready[i : i+1])
			d.soon(now)
			continue
		}
		chosen = append(chosen, d.pick(c, l, now)...)
	}
	return chosen, nil
}

// first gives the head of a line when it may begin, reading the line when it is not here.
func (d *Dispatcher) first(ctx context.Context, c *consumer, l *line, now time.Time) (*item, error) {
	head := l.head()
	if head == nil && l.more {
		if err := d.refill(ctx, c, l); err != nil {
			return nil, err
		}
		head = l.head()
	}
	if head == nil || l.busy() || head.due.After(now) {
		return nil, nil //nolint:nilnil // none is a valid answer
	}
	return head, nil
}

// pick takes the head of a line, for Batch with what stands behind it.
func (d *Dispatcher) pick(c *consumer, l *line, now time.Time) []result {
	per := 1
	if c.by.Batch != nil && len(c.moves) == 0 {
		per = linePending
	}
	var picked []result
	for _, it := range l.items[:min(per, len(l.items))] {
		hold := d.holds[it.lane]
		if hold == nil || hold.leaving || it.state != queued || it.due.After(now) {
			break
		}
		it.state = running
		c.running++
		hold.running++
		picked = append(picked, result{of: c, by: c.by, item: it, lane: hold})
	}
	return picked
}

// soon lets the next turn come soon, for what nobody will wake the loop for.
func (d *Dispatcher) soon(now time.Time) {
	if at := now.Add(busy); at.Before(d.next) {
		d.next = at
	}
}

// lists puts lines back.
func (c *consumer) lists(all []*line) {
	for _, l := range all {
		l.listed = true
		c.ready = append(c.ready, l)
	}
}

// free tells whether nothing that changes keys is in the way of an item.
func (d *Dispatcher) free(ctx context.Context, c *consumer, it *item, now time.Time) (bool, error) {
	for _, m := range c.moves {
		if m.before(it.itemKey) && (m.other == it.key || m.other == 0) {
			return false, nil
		}
	}
	if it.other == nil || it.clear {
		return true, nil
	}
	if now.Sub(it.looked) < busy {
		return false, nil
	}
	it.looked = now
	var earlier bool
	err := d.options.Pool.QueryRow(ctx, earlierSQL, c.id, it.id, it.part, *it.other).Scan(&earlier)
	it.clear = !earlier
	return it.clear && err == nil, err
}

// unblock asks what has become of other servers' deliveries that change keys.
func (d *Dispatcher) unblock(ctx context.Context, c *consumer) error {
	if len(c.moves) == 0 || time.Since(c.unblocked) < busy {
		return nil
	}
	c.unblocked = time.Now()
	var ids []int64
	for key, m := range c.moves {
		if c.items[key] == nil {
			ids = append(ids, m.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := d.options.Pool.Query(ctx, unfinishedSQL, c.id, ids)
	if err != nil {
		return err
	}
	still := map[itemKey]bool{}
	for rows.Next() {
		var key itemKey
		if err := rows.Scan(&key.id, &key.part); err != nil {
			rows.Close()
			return err
		}
		still[key] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for key := range c.moves {
		if slices.Contains(ids, key.id) && !still[key] {
			delete(c.moves, key)
		}
	}
	return nil
}

// start loads the events of what was chosen and hands it to workers.
func (d *Dispatcher) start(ctx context.Context, chosen []result) error {
	if len(chosen) == 0 {
		return nil
	}
	ids, at := make([]int64, len(chosen)), make([]time.Time, len(chosen))
	for i, r := range chosen {
		ids[i], at[i] = r.item.id, r.item.at
	}
	loading, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all, err := events.Load(loading, d.options.Pool, ids, at)
	if err != nil {
		for _, r := range chosen {
			d.back(r)
		}
		return err
	}
	byID := make(map[int64]*events.Event, len(all))
	for _, e := range all {
		byID[e.ID] = e
	}
	batches := map[*consumer][]result{}
	for _, r := range chosen {
		it := r.item
		r.delivery = &Delivery{Event: byID[it.id], Part: it.part, Step: it.step, Attempt: it.attempt}
		switch {
		case r.delivery.Event == nil:
			r.Result = Result{Outcome: Dead, Err: fault.New(fault.NotFound, "events/gone", "the event is no longer kept")}
			r.mark = true
			d.finish(r)
		case r.by.Batch != nil:
			batches[r.of] = append(batches[r.of], r)
		default:
			d.workers.Go(func() { d.work(r) })
		}
	}
	for c, all := range batches {
		most := d.limit(c) - int(c.batches.Load())
		if c.by.Immediate {
			most = len(all)
		}
		for _, some := range split(all, most) {
			c.batches.Add(1)
			d.workers.Go(func() {
				defer d.nudge()
				defer c.batches.Add(-1)
				d.batch(some)
			})
		}
	}
	return nil
}

// back undoes the choice of an item.
func (d *Dispatcher) back(r result) {
	if r.item.state != running {
		return
	}
	r.item.state = queued
	r.of.running--
	r.lane.running--
	if l := r.of.lines[r.item.key]; l != nil {
		r.of.list(l, time.Now())
	}
}

// work does one delivery.
func (d *Dispatcher) work(r result) {
	began := time.Now()
	r.mark = true
	defer func() {
		if p := recover(); p != nil {
			r.Result = Result{Outcome: Again, Wait: time.Second, Err: fault.Wrap(fault.Internal, "events/panic", "the work on a change panicked", fmt.Errorf("%v\n%s", p, debug.Stack()))}
		}
		r.took = time.Since(began)
		d.finish(r)
	}()
	if !d.valid(r.lane, began) {
		r.Result = Result{Outcome: Rest}
		return
	}
	if err := d.whole(r.lane.ctx, &r); err != nil {
		r.Result = Result{Outcome: Rest, Wait: time.Second, Err: err}
		return
	}
	if r.by.Within != nil {
		if work, then := r.by.Within(r.delivery); work != nil {
			d.within(&r, work, then)
			return
		}
	}
	r.Result = r.by.Work(r.lane.ctx, r.delivery)
}

// whole reads the row of an event that was cut: here, where as many are in memory as are at work.
func (d *Dispatcher) whole(ctx context.Context, r *result) error {
	if !r.delivery.Event.Cut {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	read, err := events.ReadAnew(ctx, d.options.Pool, r.delivery.Event, r.by.Name)
	if err != nil {
		return err
	}
	if read.Problem != "" {
		d.options.Log.Warn("a change is acted on without its row, which is too large to be kept and could not be read", slog.String("consumer", r.by.Name),
			slog.Int64("event", read.Event.ID), slog.String("because", read.Problem))
	}
	r.delivery.Event, r.delivery.Judged = read.Event, read.Judged
	return nil
}

// finish hands a result to the loop.
func (d *Dispatcher) finish(r result) {
	d.mu.Lock()
	d.results = append(d.results, r)
	d.mu.Unlock()
	d.nudge()
}
