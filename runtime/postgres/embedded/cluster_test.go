//go:build unix

package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

// TestMain lets the test binary play a process that holds a cluster: it prints the address and waits
// to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FRAISEQL_TEST_HOLD"); dir != "" {
		c, err := embedded.Start(context.Background(), embedded.Options{Dir: dir, Unsafe: true})
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(c.URL("postgres"))
		select {}
	}
	os.Exit(m.Run())
}

func hold(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FRAISEQL_TEST_HOLD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "postgres://") {
		t.Fatalf("the holder did not start a cluster: %s %v", line, err)
	}
	return cmd, strings.TrimSpace(line)
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var text string
	if err := conn.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// eventually waits for something that another process does; it fails after a time that no machine needs.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to pass that %s", what)
		}
		select {
		case <-t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func gone(pid int) func() bool {
	return func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
}

func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "postgres")
	t.Cleanup(func() {
		// A keeper that ends after the test must not find its folder gone half way.
		eventually(t, "the server has ended", func() bool {
			_, err := os.Stat(filepath.Join(dir, "keeper.pid"))
			return os.IsNotExist(err)
		})
	})
	return dir
}

func TestDataSurviveARestartAndNothingIsLeftRunning(t *testing.T) {
	t.Parallel()
	dir := open(t, folder(t))
	c, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), c.URL(embedded.Database))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "create table kept as select 'here' as v"); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
	pid := postmaster(t, dir)
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server has ended", gone(pid))
	c, err = embedded.Start(t.Context(), embedded.Options{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, c.URL(embedded.Database), "select v from kept"); got != "here" {
		t.Errorf("after a restart the row is %q", got)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// open lets an account without rights pass through the test's folders, which are private to us.
func open(t *testing.T, dir string) string {
	t.Helper()
	for d := filepath.Dir(dir); strings.HasPrefix(d, os.TempDir()) && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheServerEndsWithItsLastHolderEvenWhenKilled(t *testing.T) {
	t.Parallel()
	dir := open(t, folder(t))
	first, url := hold(t, dir)
	second, url2 := hold(t, dir)
	if url != url2 {
		t.Fatalf("the second process did not attach: %s is not %s", url2, url)
	}
	pid := postmaster(t, dir)
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	if got := query(t, url, "select 'alive'"); got != "alive" {
		t.Errorf("with one holder left the server answers %q", got)
	}
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait()
	eventually(t, "the server has ended", gone(pid))
	_, url3 := hold(t, dir)
	if got := query(t, url3, "select 'again'"); got != "again" {
		t.Errorf("after kill -9 the cluster answers %q", got)
	}
}

func TestAKilledServerComesBack(t *testing.T) {
	t.Parallel()
	dir := open(t, folder(t))
	c, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	pid := postmaster(t, dir)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server answers again", func() bool {
		conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
		if err == nil {
			_ = conn.Close(t.Context())
		}
		return err == nil && gone(pid)()
	})
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestStartsAtOnceShareOneServer(t *testing.T) {
	t.Parallel()
	dir := open(t, folder(t))
	urls := make([]string, 4)
	var all sync.WaitGroup
	for i := range urls {
		all.Go(func() {
			c, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, Unsafe: true})
			if err != nil {
				t.Error(err)
				return
			}
			urls[i] = c.URL("postgres")
			t.Cleanup(func() {
				if err := c.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
	all.Wait()
	for _, url := range urls {
		if url != urls[0] {
			t.Errorf("two servers were started: %s and %s", urls[0], url)
		}
	}
}
