package dispatch

import (
	"container/heap"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// consumer is what this server holds of a Consumer. The loop alone touches it.
type consumer struct {
	by         *Consumer // another one when it was registered anew
	id         int       // of _system.event_consumer
	paused     bool
	generation int       // grows when deliveries of old events were added
	unblocked  time.Time // when it was last asked what has become of others' moves
	rests      time.Time // until then nothing is begun

	items   map[itemKey]*item
	lines   map[int64]*line
	ready   []*line // whose head may begin
	waiting dues    // heads that are tried again later
	moves   map[itemKey]*move
	running int
	batches atomic.Int32 // transactions of Batch at work

	behind bool    // there is more than is held: it is read in the order of ids, from cursor on
	cursor itemKey // the last one that was read
}

// move is a delivery that changes a key. Other servers' are known, too: each holds up what comes later in its old key until
// it is done, wherever that is.
type move struct {
	itemKey
	other int64 // 0 is every key
}

func newConsumer(c Consumer, id int) *consumer {
	return &consumer{by: &c, id: id, items: map[itemKey]*item{}, lines: map[int64]*line{}, moves: map[itemKey]*move{}, behind: true}
}

// anew has all that there is read in the order of ids, from the first on. What is known stays as it is.
func (c *consumer) anew() { c.behind, c.cursor = true, itemKey{} }

// full tells whether no more should be read.
func (c *consumer) full() bool {
	return len(c.items) >= itemsHeld && len(c.items)-len(c.waiting) >= itemsHeld || len(c.waiting) >= linesHeld
}

// hungry tells whether another page is to be read now.
func (c *consumer) hungry() bool {
	return c.behind && !c.paused && !c.full() && c.room() >= itemsHeld/4
}

// room is how many more may be read.
func (c *consumer) room() int { return max(0, itemsHeld-(len(c.items)-len(c.waiting))) }

// add takes a row in, unless it is known. held tells whether it is in memory now or need not be. What belongs to a line that is
// read again, refilled, is taken whatever there is already: its page is short, and nobody else would read it.
func (c *consumer) add(f found, lanes map[int]*lane, now time.Time, refilled bool) (held bool) {
	key := itemKey{f.id, f.part}
	if f.other != nil {
		if _, known := c.moves[key]; !known && c.items[key] == nil {
			c.moves[key] = &move{itemKey: key, other: *f.other}
		}
	}
	if lanes[f.lane] == nil || c.items[key] != nil {
		return true
	}
	l := c.lines[f.key]
	if l == nil {
		if c.full() && !refilled {
			return false
		}
		l = &line{key: f.key}
		c.lines[f.key] = l
	}
	if l.leaves(key, now) {
		return true
	}
	if c.full() && !refilled {
		return false
	}
	it := &item{itemKey: key, at: f.at, lane: f.lane, key: f.key, other: f.other, step: f.step, attempt: f.attempt}
	c.items[key] = it
	i, _ := slices.BinarySearchFunc(l.items, key, func(a *item, b itemKey) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	l.items = slices.Insert(l.items, i, it)
	if f.wait > 0 {
		it.due = now.Add(f.wait)
		heap.Push(&c.waiting, it)
	}
	c.list(l, now)
	return true
}

// leaves tells whether a row is left for when the line is read again: what stands behind rows that are not here, or behind so
// many or a head that waits. What comes before them, of a replay, is taken at once.
func (l *line) leaves(key itemKey, now time.Time) bool {
	if l.more && !key.before(l.last) {
		return true
	}
	n := len(l.items)
	if n == 0 || !l.items[n-1].before(key) || n < lineLength && !l.items[0].due.After(now) {
		return false
	}
	if !l.more || l.items[n-1].before(l.last) {
		l.more, l.last = true, l.items[n-1].itemKey
	}
	return true
}

// list notes that a line's head may begin, or has to be read.
func (c *consumer) list(l *line, now time.Time) {
	head := l.head()
	if !l.listed && !l.busy() && (head == nil && l.more || head != nil && head.state == queued && !head.due.After(now)) {
		l.listed = true
		c.ready = append(c.ready, l)
	}
}

// drop takes an item out of its line.
func (c *consumer) drop(it *item) {
	l := c.lines[it.key]
	if l == nil {
		return
	}
	if i := slices.Index(l.items, it); i >= 0 {
		if l.last.before(it.itemKey) {
			l.last = it.itemKey
		}
		l.items = slices.Delete(l.items, i, i+1)
	}
	if len(l.items) == 0 && !l.more {
		delete(c.lines, it.key)
	}
}

// postpone lets a head wait for its next try. What stands behind it is read again when its time has come: many keys may
// wait, and for long.
func (c *consumer) postpone(it *item, until time.Time) {
	it.state, it.due = queued, until
	heap.Push(&c.waiting, it)
	l := c.lines[it.key]
	if l == nil {
		return
	}
	at := slices.Index(l.items, it)
	if at < 0 || at == len(l.items)-1 {
		return
	}
	for _, behind := range l.items[at+1:] {
		delete(c.items, behind.itemKey)
	}
	l.more, l.last = true, it.itemKey
	l.items = l.items[:at+1]
}

// awake lists the heads whose time has come.
func (c *consumer) awake(now time.Time) {
	for len(c.waiting) > 0 && !c.waiting[0].due.After(now) {
		it := heap.Pop(&c.waiting).(*item)
		it.due = time.Time{}
		if l := c.lines[it.key]; l != nil && l.head() == it {
			c.list(l, now)
		}
	}
}

// forget lets go of what belongs to lanes that are no longer held.
func (c *consumer) forget(gone func(lane int) bool) {
	for key, it := range c.items {
		if gone(it.lane) {
			delete(c.items, key) // of its move it is asked from now on
			if it.state == running {
				c.running--
			}
			it.state = settled
		}
	}
	maps.DeleteFunc(c.lines, func(_ int64, l *line) bool {
		l.items = slices.DeleteFunc(l.items, func(it *item) bool { return it.state == settled })
		return len(l.items) == 0 && (!l.more || gone(laneOf(l.key)))
	})
	c.ready = slices.DeleteFunc(c.ready, func(l *line) bool {
		l.listed = c.lines[l.key] == l
		return !l.listed
	})
	c.waiting = slices.DeleteFunc(c.waiting, func(it *item) bool { return it.state == settled })
	heap.Init(&c.waiting)
}

// laneOf is what the capturing functions compute.
func laneOf(key int64) int { return int(key & (lanes - 1)) }

// dues is a heap by the time that an item is due.
type dues []*item

func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].due.Before(d[j].due) }
func (d dues) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dues) Push(x any)        { *d = append(*d, x.(*item)) }
func (d *dues) Pop() any {
	old := *d
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return it
}
