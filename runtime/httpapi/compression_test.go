package httpapi_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// compression switches it on: the tables are read from a file, or made by any of their keys.
var compression = map[string]string{"server.compression.min_size": "1KB"}

var text = strings.Repeat(`{"some":"words that come again","number":12345},`, 100)

// answer gives a handler that answers with text, and with headers.
func answer(headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		_, _ = io.WriteString(w, text)
	}
}

func length(n int) string { return strconv.Itoa(n) }

// decoder reads what was encoded.
func decoder(t *testing.T, coding string, body io.Reader) io.Reader {
	t.Helper()
	switch coding {
	case "":
		return body
	case "br":
		return brotli.NewReader(body)
	case "gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	case "zstd":
		r, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
	t.Fatalf("the coding is %q", coding)
	return nil
}

// fetch asks without the transport's own decoding, and gives the head and the connection's bytes.
func fetch(t *testing.T, method, url, accept string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "-" {
		r.Header["Accept-Encoding"] = strings.Split(accept, "|")
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func decoded(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(decoder(t, response.Header.Get("Content-Encoding"), response.Body))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestNegotiation follows RFC 9110, section 12.5.3. Lines of the header are divided by |.
func TestNegotiation(t *testing.T) {
	t.Parallel()
	json := []string{"Content-Type", "application/json"}
	s := serveRoutes(t, compression, map[string]http.HandlerFunc{
		"/known": answer(append(json, "Content-Length", length(len(text)))...), "/streamed": answer(json...),
	})
	for _, c := range []struct{ accept, all, two string }{
		{"-", "", ""},
		{"", "", ""},
		{"gzip", "gzip", "gzip"},
		{"GZIP", "gzip", "gzip"},
		{"x-gzip", "gzip", "gzip"},
		{"gzip, deflate, br, zstd", "zstd", "gzip"},
		{"gzip, deflate, br", "gzip", "gzip"},
		{"deflate", "", ""},
		{"gzip;q=0.9, br;q=0.8", "gzip", "gzip"},
		{"gzip;q=0.8,br;q=0.9", "br", "br"},
		{"gzip;q=0.5|br ; Q=0.7", "br", "br"},
		{"*", "zstd", "gzip"},
		{"*;q=0.5, gzip", "gzip", "gzip"},
		{"*, zstd;q=0, gzip;q=0", "br", "br"},
		{"gzip;q=0", "", ""},
		{"gzip;q=0.000", "", ""},
		{"*;q=0", "", ""},
		{"identity", "", ""},
		{"identity, gzip;q=0.5", "", ""},
		{"identity;q=0.5, gzip;q=0.5", "gzip", "gzip"},
		{"br;q=0.5, *;q=0.8", "zstd", "gzip"},
		{"zstd;q=0.5, br;q=0.5, gzip;q=0.5, *", "", ""},
		{"identity;q=0, gzip", "gzip", "gzip"},
		{"gzip;q=x", "", ""},
		{"gzip;q=NaN", "", ""},
		{"gzip;q=2", "", ""},
		{"gzip;level=1", "", ""},
	} {
		accept := strings.Split(c.accept, "|")
		if c.accept == "-" {
			accept = nil
		}
		if got, _ := httpapi.Negotiate(accept, []string{"gzip", "br"}); got != c.two {
			t.Errorf("%q gets %q of gzip and br, want %q", c.accept, got, c.two)
		}
		for _, path := range []string{"/known", "/streamed"} {
			response := fetch(t, "GET", s.url+path, c.accept)
			if got := response.Header.Get("Content-Encoding"); got != c.all || response.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%q gets %s as %q, want %q; Vary %q", c.accept, path, got, c.all, response.Header["Vary"])
			}
			if got := decoded(t, response); got != text {
				t.Errorf("%q: %s came as %d bytes, want %d", c.accept, path, len(got), len(text))
			}
		}
	}
}

// TestWhatIsEncoded has a client that takes gzip for answers of all kinds.
func TestWhatIsEncoded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, accept string
		handler        http.HandlerFunc
		encoded        bool
		vary           string
		size           int // of the content, where it is not encoded
	}{
		"graphql":             {handler: answer("Content-Type", "application/graphql-response+json; charset=utf-8", "Vary", "Accept"), encoded: true, vary: "Accept,Accept-Encoding"},
		"a page":              {handler: answer("Content-Type", "TEXT/html"), encoded: true, vary: "Accept-Encoding"},
		"a drawing":           {handler: answer("Content-Type", "image/svg+xml"), encoded: true, vary: "Accept-Encoding"},
		"a guess":             {handler: answer(), encoded: true, vary: "Accept-Encoding"},
		"a photograph":        {handler: answer("Content-Type", "image/png"), size: len(text)},
		"varies already":      {handler: answer("Vary", "accept-encoding, Accept"), encoded: true, vary: "accept-encoding, Accept"},
		"encoded already":     {handler: answer("Content-Type", "text/css", "Content-Encoding", "br"), size: len(text)},
		"not to be changed":   {handler: answer("Cache-Control", "public, No-Transform"), size: len(text)},
		"a part":              {handler: answer("Content-Range", "bytes 0-9/20"), size: len(text)},
		"HEAD":                {method: "HEAD", handler: answer("Content-Length", length(len(text))), encoded: true, vary: "Accept-Encoding"},
		"HEAD of a photo":     {method: "HEAD", handler: answer("Content-Type", "image/png"), size: 0},
		"small":               {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "small") }, vary: "Accept-Encoding", size: 5},
		"small, plain barred": {accept: "gzip, identity;q=0", handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "small") }, encoded: true, vary: "Accept-Encoding"},
		"nothing":             {handler: func(http.ResponseWriter, *http.Request) {}},
		"no content":          {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }},
		"not modified":        {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, vary: "Accept-Encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveRoutes(t, compression, map[string]http.HandlerFunc{"/it": c.handler})
			if c.method == "" {
				c.method = "GET"
			}
			if c.accept == "" {
				c.accept = "gzip"
			}
			response := fetch(t, c.method, s.url+"/it", c.accept)
			if got := response.Header.Get("Content-Encoding") == "gzip"; got != c.encoded {
				t.Errorf("encoded is %t", got)
			}
			if got := strings.Join(response.Header["Vary"], ","); got != c.vary {
				t.Errorf("Vary is %q, want %q", got, c.vary)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || !c.encoded && len(body) != c.size || c.encoded && len(body) >= len(text) || c.method == "HEAD" && len(body) > 0 {
				t.Errorf("%d bytes came, %v", len(body), err)
			}
			if c.method == "HEAD" && c.encoded && response.Header["Content-Length"] != nil {
				t.Errorf("HEAD tells a length that GET has not: %v", response.Header)
			}
		})
	}
}

func TestTagsOfEncodedAnswersAreWeak(t *testing.T) {
	t.Parallel()
	s := serveRoutes(t, compression, map[string]http.HandlerFunc{
		"/strong": answer("Etag", `"a"`, "Accept-Ranges", "bytes"),
		"/weak":   answer("Etag", `W/"a"`),
	})
	for _, path := range []string{"/strong", "/weak"} {
		response := fetch(t, "GET", s.url+path, "zstd")
		if response.Header.Get("Etag") != `W/"a"` || response.Header.Get("Accept-Ranges") != "" {
			t.Errorf("%s: %v", path, response.Header)
		}
	}
	if response := fetch(t, "GET", s.url+"/strong", "-"); response.Header.Get("Etag") != `"a"` {
		t.Errorf("not encoded: %v", response.Header)
	}
}

func TestEncodingIsOnlyForThoseWhoWantIt(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string]map[string]string{
		"no table":     nil,
		"switched off": {"server.compression.enabled": "false", "server.compression.min_size": "1KB"},
	} {
		s := serveRoutes(t, flags, map[string]http.HandlerFunc{"/it": answer()})
		if response := fetch(t, "GET", s.url+"/it", "gzip"); response.Header["Content-Encoding"] != nil || response.Header["Vary"] != nil {
			t.Errorf("%s: %v", name, response.Header)
		}
	}
}

// TestStreamsComeWhenTheyAreFlushed reads each part before the handler may write the next.
func TestStreamsComeWhenTheyAreFlushed(t *testing.T) {
	t.Parallel()
	for _, coding := range []string{"-", "zstd", "br", "gzip"} {
		t.Run(coding, func(t *testing.T) {
			t.Parallel()
			next := make(chan struct{})
			s := serveRoutes(t, compression, map[string]http.HandlerFunc{"/events": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for _, part := range []string{"", "one", "two", "three"} {
					_, _ = io.WriteString(w, part)
					if err := http.NewResponseController(w).Flush(); err != nil {
						t.Error(err)
					}
					<-next
				}
			}})
			response := fetch(t, "GET", s.url+"/events", coding)
			next <- struct{}{}
			body := decoder(t, response.Header.Get("Content-Encoding"), response.Body)
			for _, part := range []string{"one", "two", "three"} {
				got := make([]byte, len(part))
				if _, err := io.ReadFull(body, got); err != nil || string(got) != part {
					t.Fatalf("%q came instead of %q: %v", got, part, err)
				}
				next <- struct{}{}
			}
			if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
				t.Errorf("at the end: %q %v", rest, err)
			}
		})
	}
}

// TestACutAnswerIsSeenAsCut reads the bytes of connections: a client that does not look for the end of what is
// encoded must see it too.
func TestACutAnswerIsSeenAsCut(t *testing.T) {
	t.Parallel()
	begin := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, text)
	}
	s := serveRoutes(t, compression, map[string]http.HandlerFunc{
		"/abort": func(w http.ResponseWriter, _ *http.Request) { begin(w); panic(http.ErrAbortHandler) },
		"/fail":  func(w http.ResponseWriter, _ *http.Request) { begin(w); panic("a defect") },
		"/short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", length(3*len(text)))
			begin(w)
		},
		"/whole": answer(),
		"/held": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "little")
			panic("a defect")
		},
	})
	for _, coding := range []string{"-", "zstd", "br", "gzip"} {
		for _, path := range []string{"/abort", "/fail", "/short"} {
			response := fetch(t, "GET", s.url+path, coding)
			if body, err := io.ReadAll(response.Body); err == nil {
				t.Errorf("%s as %s looks like a whole answer of %d bytes", path, coding, len(body))
			}
			if whole := decoded(t, fetch(t, "GET", s.url+"/whole", coding)); whole != text {
				t.Errorf("the next answer as %s has %d bytes", coding, len(whole))
			}
		}
		if response := fetch(t, "GET", s.url+"/held", coding); coding != "-" && response.StatusCode != 500 {
			t.Errorf("a panic before the first byte has gone is answered %d", response.StatusCode)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "a defect") || strings.Contains(log, http.ErrAbortHandler.Error()) {
		t.Errorf("the log tells %s", log)
	}
}

func TestEncodersAreNotShared(t *testing.T) {
	t.Parallel()
	s := serveRoutes(t, compression, map[string]http.HandlerFunc{"/it": func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte(r.URL.RawQuery), 1000))
	}})
	var clients sync.WaitGroup
	for i := range 24 {
		clients.Go(func() {
			coding, word := []string{"zstd", "br", "gzip"}[i%3], "word"+strconv.Itoa(i)
			if got := decoded(t, fetch(t, "GET", s.url+"/it?"+word, coding)); got != strings.Repeat(word, 1000) {
				t.Errorf("%s as %s came as %d bytes", word, coding, len(got))
			}
		})
	}
	clients.Wait()
}

func TestEarlyHintsPass(t *testing.T) {
	t.Parallel()
	s := serveRoutes(t, compression, map[string]http.HandlerFunc{"/it": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, text)
	}})
	var early []int
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { early = append(early, code); return nil }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, s.url+"/it", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != text || !response.Uncompressed || response.StatusCode != http.StatusTeapot || !slices.Equal(early, []int{103}) {
		t.Errorf("early %v, then %d, %d bytes, %v", early, response.StatusCode, len(body), err)
	}
}
