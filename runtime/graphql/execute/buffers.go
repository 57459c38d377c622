package execute

import "sync"

// buffers are answers that have left, for the next ones: fresh memory is dear, the more so in large pieces.
var buffers sync.Pool // of *[]byte

// keptBuffer is the size up to which a buffer is kept.
const keptBuffer = 2 << 20

// newBuffer gives an empty buffer that has room for an answer of the size that is expected. One that is too small
// is dropped: put back it would be the next to be taken, and large ones would pile up behind it.
func newBuffer(expected int) []byte {
	if kept, ok := buffers.Get().(*[]byte); ok && cap(*kept) >= expected {
		return (*kept)[:0]
	}
	return make([]byte, 0, max(1024, expected+expected/8))
}

func releaseBuffer(b []byte) {
	if cap(b) >= 1024 && cap(b) <= keptBuffer {
		buffers.Put(&b)
	}
}
