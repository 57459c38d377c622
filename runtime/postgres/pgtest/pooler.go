//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pooled starts PgBouncer in transaction mode, with some connections, before a database, and gives its address. Without
// PgBouncer the test is skipped, unless FRAISEQL_TEST_SERVERS=required.
func Pooled(t testing.TB, address string, size int) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			if os.Getenv("FRAISEQL_TEST_SERVERS") == "required" {
				t.Fatal("this test needs PgBouncer")
			}
			t.Skip("NOT TESTED: PgBouncer is not installed (apt-get install pgbouncer)")
		}
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "fraiseql-pooler-") // not below t.TempDir: another account has to pass
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Geteuid() == 0 {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := config.ConnConfig
	text := fmt.Sprintf("[databases]\n%s = host=%s port=%d dbname=%s user=%s password=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = %d\n",
		c.Database, c.Host, c.Port, c.Database, c.User, c.Password, size)
	var said string
	for range 10 { // until its port is one that nobody takes before it
		var at string
		if at, said = pooler(t, program, filepath.Join(dir, "pgbouncer.ini"), text, c.Database); at != "" {
			return "postgres://" + c.User + "@" + at + "/" + c.Database + "?sslmode=disable"
		}
	}
	t.Fatalf("PgBouncer does not listen: %s", said)
	return ""
}

// pooler starts a PgBouncer on a port that is free now, and gives its address, or what it said when it has ended.
func pooler(t testing.TB, program, ini, text, database string) (at, said string) {
	t.Helper()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at = free.Addr().String()
	_ = free.Close()
	if err := os.WriteFile(ini, []byte(text+"listen_port = "+strconv.Itoa(free.Addr().(*net.TCPAddr).Port)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, ini) // its cleanup ends it
	if os.Geteuid() == 0 {                                                       // it refuses root
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop := func() { _ = cmd.Process.Kill(); <-ended }
	t.Cleanup(stop)
	for until := time.Now().Add(30 * time.Second); ; {
		err := answers(t, at, database)
		select {
		case <-ended:
			return "", log.String()
		case <-time.After(20 * time.Millisecond):
		}
		if err == nil {
			return at, ""
		}
		if time.Now().After(until) {
			stop()
			t.Fatalf("PgBouncer does not answer: %v\n%s", err, log.String())
		}
	}
}

// answers asks for what only this PgBouncer has: another program may listen where it cannot.
func answers(t testing.TB, at, database string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, "postgres://pgtest@"+at+"/pgbouncer?sslmode=disable")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.PgConn().Exec(ctx, "show databases").ReadAll()
	if err != nil {
		return err
	}
	for _, row := range results[0].Rows {
		if string(row[0]) == database {
			return nil
		}
	}
	return fmt.Errorf("it has no database %s", database)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
