package outbound

import (
	"log/slog"
	"sync"
	"time"
)

// mostHosts bounds what is remembered of hosts that fail: whoever makes up names forgets others, and takes no memory.
const mostHosts = 4096

// verdict is what the end of a call says of its host.
type verdict uint8

const (
	unsaid verdict = iota // nothing: it was broken off, or never sent
	well
	ill
)

// breaker knows which hosts are not well. doc.go draws their states.
type breaker struct {
	after int
	rest  time.Duration
	log   *slog.Logger

	mu    sync.Mutex
	hosts map[string]*host
}

// host is one that has failed and not been well since.
type host struct {
	failures int       // in a row
	until    time.Time // it rests until then, and is tried after; zero: it does not rest
	probing  bool      // one call tries
	seen     time.Time
}

func newBreaker(after int, rest time.Duration, log *slog.Logger) *breaker {
	return &breaker{after: after, rest: rest, log: log, hosts: map[string]*host{}}
}

// enter asks whether a call may be made. wait > 0 says no. probe is not nil for the one call that tries a host which has rested;
// leave wants it back.
func (b *breaker) enter(name string) (probe *host, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hosts[name]
	if h == nil || h.until.IsZero() {
		return nil, 0
	}
	now := time.Now()
	if wait := h.until.Sub(now); wait > 0 {
		return nil, wait
	}
	if h.probing {
		return nil, b.rest
	}
	// Others are told the time of the next try, as if this one had failed already.
	h.probing, h.until, h.seen = true, now.Add(b.rest), now
	return h, 0
}

// leave notes how a call has ended, and says when that changes a host's state.
func (b *breaker) leave(name string, probe *host, v verdict, cause error) {
	switch rested, fell := b.note(name, probe, v); {
	case fell:
		b.log.Warn("a host fails and is left alone", slog.String("host", name), slog.Int("failures", b.after), slog.Duration("for", b.rest), slog.Any("error", cause))
	case rested:
		b.log.Info("a host is well again", slog.String("host", name))
	}
}

func (b *breaker) note(name string, probe *host, v verdict) (rested, fell bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, now := b.hosts[name], time.Now()
	tried := probe != nil && probe == h // else it was made well meanwhile
	switch {
	case v == well:
		if h == nil {
			return false, false
		}
		delete(b.hosts, name)
		return !h.until.IsZero(), false
	case v == unsaid:
		if tried {
			h.probing, h.until = false, now // the next one may try
		}
		return false, false
	case tried:
		h.probing, h.until = false, now.Add(b.rest)
		return false, false
	case h != nil && !h.until.IsZero(): // a call that was made before the host rested
		return false, false
	case h == nil:
		h = b.add(name)
	}
	h.failures, h.seen = h.failures+1, now
	if h.failures < b.after {
		return false, false
	}
	h.until = now.Add(b.rest)
	return false, true
}

// add makes place for a host, when there is none by forgetting the one that nothing was heard of for longest.
func (b *breaker) add(name string) *host {
	if len(b.hosts) >= mostHosts {
		var oldest string
		for other, h := range b.hosts {
			if oldest == "" || h.seen.Before(b.hosts[oldest].seen) {
				oldest = other
			}
		}
		delete(b.hosts, oldest)
	}
	h := &host{}
	b.hosts[name] = h
	return h
}
