package httpapi_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestLargeAnswersAreWhole has answers of sizes around those of net/http's buffers, one after another on one
// connection, written in all ways.
func TestLargeAnswersAreWhole(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789abcdef", 64<<10/16)
	size := func(r *http.Request) int {
		n, _ := strconv.Atoi(r.URL.Query().Get("size"))
		return n
	}
	routes := map[string]http.HandlerFunc{
		"/length": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(size(r)))
			_, _ = w.Write([]byte(text[:size(r)]))
		},
		"/chunks": func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				_, _ = w.Write([]byte(text[:size(r)]))
			}
		},
		"/flushed": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(text[:size(r)]))
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte(text[:size(r)]))
		},
		"/head": func(w http.ResponseWriter, r *http.Request) { // a head that is larger than the buffer
			w.Header().Set("X-Long", text[:5000])
			_, _ = w.Write([]byte(text[:size(r)]))
		},
		"/short": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(size(r)+1))
			_, _ = w.Write([]byte(text[:size(r)]))
		},
		"/panics": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(text[:size(r)]))
			panic(http.ErrAbortHandler)
		},
		"/cut": func(w http.ResponseWriter, r *http.Request) { // the connection is the handler's after a piece that is large
			conn, out, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = out.WriteString("HTTP/1.1 200 OK\r\n\r\n" + text[:size(r)])
			_ = out.Flush()
			_ = conn.Close()
		},
	}
	times := map[string]int{"/length": 1, "/chunks": 3, "/flushed": 2, "/head": 1, "/short": 1, "/panics": 1, "/cut": 1}
	for _, compression := range []string{"false", "true"} {
		s := serveRoutes(t, map[string]string{"server.compression.enabled": compression}, routes)
		client := &http.Client{Transport: &http.Transport{}}
		t.Cleanup(client.CloseIdleConnections)
		for path, times := range times {
			for _, n := range []int{0, 1, 2047, 2048, 3500, 4000, 4095, 4096, 4097, 5000, 7900, 8000, 8191, 8192, 8193, 32 << 10, 64 << 10} {
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					if method == http.MethodHead && (path == "/cut" || path == "/panics" || path == "/short") {
						continue
					}
					r, err := http.NewRequestWithContext(t.Context(), method, s.url+path+"?size="+strconv.Itoa(n), nil)
					if err != nil {
						t.Fatal(err)
					}
					response, err := client.Do(r)
					if err != nil {
						if path != "/panics" && path != "/short" {
							t.Errorf("%s %s of %d bytes: %v", method, path, n, err)
						}
						continue
					}
					got, err := io.ReadAll(response.Body)
					_ = response.Body.Close()
					want := strings.Repeat(text[:n], times)
					switch {
					case method == http.MethodHead:
						want = ""
					case path == "/panics" || path == "/short": // as much as has come is right, and it is not whole
						if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(want, string(got)) {
							t.Errorf("%s of %d bytes: %d came, %v", path, n, len(got), err)
						}
						continue
					}
					if err != nil || string(got) != want {
						t.Errorf("%s %s of %d bytes: %d came, %v", method, path, n, len(got), err)
					}
				}
			}
		}
	}
}
