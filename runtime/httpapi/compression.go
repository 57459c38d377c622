package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// compressed encodes the answers of next for clients that take it. A handler that panics, or writes less than
// the Content-Length that it promised, leaves an answer without an end, as it would without encoding.
func compressed(c *Compression, next http.Handler) http.Handler {
	if c == nil || !c.On() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		coding, plain := negotiate(r.Header["Accept-Encoding"], c.Algorithms)
		out := &encoded{ResponseWriter: w, coding: coding, head: r.Method == http.MethodHead, promised: -1}
		if plain {
			out.least = int64(c.MinSize)
		}
		defer out.release()
		next.ServeHTTP(out, r)
		out.end()
	})
}

// encoded is an answer that may be encoded. Its head waits until that is decided: at once where Content-Length
// tells the size, else with the byte that makes it large enough, a flush, or the end.
type encoded struct {
	http.ResponseWriter
	coding string // what the client takes; empty for nothing
	least  int64  // smaller answers go as they are
	head   bool   // the request is HEAD: like GET, without content

	status   int   // what the handler said; 0 before
	decided  bool  // the head has gone
	promised int64 // what the handler said of the size; -1 before
	written  int64 // by the handler
	held     []byte
	coder    *coder // once it is decided that the answer is encoded, except for HEAD
	dropped  bool   // what is written goes nowhere
}

// WriteHeader passes on what only informs (RFC 9110, section 15.2).
func (w *encoded) WriteHeader(status int) {
	switch {
	case w.status != 0:
		return
	case status < http.StatusOK && status != http.StatusSwitchingProtocols:
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.status = status
	h := w.Header()
	if size, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil {
		w.promised = size
	}
	_, typed := h["Content-Type"]
	switch {
	case !hasContent(status), typed && w.coding == "":
		w.decide(false)
	case typed && w.promised >= 0:
		w.decide(w.promised >= w.least)
	}
}

func (w *encoded) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.written += int64(len(b))
	if !w.decided {
		w.held = append(w.held, b...)
		if w.written < w.least {
			return len(b), nil
		}
		if err := w.begin(true); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	return w.pass(b)
}

func (w *encoded) pass(b []byte) (int, error) {
	switch {
	case w.dropped:
		return len(b), nil
	case w.coder != nil:
		return w.coder.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

// begin decides, and sends what was held.
func (w *encoded) begin(large bool) error {
	h := w.Header()
	if _, typed := h["Content-Type"]; !typed && len(w.held) > 0 {
		h.Set("Content-Type", http.DetectContentType(w.held)) // net/http could not guess it from what is encoded
	}
	w.decide(large)
	if len(w.held) == 0 {
		return nil
	}
	_, err := w.pass(w.held)
	w.held = nil
	return err
}

// decide sends the head.
func (w *encoded) decide(large bool) {
	w.decided = true
	if h := w.Header(); w.status == http.StatusNotModified {
		vary(h)
	} else if hasContent(w.status) && worthwhile(h) {
		vary(h)
		if large && w.coding != "" {
			w.encode(h)
		}
	}
	w.ResponseWriter.WriteHeader(w.status)
}

// label says how an answer is encoded.
func (w *encoded) label(h http.Header) {
	h.Set("Content-Encoding", w.coding)
	h.Del("Content-Length")
	h.Del("Accept-Ranges")
	if tag := h.Get("Etag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		h.Set("Etag", "W/"+tag) // a strong one stands for exact bytes (RFC 9110, section 8.8.1)
	}
}

func (w *encoded) encode(h http.Header) {
	w.label(h)
	if w.head {
		w.dropped = true
		return
	}
	w.coder = encodeTo(w.ResponseWriter, w.coding)
}

// FlushError sends what was written so far. An answer of which more is to come is worth encoding, however
// little there is of it yet.
func (w *encoded) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.decided {
		if err := w.begin(w.promised < 0 || w.promised >= w.least); err != nil {
			return err
		}
	}
	if w.coder != nil {
		if err := w.coder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *encoded) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// end sends the rest, of an answer whose handler has returned.
func (w *encoded) end() {
	if w.status != 0 && !w.decided {
		_ = w.begin(false) // a client that has gone needs no answer, here and below
	}
	if w.coder == nil {
		return
	}
	if w.promised >= 0 && w.written != w.promised {
		panic(http.ErrAbortHandler)
	}
	_ = w.coder.Close()
}

func (w *encoded) release() {
	if w.coder != nil {
		w.coder.release()
		w.coder = nil
	}
}

func hasContent(status int) bool {
	return status >= http.StatusOK && status != http.StatusNoContent && status != http.StatusNotModified
}

// vary tells caches that the answer to a client that takes other codings is another one.
func vary(h http.Header) {
	for _, line := range h["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name == "*" || strings.EqualFold(name, "Accept-Encoding") {
				return
			}
		}
	}
	h.Add("Vary", "Accept-Encoding")
}

// worthwhile tells whether an answer may be encoded, and is of a type that becomes smaller by it.
func worthwhile(h http.Header) bool {
	if h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" {
		return false
	}
	for _, line := range h["Cache-Control"] {
		if slices.ContainsFunc(strings.Split(line, ","), func(d string) bool { return strings.EqualFold(strings.TrimSpace(d), "no-transform") }) {
			return false
		}
	}
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch media {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}
