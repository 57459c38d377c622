package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// delivered is a call that the sink got and answered with 200.
type delivered struct {
	id    string // webhook-id
	event event
	at    time.Time
}

// event is what a webhook carries of the tables here.
type event struct {
	ID    string
	Op    string
	Table string
	Key   struct{ ID int64 }
	Old   *row
	New   *row
}

type row struct {
	ID, N int64
	At    string
}

// sink is a receiver of webhooks that remembers.
type sink struct {
	server *httptest.Server
	mu     sync.Mutex
	got    []delivered
	tried  int
	answer func(e event) int // 0 is 200
}

func newSink() *sink {
	s := &sink{}
	s.server = httptest.NewServer(http.HandlerFunc(s.receive))
	return s
}

func (s *sink) url() string { return s.server.URL }

func (s *sink) close() { s.server.Close() }

func (s *sink) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	at := time.Now()
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.tried++
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		if status := answer(e); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	s.mu.Lock()
	s.got = append(s.got, delivered{r.Header.Get("Webhook-Id"), e, at})
	s.mu.Unlock()
}

func (s *sink) answers(f func(e event) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *sink) all() []delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]delivered(nil), s.got...)
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}
