package retry_test

import (
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/retry"
)

func TestWaitsDoubleUpToABound(t *testing.T) {
	t.Parallel()
	p := retry.Policy{MaxAttempts: 70, Initial: time.Second, Max: 10 * time.Minute}
	for failures := 1; failures < 70; failures++ {
		bound := p.Max
		if failures <= 10 {
			bound = min(p.Max, time.Second<<(failures-1))
		}
		longest, shortest := time.Duration(0), p.Max
		for range 400 {
			wait, again := p.Wait(failures)
			if !again || wait < 0 || wait > bound {
				t.Fatalf("after %d failures %s of at most %s, %v", failures, wait, bound, again)
			}
			longest, shortest = max(longest, wait), min(shortest, wait)
		}
		if longest < bound*8/10 || shortest > bound/10 {
			t.Errorf("after %d failures between %s and %s, of %s", failures, shortest, longest, bound)
		}
	}
	if _, again := p.Wait(70); again {
		t.Error("tried again for ever")
	}
}
