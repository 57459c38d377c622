package graphql

import (
	"container/list"
	"sync"
)

const (
	// keptText bounds the parsed documents by the bytes of their texts. A document takes some twenty to a
	// hundred times its text, so that full it has tens of megabytes.
	keptText = 1 << 20
	// keptOne is the longest text that is kept: what is longer was written by no one, and comes once.
	keptOne = 16 << 10
	// keptPlans bounds the plans by the bytes of their SQL, which is about half of what they take.
	keptPlans = 8 << 20
)

// kept is a cache bounded by the weight of what is in it; what was used the longest ago goes first. Parsing,
// validating and compiling are most of what a request costs outside the database.
type kept[K comparable, V any] struct {
	mu    sync.Mutex // guards what follows
	most  int
	size  int
	order *list.List // of keptEntry, the last used first
	byKey map[K]*list.Element
}

type keptEntry[K comparable, V any] struct {
	key    K
	value  V
	weight int
}

func newKept[K comparable, V any](most int) *kept[K, V] {
	return &kept[K, V]{most: most, order: list.New(), byKey: map[K]*list.Element{}}
}

func (c *kept[K, V]) get(key K) (value V, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, known := c.byKey[key]
	if !known {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*keptEntry[K, V]).value, true
}

func (c *kept[K, V]) put(key K, value V, weight int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.byKey[key]; known || weight > c.most {
		return
	}
	c.byKey[key] = c.order.PushFront(&keptEntry[K, V]{key: key, value: value, weight: weight})
	for c.size += weight; c.size > c.most; {
		oldest := c.order.Remove(c.order.Back()).(*keptEntry[K, V])
		delete(c.byKey, oldest.key)
		c.size -= oldest.weight
	}
}
