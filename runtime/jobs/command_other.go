//go:build !unix

package jobs

import "os/exec"

// together is for systems without groups of processes: the program alone is killed.
func together(*exec.Cmd) (kill func()) { return func() {} }
