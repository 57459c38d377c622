//go:build !linux || race

package socket

import "net"

// calls are those of the standard library. The race detector does not see what others write.
type calls struct{}

func (calls) prepare(*net.TCPConn) {}

func (calls) write(tcp *net.TCPConn, first, second []byte) (int, error) {
	if len(second) == 0 {
		return tcp.Write(first)
	}
	n, err := (&net.Buffers{first, second}).WriteTo(tcp)
	return int(n), err
}
