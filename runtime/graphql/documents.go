package graphql

import (
	"container/list"
	"sync"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// documents keeps what was parsed and validated for one schema, the last used first. Parsing and
// validating are most of what a request costs outside the database.
type documents struct {
	most int

	mu    sync.Mutex // guards what follows
	order *list.List // of *plan.Document entries
	byKey map[string]*list.Element
}

type documentEntry struct {
	text     string
	document *plan.Document
}

func newDocuments(most int) *documents {
	return &documents{most: most, order: list.New(), byKey: map[string]*list.Element{}}
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
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.byKey[text]; known {
		return
	}
	if d.order.Len() >= d.most {
		oldest := d.order.Remove(d.order.Back()).(documentEntry)
		delete(d.byKey, oldest.text)
	}
	d.byKey[text] = d.order.PushFront(documentEntry{text: text, document: document})
}
