package subscribe

import (
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// A token says where to resume: when it was given out, and the position in the feed.
//
//	m5x2k1.1044:1050:1044/1044:1052:/731

func tokenOf(now time.Time, p events.Position) string {
	return strconv.FormatInt(now.UnixMilli(), 36) + "." + p.String()
}

// positionOf reads a token. One that is older than events are kept is refused: what has happened since, nobody knows.
func positionOf(token string, now time.Time, kept time.Duration) (events.Position, error) {
	given, text, whole := strings.Cut(token, ".")
	at, err := strconv.ParseInt(given, 36, 64)
	if err != nil || !whole || len(token) > maxToken {
		return events.Position{}, fault.New(fault.Invalid, "events/bad-position", "this is no position in the events").WithHint("take one that was given out, or none to begin now")
	}
	if now.Sub(time.UnixMilli(at)) > kept {
		return events.Position{}, fault.New(fault.NotFound, "events/position-gone", "the position is older than events are kept: what has changed since is not known").
			WithHint("read the rows anew, and subscribe without a position; [events] retention says how long events are kept")
	}
	return events.ParsePosition(text)
}

// maxToken is the size of the longest token: a snapshot with as many transactions under way as there may ever be is shorter.
const maxToken = 64 << 10
