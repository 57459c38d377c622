package graphql

import (
	"sync"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

const (
	// keptBytes bounds the documents that are kept, with their plans, by about the bytes that they take.
	keptBytes = 64 << 20
	// parsedPerByte is the most that a document takes for each byte of its text, in lists of digits; ordinary ones
	// take 27 to 77.
	parsedPerByte = 128
	// keptText is the longest text that is kept: what is longer was written by no one, and comes once.
	keptText = 16 << 10
	// keptPlans bounds the plans of one document by about the bytes that they take, so that the shapes of one
	// client's variables do not push out all other documents.
	keptPlans = 4 << 20
)

// kept is a cache of documents and their plans by their texts, bounded by what they take. Parsing, validating and
// compiling are most of what a request costs outside the database.
type kept struct {
	*lru[*document]
	introspected introspected
}

// newKept makes one of so many that share the bytes.
func newKept(share int) kept {
	return kept{newLRU[*document](0, keptBytes/max(1, share)), newIntrospected(share)}
}

// document is a valid document with the plans of its operations. It goes from the cache as a whole: a plan
// refers to the document, and the document to its text.
type document struct {
	*plan.Document
	text string

	mu    sync.RWMutex // guards what follows
	plans map[planKey]*plan.Plan
	taken int // by plans
}

// planKey names a plan of a document.
type planKey struct {
	operation *plan.Operation
	shape     string // of the variables
}

// put keeps a document, unless another request has put one of the same text: that is the one to use.
func (c kept) put(d *document) *document {
	return c.lru.put(d.text, d, 1024+parsedPerByte*len(d.text))
}

// putPlan keeps a plan with its document.
func (c kept) putPlan(d *document, key planKey, p *plan.Plan) { c.grow(d.text, d, d.put(key, p)) }

// put adds a plan and tells by how many bytes the document has grown. Where there is no room, others go: which
// ones is left to chance, as none tells when it was used.
func (d *document) put(key planKey, p *plan.Plan) int {
	weigh := func(key planKey, p *plan.Plan) int { return 128 + len(key.shape) + p.Weight() }
	weight := weigh(key, p)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.plans[key]; known || weight > keptPlans {
		return 0
	}
	before := d.taken
	for other, otherPlan := range d.plans {
		if d.taken+weight <= keptPlans {
			break
		}
		delete(d.plans, other)
		d.taken -= weigh(other, otherPlan)
	}
	d.plans[key] = p
	d.taken += weight
	return d.taken - before
}

// plan gives the plan for a shape; nil when there is none yet.
func (d *document) plan(op *plan.Operation, shape []byte) *plan.Plan {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.plans[planKey{op, string(shape)}]
}
