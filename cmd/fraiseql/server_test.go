//go:build unix

package main_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

// ownServer is a PostgreSQL server that a test starts and stops as it likes, on an address that stays.
type ownServer struct {
	t        *testing.T
	programs embedded.Binaries
	dir      string
	port     int
	as       *syscall.Credential // PostgreSQL refuses root
}

func newServer(t *testing.T) *ownServer {
	t.Helper()
	found := embedded.Find(t.Context())
	if len(found) == 0 {
		t.Fatal("this test needs PostgreSQL's programs")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &ownServer{t: t, programs: found[0], port: free.Addr().(*net.TCPAddr).Port}
	_ = free.Close()
	if s.dir, err = os.MkdirTemp("", "fraiseql-server-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.dir) })
	if os.Geteuid() == 0 {
		s.dropRoot()
	}
	s.run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--pgdata="+s.data())
	return s
}

func (s *ownServer) dropRoot() {
	s.t.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(s.dir, uid, gid); err != nil {
			s.t.Fatal(err)
		}
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return
	}
	s.t.Fatal("there is no account that PostgreSQL could run as")
}

func (s *ownServer) data() string { return filepath.Join(s.dir, "data") }

func (s *ownServer) url() string {
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(s.port) + "/postgres?sslmode=disable"
}

func (s *ownServer) run(program string, args ...string) {
	s.t.Helper()
	if text, err := s.try(program, args...); err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, text)
	}
}

// try runs a program, and gives what it said.
func (s *ownServer) try(program string, args ...string) (text []byte, err error) {
	s.t.Helper()
	cmd := exec.Command(s.programs.Path(program), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	log, err := os.CreateTemp("", "fraiseql-server-log-") // not a pipe: the server would keep it open
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = os.Remove(log.Name()); _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ = os.ReadFile(log.Name())
		return text, err
	}
	return nil, nil
}

// start tries again while another program has the port, as any may that asks for some port: the address has to stay.
func (s *ownServer) start() {
	s.t.Helper()
	log := filepath.Join(s.dir, "log")
	for deadline := time.Now().Add(60 * time.Second); ; <-time.After(100 * time.Millisecond) {
		_ = os.Remove(log)
		text, err := s.try("pg_ctl", "start", "--wait", "--pgdata="+s.data(), "--log="+log,
			"--options=-c listen_addresses=127.0.0.1 -c port="+strconv.Itoa(s.port)+" -c unix_socket_directories='' -c fsync=off -c lc_messages=C")
		if err == nil {
			return
		}
		said, _ := os.ReadFile(log)
		if !bytes.Contains(said, []byte("Address already in use")) || time.Now().After(deadline) {
			s.t.Fatalf("pg_ctl: %v\n%s%s", err, text, said)
		}
	}
}

// stop ends the server with its connections; mode is fast or immediate.
func (s *ownServer) stop(mode string) {
	s.t.Helper()
	s.run("pg_ctl", "stop", "--wait", "--pgdata="+s.data(), "--mode="+mode)
}
