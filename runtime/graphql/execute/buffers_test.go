package execute

import (
	"runtime"
	"testing"
)

// TestLargeBuffersDoNotPileUp has small answers and then large ones, as when the load changes.
func TestLargeBuffersDoNotPileUp(t *testing.T) {
	for range 64 {
		releaseBuffer(make([]byte, 0, 2000))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10000 {
		releaseBuffer(newBuffer(40000))
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 100<<20 {
		t.Errorf("10000 answers of 40 KB took %d MB of fresh memory", made>>20)
	}
}
