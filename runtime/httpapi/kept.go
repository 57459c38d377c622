package httpapi

import (
	"bytes"
	"io"
	"math/bits"
	"net/http"
	"strconv"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Kept is an answer that is given many times. It is held as zstd alone, until a client takes another coding: each is made
// once. It is safe for use by many goroutines.
type Kept struct {
	size  int
	grown func(bytes int)

	mu    sync.Mutex // guards what follows
	coded map[string][]byte
}

// Keep makes an answer of its bytes, which it does not hold on to. grown is told how many bytes are held each time they
// become more, beginning with the next time; nil where nobody asks.
func Keep(body []byte, grown func(bytes int)) *Kept {
	k := &Kept{size: len(body), grown: grown, coded: map[string][]byte{}}
	k.coded["zstd"] = code("zstd", bytes.NewReader(body), len(body))
	return k
}

// Size gives the bytes of the answer itself.
func (k *Kept) Size() int { return k.size }

// Held gives the bytes that keeping it takes.
func (k *Kept) Held() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := 0
	for _, b := range k.coded {
		held += len(b)
	}
	return held
}

// WriteTo writes the answer itself.
func (k *Kept) WriteTo(w io.Writer) (int64, error) {
	k.mu.Lock()
	held := k.coded["zstd"]
	k.mu.Unlock()
	r := expand(held)
	defer r.Close()
	return r.WriteTo(w)
}

// window is how much of an answer must be in memory to expand what is kept of it (RFC 9659 lets clients have it).
const window = 8 << 20

// windowOf gives that of an answer: expanding a small one must not take as much as a large one. It is a power of two.
func windowOf(size int) int {
	return min(max(zstd.MinWindowSize, 1<<bits.Len(uint(size))), window)
}

// Takes gives the bytes of memory that sending takes for each client: what is kept in its coding is sent as it is, and is
// expanded for one that takes none. The media type is set already.
func (k *Kept) Takes(w http.ResponseWriter) int {
	if k.encoded(w) != nil {
		return 0
	}
	return min(k.size, window)
}

// Send answers with it, in the coding that the client takes. The media type is set already.
func (k *Kept) Send(w http.ResponseWriter, r *http.Request, status int) {
	if out := k.encoded(w); out != nil {
		out.send(status, k.as(out.coding))
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(k.size))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = k.WriteTo(w) // a client that has gone needs no answer
	}
}

// as gives the answer in a coding.
func (k *Kept) as(coding string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if held, known := k.coded[coding]; known {
		return held
	}
	r := expand(k.coded["zstd"])
	defer r.Close()
	k.coded[coding] = code(coding, r, k.size)
	if k.grown != nil {
		k.grown(len(k.coded[coding]))
	}
	return k.coded[coding]
}

// encoded finds what would encode the answer; nil when it goes as it is.
func (k *Kept) encoded(w http.ResponseWriter) *encoded {
	if out := encodedBy(w); out != nil && out.coding != "" && int64(k.size) >= out.least && worthwhile(w.Header()) {
		return out
	}
	return nil
}

// encodedBy finds what encodes the answers that a writer takes; nil when nothing does.
func encodedBy(w http.ResponseWriter) *encoded {
	for {
		switch at := w.(type) {
		case *encoded:
			return at
		case interface{ Unwrap() http.ResponseWriter }:
			w = at.Unwrap()
		default:
			return nil
		}
	}
}

// send writes an answer that is encoded already.
func (w *encoded) send(status int, body []byte) {
	h := w.Header()
	w.status, w.decided = status, true
	vary(h)
	w.label(h)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.ResponseWriter.WriteHeader(status)
	if !w.head {
		_, _ = w.ResponseWriter.Write(body)
	}
}

// code encodes what is kept. That is done once: the levels are higher than those of coders, and the window of zstd is
// that of the answer, as far as clients must know it (RFC 9659). Of the schema of 500 tables, 40 MB, zstd leaves 0.2 MB in 20 to 100 ms, gzip
// 1.4 MB in 70 to 190 ms, br 0.3 MB in 300 ms.
func code(coding string, from io.Reader, size int) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "zstd":
		e, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(windowOf(size)))
		w = made(e, err)
	case "br":
		w = brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: 3, LGWin: 22})
	default:
		e, err := gzip.NewWriterLevel(&b, 5)
		w = made(e, err)
	}
	if _, err := io.Copy(w, from); err != nil {
		panic(err) // it is memory that is read and written, here and below
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return bytes.Clone(b.Bytes())
}

// expand reads what was made by code.
func expand(held []byte) *zstd.Decoder {
	r, err := zstd.NewReader(bytes.NewReader(held), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
	if err != nil {
		panic(err) // the options are constants
	}
	return r
}
