//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Cluster is a running cluster that this process keeps alive.
type Cluster struct {
	Binaries Binaries
	Dir      string
	Port     int

	password string
	pipe     *os.File // while it is open the server runs
	holders  *os.File // locked shared: tells the last one that it is the last
}

// startTimeout bounds how long a server may take to answer: recovery after a crash takes time.
const startTimeout = 60 * time.Second

// Start gives the cluster, made and started if need be, attached to when another process has it
// running. Two processes that start at once do not meet: one works, the other waits and attaches.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Repository == "" {
		o.Repository = Repository
	}
	who, err := chooseAccount()
	if err != nil {
		return nil, err
	}
	dir, err := who.folderFor(o.Dir)
	if err != nil {
		return nil, err
	}
	unlock, err := lockFile(ctx, filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("lock cluster %s: %w", dir, err)
	}
	defer unlock()
	c := &Cluster{Dir: dir}
	if err := c.start(ctx, o, who); err != nil {
		c.release()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options, who *account) error {
	if c.holders = holdShared(filepath.Join(c.Dir, "holders")); c.holders == nil {
		return fmt.Errorf("hold cluster %s: its lock file cannot be opened", c.Dir)
	}
	attached, err := c.attach(ctx)
	if err != nil || attached {
		return err
	}
	version, _ := os.ReadFile(c.data("PG_VERSION"))
	wanted, _ := strconv.Atoi(strings.TrimSpace(string(version)))
	if c.Binaries, err = obtain(ctx, o, who, wanted); err != nil {
		return err
	}
	if wanted == 0 {
		o.Log.Info("making a PostgreSQL cluster", slog.String("dir", c.Dir), slog.Int("version", c.Binaries.Major))
		if err := c.create(ctx, o, who); err != nil {
			return err
		}
	}
	if err := c.waitGone(ctx); err != nil {
		return err
	}
	if err := c.launch(ctx, o, who); err != nil {
		return err
	}
	if err := c.waitReady(ctx); err != nil {
		return err
	}
	return c.ensureDatabase(ctx)
}

// attach joins a server that another process keeps. It is false when there is none.
func (c *Cluster) attach(ctx context.Context) (bool, error) {
	pipe, err := os.OpenFile(c.file("pipe"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, nil //nolint:nilerr // nobody reads it (ENXIO), or it was never made
	}
	c.pipe = pipe
	if err := c.readState(ctx); err != nil {
		return false, err
	}
	for c.kept() {
		if err := c.ping(ctx); err == nil && c.kept() {
			return true, nil
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		pause(ctx)
	}
	// The last holder ended just before we came: the server is on its way out.
	_ = c.pipe.Close()
	c.pipe = nil
	return false, nil
}

// kept tells whether the keeper still reads the pipe.
func (c *Cluster) kept() bool {
	_, err := c.pipe.Write([]byte{'.'})
	return err == nil
}

func (c *Cluster) readState(ctx context.Context) error {
	port, err := os.ReadFile(c.file("port"))
	if err != nil {
		return fmt.Errorf("read the cluster's port: %w", err)
	}
	if c.Port, err = strconv.Atoi(strings.TrimSpace(string(port))); err != nil {
		return fmt.Errorf("read the cluster's port: %w", err)
	}
	password, err := os.ReadFile(c.file("password"))
	if err != nil {
		return fmt.Errorf("read the cluster's password: %w", err)
	}
	bin, err := os.ReadFile(c.file("binaries"))
	if err != nil {
		return fmt.Errorf("read where the cluster's programs are: %w", err)
	}
	c.password = strings.TrimSpace(string(password))
	c.Binaries = Binaries{Dir: strings.TrimSpace(string(bin)), Major: majorOf(ctx, strings.TrimSpace(string(bin)))}
	return nil
}

func (c *Cluster) file(name string) string { return filepath.Join(c.Dir, name) }
func (c *Cluster) data(name string) string { return filepath.Join(c.Dir, "data", name) }

// URL gives the address of a database of the cluster, password included: it must not be logged.
func (c *Cluster) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(Superuser, c.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop lets go of the cluster. The last process to do so ends the server, and waits until it is gone.
func (c *Cluster) Stop(ctx context.Context) error {
	last := c.release()
	if !last {
		return nil
	}
	return c.waitGone(ctx)
}

// release closes the pipe and tells whether nobody else holds the cluster.
func (c *Cluster) release() (last bool) {
	if c.pipe != nil {
		_ = c.pipe.Close()
		c.pipe = nil
	}
	if c.holders == nil {
		return false
	}
	last = syscall.Flock(int(c.holders.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	_ = c.holders.Close()
	c.holders = nil
	return last
}

// waitReady waits until the server answers.
func (c *Cluster) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := c.ping(ctx)
		if err == nil {
			return nil
		}
		if _, gone := os.Stat(c.file("exited")); gone == nil || ctx.Err() != nil {
			return fault.Wrap(fault.Unavailable, "postgres/start-failed", "the private PostgreSQL server did not start", errors.Join(err, c.logTail())).
				WithHint("its log is %s", c.file("server.log"))
		}
		pause(ctx)
	}
}

func (c *Cluster) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (c *Cluster) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private cluster: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", Database).Scan(&there); err != nil {
		return fmt.Errorf("look for the project's database: %w", err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, "create database "+Database); err != nil {
		return fmt.Errorf("create the project's database: %w", err)
	}
	return nil
}

// waitGone waits until no server of an earlier time uses the data, and its keeper has ended too.
func (c *Cluster) waitGone(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for alive(c.data("postmaster.pid")) || c.keeperRuns(ctx) {
		if ctx.Err() != nil {
			return fault.New(fault.Unavailable, "postgres/still-running", "an earlier PostgreSQL server still uses the cluster in "+c.Dir).
				WithHint("stop it: %s -D %s -m fast stop", c.Binaries.Path("pg_ctl"), c.data(""))
		}
		pause(ctx)
	}
	return nil
}

// alive tells whether the process that a pid file names runs.
func alive(pidFile string) bool {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid <= 0 {
		return false
	}
	err = syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// keeperRuns asks ps whether the keeper's number is still a keeper: after a crash of the machine it may
// be anything.
func (c *Cluster) keeperRuns(ctx context.Context) bool {
	if !alive(c.file("keeper.pid")) {
		return false
	}
	pid, err := os.ReadFile(c.file("keeper.pid"))
	if err != nil {
		return false
	}
	out, err := exec.CommandContext(ctx, "ps", "-o", "args=", "-p", strings.TrimSpace(string(pid))).Output()
	return err == nil && strings.Contains(string(out), "fraiseql-keeper")
}

// pause waits between two looks at something that another process does.
func pause(ctx context.Context) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// logTail gives the end of the server's log, which says why it did not start.
func (c *Cluster) logTail() error {
	text, err := os.ReadFile(c.file("server.log"))
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return errors.New(strings.Join(lines[max(0, len(lines)-5):], "\n"))
}
