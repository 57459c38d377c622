// Package jobstest says what every jobs.Queue has to do: one table of cases for all of them.
package jobstest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// World is a place where jobs are kept.
type World struct {
	// Join gives one more view of it, for a server that works jobs, or for a client.
	Join func(t testing.TB) Member
	Pool *pgxpool.Pool
	// Backend is what a configuration calls it.
	Backend string
}

// Member is one of several servers.
type Member struct {
	Queue   jobs.Queue
	Alive   func() bool
	Know    func(names []string)
	Silence func()            // it is not heard of any more, and does not know that
	Fence   func(fenced bool) // it knows that it is not heard of
	Close   func()
}

// Server is one that works jobs.
type Server struct {
	*jobs.Service
	Stop    func()
	Silence func()
	Fence   func(fenced bool)
}

// Serve begins to work jobs.
func (w World) Serve(t testing.TB, c jobs.Config, handlers map[string]jobs.Handler) *Server {
	t.Helper()
	m := w.Join(t)
	c.Backend = w.Backend
	service, err := jobs.New(c, jobs.Deps{Queue: m.Queue, Pool: w.Pool, Log: slog.New(slog.DiscardHandler), Handlers: handlers, Alive: m.Alive, Know: m.Know})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // the test's own ends before its cleanup
	var running sync.WaitGroup
	running.Go(func() {
		if err := service.Run(ctx, 2*time.Second); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	s := &Server{Service: service, Silence: m.Silence, Fence: m.Fence, Stop: sync.OnceFunc(func() { stop(); running.Wait(); m.Close() })}
	t.Cleanup(s.Stop)
	return s
}

// Eventually waits for something that will be.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(40 * time.Second); !ok(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 40 seconds", what)
		}
	}
}

// State waits until a job is in a state, and gives it.
func State(t testing.TB, s *jobs.Service, id string, want jobs.State) jobs.Job {
	t.Helper()
	var job jobs.Job
	Eventually(t, fmt.Sprintf("job %s is %s", id, want), func() bool {
		var err error
		if job, err = s.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return job.State == want
	})
	return job
}

// Enqueue makes a job, and gives its id.
func Enqueue(t testing.TB, s *jobs.Service, n jobs.Spec) string {
	t.Helper()
	receipts, err := s.Enqueue(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return receipts[0].ID
}

// Crowd tells how many are at work at once.
type Crowd struct {
	wished   int32
	at, most atomic.Int32
	full     context.Context
	open     func()
}

// NewCrowd has nobody's work end before so many are at work as are wished, unless that takes too long.
func NewCrowd(t testing.TB, wished int32) *Crowd {
	c := &Crowd{wished: wished}
	c.full, c.open = context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(c.open)
	return c
}

// Work is what each of them does.
func (c *Crowd) Work() {
	n := c.at.Add(1)
	defer c.at.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	if n >= c.wished {
		time.AfterFunc(300*time.Millisecond, c.open) // in which one too many would come
	}
	<-c.full.Done()
	<-time.After(5 * time.Millisecond)
}

// Most is how many have been at work at once.
func (c *Crowd) Most() int32 { return c.most.Load() }

// Args makes arguments.
func Args(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
