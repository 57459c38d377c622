package postgres

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// noticeSilence bounds how long what was sent may stay without an acknowledgement (tcp(7), TCP_USER_TIMEOUT); of
// itself Linux goes on for 15 minutes.
func noticeSilence(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
