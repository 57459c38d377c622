package postgres

import "sync"

// tries are those at work in this server. When a server was not heard of for a while and comes back, a job can be at work
// in it twice: what the older try says then is not kept.
type tries struct {
	mu     sync.Mutex
	newest map[int64]int // the attempt
	dead   map[int64]int // how many ends of older tries are still to come
}

func (t *tries) begin(id int64, attempt int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newest == nil {
		t.newest, t.dead = map[int64]int{}, map[int64]int{}
	}
	t.newest[id] = attempt
}

func (t *tries) end(id int64, attempt int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newest[id] == attempt {
		delete(t.newest, id)
	} else {
		t.dead[id]++
	}
}

// older gives those ids for which the end of an older try is still to come.
func (t *tries) older(ids []int64) map[int64]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	older := map[int64]bool{}
	for _, id := range ids {
		if t.dead[id] > 0 {
			older[id] = true
		}
	}
	return older
}

// bury says that those ends have come.
func (t *tries) bury(older map[int64]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range older {
		if t.dead[id]--; t.dead[id] <= 0 {
			delete(t.dead, id)
		}
	}
}
