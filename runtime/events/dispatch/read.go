package dispatch

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const consumersSQL = `
select id, name, paused, generation
from _system.event_consumer`

// refresh asks which consumers there are. One of which the generation has changed has got deliveries of old events.
func (d *Dispatcher) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := d.options.Pool.Query(ctx, consumersSQL)
	if err != nil {
		return err
	}
	type stored struct {
		ID         int
		Name       string
		Paused     bool
		Generation int
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stored])
	if err != nil {
		return err
	}
	known := map[string]stored{}
	for _, s := range all {
		known[s.Name] = s
	}
	d.mu.Lock()
	wanted := slices.Clone(d.wanted)
	d.mu.Unlock()
	for _, w := range wanted {
		s, there := known[w.Name]
		c := d.consumers[w.Name]
		switch {
		case !there:
			delete(d.consumers, w.Name)
			continue
		case c == nil || c.id != s.ID:
			c = newConsumer(w, s.ID)
			c.generation = s.Generation
			d.consumers[w.Name] = c
		default:
			c.by = &w
		}
		if c.generation != s.Generation {
			c.generation = s.Generation
			c.anew()
		}
		c.paused = s.Paused
	}
	d.refreshed = time.Now()
	return nil
}

// read asks for what is new, and for more of what was there before.
func (d *Dispatcher) read(ctx context.Context) error {
	if len(d.consumers) == 0 || len(d.holds) == 0 {
		d.next = time.Now().Add(d.options.IdleMax)
		return nil
	}
	if d.snapshot == "" {
		// Before the first pages, so that what these do not see is seen by the looks.
		if err := d.options.Pool.QueryRow(ctx, snapshotSQL).Scan(&d.snapshot); err != nil {
			return err
		}
	}
	if d.committed.Swap(false) || !time.Now().Before(d.next) {
		if err := d.look(ctx); err != nil {
			return err
		}
	}
	for _, c := range d.consumers {
		if err := d.catchUp(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// look reads what has become visible since the last look.
func (d *Dispatcher) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	byID := map[int]*consumer{}
	var ids []int
	for _, c := range d.consumers {
		byID[c.id] = c
		ids = append(ids, c.id)
	}
	all, snapshot, more, err := d.tail(ctx, d.snapshot, ids, slices.Collect(maps.Keys(d.holds)), glance)
	if err != nil {
		return err
	}
	now := time.Now()
	if d.wait = min(2*d.wait, d.options.IdleMax); len(all) > 0 || more || d.wait == 0 {
		d.wait = min(busy, d.options.IdleMax)
	}
	// A standby that was promoted may lack the newest transactions, and gives their numbers to others: these look as if they had
	// been seen.
	lost := xmax(snapshot) < xmax(d.snapshot)
	d.snapshot, d.next = snapshot, now.Add(d.wait)
	if more || lost {
		for _, c := range d.consumers {
			c.anew()
		}
		return nil
	}
	slices.SortFunc(all, func(a, b found) int { return int(min(max(a.id-b.id, -1), 1)) })
	for _, f := range all {
		c := byID[f.consumer]
		key := itemKey{f.id, f.part}
		if c.behind && c.cursor.before(key) {
			continue // it is read in its turn
		}
		if !c.add(f, d.holds, now, false) {
			c.behind, c.cursor = true, itemKey{f.id, f.part - 1}
		}
	}
	return nil
}

// catchUp reads a page in the order of ids.
func (d *Dispatcher) catchUp(ctx context.Context, c *consumer) error {
	if !c.hungry() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	limit := min(1000, c.room())
	page, err := d.query(ctx, catchUpSQL, c.id, c.cursor.id, c.cursor.part, slices.Collect(maps.Keys(d.holds)), limit)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, f := range page {
		if !c.add(f, d.holds, now, false) {
			return nil
		}
		c.cursor = itemKey{f.id, f.part}
	}
	c.behind = len(page) == limit
	return nil
}

// refill reads what stands behind the head of a line.
func (d *Dispatcher) refill(ctx context.Context, c *consumer, l *line) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	upTo := int64(1<<63 - 1)
	if c.behind {
		upTo = c.cursor.id // what comes later is read in its turn
	}
	page, err := d.query(ctx, refillSQL, c.id, l.last.id, l.last.part, upTo, l.key, slices.Collect(maps.Keys(d.holds)), lineLength)
	if err != nil {
		return err
	}
	l.more = false
	now := time.Now()
	for _, f := range page {
		c.add(f, d.holds, now, true)
	}
	l.more = l.more || len(page) == lineLength
	if n := len(l.items); l.more && n > 0 {
		l.last = l.items[n-1].itemKey
	}
	if len(l.items) == 0 && !l.more {
		delete(c.lines, l.key)
	}
	return nil
}

// xmax gives the first number of a pg_snapshot that no transaction had yet; 0 for what is no snapshot.
func xmax(snapshot string) uint64 {
	parts := strings.Split(snapshot, ":")
	if len(parts) != 3 {
		return 0
	}
	n, _ := strconv.ParseUint(parts[1], 10, 64)
	return n
}
