package plan

import (
	"sync/atomic"
	"time"
)

// Pace is what runs of a statement have taught about it. Many may use it at once.
type Pace struct {
	took  atomic.Int64 // nanoseconds that a run takes, the latest ones counting most; 0 before the first
	bytes atomic.Int64 // of the largest of the latest answers
}

// Took gives the time that a run takes; 0 when none has ended yet.
func (p *Pace) Took() time.Duration { return time.Duration(p.took.Load()) }

// Bytes gives the size that an answer may well have.
func (p *Pace) Bytes() int { return int(p.bytes.Load()) }

// Note learns from a run. Concurrent notes may be lost: it is an estimate.
func (p *Pace) Note(took time.Duration, bytes int) {
	before := p.took.Load()
	if before == 0 {
		before = int64(took)
	}
	p.took.Store(max(1, before+(int64(took)-before)/4))
	p.bytes.Store(max(int64(bytes), p.bytes.Load()*7/8))
}

// Stuck learns that a run takes at least so long.
func (p *Pace) Stuck(least time.Duration) {
	if p.Took() < least {
		p.took.Store(int64(least))
	}
}
