package graphql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
)

// list is a body of several requests, each a text.
func list(t *testing.T, texts ...string) string {
	t.Helper()
	var all []map[string]any
	for _, text := range texts {
		all = append(all, map[string]any{"query": text})
	}
	return toJSON(t, all)
}

// TestABatchRunsInOrder has mutations beside each other: one that fails is alone with that, and each sees what those before
// it did.
func TestABatchRunsInOrder(t *testing.T) {
	t.Parallel()
	config := persisting(graphql.Persisted{})
	config.Limits.Batch = 10
	s, pool := open(t, config, sql(t, items))
	c := served(t, s, nil)
	create := func(title string) string {
		return `mutation { createItem(input: {title: "` + title + `"}) { title } }`
	}
	r := c.do("POST", c.url, list(t, create("c"), "{ itemsAggregate { count } }", create("c"), "{ nothing }", create("d"), "{ itemsAggregate { count } }"))
	if r.status != 200 || r.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("answered %d %v", r.status, r.header)
	}
	for i, part := range strings.Split(strings.Trim(r.body, "[]"), "},{") {
		want := []string{`"title":"c"`, `"count":3`, `"CONFLICT"`, `GRAPHQL_VALIDATION_FAILED`, `"title":"d"`, `"count":4`}[i]
		if !strings.Contains(part, want) {
			t.Errorf("answer %d is %s, want %s", i+1, part, want)
		}
	}

	texts := make([]string, 11)
	for i := range texts {
		texts[i] = create(fmt.Sprint("n", i))
	}
	c.do("POST", c.url, list(t, texts...)).expect(t, "one more than may be", 400, "more than 10 requests")
	c.do("POST", c.url, list(t, texts...), "Idempotency-Key", "k").expect(t, "too many, with a key", 400, "more than 10 requests")
	c.do("POST", c.url, list(t, texts[:2]...), "Idempotency-Key", "k").expect(t, "with a key", 400, "an Idempotency-Key is for one request")
	var count int
	if err := pool.QueryRow(t.Context(), "select count(*) from item").Scan(&count); err != nil || count != 4 {
		t.Errorf("what was refused was run: there are %d items: %v", count, err)
	}
	c.do("POST", c.url, list(t, texts[:10]...)).expect(t, "as many as may be", 200, `{"data":{"createItem":{"title":"n9"}}}]`)

	const text = "{ items(limit: 1) { id } }"
	both := toJSON(t, []any{hashed(text, false), hashed(text, true), hashed(text, false)})
	c.do("POST", c.url, both).expect(t, "digests", 200, "["+notFound+`,{"data":{"items":[{"id":1}]}},{"data":{"items":[{"id":1}]}}]`)
}

// TestNoBatchUnlessItIsTurnedOn says which key does that.
func TestNoBatchUnlessItIsTurnedOn(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), sql(t, items))
	c := served(t, s, nil)
	c.do("POST", c.url, list(t, "{ items { id } }"), "Accept", older).expect(t, "a list", 400, "`[graphql.limits] batch = 10`")
}

// TestABatchHasTheLimitsOfOne in bytes, both ways.
func TestABatchHasTheLimitsOfOne(t *testing.T) {
	t.Parallel()
	config := graphql.DefaultConfig()
	config.Limits.Batch, config.Limits.Response = 3, 128<<10
	const limit = 2000
	s, pool := openWith(t, config, graphql.Deps{BodyLimit: limit}, sql(t, `
		create table item (id int primary key, title text not null);
		insert into item select i, repeat('x', 1000) from generate_series(1, 200) i;`))
	c := served(t, s, nil)

	body := list(t, "{ item(id: 1) { id } }", "{ item(id: 2) { id } }")
	body += strings.Repeat(" ", limit-len(body))
	c.do("POST", c.url, body).expect(t, "as large as it may be", 200, `[{"data":{"item":{"id":1}}},{"data":{"item":{"id":2}}}]`)
	c.do("POST", c.url, body+" ").expect(t, "a byte more", 413, "larger than the 2000 bytes")

	rows := func(n int) string { return fmt.Sprintf("{ items(limit: %d) { title } }", n) }
	create := `mutation { createItem(input: {id: 1000, title: "new"}) { id } }`
	c.do("POST", c.url, list(t, rows(40), rows(40), create)).expect(t, "what has room", 200, `"QUERY_TOO_COMPLEX"`)
	var made bool
	if err := pool.QueryRow(t.Context(), "select exists (select from item where id = 1000)").Scan(&made); err != nil || made {
		t.Errorf("a mutation was run though its answer might have no room: %v", err)
	}
	c.do("POST", c.url, list(t, rows(40), create)).expect(t, "what has room", 200, `,{"data":{"createItem":{"id":1000}}}]`)
	r := c.do("POST", c.url, list(t, rows(50), rows(90), rows(10)))
	if n := strings.Count(r.body, "QUERY_TOO_COMPLEX"); r.status != 200 || n != 1 || strings.Count(r.body, "xx") < 60*499 || len(r.body) > 128<<10 {
		t.Errorf("one that has no room, between two that have: %d, %d bytes, %d refused", r.status, len(r.body), n)
	}
	c.post(map[string]any{"query": rows(90)}).expect(t, "alone", 200, `{"data":`)
}
