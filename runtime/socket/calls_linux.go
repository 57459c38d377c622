//go:build linux && !race

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// calls are the calls of the system for one connection, made by way of the standard library's wait for readiness: deadlines
// and Close work as ever.
type calls struct {
	raw     syscall.RawConn // nil for one that is closed already
	in, out call
}

// call is one direction. Its function is made once, so that no call needs memory.
type call struct {
	mu     sync.Mutex // guards what follows
	pieces [2]syscall.Iovec
	done   int
	failed syscall.Errno
	run    func(fd uintptr) (ready bool)
}

func (c *calls) prepare(tcp *net.TCPConn) {
	c.raw, _ = tcp.SyscallConn() // what is closed says so when it is used
	c.in.run, c.out.run = c.in.receive, c.out.send
}

func (c *calls) read(tcp *net.TCPConn, b []byte) (int, error) {
	if c.raw == nil || len(b) == 0 {
		return tcp.Read(b)
	}
	in := &c.in
	in.mu.Lock()
	defer in.mu.Unlock()
	in.begin(b, nil)
	n, err := in.end(c.raw.Read(in.run))
	switch {
	case err != nil:
		return n, fail("read", tcp, err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (c *calls) write(tcp *net.TCPConn, first, second []byte) (int, error) {
	if c.raw == nil || len(first)+len(second) == 0 {
		return tcp.Write(nil)
	}
	out := &c.out
	out.mu.Lock()
	defer out.mu.Unlock()
	out.begin(first, second)
	n, err := out.end(c.raw.Write(out.run))
	if err != nil {
		return n, fail("write", tcp, err)
	}
	return n, nil
}

func (c *call) begin(first, second []byte) {
	c.done, c.failed = 0, 0
	for i, b := range [2][]byte{first, second} {
		c.pieces[i].Base = unsafe.SliceData(b)
		c.pieces[i].SetLen(len(b))
	}
}

// end lets go of the memory. What the call itself says comes after what waiting for it does.
func (c *call) end(waited error) (int, error) {
	c.pieces = [2]syscall.Iovec{}
	if waited == nil && c.failed != 0 {
		return c.done, c.failed
	}
	return c.done, waited
}

// receive reads once. It is not ready where nothing has come.
func (c *call) receive(fd uintptr) (ready bool) {
	for {
		n, _, failed := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(c.pieces[0].Base)), uintptr(c.pieces[0].Len))
		switch failed {
		case 0:
			c.done = int(n)
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			c.failed = failed
			return true
		}
	}
}

// send writes all there is. It is not ready where the other end has no room for it.
func (c *call) send(fd uintptr) (ready bool) {
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
func (c *call) sent(n int) {
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
func fail(op string, tcp *net.TCPConn, err error) error {
	if wrapped, ok := errors.AsType[*net.OpError](err); ok {
		err = wrapped.Err // of raw-read or raw-write
	} else if number, ok := errors.AsType[syscall.Errno](err); ok {
		err = os.NewSyscallError(op, number)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: tcp.LocalAddr(), Addr: tcp.RemoteAddr(), Err: err}
}
