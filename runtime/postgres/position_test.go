package postgres_test

import (
	"testing"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

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
