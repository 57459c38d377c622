package transport

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// unchanged gives the answer to a GET or HEAD its tag, and answers 304 without content when the client holds that
// answer already (RFC 9110, section 13.1.2). The statement has been run all the same: what is saved is the
// way to the client. Answers with errors have no tag, for the next try may go well, nor have those that leave
// before they are known to their end.
func unchanged(w http.ResponseWriter, r *http.Request, media string, status int, response Response) bool {
	if !reads(r.Method) || status != http.StatusOK || response.Data == nil || len(response.Errors) > 0 {
		return false
	}
	// Data change at any moment, and what one caller may see another may not: whoever keeps the answer is to be
	// the caller, and to ask each time.
	w.Header().Set("Cache-Control", "private, no-cache")
	if response.Stream != nil {
		return false
	}
	return tagged(w, r, tagOf(media, bytes.NewReader(response.Data)))
}

// tagged gives an answer its tag, and answers 304 when the client holds it already.
func tagged(w http.ResponseWriter, r *http.Request, tag string) bool {
	w.Header().Set("Etag", tag)
	if !matches(r.Header["If-None-Match"], tag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// tagOf makes the same tag of the same answer in every process. It is weak, because the answer may be encoded
// on its way.
func tagOf(media string, data io.WriterTo) string {
	hash := sha256.New()
	_, _ = io.WriteString(hash, media+"\n") // a hash takes everything
	_, _ = data.WriteTo(hash)
	return `W/"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:16]) + `"`
}

// matches tells whether If-None-Match names a tag, by weak comparison (RFC 9110, section 8.8.3.2).
func matches(lines []string, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for _, line := range lines {
		if strings.TrimSpace(line) == "*" {
			return true
		}
		for line != "" {
			_, from, found := strings.Cut(line, `"`) // tags may hold commas, but no quotes
			value, rest, ended := strings.Cut(from, `"`)
			if !found || !ended {
				break
			}
			if `"`+value+`"` == opaque {
				return true
			}
			line = rest
		}
	}
	return false
}
