package transport

import (
	"io"
	"net/http"
	"sync"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Kept is an answer that many requests get: data alone, without errors.
type Kept struct {
	*httpapi.Kept

	mu   sync.Mutex        // guards what follows
	tags map[string]string // by media type
}

// Keep makes an answer of a response's bytes. grown is told how many bytes more it holds when a client takes another
// content coding.
func Keep(body []byte, grown func(k *Kept, bytes int)) *Kept {
	k := &Kept{tags: map[string]string{}}
	k.Kept = httpapi.Keep(body, func(bytes int) { grown(k, bytes) })
	return k
}

// again answers with what is kept.
func (h *Handler) again(w http.ResponseWriter, r *http.Request, media string, k *Kept) {
	if reads(r.Method) {
		w.Header().Set("Cache-Control", "private, no-cache") // for the reasons of other answers
		if tagged(w, r, k.tag(media)) {
			return
		}
	}
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	release, held := h.hold(k.Takes(w))
	if !held {
		w.Header().Del("Etag")
		answer(w, media, full())
		return
	}
	defer release()
	k.Send(w, r, http.StatusOK)
}

// tag gives the tag that the answer would have if it were not kept.
func (k *Kept) tag(media string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tags[media] == "" {
		k.tags[media] = tagOf(media, dataOf{k.Kept})
	}
	return k.tags[media]
}

// dataOf is what stands between `{"data":` and the last brace.
type dataOf struct{ *httpapi.Kept }

// WriteTo writes it.
func (d dataOf) WriteTo(w io.Writer) (int64, error) {
	c := &cut{to: w, skip: len(`{"data":`), left: d.Size() - len(`{"data":}`)}
	return d.Kept.WriteTo(c)
}

// cut passes the middle of what is written on.
type cut struct {
	to         io.Writer
	skip, left int
}

func (c *cut) Write(b []byte) (int, error) {
	from := min(c.skip, len(b))
	c.skip -= from
	part := b[from:min(len(b), from+c.left)]
	c.left -= len(part)
	if _, err := c.to.Write(part); err != nil {
		return 0, err
	}
	return len(b), nil
}
