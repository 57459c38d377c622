package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// TestKeptAnswers are those of handlers that write them each time.
func TestKeptAnswers(t *testing.T) {
	t.Parallel()
	grown := 0
	kept := httpapi.Keep([]byte(text), func(bytes int) { grown += bytes })
	first := kept.Held()
	var plain bytes.Buffer
	if _, err := kept.WriteTo(&plain); err != nil || plain.String() != text || kept.Size() != len(text) || first*4 > len(text) {
		t.Fatalf("%d bytes are kept as %d: %v", kept.Size(), first, err)
	}
	handler := func(headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.Header().Set("X-Takes", strconv.Itoa(kept.Takes(w)))
			kept.Send(w, r, http.StatusCreated)
		}
	}
	json := []string{"Content-Type", "application/json; charset=utf-8", "Etag", `"a"`, "Vary", "Accept"}
	large := map[string]string{"server.compression.min_size": "1MB"}
	for _, c := range []struct {
		method, accept, coding, vary, tag string
		flags                             map[string]string
		headers                           []string
	}{
		{"GET", "gzip", "gzip", "Accept,Accept-Encoding", `W/"a"`, compression, json},
		{"GET", "zstd", "zstd", "Accept,Accept-Encoding", `W/"a"`, compression, json},
		{"GET", "br;q=1, gzip;q=0.5", "br", "Accept,Accept-Encoding", `W/"a"`, compression, json},
		{"POST", "gzip", "gzip", "Accept,Accept-Encoding", `W/"a"`, compression, json},
		{"GET", "-", "", "Accept,Accept-Encoding", `"a"`, compression, json},
		{"GET", "deflate", "", "Accept,Accept-Encoding", `"a"`, compression, json},
		{"HEAD", "gzip", "gzip", "Accept,Accept-Encoding", `W/"a"`, compression, json},
		{"HEAD", "-", "", "Accept,Accept-Encoding", `"a"`, compression, json},
		{"GET", "gzip", "", "Accept", `"a"`, nil, json},
		{"HEAD", "gzip", "", "Accept", `"a"`, nil, json},
		{"GET", "gzip", "", "Accept,Accept-Encoding", `"a"`, large, json},
		{"GET", "gzip, identity;q=0", "gzip", "Accept,Accept-Encoding", `W/"a"`, large, json},
		{"GET", "gzip", "", "", "", compression, []string{"Content-Type", "image/png"}},
	} {
		name := fmt.Sprint(c.method, c.accept, c.flags, c.headers)
		s := serveRoutes(t, c.flags, map[string]http.HandlerFunc{"/it": handler(c.headers...)})
		for range 2 {
			got := fetch(t, c.method, s.url+"/it", c.accept)
			h := got.Header
			if got.StatusCode != http.StatusCreated || h.Get("Content-Encoding") != c.coding || strings.Join(h["Vary"], ",") != c.vary || h.Get("Etag") != c.tag {
				t.Errorf("%s: %d %v", name, got.StatusCode, h)
			}
			if takes := h.Get("X-Takes"); takes == "0" != (c.coding != "") || c.coding == "" && takes != strconv.Itoa(len(text)) {
				t.Errorf("%s: it takes %s bytes", name, takes)
			}
			switch {
			case got.ContentLength <= 0 || (c.coding == "") != (got.ContentLength == int64(len(text))):
				t.Errorf("%s: the length is %d", name, got.ContentLength)
			case c.method != "HEAD" && decoded(t, got) != text:
				t.Errorf("%s: it is another answer", name)
			}
		}
	}
	if kept.Held() != first+grown || grown == 0 || grown > len(text) {
		t.Errorf("%d bytes are held, %d at first and then %d", kept.Held(), first, grown)
	}
}

// TestAKeptAnswerIsEncodedOnce has many clients ask for a coding that there is not yet.
func TestAKeptAnswerIsEncodedOnce(t *testing.T) {
	t.Parallel()
	made := 0
	kept := httpapi.Keep([]byte(text), func(int) { made++ })
	s := serveRoutes(t, compression, map[string]http.HandlerFunc{"/it": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		kept.Send(w, r, http.StatusOK)
	}})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := decoded(t, fetch(t, "GET", s.url+"/it", "gzip")); got != text {
				t.Error("it is another answer")
			}
		})
	}
	all.Wait()
	if made != 1 {
		t.Errorf("it was encoded %d times", made)
	}
}

// TestTheWindowOfAKeptAnswer is no larger than the answer asks for: whoever expands it needs so much memory.
func TestTheWindowOfAKeptAnswer(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2000, 120_000, 3 << 20, 20 << 20} {
		kept := httpapi.Keep([]byte(strings.Repeat(text, 1+size/len(text))), nil)
		s := serveRoutes(t, compression, map[string]http.HandlerFunc{"/it": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			kept.Send(w, r, http.StatusOK)
		}})
		head := make([]byte, zstd.HeaderMaxSize)
		_, err := io.ReadFull(fetch(t, "GET", s.url+"/it", "zstd").Body, head)
		var header zstd.Header
		if err == nil {
			err = header.Decode(head)
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.WindowSize > 8<<20 || header.WindowSize > uint64(2*kept.Size()) {
			t.Errorf("an answer of %d bytes has a window of %d", kept.Size(), header.WindowSize)
		}
	}
}
