// Package watch looks for what makes an API slow, while it is used: requests that ask one by one for what could be asked for
// at once (N+1), and statements for which an index is missing.
//
//	a plan is compiled ───> Repeats: many of its fields are one statement with other values
//	a row by its key ─────> Bursts: one client asks for single rows, one after the other
//	a sampled statement ──> Judge: what PostgreSQL's plan reads again and again, or as a whole
//	                               │
//	                               └─> Notes: what was found, each thing once, with how to mend it
//
// What is found names tables, columns and fields, and never a value of a request.
package watch

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// The kinds of findings.
const (
	Repeated   = "repeated"    // one request has many fields that are one statement
	OneByOne   = "one-by-one"  // one client asks for many rows, each by a request of its own
	NestedLoop = "nested-loop" // a table is read again for each of many rows
	NoIndex    = "no-index"    // a table is read as a whole for few of its rows
)

// Finding is something that makes an API slow.
type Finding struct {
	Kind    string `json:"kind"`
	Subject string `json:"subject"` // a table with columns, or a field: what tells it from other findings of the kind
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"` // SQL, or what to ask in place of it
	Rows    int64  `json:"rows"`          // about how many are read, or how many fields or requests there were
	Index   *Index `json:"-"`             // that would mend it; nil where none would
}

// mostNotes bounds the findings that are held.
const mostNotes = 200

// Note is a finding with how often it was made.
type Note struct {
	Finding
	Seen        int64
	First, Last time.Time
}

// Notes holds findings until they are kept. It is safe for use by many goroutines.
type Notes struct {
	mu    sync.Mutex // guards what follows
	known map[string]bool
	held  map[string]*Note
}

// NewNotes begins with nothing.
func NewNotes() *Notes { return &Notes{known: map[string]bool{}, held: map[string]*Note{}} }

// Add notes findings, and gives those that are new.
func (n *Notes) Add(found ...Finding) (fresh []Finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range found {
		key := f.Kind + "\x00" + f.Subject
		if !n.known[key] {
			if len(n.known) >= mostNotes {
				continue
			}
			n.known[key] = true
			fresh = append(fresh, f)
		}
		now := time.Now()
		held := n.held[key]
		if held == nil {
			held = &Note{Finding: f, First: now}
			n.held[key] = held
		}
		held.Seen, held.Last = held.Seen+1, now
		held.Rows = max(held.Rows, f.Rows)
	}
	return fresh
}

// Take gives what has been noted since the last time, in a fixed order.
func (n *Notes) Take() []Note {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]Note, 0, len(n.held))
	for _, note := range n.held {
		list = append(list, *note)
	}
	clear(n.held)
	slices.SortFunc(list, func(a, b Note) int {
		return strings.Compare(a.Kind+"\x00"+a.Subject, b.Kind+"\x00"+b.Subject)
	})
	return list
}

// Back holds notes again that could not be kept.
func (n *Notes) Back(list []Note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, note := range list {
		key := note.Kind + "\x00" + note.Subject
		if held := n.held[key]; held != nil {
			note.Seen, note.Last = note.Seen+held.Seen, held.Last
		}
		n.held[key] = &note
	}
}
