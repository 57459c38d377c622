//go:build linux && !race

package socket

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// calls are the calls of the system for one connection, made by way of the standard library's wait for readiness: deadlines
// and Close work as ever. Their function is made once, so that no call needs memory.
type calls struct {
	raw  syscall.RawConn // nil for one that is closed already
	call func(fd uintptr) (ready bool)

	mu     sync.Mutex // guards what follows
	pieces [2]syscall.Iovec
	done   int
	failed syscall.Errno
}

func (c *calls) prepare(tcp *net.TCPConn) {
	c.raw, _ = tcp.SyscallConn() // what is closed says so when it is used
	c.call = c.send
}

func (c *calls) write(tcp *net.TCPConn, first, second []byte) (int, error) {
	if c.raw == nil || len(first)+len(second) == 0 {
		return tcp.Write(nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done, c.failed = 0, 0
	for i, b := range [2][]byte{first, second} {
		c.pieces[i].Base = unsafe.SliceData(b)
		c.pieces[i].SetLen(len(b))
	}
	err := c.raw.Write(c.call)
	c.pieces = [2]syscall.Iovec{} // lets go of the memory
	if err == nil && c.failed != 0 {
		err = c.failed
	}
	if err != nil {
		return c.done, fail(tcp, err)
	}
	return c.done, nil
}

// send writes all there is. It is not ready where the other end has no room for it.
func (c *calls) send(fd uintptr) (ready bool) {
	for c.pieces[0].Len+c.pieces[1].Len > 0 {
		n, _, failed := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&c.pieces[0])), 2)
		switch failed {
		case 0:
			c.sent(int(n))
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			c.failed = failed
			return true
		}
	}
	return true
}

// sent takes off what was sent.
func (c *calls) sent(n int) {
	c.done += n
	for i := range c.pieces {
		p := &c.pieces[i]
		taken := min(n, int(p.Len))
		p.Base = unsafe.SliceData(unsafe.Slice(p.Base, p.Len)[taken:])
		p.SetLen(int(p.Len) - taken)
		n -= taken
	}
}

// fail says what failed as the standard library does.
func fail(tcp *net.TCPConn, err error) error {
	if wrapped, ok := errors.AsType[*net.OpError](err); ok {
		err = wrapped.Err // of raw-write
	} else if number, ok := errors.AsType[syscall.Errno](err); ok {
		err = os.NewSyscallError("write", number)
	}
	return &net.OpError{Op: "write", Net: "tcp", Source: tcp.LocalAddr(), Addr: tcp.RemoteAddr(), Err: err}
}
