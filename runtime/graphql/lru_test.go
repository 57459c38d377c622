package graphql

import (
	"strconv"
	"testing"
)

// TestAnLRUIsBounded fills caches to each of their bounds and one beyond.
func TestAnLRUIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ number, most, weight, room int }{
		"by number":        {number: 3, most: 1000, weight: 1, room: 3},
		"by bytes":         {number: 100, most: 40, weight: 10, room: 4},
		"by bytes alone":   {most: 49, weight: 10, room: 4},
		"one fills it":     {number: 9, most: 10, weight: 10, room: 1},
		"one is too large": {number: 9, most: 10, weight: 11},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLRU[string](c.number, c.most)
			has := func(i int) bool { _, known := l.byKey[strconv.Itoa(i)]; return known }
			for i := range c.room {
				l.put(strconv.Itoa(i), "v", c.weight)
			}
			for i := range c.room {
				if !has(i) {
					t.Fatalf("value %d of %d has gone", i, c.room)
				}
			}
			if v, known := l.get("0"); known != (c.room > 0) || known && v != "v" {
				t.Errorf("the first is %q %v", v, known)
			}
			l.put("more", "v", c.weight)
			if c.room > 1 && (!has(0) || has(1) || l.order.Len() != c.room) {
				t.Errorf("what was used last stayed %v, what was used the longest ago went %v, %d of %d are there", has(0), !has(1), l.order.Len(), c.room)
			}
			if l.size != l.order.Len()*c.weight || l.size > c.most || len(l.byKey) != l.order.Len() {
				t.Errorf("it says %d bytes of at most %d for %d values and %d keys", l.size, c.most, l.order.Len(), len(l.byKey))
			}
		})
	}
}

// TestWhatHasGoneDoesNotGrow has one value in the place of another of the same key.
func TestWhatHasGoneDoesNotGrow(t *testing.T) {
	t.Parallel()
	l := newLRU[string](2, 100)
	if got := l.put("a", "first", 10); got != "first" {
		t.Errorf("the first is %q", got)
	}
	if got := l.put("a", "second", 10); got != "first" {
		t.Errorf("the second took the place: %q", got)
	}
	l.grow("a", "second", 50)
	l.grow("b", "none", 50)
	if l.size != 10 {
		t.Errorf("%d bytes are counted", l.size)
	}
	l.grow("a", "first", 91)
	if l.size != 0 || l.order.Len() != 0 {
		t.Errorf("what has grown above the bound is kept: %d bytes", l.size)
	}
}
