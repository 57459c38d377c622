// Package postgres is the way to the database: pools of connections, and what errors of theirs mean.
// Package embedded runs a private server, package pgtest gives tests a database.
package postgres

import (
	"bufio"
	"context"
	"io"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	settings "github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// PoolOptions are the choices of a pool.
type PoolOptions struct {
	Size           int           // connections at most; 0 is 10
	ConnectTimeout time.Duration // of one connection; 0 is 5 s
	Pooler         bool          // a transaction pooler stands in between: keep nothing in a session
	Application    string        // application_name; empty is "fraiseql"
	Listens        bool          // connections wait for notifications: no statement is cancelled in the server
	MaxMessage     int           // bytes of one message from the server, such as a row; 0 is the driver's bound, 1 GiB
}

// readAhead is how much is read from a connection at once: the driver's own 8 KB cost a call of the system for
// each few rows of a large answer.
const readAhead = 64 << 10

// Connect makes a pool. It does not wait for the server and succeeds when that is down; only an
// address that cannot be read is an error.
func Connect(ctx context.Context, address string, o PoolOptions) (*pgxpool.Pool, error) {
	if err := settings.CheckAddress(address); err != nil {
		return nil, fault.New(fault.Invalid, "database/bad-url", "the database address cannot be used: "+err.Error()).
			WithHint("write it as postgres://user:password@host:5432/database; special characters of a password as %%40 and so on")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The driver's own message quotes the address, with parts of a password that broke it.
		return nil, fault.New(fault.Invalid, "database/bad-url", "the database address cannot be read").
			WithHint("write it as postgres://user:password@host:5432/database; special characters of a password as %%40 and so on")
	}
	config.MaxConns = int32(max(o.Size, 0))
	if o.Size == 0 {
		config.MaxConns = 10
	}
	config.MaxConnIdleTime = 24 * time.Hour // a backend that is new is slow for its first seconds: keep them
	config.MaxConnLifetime = 24 * time.Hour
	config.HealthCheckPeriod = 5 * time.Second
	c := config.ConnConfig
	c.ConnectTimeout = 5 * time.Second
	if o.ConnectTimeout > 0 {
		c.ConnectTimeout = o.ConnectTimeout
	}
	application := o.Application
	if application == "" {
		application = "fraiseql"
	}
	// They fix the text forms of dates, times and intervals that responses are made of. PgBouncer follows all but the last,
	// which it refuses: behind a pooler, whoever reads intervals sets it in the transaction.
	for name, value := range map[string]string{
		"application_name": application, "timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "iso_8601",
	} {
		c.RuntimeParams[name] = value
	}
	if o.Pooler {
		delete(c.RuntimeParams, "intervalstyle")
		c.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	c.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		f := pgproto3.NewFrontend(bufio.NewReaderSize(r, readAhead), w)
		if o.MaxMessage > 0 {
			f.SetMaxBodyLen(o.MaxMessage)
		}
		return f
	}
	c.DialFunc = dialer(c.ConnectTimeout)
	// A request that ends early cancels its statement in the server, and the connection lives on. Who waits for notifications
	// has none: to stop waiting would take two seconds.
	if !o.Listens {
		c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, CancelRequestDelay: 0, DeadlineDelay: 2 * time.Second}
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "database/bad-url", "the database address cannot be used", err)
	}
	return pool, nil
}

// farewell is how long a connection that ends may take.
const farewell = 2 * time.Second

// Close lets go of pools, side by side; nil ones are left out. One whose server does not answer is not waited for: pgx says
// goodbye to each connection for 15 seconds, which goes on behind this, and ends with the process at the latest.
func Close(pools ...*pgxpool.Pool) {
	var all sync.WaitGroup
	for _, pool := range pools {
		if pool != nil {
			all.Go(pool.Close)
		}
	}
	closed := make(chan struct{})
	go func() {
		all.Wait()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(farewell):
	}
}
