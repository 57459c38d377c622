package events

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Op is what happened to a row.
type Op string

// The ops. Truncate says that all rows of a table are gone, Custom that somebody called _system.emit_event.
const (
	Insert   Op = "INSERT"
	Update   Op = "UPDATE"
	Delete   Op = "DELETE"
	Truncate Op = "TRUNCATE"
	Custom   Op = "CUSTOM"
)

// Ops is a set of ops, as event_interest keeps it.
type Ops int

var bits = map[Op]Ops{Insert: 1, Update: 2, Delete: 4, Truncate: 8, Custom: 16}

// SetOf makes a set.
func SetOf(ops ...Op) Ops {
	var set Ops
	for _, op := range ops {
		set |= bits[op]
	}
	return set
}

// Has tells whether an op is in the set.
func (s Ops) Has(op Op) bool { return s&bits[op] != 0 }

// ops by the letter that _system.event keeps.
var ops = map[byte]Op{'I': Insert, 'U': Update, 'D': Delete, 'T': Truncate, 'C': Custom}

// Event is one change of one row. Rows are JSON objects by the names of columns; of a row that was too large to be kept (Cut)
// the key alone is kept: see ReadAnew.
type Event struct {
	ID      int64
	At      time.Time // of the change; the commit came later
	Op      Op
	Source  int // of _system.event_source
	Entity  string
	Schema  string // empty for CUSTOM
	Table   string
	Key     json.RawMessage // an object; nil for TRUNCATE
	Old     json.RawMessage // nil for INSERT
	New     json.RawMessage // nil for DELETE; of CUSTOM what was emitted
	Changed []string        // columns that an UPDATE changed; nil where nobody knows
	Claims  json.RawMessage // of the token of who did it; nil for others than the API
	Login   string          // the role of the database that did it
	Request string          // the id of the HTTP request; empty for others than the API
	Trace   string          // its traceparent, by the W3C's Trace Context; may be empty
	Cause   string          // what of this program did it: job/ID, or event/ID/OBSERVER; empty for others
	XID     uint64          // the transaction
	Cut     bool            // the row was too large
}

// wire is an event as others see it. Its shape is stable within a major version.
type wire struct {
	ID      string          `json:"id"`
	Op      Op              `json:"op"`
	Entity  string          `json:"entity"`
	Schema  string          `json:"schema"`
	Table   string          `json:"table"`
	Key     json.RawMessage `json:"key"`
	Old     json.RawMessage `json:"old"`
	New     json.RawMessage `json:"new"`
	Changed []string        `json:"changed"`
	Claims  json.RawMessage `json:"claims"`
	At      string          `json:"at"`
	Cut     bool            `json:"cut,omitempty"`
}

// MarshalJSON gives the event's stable shape. The id is a string, as all 64-bit numbers are in this program's JSON.
func (e *Event) MarshalJSON() ([]byte, error) {
	w := wire{
		ID: strconv.FormatInt(e.ID, 10), Op: e.Op, Entity: e.Entity, Schema: e.Schema, Table: e.Table,
		Key: e.Key, Old: e.Old, New: e.New, Changed: e.Changed, Claims: e.Claims, At: e.At.UTC().Format(time.RFC3339Nano), Cut: e.Cut,
	}
	if w.Changed == nil {
		w.Changed = []string{}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // the rows' own text
	err := encoder.Encode(w)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Ref names the event for good: its number alone may come again in a database that was restored.
func (e *Event) Ref() string { return Ref(e.ID, e.At) }

// Ref names the event with a number and a time.
func Ref(id int64, at time.Time) string {
	return "evt_" + strconv.FormatInt(id, 10) + "_" + strconv.FormatInt(at.UnixMicro(), 36)
}

// Origin is what the setting fraiseql.request says of a transaction, and each event of it after that: the request that it all
// began with, and what of this program changes something now, such as job/17.
func Origin(request, trace, cause string) string { return request + " " + trace + " " + cause }

// request takes the setting fraiseql.request apart: see Origin. Requests themselves leave out the cause.
func (e *Event) request(setting string) {
	parts := strings.SplitN(setting+"  ", " ", 3)
	e.Request, e.Trace, e.Cause = parts[0], parts[1], strings.TrimSpace(parts[2])
}

// claims takes over what a session said of itself, which may be no JSON.
func (e *Event) claims(text string) {
	if text != "" && json.Valid([]byte(text)) {
		e.Claims = json.RawMessage(text)
	}
}
