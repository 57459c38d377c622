package dispatch

import (
	"slices"
	"time"
)

// itemKey names a delivery of a consumer.
type itemKey struct {
	id   int64
	part int
}

func (a itemKey) before(b itemKey) bool { return a.id < b.id || a.id == b.id && a.part < b.part }

// state of an item: queued -> running -> (queued, when it is tried again) -> settled.
type state uint8

const (
	queued state = iota
	running
	settled // its row is gone, or another server's
)

// item is a delivery that this server knows of.
type item struct {
	itemKey
	at      time.Time
	lane    int
	key     int64
	other   *int64 // the key that it had before, 0 for all
	step    int
	attempt int
	due     time.Time // not before
	state   state
	clear   bool      // nothing earlier is in the way of its other key
	looked  time.Time // when that was last asked
}

// line is what waits for one key, in order.
type line struct {
	key    int64
	items  []*item
	more   bool    // there are more rows than are held here
	last   itemKey // the last one that is held or was
	listed bool    // among those that may begin
}

func (l *line) head() *item {
	if len(l.items) == 0 {
		return nil
	}
	return l.items[0]
}

// busy tells whether something of the line is at work: nothing else of it is begun then, not even what comes before it.
func (l *line) busy() bool {
	return slices.ContainsFunc(l.items, func(it *item) bool { return it.state == running })
}

// bounds of what is held in memory for a consumer.
const (
	itemsHeld   = 4096
	linesHeld   = 20000 // keys whose head waits for another try, with nothing but that held
	lineLength  = 64
	linePending = 16 // of one key in one batch
)
