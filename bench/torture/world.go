package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

// world is a PostgreSQL, a receiver of webhooks, and the servers between them.
type world struct {
	dir      string
	program  string
	random   *rand.Rand
	long     bool
	timed    bool // times count
	sabotage string
	binaries string
	env      []string // more of the environment of PostgreSQL's programs
	account  *syscall.Credential
	port     int
	pool     *pgxpool.Pool
	sink     *sink
	nodes    []*node
}

// build makes the program under test.
func build(ctx context.Context) (program string, clean func(), err error) {
	dir, err := os.MkdirTemp("", "fraiseql-torture-")
	if err != nil {
		return "", nil, err
	}
	clean = func() { _ = os.RemoveAll(dir) }
	program = filepath.Join(dir, "fraiseql")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/fraiseql/fraiseql/cmd/fraiseql").CombinedOutput(); err != nil {
		clean()
		return "", nil, fmt.Errorf("build the program: %w\n%s", err, text)
	}
	return program, clean, nil
}

func newWorld(ctx context.Context, program string, random *rand.Rand, long bool) (*world, error) {
	dir, err := os.MkdirTemp("", "fraiseql-world-")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, program: program, random: random, long: long, timed: long}
	if err := errors.Join(os.Chmod(dir, 0o755), w.startPostgres(ctx)); err != nil {
		w.close()
		return nil, err
	}
	if w.pool, err = pgxpool.New(ctx, w.address(w.port)); err != nil {
		w.close()
		return nil, err
	}
	w.sink = newSink()
	return w, nil
}

func (w *world) close() {
	for _, n := range w.nodes {
		n.kill()
	}
	if w.pool != nil {
		w.pool.Close()
	}
	if w.sink != nil {
		w.sink.close()
	}
	if w.binaries != "" {
		_ = w.control(context.Background(), "stop", "-m", "immediate")
	}
	_ = os.RemoveAll(w.dir)
}

func (w *world) address(port int) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
}

// startPostgres makes a cluster that is as durable as any, with the programs that the machine has.
func (w *world) startPostgres(ctx context.Context) error {
	found := embedded.Find(ctx)
	if len(found) == 0 {
		return errors.New("this machine has no PostgreSQL: apt-get install postgresql (Debian), brew install postgresql@17 (macOS)")
	}
	w.binaries = found[0].Dir
	if os.Geteuid() == 0 { // which PostgreSQL refuses
		who, err := user.Lookup("nobody")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		w.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(w.dir, uid, gid); err != nil {
			return err
		}
	}
	if err := w.run(ctx, "initdb", "-D", filepath.Join(w.dir, "data"), "-U", "postgres", "-A", "trust", "-N"); err != nil {
		return err
	}
	for { // until its port is one that nobody takes before it
		var err error
		if w.port, err = freePort(); err != nil {
			return err
		}
		if taken, err := w.ask(ctx, "start", "-o", w.options()); !taken {
			return err
		}
	}
}

// options are those of the server.
func (w *world) options() string {
	return fmt.Sprintf("-p %d -k '' -c listen_addresses=127.0.0.1 -c max_connections=200 -c shared_buffers=256MB -c max_wal_size=4GB -c autovacuum_naptime=5s -c lc_messages=C", w.port)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// control asks pg_ctl. While another program has the port, a start is tried again: the address has to stay.
func (w *world) control(ctx context.Context, args ...string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		taken, err := w.ask(ctx, args...)
		if !taken || time.Now().After(deadline) {
			return err
		}
		args = []string{"start", "-o", w.options()} // of a restart the stop was done
	}
}

// ask asks pg_ctl once, and tells whether that failed as another program has the port.
func (w *world) ask(ctx context.Context, args ...string) (taken bool, err error) {
	log := filepath.Join(w.dir, "postgres.log")
	before, _ := os.ReadFile(log)
	err = w.run(ctx, "pg_ctl", append([]string{"-D", filepath.Join(w.dir, "data"), "-w", "-t", "60", "-l", log}, args...)...)
	if err == nil || ctx.Err() != nil {
		return false, err
	}
	said, _ := os.ReadFile(log)
	return bytes.Contains(said[len(before):], []byte("Address already in use")), err
}

func (w *world) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(w.binaries, name), args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), w.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: w.account}
	log, err := os.OpenFile(filepath.Join(w.dir, "control.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, text)
	}
	return nil
}

// postmaster gives the process of the server.
func (w *world) postmaster() (*os.Process, error) {
	text, err := os.ReadFile(filepath.Join(w.dir, "data", "postmaster.pid"))
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		return nil, err
	}
	return os.FindProcess(pid)
}

// prepare makes the tables, brings the configuration, and has the program migrate.
func (w *world) prepare(ctx context.Context, configuration, tables string) error {
	if err := w.exec(ctx, tables); err != nil {
		return err
	}
	if err := w.configure(configuration); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, w.program, "migrate", "up", "--config", w.config())
	cmd.Env = append(os.Environ(), "DATABASE_URL="+w.address(w.port), "ADMIN="+token)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate up: %w\n%s", err, text)
	}
	return w.exec(ctx, w.sabotage)
}

func (w *world) config() string { return filepath.Join(w.dir, "fraiseql.toml") }

func (w *world) configure(configuration string) error {
	head := "[database]\nurl_env = \"DATABASE_URL\"\n[lifecycle]\nshutdown_delay = \"0s\"\n[outbound]\nallow = [\"127.0.0.0/8\"]\nbreak_after = 100000\n"
	return os.WriteFile(w.config(), []byte(head+strings.ReplaceAll(configuration, "SINK", w.sink.url())), 0o644)
}

// exec runs statements in one go.
func (w *world) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, w.address(w.port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// listen runs a receiver of a scenario's own.
func listen(h http.Handler) (stop func(), url string) {
	server := httptest.NewServer(h)
	return func() { server.CloseClientConnections(); server.Close() }, server.URL
}

// node is one running server.
type node struct {
	cmd *exec.Cmd
	url string
	log *os.File
}

// start runs a server on the database behind a port, and waits until it is ready.
func (w *world) start(port int) (*node, error) {
	log, err := os.Create(filepath.Join(w.dir, fmt.Sprintf("node%d.log", len(w.nodes))))
	if err != nil {
		return nil, err
	}
	n := &node{cmd: exec.Command(w.program, "serve", "--config", w.config(), "--listen", "127.0.0.1:0"), log: log}
	n.cmd.Env = append(os.Environ(), "DATABASE_URL="+w.address(port), "ADMIN="+token, "GOMAXPROCS=2")
	n.cmd.Stderr = log
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	w.nodes = append(w.nodes, n)
	late := time.AfterFunc(time.Minute, func() { _ = n.cmd.Process.Kill() })
	defer late.Stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("a server does not come up: %w", err)
	}
	n.url = strings.TrimSuffix(strings.TrimSpace(line), "/graphql")
	return n, nil
}

// starts runs several servers.
func (w *world) starts(count int) error {
	for range count {
		if _, err := w.start(w.port); err != nil {
			return err
		}
	}
	return nil
}

// kill is kill -9.
func (n *node) kill() {
	if n.cmd.ProcessState == nil {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait()
	}
	_ = n.log.Close()
}

// stop is SIGTERM, and tells how long it took.
func (n *node) stop() (time.Duration, error) {
	began := time.Now()
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	err := n.cmd.Wait()
	return time.Since(began), err
}

// memory gives the resident size in MB; 0 where the system does not tell.
func (n *node) memory() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb / 1024
		}
	}
	return 0
}

// post asks a server's API.
func (n *node) post(ctx context.Context, body string) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/graphql", strings.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %s", answer.Status)
	}
	return nil
}

// tails gives the ends of the servers' logs, for a scenario that failed.
func (w *world) tails() string {
	var all strings.Builder
	for i := range w.nodes {
		text, _ := os.ReadFile(filepath.Join(w.dir, fmt.Sprintf("node%d.log", i)))
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		for _, line := range lines[max(0, len(lines)-4):] {
			fmt.Fprintf(&all, "\n    node %d: %s", i, line)
		}
	}
	return all.String()
}

// settled waits until nothing is left to do.
func (w *world) settled(ctx context.Context) error {
	for {
		var left int
		err := w.pool.QueryRow(ctx, "select count(*) from (select from _system.event_delivery limit 1000) d").Scan(&left)
		if err == nil && left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d deliveries are left: %w", left, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
