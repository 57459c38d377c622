package subscribe

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// memory is how many rows all groups together may remember.
type memory struct {
	most int64
	used atomic.Int64
}

// known is the rows that members of a group know of. It is for one goroutine at a time, but for release.
type known struct {
	rows map[mark]struct{}
	most int // rows
	of   *memory
	full bool         // it was said that there is no more room
	log  *slog.Logger // says so

	mu   sync.Mutex // guards what follows
	held int64      // of the memory
	over bool       // it was released
}

func (h *Hub) remember(count int) *known {
	return &known{rows: make(map[mark]struct{}, count), most: h.options.Known, of: &h.memory, log: h.options.Log}
}

// learn notes that members know of a row, and tells whether they did: yes, where nothing more can be remembered.
func (k *known) learn(m mark) bool {
	if _, there := k.rows[m]; there {
		return true
	}
	if len(k.rows) >= k.most || !k.take() {
		if !k.full {
			k.full = true
			k.log.Warn("a subscription has more rows than are remembered: that others of them go is not told",
				slog.Int("rows", len(k.rows)), slog.String("hint", "[graphql.subscriptions] known_rows, and known_rows_total of all, are the bounds"))
		}
		return true
	}
	k.rows[m] = struct{}{}
	return false
}

// forget notes that a row is gone for members, and tells whether they knew of it.
func (k *known) forget(m mark) bool {
	if _, there := k.rows[m]; !there {
		return false
	}
	delete(k.rows, m)
	k.give(1)
	return true
}

func (k *known) clear() {
	k.give(int64(len(k.rows)))
	clear(k.rows)
}

// take takes room for a row; what was released needs none.
func (k *known) take() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.over:
	case k.of.used.Add(1) > k.of.most:
		k.of.used.Add(-1)
		return false
	default:
		k.held++
	}
	return true
}

func (k *known) give(rows int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.over {
		k.held -= rows
		k.of.used.Add(-rows)
	}
}

// release gives all of the memory back, for good: the group is told of nothing any more, or soon.
func (k *known) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of.used.Add(-k.held)
	k.held, k.over = 0, true
}
