package graphql

import (
	"container/list"
	"sync"
)

// lru is a cache bounded by the number of its values and by the bytes that they take; what was used the longest ago goes
// first. It is safe for use by many goroutines.
type lru[V comparable] struct {
	number int // the most values; 0 is no bound
	most   int // bytes

	mu    sync.Mutex // guards what follows
	size  int
	order list.List // of *valued[V], the last used first
	byKey map[string]*list.Element
}

// valued is a value with its key and its weight.
type valued[V comparable] struct {
	key    string
	value  V
	weight int
}

func newLRU[V comparable](number, most int) *lru[V] {
	return &lru[V]{number: number, most: most, byKey: map[string]*list.Element{}}
}

// get gives the value of a key; the zero value when there is none.
func (c *lru[V]) get(key string) (v V, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*valued[V]).value, true
}

// put keeps a value, unless there is one of the same key: that is the one to use.
func (c *lru[V]) put(key string, v V, weight int) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[key]; e != nil {
		return e.Value.(*valued[V]).value
	}
	held := &valued[V]{key: key, value: v}
	c.byKey[key] = c.order.PushFront(held)
	c.add(held, weight)
	return v
}

// grow tells that a value takes more than it did. One that has gone meanwhile counts no longer.
func (c *lru[V]) grow(key string, v V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[key]; e != nil && e.Value.(*valued[V]).value == v {
		c.add(e.Value.(*valued[V]), bytes)
	}
}

func (c *lru[V]) add(held *valued[V], bytes int) {
	held.weight += bytes
	c.size += bytes
	for c.size > c.most || c.number > 0 && c.order.Len() > c.number {
		oldest := c.order.Remove(c.order.Back()).(*valued[V])
		delete(c.byKey, oldest.key)
		c.size -= oldest.weight
	}
}
