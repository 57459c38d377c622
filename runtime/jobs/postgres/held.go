package postgres

import "sync"

// held are the jobs that this client has taken and whose end it has not written yet.
type held struct {
	mu       sync.Mutex
	taken    map[int64]bool
	complete map[int64]bool // those that ended within a transaction of their handler: nothing is to be written
}

func (h *held) take(ids []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken == nil {
		h.taken, h.complete = map[int64]bool{}, map[int64]bool{}
	}
	for _, id := range ids {
		h.taken[id] = true
	}
}

// completed says that a job has ended within a transaction.
func (h *held) completed(id int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.complete[id] = true
}

// open leaves the jobs whose end is to be written.
func (h *held) open(ids []int64) []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var open []int64
	for _, id := range ids {
		if !h.complete[id] {
			open = append(open, id)
		}
	}
	return open
}

// ended says that the ends of jobs are written.
func (h *held) ended(ids []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		delete(h.taken, id)
		delete(h.complete, id)
	}
}

// all gives what is taken.
func (h *held) all() []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make([]int64, 0, len(h.taken))
	for id := range h.taken {
		ids = append(ids, id)
	}
	return ids
}
