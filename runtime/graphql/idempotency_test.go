package graphql_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/fraiseql/fraiseql/migrations"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// keysTable is the migration that makes the table of keys.
func keysTable(t testing.TB) string {
	t.Helper()
	text, err := migrations.Files.ReadFile("00002_idempotency_keys.sql")
	if err != nil {
		t.Fatal(err)
	}
	up, _, _ := strings.Cut(string(text), "-- +goose Down")
	return "create schema if not exists _system;" + up
}

// TestAKeyWorksOnce sends mutations again: their first answer is given, and nothing is done twice.
func TestAKeyWorksOnce(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), sql(t, keysTable(t)+`
		create table item (id serial primary key, title text not null unique, twin int unique deferrable initially deferred);`))
	mux := http.NewServeMux()
	s.Routes(mux)
	who := &httpapi.Principal{}
	var lock sync.RWMutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock.RLock()
		defer lock.RUnlock()
		mux.ServeHTTP(w, r.WithContext(httpapi.WithPrincipal(r.Context(), who)))
	}))
	t.Cleanup(server.Close)
	send := func(key, query string) (status int, replayed bool, body string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", strings.NewReader(`{"query":"`+query+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return 0, false, ""
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Error(err)
		}
		return answer.StatusCode, answer.Header.Get("Idempotent-Replayed") == "true", string(bytes.TrimSpace(text))
	}
	create := `mutation { createItem(input: {title: \"a\"}) { id title } }`
	status, replayed, first := send(`"k-1"`, create)
	if status != 200 || replayed || first != `{"data":{"createItem":{"id":1,"title":"a"}}}` {
		t.Fatalf("%d %v %s", status, replayed, first)
	}
	if status, replayed, again := send("k-1", create); status != 200 || !replayed || again != first {
		t.Errorf("the second time: %d %v %s", status, replayed, again)
	}
	if status, _, body := send("k-1", `mutation { createItem(input: {title: \"b\"}) { id } }`); status != http.StatusConflict || !strings.Contains(body, `"CONFLICT"`) {
		t.Errorf("another request: %d %s", status, body)
	}
	if status, _, body := send("k-2", create); status != 200 || !strings.Contains(body, `"CONFLICT"`) {
		t.Errorf("a failure: %d %s", status, body)
	}
	exec(t, pool, "delete from item")
	if status, replayed, body := send("k-2", create); status != 200 || replayed || !strings.Contains(body, `"title":"a"`) {
		t.Errorf("after a failure: %d %v %s", status, replayed, body)
	}
	for range 2 { // what fails at the end of the transaction keeps no answer
		if _, replayed, body := send("k-3", `mutation { createItems(input: [{title: \"x\", twin: 1}, {title: \"y\", twin: 1}]) { id } }`); replayed || !strings.Contains(body, `"CONFLICT"`) {
			t.Errorf("at the end: %v %s", replayed, body)
		}
	}
	lock.Lock()
	who = &httpapi.Principal{Subject: "other"}
	lock.Unlock()
	if _, replayed, body := send("k-1", create); replayed || !strings.Contains(body, `"CONFLICT"`) {
		t.Errorf("somebody else's key: %v %s", replayed, body)
	}
	if status, _, body := send("k-9", `{ items { id } }`); status != 200 || !strings.Contains(body, `"items"`) {
		t.Errorf("a query: %d %s", status, body)
	}
	if status, _, _ := send("a b", create); status != http.StatusBadRequest {
		t.Errorf("a key that is none: %d", status)
	}
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if status, _, body := send("many", `mutation { createItem(input: {title: \"many\"}) { title } }`); status != 200 || body != `{"data":{"createItem":{"title":"many"}}}` {
				t.Errorf("at once: %d %s", status, body)
			}
		})
	}
	all.Wait()
	var made, kept int
	if err := pool.QueryRow(t.Context(), "select (select count(*) from item where title = 'many'), (select count(*) from _system.idempotency_keys)").Scan(&made, &kept); err != nil || made != 1 || kept != 3 {
		t.Errorf("%d rows were made, and %d answers kept: %v", made, kept, err)
	}
}

// TestNoTableForKeys does nothing rather than something twice.
func TestNoTableForKeys(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), sql(t, `create table item (id serial primary key);`))
	got := s.Execute(t.Context(), transport.Request{Query: `mutation { createItem(input: {}) { id } }`, IdempotencyKey: "k"})
	if code(got) != "INTERNAL_SERVER_ERROR" || !strings.Contains(got.Errors[0].Message, "fraiseql migrate up") {
		t.Errorf("it gave %s %s", got.Data, firstError(got))
	}
	var rows int
	if err := pool.QueryRow(t.Context(), "select count(*) from item").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows were made: %v", rows, err)
	}
}
