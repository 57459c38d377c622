package cluster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Slot is one that this node holds.
type Slot struct {
	Number int
	Epoch  int64
	Until  time.Time // its holder acts no later than this
}

// Share is this node's part of the slots of a lease.
type Share struct {
	node  *Node
	name  string
	total int

	mu      sync.Mutex
	held    map[int]Slot
	leaving map[int]bool // to be given to others: finish what is at work, then Give
	stopped bool         // no more are taken
	changed chan struct{}
}

// Share begins to take part in a lease with so many slots, which are rows of _system.lease.
func (n *Node) Share(name string, total int) *Share {
	s := &Share{node: n, name: name, total: total, held: map[int]Slot{}, leaving: map[int]bool{}, changed: make(chan struct{}, 1)}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shares = append(n.shares, s)
	return s
}

// Held gives the slots that may be worked for now, and those among them that are to be given away: nothing new is begun
// for those.
func (s *Share) Held() (working, leaving []Slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, number := range slices.Sorted(maps.Keys(s.held)) {
		slot := s.held[number]
		switch {
		case !slot.Until.After(now):
		case s.leaving[number]:
			leaving = append(leaving, slot)
		default:
			working = append(working, slot)
		}
	}
	return working, leaving
}

// numbers are the slots that this node knows it holds.
func (s *Share) numbers() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.held))
}

// Changed is told when Held may give something else.
func (s *Share) Changed() <-chan struct{} { return s.changed }

func (s *Share) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Give lets others have slots that are leaving. A database that says nothing is waited for half a term: they expire then.
func (s *Share) Give(ctx context.Context, numbers []int) error {
	if len(numbers) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.node.options.Term/2)
	defer cancel()
	_, err := s.node.options.Pool.Exec(ctx, giveSQL, s.node.id, s.name, numbers)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, number := range numbers { // when the error hides what happened they expire
		delete(s.held, number)
		delete(s.leaving, number)
	}
	return err
}

// Stop takes no more slots, and lets all that are held leave.
func (s *Share) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for number := range s.held {
		s.leaving[number] = true
	}
	s.tell()
}

func (s *Share) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.held)
	clear(s.leaving)
	s.tell()
}

// renewed takes over what a beat says.
func (s *Share) renewed(kept []held, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	still := map[int]bool{}
	for _, k := range kept {
		if slot, known := s.held[k.slot]; k.name == s.name && known && slot.Epoch == k.epoch {
			slot.Until = until
			s.held[k.slot] = slot
			still[k.slot] = true
		}
	}
	for number := range s.held {
		if !still[number] { // another node has it
			delete(s.held, number)
			delete(s.leaving, number)
			s.tell()
		}
	}
}

// balance takes free slots up to this node's part, or has those leave that are too many.
func (s *Share) balance(ctx context.Context, nodes int) error {
	fair := (s.total + nodes - 1) / nodes
	s.mu.Lock()
	staying := len(s.held) - len(s.leaving)
	for _, number := range slices.Backward(slices.Sorted(maps.Keys(s.held))) {
		if staying <= fair {
			break
		}
		if !s.leaving[number] {
			s.leaving[number] = true
			staying--
			s.tell()
		}
	}
	want := fair - len(s.held)
	stopped := s.stopped
	s.mu.Unlock()
	if want <= 0 || stopped {
		return nil
	}
	asked := time.Now()
	got, err := s.node.acquire(ctx, s.name, want)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range got {
		s.held[h.slot] = Slot{Number: h.slot, Epoch: h.epoch, Until: s.node.until(asked)}
		if s.stopped {
			s.leaving[h.slot] = true
		}
	}
	if len(got) > 0 {
		s.tell()
	}
	return nil
}
