//go:build !linux

package postgres

import "syscall"

// noticeSilence has nothing to set: what was sent is given up by the system's own bound.
func noticeSilence(string, string, syscall.RawConn) error { return nil }
