package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
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
	ask := func(ctx context.Context, query string) (*http.Response, error) {
		body, _ := json.Marshal(map[string]string{"query": query})
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/graphql", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		return server.Client().Do(r)
	}
	whole := s.Execute(t.Context(), transport.Request{Query: "{ pages(limit: 900) { id text } }"})
	for range 3 {
		response, err := ask(t.Context(), "{ pages(limit: 900) { id text } }")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(got) != `{"data":`+string(whole.Data)+"}" {
			t.Fatalf("%d bytes came, ending in %s: %v", len(got), got[max(0, len(got)-40):], err)
		}
		if response.ContentLength >= 0 {
			t.Errorf("it was held: its length is %d", response.ContentLength)
		}
	}
	// A client that is slower than the database gets everything, and does not hold its connection.
	response, err := ask(t.Context(), "{ pages(limit: 900) { id text } }")
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
		response, err := ask(ctx, "{ pages(limit: 900) { id text } }")
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
