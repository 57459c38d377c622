package postgres_test

import (
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

func TestPlacesThatNobodyKnows(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	if when, unsure := postgres.UnsureAt(now).Unsure(); !unsure || !when.Equal(now) {
		t.Errorf("%v %v", when, unsure)
	}
	for _, p := range []postgres.Position{0, 16777216, 1 << 62} {
		if _, unsure := p.Unsure(); unsure {
			t.Errorf("%d is unsure", p)
		}
	}
	for _, p := range []postgres.Position{postgres.Nowhere, postgres.Nowhere - 1, postgres.Nowhere >> 1 << 1} {
		if when, unsure := p.Unsure(); !unsure || when.Before(now.AddDate(1000, 0, 0)) {
			t.Errorf("%x: %v", uint64(p), when)
		}
	}
}

func TestPlacesInTheLog(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]postgres.Position{
		"16777216": 16777216, "16777240": 16777216, // the end of a page, as replaying and as writing tells it
		"16777248": 16777248, "8192": 8192, "8216": 8192, "8217": 8217, "": 0, "x": 0, "-1": 0,
	} {
		if got := postgres.ParsePosition([]byte(text)); got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
}
