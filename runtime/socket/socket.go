// Package socket has TCP connections whose short writes keep their processor.
//
// Go takes the processor of a goroutine away, and starts or wakes another thread for it, when a call of the system lasts
// longer than 20 µs (runtime.retake); how often it looks depends on how often it finds one. A call for a socket that does
// not block never waits, but a write to a neighbour on the same machine delivers in place what it sends, and whom it
// wakes may run first. Handing processors to and fro was a tenth of what the server
// spent on a machine of two cores that it shared with the database. Calls that the scheduler does not hear of have none of it, and so they must be short.
package socket

import (
	"errors"
	"net"
	"os"
)

// Conn is a TCP connection. Several goroutines may use it at once, as any net.Conn.
type Conn struct {
	*net.TCPConn
	calls
}

// Wrap gives a connection of the same kind to who has a TCP connection, and what it is given to everybody else.
func Wrap(c net.Conn) net.Conn {
	if tcp, ok := c.(*net.TCPConn); ok {
		return New(tcp)
	}
	return c
}

// New makes a Conn of a TCP connection, which nobody else is to use from then on.
func New(tcp *net.TCPConn) *Conn {
	c := &Conn{TCPConn: tcp}
	c.prepare(tcp)
	return c
}

// WriteBoth writes one piece after another by one call of the system, where that takes them. The number is that of
// the bytes of both.
func (c *Conn) WriteBoth(first, second []byte) (int, error) {
	if len(first)+len(second) <= short {
		return c.write(c.TCPConn, first, second)
	}
	n, err := (&net.Buffers{first, second}).WriteTo(c.TCPConn)
	return int(n), err
}

func (c *Conn) Write(b []byte) (int, error) {
	if len(b) <= short {
		return c.write(c.TCPConn, b, nil)
	}
	return c.TCPConn.Write(b)
}

// File is refused: whoever asks such a file for its number makes the socket block, and the scheduler would not hear of it.
func (c *Conn) File() (*os.File, error) { return nil, errors.ErrUnsupported }

// short is what is written in one go without the scheduler: copying more takes a time that others should not wait.
const short = 64 << 10
