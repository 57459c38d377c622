//go:build unix

package jobs

import (
	"os/exec"
	"syscall"
)

// together makes a program and its children a group, which is told to end and is killed as one.
func together(c *exec.Cmd) (kill func()) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	return func() {
		if c.Process != nil {
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // most often none is left
		}
	}
}
