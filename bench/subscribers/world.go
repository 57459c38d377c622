package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

const tables = `
create role member nologin;
create table message (id int primary key, tenant int not null, body text not null);
alter table message enable row level security;
create policy own on message to member using (tenant = (current_setting('request.jwt.claims', true)::json ->> 'tenant')::int);
grant select on message to member;`

const configuration = `
[database]
pool_size = 20
[graphql.roles.member]
[auth.trusted_header]
from = ["127.0.0.0/8"]
[graphql.subscriptions]
entities = ["Message"]
`

// world is a PostgreSQL and a server.
type world struct {
	dir     string
	cluster *embedded.Cluster
	address string
	url     string
	server  *exec.Cmd
}

func newWorld(ctx context.Context) (*world, error) {
	dir, err := os.MkdirTemp("", "fraiseql-subscribers-")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir}
	if err := w.start(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) start(ctx context.Context) error {
	if err := os.Chmod(w.dir, 0o755); err != nil {
		return err
	}
	program := filepath.Join(w.dir, "fraiseql")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/fraiseql/fraiseql/cmd/fraiseql").CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, text)
	}
	var err error
	if w.cluster, err = embedded.Start(ctx, embedded.Options{Dir: filepath.Join(w.dir, "postgres"), Log: slog.New(slog.DiscardHandler)}); err != nil {
		return err
	}
	w.address = w.cluster.URL(embedded.Database)
	conn, err := pgx.Connect(ctx, w.address)
	if err != nil {
		return err
	}
	_, err = conn.PgConn().Exec(ctx, tables).ReadAll()
	if err = errors.Join(err, conn.Close(ctx), os.WriteFile(filepath.Join(w.dir, "fraiseql.toml"), []byte(configuration), 0o600)); err != nil {
		return err
	}
	migrate := w.command(ctx, "migrate", "up")
	if text, err := migrate.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, text)
	}
	w.server = w.command(ctx, "serve", "--listen", "127.0.0.1:0")
	w.server.Stderr = os.Stderr
	w.server.Args = append(w.server.Args, "--quiet")
	out, err := w.server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.server.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at := strings.Index(lines.Text(), "http://"); at >= 0 {
			w.url, _, _ = strings.Cut(lines.Text()[at:], " ")
			return nil
		}
	}
	return errors.New("the server did not say where it is")
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(w.dir, "fraiseql"), append(args, "--database-url", w.address)...)
	c.Dir = w.dir
	return c
}

func (w *world) close() {
	if w.server != nil && w.server.Process != nil {
		_ = w.server.Process.Signal(syscall.SIGKILL)
		_ = w.server.Wait()
	}
	if w.cluster != nil {
		_ = w.cluster.Stop(context.Background())
	}
	_ = os.RemoveAll(w.dir)
}

// memory gives the resident size of the server in MB; 0 where the system does not tell.
func (w *world) memory() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.server.Process.Pid))
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

// processor gives the processor time that the server has taken; 0 where the system does not tell.
func (w *world) processor() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.server.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
