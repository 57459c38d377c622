package plan

import (
	"sync/atomic"
	"time"
)

// Pace is what runs of a statement have taught about it. Many may use it at once.
type Pace struct {
	took  atomic.Int64 // nanoseconds that a run takes; 0 before the first
	least atomic.Int64 // nanoseconds of the shortest of many runs
	bytes atomic.Int64 // of the largest of the latest answers
	runs  atomic.Int64
	late  atomic.Bool // it was found to take long
	again atomic.Bool // the look that was due could not be had
}

// Runs of a statement that are worth a look at its plan: when it has become a usual one, when it first takes long, and
// now and then.
const (
	usualRun  = 16
	everyRuns = 1000
	longTime  = 20 * time.Millisecond
)

// Due counts a run, and tells whether it is one to have a look at.
func (p *Pace) Due() bool {
	n := p.runs.Add(1)
	return n == usualRun || n%everyRuns == 0 || p.Took() > longTime && p.late.CompareAndSwap(false, true) || p.again.Load() && p.again.CompareAndSwap(true, false)
}

// Again makes the next run one to have a look at, as nobody could at this one.
func (p *Pace) Again() { p.again.Store(true) }

// Took gives the time that a run takes; 0 when none has ended yet.
func (p *Pace) Took() time.Duration { return time.Duration(p.took.Load()) }

// Bytes gives the size that an answer may well have.
func (p *Pace) Bytes() int { return int(p.bytes.Load()) }

// WasQuick tells whether a run took at most so long not many runs ago, however long the latest take.
func (p *Pace) WasQuick(most time.Duration) bool {
	least := p.least.Load()
	return 0 < least && least <= int64(most)
}

// Note learns from a run. What is seen from outside is a run and what it had to wait for, so that short times say
// more than long ones. Concurrent notes may be lost: it is an estimate.
func (p *Pace) Note(took time.Duration, bytes int) {
	before := p.took.Load()
	switch change := int64(took) - before; {
	case before == 0:
		p.took.Store(max(1, int64(took)))
	case change < 0:
		p.took.Store(max(1, before+change/2))
	default:
		p.took.Store(before + change/16)
	}
	least := p.least.Load()
	if rise := least + least/16 + 1; least > 0 && rise < int64(took) {
		p.least.Store(rise) // a single long run says little, some dozens say that it is not what it was
	} else {
		p.least.Store(max(1, int64(took)))
	}
	p.Sized(bytes)
}

// Sized learns how large an answer was.
func (p *Pace) Sized(bytes int) { p.bytes.Store(max(int64(bytes), p.bytes.Load()*7/8)) }

// Stuck learns that a run takes at least so long.
func (p *Pace) Stuck(least time.Duration) {
	if p.Took() < least {
		p.took.Store(int64(least))
	}
}
