//go:build unix

package embedded

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// create makes the cluster with initdb. What a crash leaves half made is thrown away first: without
// PG_VERSION, which initdb writes early, and the password, which we write last, nothing is there to lose.
func (c *Cluster) create(ctx context.Context, o Options, who *account) error {
	if err := os.RemoveAll(c.data("")); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	var secret [24]byte
	_, _ = rand.Read(secret[:]) // never fails since Go 1.24
	c.password = hex.EncodeToString(secret[:])
	if err := c.writeFile("password", c.password, who); err != nil {
		return err
	}
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "en_US.UTF-8"
	}
	args := []string{
		"-D", c.data(""), "-U", Superuser, "--auth=scram-sha-256", "--pwfile=" + c.file("password"),
		"--encoding=UTF8", "--locale=" + locale,
	}
	if o.Unsafe {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, c.Binaries.Path("initdb"), args...)
	cmd.Dir = c.Dir
	cmd.SysProcAttr = who.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(c.data("")) // or the next start would take it for a cluster
		return fault.Wrap(fault.Unavailable, "postgres/initdb-failed", "a private PostgreSQL cluster could not be made in "+c.Dir,
			fmt.Errorf("%w: %s", err, bytes.TrimSpace(out)))
	}
	return nil
}

func (c *Cluster) writeFile(name, text string, who *account) error {
	if err := os.WriteFile(c.file(name), []byte(text+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the cluster's %s: %w", name, err)
	}
	if err := who.own(c.file(name)); err != nil {
		return fmt.Errorf("write the cluster's %s: %w", name, err)
	}
	return nil
}

// keeper is the shell loop that keeps the server. Its standard input is the pipe that the processes
// hold: cat ends when the last of them has. The server gets none of its files.
const keeper = `
bin=$1 dir=$2; shift 2
exec 3<&0 </dev/null >>"$dir/server.log" 2>&1
echo $$ >"$dir/keeper.pid"
run() { "$bin/postgres" -D "$dir/data" "$@" 3<&- & server=$!; }
run "$@"
(
  cat <&3 >/dev/null
  exec 3<&- 2>/dev/null
  : >"$dir/stopping"
  until [ -e "$dir/stopped" ]; do
    kill -0 $$ || break
    read -r pid <"$dir/data/postmaster.pid" && kill -INT "$pid"
    sleep 0.05
  done
) & watch=$!
exec 3<&-
while :; do
  wait "$server"
  [ -e "$dir/stopping" ] && break
  [ -e "$dir/data/PG_VERSION" ] || break
  : >"$dir/exited"
  sleep 0.5
  run "$@"
done
: >"$dir/stopped"
wait "$watch"
rm -f "$dir/keeper.pid"
`

// settings make a server that is small when idle and forgets nothing.
var settings = []string{
	"listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=64MB", "max_connections=100",
	"log_min_messages=warning", "max_wal_size=512MB", "cluster_name=fraiseql",
}

// launch starts the keeper, already holding the pipe that keeps it.
func (c *Cluster) launch(ctx context.Context, o Options, who *account) error {
	for _, name := range []string{"pipe", "stopping", "stopped", "exited"} {
		if err := os.Remove(c.file(name)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("start cluster: %w", err)
		}
	}
	port, err := freePort(ctx)
	if err != nil {
		return fmt.Errorf("start cluster: %w", err)
	}
	c.Port = port
	if c.password == "" {
		password, err := os.ReadFile(c.file("password"))
		if err != nil {
			return fmt.Errorf("read the cluster's password: %w", err)
		}
		c.password = string(bytes.TrimSpace(password))
	}
	for name, text := range map[string]string{"port": strconv.Itoa(port), "binaries": c.Binaries.Dir} {
		if err := c.writeFile(name, text, who); err != nil {
			return err
		}
	}
	if err := syscall.Mkfifo(c.file("pipe"), 0o600); err != nil {
		return fmt.Errorf("start cluster: make pipe: %w", err)
	}
	if err := who.own(c.file("pipe")); err != nil {
		return fmt.Errorf("start cluster: make pipe: %w", err)
	}
	return c.startKeeper(ctx, o, who)
}

func (c *Cluster) startKeeper(ctx context.Context, o Options, who *account) error {
	// Reading first, without waiting for a writer, and then writing: neither end blocks.
	end, err := syscall.Open(c.file("pipe"), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("start cluster: open pipe: %w", err)
	}
	reading := os.NewFile(uintptr(end), "pipe")
	defer func() { _ = reading.Close() }()
	if c.pipe, err = os.OpenFile(c.file("pipe"), os.O_WRONLY|syscall.O_NONBLOCK, 0); err != nil {
		return fmt.Errorf("start cluster: open pipe: %w", err)
	}
	all := append([]string{"port=" + strconv.Itoa(c.Port)}, settings...)
	if o.Unsafe {
		all = append(all, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	if err := syscall.SetNonblock(end, false); err != nil { // cat must wait, not be told to try again
		return fmt.Errorf("start cluster: open pipe: %w", err)
	}
	// A shell gives its background jobs /dev/null to read, hence the detour over file 3.
	// The outer shell ends at once: nobody has to wait for the keeper, and its parent is the system.
	args := []string{"-c", `exec 3<&0; keeper=$1; shift; sh -c "$keeper" fraiseql-keeper "$@" <&3 3<&- &`, "sh", keeper, c.Binaries.Dir, c.Dir}
	for _, setting := range append(all, o.Settings...) {
		args = append(args, "-c", setting)
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", args...)
	cmd.Dir = c.Dir
	cmd.Stdin = reading
	cmd.SysProcAttr = who.attributes()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("start cluster: %w", err)
	}
	return nil
}

// freePort asks the system for a port that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// ClientEnv gives the environment that makes PostgreSQL's own programs use a database of the cluster
// (PostgreSQL manual, section "Environment Variables" of libpq).
func (c *Cluster) ClientEnv(database string) []string {
	return []string{
		"PGHOST=127.0.0.1", "PGPORT=" + strconv.Itoa(c.Port), "PGUSER=" + Superuser,
		"PGPASSWORD=" + c.password, "PGDATABASE=" + database, "PGSSLMODE=disable",
	}
}
