package subscribe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// A token says where to resume: when it was given out, the position in the feed, and a signature of both, as servers of the
// database make it. What a client makes up, such as a position of long ago, would have the database read all events.
//
//	m5x2k1.1044:1050:1044/1044:1052:/731.9Qf8…

// tokenOf signs a position. The key has been read: nobody is told of anything before somebody has begun.
func (h *Hub) tokenOf(now time.Time, p events.Position) string {
	text := strconv.FormatInt(now.UnixMilli(), 36) + "." + p.String()
	return text + "." + sign(*h.key.Load(), text)
}

func sign(key []byte, text string) string {
	code := hmac.New(sha256.New, key)
	code.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(code.Sum(nil)[:16])
}

// readKey reads the key that tokens are signed with, once.
func (h *Hub) readKey(ctx context.Context) error {
	if h.key.Load() != nil {
		return nil
	}
	key, err := events.PositionKey(ctx, h.options.Pool)
	if err == nil {
		h.key.Store(&key)
	}
	return err
}

// positionOf reads a token. One that is older than events are kept is refused: what has happened since, nobody knows.
func (h *Hub) positionOf(token string, now time.Time) (events.Position, error) {
	end := strings.LastIndexByte(token, '.')
	given, text, whole := strings.Cut(token[:max(0, end)], ".")
	at, err := strconv.ParseInt(given, 36, 64)
	if err != nil || !whole || len(token) > maxToken || !hmac.Equal([]byte(token[end+1:]), []byte(sign(*h.key.Load(), token[:end]))) {
		return events.Position{}, fault.New(fault.Invalid, "events/bad-position", "this is no position in the events of this database").WithHint("take one that was given out, or none to begin now")
	}
	if now.Sub(time.UnixMilli(at)) > h.options.Kept {
		return events.Position{}, fault.New(fault.NotFound, "events/position-gone", "the position is older than events are kept: what has changed since is not known").
			WithHint("read the rows anew, and subscribe without a position; [events] retention says how long events are kept")
	}
	return events.ParsePosition(text)
}

// maxToken is the size of the longest token: a snapshot with as many transactions under way as there may ever be is shorter.
const maxToken = 64 << 10
