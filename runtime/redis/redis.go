// Package redis is the way to a Redis that may be away: what asks it goes on without.
package redis

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

const (
	// answerTime is how long an answer may take before whoever asks goes on without.
	answerTime = 100 * time.Millisecond
	// restTime is how long nobody asks after a failure, so that not each waits for the next.
	restTime = time.Second
)

// ErrAway says that Redis cannot be asked now.
var ErrAway = errors.New("redis is away")

// Client asks a Redis. It connects when it is first asked, beside that, and again whenever the connection is lost: until
// then ErrAway is the answer, at once. It is safe for use by many goroutines.
type Client struct {
	options  rueidis.ClientOption
	log      *slog.Logger
	patience time.Duration // answerTime; tests have more

	mu     sync.Mutex // guards what follows
	conn   rueidis.Client
	dials  bool
	rest   time.Time // until then nobody asks
	away   bool      // that has been said
	refuse bool      // that it refuses what it is asked has been said
	closed bool
}

// New makes a client of an address: redis://user:password@host:6379/0, rediss:// with TLS, unix:///path. No connection is made
// yet.
func New(address string, log *slog.Logger) (*Client, error) {
	if err := config.CheckAddress(address); err != nil {
		return nil, fault.New(fault.Invalid, "redis/bad-url", "the address of Redis cannot be used: "+err.Error()).WithHint("write it as redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path")
	}
	options, err := rueidis.ParseURL(address)
	if err != nil { // its text may have the password in it
		return nil, fault.New(fault.Invalid, "redis/bad-url", "the address of Redis cannot be read").WithHint("write it as redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path")
	}
	options.DisableRetry, options.DisableCache, options.ForceSingleClient = true, true, true
	options.Dialer.Timeout = 2 * time.Second
	options.ClientName = "fraiseql"
	return &Client{options: options, log: log, patience: answerTime}, nil
}

// Get reads a text and lets it live on for so long; known is false when there is none.
func (c *Client) Get(ctx context.Context, key string, live time.Duration) (text string, known bool, err error) {
	err = c.ask(ctx, func(ctx context.Context, conn rueidis.Client) error {
		text, err = conn.Do(ctx, conn.B().Getex().Key(key).Ex(live).Build()).ToString()
		return err
	})
	switch {
	case rueidis.IsRedisNil(err):
		return "", false, nil
	case err != nil: // whose text the library gives as the value
		return "", false, err
	}
	return text, true, nil
}

// Set keeps a text for so long.
func (c *Client) Set(ctx context.Context, key, text string, live time.Duration) error {
	return c.ask(ctx, func(ctx context.Context, conn rueidis.Client) error {
		return conn.Do(ctx, conn.B().Set().Key(key).Value(text).Ex(live).Build()).Error()
	})
}

// Close ends the connection.
func (c *Client) Close() {
	c.mu.Lock()
	conn := c.conn
	c.conn, c.closed = nil, true
	c.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
}

// ask asks by a connection that there is.
func (c *Client) ask(ctx context.Context, do func(ctx context.Context, conn rueidis.Client) error) error {
	conn := c.connection()
	if conn == nil {
		return ErrAway
	}
	limited, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	err := do(limited, conn)
	said, answered := rueidis.IsRedisErr(err)
	switch {
	case answered && !said.IsNil():
		c.refused(err)
	case err != nil && !answered && ctx.Err() == nil:
		c.failed(conn, err)
	}
	return err
}

// Check tells whether texts can be kept and read, by one that lives for a second.
func (c *Client) Check(ctx context.Context, key string) error {
	conn, err := rueidis.NewClient(c.options)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Do(ctx, conn.B().Set().Key(key).Value("1").Ex(time.Second).Build()).Error(); err != nil {
		return err
	}
	return conn.Do(ctx, conn.B().Getex().Key(key).Ex(time.Second).Build()).Error()
}

// refused says once that Redis answers, and does not what it is asked: it is too old, full, or the user may not.
func (c *Client) refused(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.refuse {
		c.refuse = true
		c.log.Warn("redis refuses what it is asked; going on without it", slog.Any("error", err), slog.String("hint", "it has to be 6.2 or newer, and the user may SET and GETEX"))
	}
}

// connection gives the one that there is; without one it has one made.
func (c *Client) connection() rueidis.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.dials || time.Now().Before(c.rest) {
		return nil
	}
	if c.conn == nil {
		c.dials = true
		go c.dial()
	}
	return c.conn
}

func (c *Client) dial() {
	conn, err := rueidis.NewClient(c.options)
	if err != nil {
		c.failed(nil, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dials = false
	if c.closed {
		conn.Close()
		return
	}
	if c.away {
		c.log.Info("redis is back")
	}
	c.conn, c.away = conn, false
}

// failed notes that Redis does not answer, and says so once.
func (c *Client) failed(conn rueidis.Client, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dials = false
	if conn != nil && conn == c.conn {
		c.conn = nil
		go conn.Close() // what others have asked is ended
	}
	c.rest = time.Now().Add(restTime)
	if !c.away && !c.closed {
		c.away = true
		c.log.Warn("redis does not answer; going on without it, and trying again", slog.Any("error", err))
	}
}
