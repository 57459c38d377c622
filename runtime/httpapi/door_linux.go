package httpapi

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// closeDoor makes the kernel overlook new connections, while those that it holds already are still accepted.
// Closing a listener at once would reset the clients whose handshake ended between its last accept and its
// close. A client that is overlooked tries again by itself within a second or so, and is refused then.
//
// The filter looks at the flags in byte 13 of the TCP header (RFC 9293, 3.1): what opens a connection has SYN.
func closeDoor(l net.Listener) error {
	withFile, ok := l.(syscall.Conn)
	if !ok {
		return fmt.Errorf("close the door of %s: it has no file", l.Addr())
	}
	raw, err := withFile.SyscallConn()
	if err != nil {
		return fmt.Errorf("close the door of %s: %w", l.Addr(), err)
	}
	const everything = 0xffff_ffff
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 0x02, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: everything},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	var attached error
	err = raw.Control(func(fd uintptr) {
		attached = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &filter)
	})
	if err == nil {
		err = attached
	}
	if err != nil {
		return fmt.Errorf("close the door of %s: %w", l.Addr(), err)
	}
	return nil
}
