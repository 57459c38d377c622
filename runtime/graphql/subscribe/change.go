package subscribe

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
)

// Change is what a group is told of an event: nothing of the row but its key.
type Change struct {
	ID      int64
	XID     uint64
	At      time.Time
	Op      events.Op
	Key     json.RawMessage // an object by the names of columns; nil for TRUNCATE
	Was     json.RawMessage // the key before, where an UPDATE has moved it; else nil
	Changed []string        // columns; nil where nobody knows
	Token   string          // to resume behind it

	key, was mark
}

// mark is what is remembered of a key: no two keys have the same, but by a chance of one in 2^128.
type mark [2]uint64

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// markOf marks the values of a key, in JSON.
func markOf(values []json.RawMessage) (m mark) {
	var b bytes.Buffer
	for _, v := range values {
		if bytes.IndexByte(v, '\\') >= 0 { // there is more than one way to write it
			var text any
			if json.Unmarshal(v, &text) == nil {
				v, _ = json.Marshal(text) // it was JSON before
			}
		}
		b.Write(bytes.TrimSpace(v))
		b.WriteByte(0)
	}
	return mark{maphash.Bytes(seeds[0], b.Bytes()), maphash.Bytes(seeds[1], b.Bytes())}
}

// change makes one of an event; nil when nobody can say which row it is of. key are the columns of the table's key.
func change(e *events.Event, key []string, token string) *Change {
	c := &Change{ID: e.ID, XID: e.XID, At: e.At, Op: e.Op, Changed: e.Changed, Token: token}
	if e.Op == events.Truncate {
		return c
	}
	if len(e.Changed) == 0 {
		c.Changed = nil // a column that the capturing function does not know yet
	}
	values := members(e.Key, key)
	if values == nil {
		return nil
	}
	c.Key, c.key = e.Key, markOf(values)
	if e.Op == events.Update && e.Old != nil && (c.Changed == nil || slices.ContainsFunc(e.Changed, func(name string) bool { return slices.Contains(key, name) })) {
		if before := members(e.Old, key); before != nil {
			if c.was = markOf(before); c.was != c.key {
				c.Was = object(key, before)
			}
		}
	}
	return c
}

// members takes members of an object; nil when one is not there.
func members(text json.RawMessage, names []string) []json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	values := make([]json.RawMessage, len(names))
	for i, name := range names {
		if values[i] = all[name]; values[i] == nil {
			return nil
		}
	}
	return values
}

func object(names []string, values []json.RawMessage) json.RawMessage {
	var b strings.Builder
	for i, name := range names {
		quoted, _ := json.Marshal(name) // a text can be written
		b.WriteByte("{,"[min(i, 1)])
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(values[i])
	}
	b.WriteByte('}')
	return json.RawMessage(b.String())
}
