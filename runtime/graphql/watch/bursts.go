package watch

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

const (
	// burst is how many single rows one client asks for, by one document and with another key each time, within
	// burstTime, until that is taken for a loop.
	burst     = 10
	burstTime = 100 * time.Millisecond

	burstSlots = 1024
)

// Bursts finds clients that ask for rows one by one. It has a fixed size: where two clients meet in a slot, the later one
// takes it, so that a burst may be missed, and none is seen that was none.
type Bursts struct {
	seed  maphash.Seed
	slots [burstSlots]slot
}

type slot struct {
	mu    sync.Mutex
	who   uint64 // the client and the document
	key   uint64 // that was asked for last
	since time.Time
	count int
}

// NewBursts begins with nothing.
func NewBursts() *Bursts { return &Bursts{seed: maphash.MakeSeed()} }

// Asked notes that a client has asked for a row by an operation. It is true once for each burst.
func (b *Bursts) Asked(client string, operation *plan.Operation, key [][]byte, now time.Time) bool {
	var h maphash.Hash
	h.SetSeed(b.seed)
	maphash.WriteComparable(&h, operation)
	_, _ = h.WriteString(client) // it never fails
	who := h.Sum64()
	h.Reset()
	for _, part := range key {
		_, _ = h.Write(part)
		_ = h.WriteByte(0)
	}
	asked := h.Sum64()
	s := &b.slots[who%burstSlots]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.who != who || now.Sub(s.since) > burstTime:
		s.who, s.key, s.since, s.count = who, asked, now, 1
		return false
	case s.key == asked:
		return false
	}
	s.key = asked
	s.count++
	return s.count == burst
}
