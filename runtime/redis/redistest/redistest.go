// Package redistest gives tests a real Redis of their own.
package redistest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Server is a Redis on a socket of its own.
type Server struct {
	t      testing.TB
	socket string
	more   []string
	cmd    *exec.Cmd
}

// Start starts a Redis that ends with the test; more are arguments for it. Without the program redis-server the test is skipped, unless
// FRAISEQL_TEST_SERVERS is "required", as it is where all tests have to run.
func Start(t testing.TB, more ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("FRAISEQL_TEST_SERVERS") == "required" {
			t.Fatalf("this test needs Redis: %v", err)
		}
		t.Skip("NOT TESTED: Redis is not installed: apt-get install redis-server (Debian) or brew install redis (macOS)")
	}
	dir, err := os.MkdirTemp("", "redis") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{t: t, socket: filepath.Join(dir, "s"), more: more}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// URL is the server's address.
func (s *Server) URL() string { return "unix://" + s.socket }

// Start starts the server again, with nothing in it.
func (s *Server) Start() {
	s.t.Helper()
	arguments := append([]string{"--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(s.socket)}, s.more...)
	s.cmd = exec.CommandContext(context.WithoutCancel(s.t.Context()), "redis-server", arguments...) //nolint:gosec // arguments are our own
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		conn, err := (&net.Dialer{}).DialContext(s.t.Context(), "unix", s.socket)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(until) {
			s.t.Fatalf("redis-server does not answer: %v", err)
		}
	}
}

// Stop ends the server at once.
func (s *Server) Stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}
