package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestLargeAnswersStream asks for more than is held: the answer comes in parts, and is whole all the same.
func TestLargeAnswersStream(t *testing.T) {
	t.Parallel()
	s, _ := openWith(t, graphql.DefaultConfig(), graphql.Deps{Timeout: 30 * time.Second, Connections: 2}, sql(t, `
		create table page (id int primary key, text text not null);
		insert into page select i, repeat(i || ' ', 5000) from generate_series(1, 900) i;`))
	mux := http.NewServeMux()
	s.Routes(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ask := func(ctx context.Context, method, query string) (*http.Response, error) {
		body, _ := json.Marshal(map[string]string{"query": query})
		r, _ := http.NewRequestWithContext(ctx, method, server.URL+"/graphql", bytes.NewReader(body))
		if method != http.MethodPost {
			r, _ = http.NewRequestWithContext(ctx, method, server.URL+"/graphql?query="+url.QueryEscape(query), nil)
		}
		r.Header.Set("Content-Type", "application/json")
		return server.Client().Do(r)
	}
	whole := s.Execute(t.Context(), transport.Request{Query: "{ pages(limit: 900) { id text } }"})
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPost, http.MethodHead, http.MethodGet} {
		response, err := ask(t.Context(), method, "{ pages(limit: 900) { id text } }")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		want := `{"data":` + string(whole.Data) + "}"
		if method == http.MethodHead {
			want = ""
		}
		if err != nil || string(got) != want {
			t.Fatalf("%s: %d bytes came, ending in %s: %v", method, len(got), got[max(0, len(got)-40):], err)
		}
		h := response.Header
		if response.ContentLength >= 0 || h.Get("Etag") != "" || (h.Get("Cache-Control") != "") != (method != http.MethodPost) {
			t.Errorf("%s: it was held: its length is %d, its headers are %v", method, response.ContentLength, h)
		}
	}
	// A client that is slower than the database gets everything, and does not hold its connection.
	response, err := ask(t.Context(), http.MethodPost, "{ pages(limit: 900) { id text } }")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Execute(t.Context(), transport.Request{Query: "{ pages(limit: 1) { id } }"}); string(got.Data) != `{"pages":[{"id":1}]}` {
		t.Errorf("meanwhile another one gets %s %v", got.Data, got.Errors)
	}
	got, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || len(got) != len(`{"data":}`)+len(whole.Data) {
		t.Errorf("it gets %d bytes: %v", len(got), err)
	}
	// A client that goes away frees the connection to the database.
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		response, err := ask(ctx, http.MethodPost, "{ pages(limit: 900) { id text } }")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		cancel()
		_ = response.Body.Close()
	}
	if got := s.Execute(t.Context(), transport.Request{Query: "{ page(id: 7) { id } }"}); string(got.Data) != `{"page":{"id":7}}` {
		t.Errorf("then it says %s %v", got.Data, got.Errors)
	}
}

// TestAStreamThatFailsIsCut fails after the answer has begun to leave: the client must not take it for whole.
func TestAStreamThatFailsIsCut(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), sql(t, `
		create table page (id int primary key, text text not null);
		insert into page select i, repeat('x', 4000) from generate_series(1, 900) i;
		create view failing as select id, text, 100 / (899 - id) as n from page order by id;`))
	mux := http.NewServeMux()
	s.Routes(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	body := `{"query":"{ failings(limit: 900) { id text n } }"}`
	response, err := http.Post(server.URL+"/graphql", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err == nil {
		t.Errorf("the answer seems to be whole: %d bytes, ending in %s", len(got), got[max(0, len(got)-40):])
	}
	if next := s.Execute(t.Context(), transport.Request{Query: "{ page(id: 1) { id } }"}); len(next.Errors) > 0 {
		t.Errorf("the next request fails: %v", next.Errors)
	}
}

// nowhere is a client that reads everything at once.
type nowhere struct {
	header http.Header
	status int
	bytes  int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(status int)      { w.status = status }
func (w *nowhere) Write(b []byte) (int, error) { w.bytes += len(b); return len(b), nil }

// TestTheMemoryOfAnswersIsUsedAgain counts what is taken for answers after the first ones. It is not parallel: the
// memory of all is counted.
func TestTheMemoryOfAnswersIsUsedAgain(t *testing.T) { //nolint:paralleltest // see above
	s, _ := open(t, graphql.DefaultConfig(), sql(t, `
		create table page (id int primary key, text text not null);
		insert into page select i, repeat('x', 4000) from generate_series(1, 900) i;`))
	mux := http.NewServeMux()
	s.Routes(mux)
	ask := func(r *http.Request) *nowhere {
		r.Header.Set("Content-Type", "application/json")
		w := &nowhere{header: http.Header{}, status: 200}
		mux.ServeHTTP(w, r)
		return w
	}
	const held, large = "{ pages(limit: 200) { text } }", "{ pages(limit: 900) { text } }"
	get := func(query string) *http.Request {
		return httptest.NewRequest(http.MethodGet, "/graphql?query="+url.QueryEscape(query), nil)
	}
	for name, c := range map[string]struct {
		request func() *http.Request
		status  int
		most    int
	}{
		"held": {func() *http.Request { return get(held) }, 200, 450 << 10},
		"unchanged": {func() *http.Request {
			r := get(held)
			r.Header.Set("If-None-Match", "*")
			return r
		}, 304, 450 << 10},
		"in parts": {func() *http.Request {
			return httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":"`+large+`"}`))
		}, 200, 3900 << 10}, // the parts after the first, which is of a megabyte
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // see above
			const times = 20
			for range 5 {
				ask(c.request())
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range times {
				if w := ask(c.request()); w.status != c.status || (w.bytes == 0) != (c.status == 304) {
					t.Fatalf("answered %d with %d bytes", w.status, w.bytes)
				}
			}
			runtime.ReadMemStats(&after)
			if taken := int(after.TotalAlloc-before.TotalAlloc) / times; taken > c.most {
				t.Errorf("%d KB are taken for each answer, at most %d are allowed", taken>>10, c.most>>10)
			} else {
				t.Logf("%d KB", taken>>10)
			}
		})
	}
}
