package dispatch

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

const (
	// batchSize is how many deliveries one transaction does at most.
	batchSize = 250
	// batchesAtOnce is how many such transactions of one consumer run at once while they are full.
	batchesAtOnce = 2
)

// split makes batches, so many at most. Deliveries of one key stay in one, in their order.
func split(all []result, most int) [][]result {
	var batches [][]result
	var now []result
	for i, r := range all {
		if len(now) >= batchSize && len(batches)+1 < most && all[i-1].item.key != r.item.key {
			batches = append(batches, now)
			now = nil
		}
		now = append(now, r)
	}
	return append(batches, now)
}

// errGone says that deliveries of a batch are another server's by now.
var errGone = errors.New("the delivery is another server's now")

// batch does deliveries in one transaction, together with their marks: when it commits, both have happened, and else
// neither. What another server has taken over is left out.
func (d *Dispatcher) batch(all []result) {
	began := time.Now()
	ctx, cancel := context.WithCancel(all[0].lane.ctx)
	defer cancel()
	for _, r := range all { // a lane that is lost takes its batch along
		stop := context.AfterFunc(r.lane.ctx, cancel)
		defer stop()
	}
	for i := range all {
		all[i].Result = Result{Outcome: Done}
	}
	// Rows that were too large to be kept are read one at a time.
	if !slices.ContainsFunc(all, func(r result) bool { return r.delivery.Event.Cut }) {
		err := d.together(ctx, all, began)
		if err == nil {
			d.finishAll(all)
			return
		}
		if ctx.Err() != nil || len(all) == 1 && !errors.Is(err, errGone) {
			d.refused(ctx, all, err)
			return
		}
	}
	failed := map[int64]bool{}
	for i := range all {
		one := all[i : i+1]
		if failed[one[0].item.key] {
			one[0].Result = Result{Outcome: Rest} // what came before it in its key has to be done first
			d.finish(one[0])
			continue
		}
		if err := d.whole(ctx, &one[0]); err != nil {
			failed[one[0].item.key] = true
			one[0].Result = Result{Outcome: Rest, Wait: time.Second, Err: err}
			d.finish(one[0])
			continue
		}
		if err := d.together(ctx, one, time.Now()); err != nil {
			failed[one[0].item.key] = true
			d.refused(ctx, one, err)
			continue
		}
		d.finish(one[0])
	}
}

// calmly makes an error of a panic.
func calmly(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, "events/panic", "the work on a change panicked", fmt.Errorf("%v\n%s", p, debug.Stack()))
		}
	}()
	return work()
}

// together runs a batch and its marks.
func (d *Dispatcher) together(ctx context.Context, all []result, began time.Time) error {
	d.mu.Lock()
	h := d.holding()
	d.mu.Unlock()
	return pgx.BeginFunc(ctx, d.options.Work, func(tx pgx.Tx) error {
		mine, err := finished(ctx, tx, h, all)
		if err != nil {
			return err
		}
		if len(mine) < len(all) {
			return errGone
		}
		deliveries := make([]*Delivery, len(all))
		for i, r := range all {
			deliveries[i] = r.delivery
		}
		if err := calmly(func() error { return all[0].by.Batch(ctx, tx, deliveries) }); err != nil {
			return err
		}
		took := time.Since(began) / time.Duration(len(all))
		for i := range all {
			all[i].took = took
		}
		return record(ctx, tx, all, mine)
	})
}

// within does a step in the transaction that marks it.
func (d *Dispatcher) within(r *result, work func(ctx context.Context, tx pgx.Tx) error, then Result) {
	began := time.Now()
	d.mu.Lock()
	h := d.holding()
	d.mu.Unlock()
	r.Result = then
	err := pgx.BeginFunc(r.lane.ctx, d.options.Work, func(tx pgx.Tx) error {
		mark := finished
		if then.Outcome == Next {
			mark = postponed
		}
		mine, err := mark(r.lane.ctx, tx, h, []result{*r})
		if err != nil {
			return err
		}
		if len(mine) == 0 {
			return errGone
		}
		if err := work(r.lane.ctx, tx); err != nil {
			return err
		}
		r.took = time.Since(began)
		return record(r.lane.ctx, tx, []result{*r}, mine)
	})
	r.mark = err != nil // else it is marked
	switch {
	case err == nil:
	case errors.Is(err, errGone):
		r.Result = Result{Outcome: Done} // which finds nothing to mark, and lets go of it
	case r.lane.ctx.Err() != nil:
		r.Result, r.mark = Result{Outcome: Rest}, false
	default:
		r.Result = r.by.Failed(r.delivery, err)
	}
}

// refused asks the consumer what becomes of deliveries that its database did not take.
func (d *Dispatcher) refused(ctx context.Context, all []result, err error) {
	for _, r := range all {
		switch {
		case errors.Is(err, errGone):
			r.Result, r.mark = Result{Outcome: Done}, true // which finds nothing to mark, and lets go of it
		case ctx.Err() != nil:
			r.Result = Result{Outcome: Rest}
		default:
			r.Result, r.mark = r.by.Failed(r.delivery, err), true
		}
		d.finish(r)
	}
}

func (d *Dispatcher) finishAll(all []result) {
	d.mu.Lock()
	d.results = append(d.results, all...)
	d.mu.Unlock()
	d.nudge()
}
