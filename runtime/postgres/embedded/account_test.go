//go:build unix

package embedded_test

import (
	"bufio"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestAnOrdinaryUserHasACluster runs a holder without rights; elsewhere the tests run as whoever calls
// them, which may be root.
func TestAnOrdinaryUserHasACluster(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: only root can drop to another account; all the tests here run as an ordinary user already")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("NOT TESTED: there is no account nobody to drop to")
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	home := shared(t)
	if err := os.Chown(home, uid, gid); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(home, "holder")
	syscall.ForkLock.RLock() // a program that another test starts meanwhile would have the file open for writing: it could not be run
	err = os.WriteFile(copied, program, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(home, "project", "postgres")
	cmd := exec.Command(copied)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "FRAISEQL_TEST_HOLD="+dir, "HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "postgres://") {
		t.Fatalf("the holder did not start a cluster: %s %v", line, err)
	}
	if got := query(t, strings.TrimSpace(line), "select 'it works'"); got != "it works" {
		t.Errorf("the server answers %q", got)
	}
	server := postmaster(t, dir)
	info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(server)))
	if err == nil && info.Sys().(*syscall.Stat_t).Uid != uint32(uid) {
		t.Errorf("the server runs as %d", info.Sys().(*syscall.Stat_t).Uid)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(t, "the server has ended", gone(server))
	eventually(t, "the keeper has ended", func() bool { _, err := os.Stat(filepath.Join(dir, "keeper.pid")); return os.IsNotExist(err) })
}
