package graphql

import (
	"container/list"
	"sync"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

const (
	// keptText bounds the cache by the bytes of its texts. A parsed document takes some twenty to a
	// hundred times its text, so that full it has tens of megabytes.
	keptText = 1 << 20
	// keptOne is the longest text that is kept: what is longer was written by no one, and comes once.
	keptOne = 16 << 10
)

// documents keeps what was parsed and validated for one schema, the last used first. Parsing and
// validating are most of what a request costs outside the database.
type documents struct {
	mu    sync.Mutex // guards what follows
	order *list.List // of documentEntry
	byKey map[string]*list.Element
	size  int // bytes of all texts
}

type documentEntry struct {
	text     string
	document *plan.Document
}

func newDocuments() *documents {
	return &documents{order: list.New(), byKey: map[string]*list.Element{}}
}

func (d *documents) get(text string) *plan.Document {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.byKey[text]
	if !ok {
		return nil
	}
	d.order.MoveToFront(e)
	return e.Value.(documentEntry).document
}

func (d *documents) put(text string, document *plan.Document) {
	if len(text) > keptOne {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.byKey[text]; known {
		return
	}
	d.byKey[text] = d.order.PushFront(documentEntry{text: text, document: document})
	for d.size += len(text); d.size > keptText; {
		oldest := d.order.Remove(d.order.Back()).(documentEntry)
		delete(d.byKey, oldest.text)
		d.size -= len(oldest.text)
	}
}
