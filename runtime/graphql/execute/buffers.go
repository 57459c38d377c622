package execute

import "sync"

// buffers are answers that have left, for the next ones: fresh memory is dear, the more so in large pieces.
var buffers sync.Pool // of *[]byte

// keptBuffer is the size up to which a buffer is kept.
const keptBuffer = 2 << 20

// newBuffer gives an empty buffer that has room for an answer of the size that is expected.
func newBuffer(expected int) []byte {
	if kept, ok := buffers.Get().(*[]byte); ok {
		if cap(*kept) >= expected {
			return (*kept)[:0]
		}
		buffers.Put(kept)
	}
	return make([]byte, 0, max(1024, expected+expected/8))
}

func releaseBuffer(b []byte) {
	if cap(b) >= 1024 && cap(b) <= keptBuffer {
		buffers.Put(&b)
	}
}
