package jobs

import (
	"slices"
	"testing"
	"time"
)

// TestMissed has what follows times that passed, by catch_up.
func TestMissed(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0).UTC() }
	for _, c := range []struct {
		catchUp   string
		from, now int
		want      []int
		next      int
	}{
		{"none", 0, 0, []int{0}, 10},
		{"none", 0, 4, []int{0}, 10},
		{"none", 0, 7, nil, 10},
		{"none", 0, 32, []int{30}, 40},
		{"none", 0, 38, nil, 40},
		{"one", 0, 7, []int{0}, 10},
		{"one", 0, 38, []int{0}, 40},
		{"one", 0, 32, []int{0, 30}, 40}, // the missed ones, and the one that is due
		{"all", 0, 32, []int{0, 10, 20, 30}, 40},
		{"all", 0, 5, []int{0}, 10},
	} {
		p := planned{rule: Schedule{Every: 10 * time.Second, CatchUp: c.catchUp}}
		times, next := p.missed(at(c.from), at(c.now))
		var got []int
		for _, one := range times {
			got = append(got, int(one.Unix()-1_000_000))
		}
		if !slices.Equal(got, c.want) || !next.Equal(at(c.next)) {
			t.Errorf("%s from %d at %d: %v, then %s, want %v, then %s", c.catchUp, c.from, c.now, got, next, c.want, at(c.next))
		}
	}
	p := planned{rule: Schedule{Every: time.Second, CatchUp: "all"}}
	times, next := p.missed(at(0), at(5000))
	if len(times) != most || !next.Equal(at(most)) {
		t.Errorf("%d at once, then %s", len(times), next)
	}
}
