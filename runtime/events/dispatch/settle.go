package dispatch

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// marksAtOnce is how many results are marked in one transaction.
const marksAtOnce = 1000

// settle marks what workers have given back. When the database does not answer nothing is forgotten: it is tried again.
func (d *Dispatcher) settle(ctx context.Context) error {
	for {
		some := d.given()
		if len(some) == 0 {
			return nil
		}
		var marks []result
		for _, r := range some {
			if r.mark && r.item.state == running && r.Outcome != Rest {
				marks = append(marks, r)
			}
		}
		mine, err := d.mark(ctx, marks)
		if err != nil {
			d.mu.Lock()
			d.results = append(some, d.results...)
			d.mu.Unlock()
			return err
		}
		now := time.Now()
		for _, r := range some {
			is := !r.mark || r.Outcome == Rest || mine[named{r.of.id, r.item.itemKey}]
			if is {
				d.report(r)
			}
			d.apply(r, is, now)
		}
	}
}

// report logs what was given up.
func (d *Dispatcher) report(r result) {
	said := "a change was given up: it is a dead letter"
	switch {
	case r.Err == nil || r.Outcome == Again || r.Outcome == Rest:
		return
	case r.Outcome != Dead:
		said = "an action on a change failed for good; on_failure has it passed over"
	}
	d.options.Log.Warn(said, slog.String("consumer", r.by.Name), slog.Int64("event", r.item.id), slog.Int("action", r.item.step+1), slog.Int("attempts", r.item.attempt+1), slog.Any("error", r.Err))
}

// given takes the results that came first.
func (d *Dispatcher) given() []result {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(marksAtOnce, len(d.results))
	some := slices.Clone(d.results[:n])
	d.results = d.results[n:]
	return some
}

// mark writes results in one transaction, with what consumers record of them, and gives those that were this node's to mark.
// Where the database refuses that, each is marked alone; one that it refuses alone is marked without its record, so that it
// holds nobody up.
func (d *Dispatcher) mark(ctx context.Context, all []result) (map[named]bool, error) {
	if len(all) == 0 {
		return nil, nil
	}
	mine, err := d.commit(ctx, all, true)
	switch {
	case err == nil, ctx.Err() != nil, postgres.IsUnavailable(err):
		return mine, err
	case len(all) == 1:
		d.options.Log.Error("what came of a change cannot be recorded; it is marked all the same", slog.String("consumer", all[0].by.Name), slog.Int64("event", all[0].item.id), slog.Any("error", err))
		return d.commit(ctx, all, false)
	}
	mine = map[named]bool{}
	for i := range all {
		one, err := d.mark(ctx, all[i:i+1])
		if err != nil {
			return nil, err // what was marked by now is found gone at the next try, and read anew
		}
		maps.Copy(mine, one)
	}
	return mine, nil
}

// commit writes results in one transaction.
func (d *Dispatcher) commit(ctx context.Context, all []result, recording bool) (mine map[named]bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = pgx.BeginFunc(ctx, d.options.Pool, func(tx pgx.Tx) error {
		if mine, err = markAll(ctx, tx, d.holding(), all); err != nil || !recording {
			return err
		}
		return record(ctx, tx, all, mine)
	})
	return mine, err
}

// markAll writes results in a transaction.
func markAll(ctx context.Context, tx pgx.Tx, h holding, all []result) (map[named]bool, error) {
	var done, again, dead []result
	for _, r := range all {
		switch r.Outcome {
		case Done:
			done = append(done, r)
		case Dead:
			dead = append(dead, r)
		default:
			again = append(again, r)
		}
	}
	mine := map[named]bool{}
	for _, kind := range []struct {
		all []result
		run func(context.Context, pgx.Tx, holding, []result) (map[named]bool, error)
	}{{done, finished}, {again, postponed}, {dead, buried}} {
		if len(kind.all) == 0 {
			continue
		}
		got, err := kind.run(ctx, tx, h, kind.all)
		if err != nil {
			return nil, err
		}
		for n := range got {
			mine[n] = true
		}
	}
	return mine, nil
}

// record lets consumers note what was marked.
func record(ctx context.Context, tx pgx.Tx, all []result, mine map[named]bool) error {
	settled := map[*Consumer][]Settled{}
	for _, r := range all {
		if r.by.Record != nil && mine[named{r.of.id, r.item.itemKey}] {
			settled[r.by] = append(settled[r.by], Settled{Delivery: r.delivery, Result: r.Result, Took: r.took})
		}
	}
	for c, some := range settled {
		if err := c.Record(ctx, tx, some); err != nil {
			return err
		}
	}
	return nil
}

// apply takes a result over into what is held. mine is false for what another server has taken over meanwhile.
func (d *Dispatcher) apply(r result, mine bool, now time.Time) {
	c, it := r.of, r.item
	r.lane.running--
	if it.state != running {
		return // its lane was lost, and all of it forgotten
	}
	c.running--
	switch {
	case !mine: // another server's, or not as it was known here: what is there is read anew
		delete(c.items, it.itemKey)
		c.anew()
		it.state = settled
		c.drop(it)
	case r.Outcome == Rest:
		it.state = queued
		if r.Wait > 0 {
			c.rests = now.Add(r.Wait)
		}
	case r.Outcome == Done || r.Outcome == Dead:
		delete(c.items, it.itemKey)
		delete(c.moves, it.itemKey)
		it.state = settled
		c.drop(it)
	default:
		step, attempt, wait := r.after()
		it.step, it.attempt = step, attempt
		if wait > 0 {
			c.postpone(it, now.Add(wait))
			return
		}
		it.state = queued
	}
	if l := c.lines[it.key]; l != nil {
		c.list(l, now)
	}
}
