package smtp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Limits of the connections to one provider.
const (
	width    = 4                // connections at once
	lifetime = 100              // mails on one connection, as servers count them
	keep     = 10 * time.Second // how long one without work is kept; servers end them after minutes
)

// lane is the way to one provider: a few connections, which are kept for a while.
type lane struct {
	Provider
	places chan struct{}

	mu     sync.Mutex
	kept   []*connection
	closed bool
	timers sync.WaitGroup
}

func newLane(p Provider) *lane { return &lane{Provider: p, places: make(chan struct{}, width)} }

// send hands a mail over. Where a kept connection turns out to have ended, another one is used.
func (l *lane) send(ctx context.Context, m *composed) (string, *Error) {
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		return "", failure(Temporary, l.Name+": no connection was free in time", ctx.Err())
	}
	defer func() { <-l.places }()
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	for {
		c := l.take()
		fresh := c == nil
		if fresh {
			var wrong *Error
			if c, wrong = l.connect(ctx); wrong != nil {
				return "", wrong
			}
		}
		text, wrong := c.deliver(ctx, &l.Provider, m)
		if wrong == nil {
			l.put(c)
			return text, nil
		}
		c.drop()
		if fresh || !wrong.early {
			return "", wrong
		}
	}
}

// take gives the kept connection that was used last; nil where there is none.
func (l *lane) take() *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) == 0 {
		return nil
	}
	c := l.kept[len(l.kept)-1]
	l.kept = l.kept[:len(l.kept)-1]
	l.still(c)
	return c
}

// still stops the timer of a connection that is kept no more. One that fires already finds it gone.
func (l *lane) still(c *connection) {
	if c.idle.Stop() {
		l.timers.Done()
	}
}

// put keeps a connection for the next mail, or ends it.
func (l *lane) put(c *connection) {
	l.mu.Lock()
	if l.closed || c.mails >= lifetime {
		l.mu.Unlock()
		c.quit()
		return
	}
	defer l.mu.Unlock()
	l.kept = append(l.kept, c)
	l.timers.Add(1)
	c.idle = time.AfterFunc(keep, func() {
		defer l.timers.Done()
		if l.forget(c) {
			c.quit()
		}
	})
}

func (l *lane) forget(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.kept, c)
	if i >= 0 {
		l.kept = slices.Delete(l.kept, i, i+1)
	}
	return i >= 0
}

// close ends all connections that are kept, and waits for that.
func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	kept := l.kept
	l.kept = nil
	for _, c := range kept {
		l.still(c)
	}
	l.mu.Unlock()
	for _, c := range kept {
		c.quit()
	}
	l.timers.Wait()
}
