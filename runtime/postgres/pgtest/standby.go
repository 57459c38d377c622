//go:build unix

package pgtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

// Primary gives a cluster of the test's own, which standbys can follow. It ends with the test.
func Primary(t testing.TB) *embedded.Cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "fraiseql-primary-") // not below the folder of the test, which the server's account may not enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return start(t, filepath.Join(dir, "postgres"))
}

// Standby gives a copy of a cluster that follows it by streaming and can be read. It ends with the test.
func Standby(t testing.TB, primary *embedded.Cluster) *embedded.Cluster {
	t.Helper()
	root, err := os.MkdirTemp("", "fraiseql-standby-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	data, err := os.Stat(filepath.Join(primary.Dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	who := data.Sys().(*syscall.Stat_t)
	dir := filepath.Join(root, "postgres")
	password, err := os.ReadFile(filepath.Join(primary.Dir, "password"))
	for _, step := range []func() error{
		func() error { return err },
		func() error { return os.Chmod(root, 0o755) },
		func() error { return os.Mkdir(dir, 0o700) },
		func() error { return os.WriteFile(filepath.Join(dir, "password"), password, 0o600) },
		func() error { return os.Chown(filepath.Join(dir, "password"), int(who.Uid), int(who.Gid)) },
		func() error { return os.Chown(dir, int(who.Uid), int(who.Gid)) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	backup := exec.CommandContext(t.Context(), primary.Binaries.Path("pg_basebackup"),
		"-D", filepath.Join(dir, "data"), "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
	backup.Dir, backup.Env = dir, append(os.Environ(), primary.ClientEnv("")[:4]...)
	if os.Geteuid() == 0 {
		backup.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: who.Uid, Gid: who.Gid}}
	}
	if out, err := backup.CombinedOutput(); err != nil {
		t.Fatalf("copy the primary: %v: %s", err, out)
	}
	return start(t, dir)
}

func start(t testing.TB, dir string) *embedded.Cluster {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatalf("these tests need PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil { // the test is over
			t.Error(err)
		}
	})
	return c
}
