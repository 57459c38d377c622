package graphql_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

const embeddings = `
	create table book (id int primary key, embedding extensions.vector, author_id int);
	insert into book values (1, '[1,0,0]', 1), (2, '[0,1,0]', 2), (3, '[5,5,0]', 1), (4, null, null);
	create table author (id int primary key, embedding extensions.vector not null);
	insert into author values (1, '[0,0,1]'), (2, '[1,0,0]');
	alter table book add foreign key (author_id) references author;`

// TestVectors filters and orders by distances, with pgvector where the server has it and with a stand-in
// everywhere.
func TestVectors(t *testing.T) {
	t.Parallel()
	t.Run("a stand-in", func(t *testing.T) {
		t.Parallel()
		s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "filters", "vector.sql"), sql(t, embeddings))
		vectors(t, s, "L2", "COSINE", "INNER_PRODUCT", "L1")
	})
	t.Run("pgvector", func(t *testing.T) {
		t.Parallel()
		_, pool := open(t, graphql.DefaultConfig())
		var available bool
		if err := pool.QueryRow(t.Context(), "select exists (select from pg_available_extensions where name = 'vector')").Scan(&available); err != nil {
			t.Fatal(err)
		}
		if !available {
			t.Skip("NOT TESTED: the server's pg_available_extensions has no vector: install pgvector to test filters and orders by distances with it")
		}
		s, _ := open(t, graphql.DefaultConfig(), sql(t, "create schema extensions; create extension vector with schema extensions;"+embeddings))
		vectors(t, s, "L2", "COSINE", "INNER_PRODUCT")
	})
}

func vectors(t *testing.T, s *graphql.Service, metrics ...string) {
	t.Helper()
	for query, want := range map[string]string{
		`{ books(where: {embedding: {near: {to: "[1,0,0]", within: 1.5}}}) { id } }`:                                        "1 2",
		`{ books(where: {embedding: {near: {to: "[1,0,0]", within: 2, metric: L1}}}) { id } }`:                              "1 2",
		`{ books(where: {embedding: {near: {to: "[1,1,0]", within: 0.1, metric: COSINE}}}) { id } }`:                        "3",
		`{ books(where: {embedding: {near: {to: "[1,0,0]", within: -2, metric: INNER_PRODUCT}}}) { id } }`:                  "3",
		`{ books(where: {embedding: {isnull: true}}) { id } }`:                                                              "4",
		`{ books(orderBy: [{embedding: {to: "[0,2,0]"}}]) { id } }`:                                                         "2 1 3 4",
		`{ books(orderBy: [{embedding: {to: "[0,2,0]", metric: COSINE}}], limit: 3) { id } }`:                               "2 3 1",
		`{ books(orderBy: [{embedding: {to: "[0,2,0]", metric: INNER_PRODUCT}}, {id: DESC}]) { id } }`:                      "3 2 1 4",
		`{ books(orderBy: [{author: {embedding: {to: "[1,0,0]"}}}, {id: ASC}]) { id } }`:                                    "2 1 3 4",
		`{ books(orderBy: [{embedding: {to: "[0,2,0]"}}], where: {embedding: {near: {to: "[0,2,0]", within: 3}}}) { id } }`: "2 1",
		`{ books(orderBy: [{embedding: {to: "[0,2,0]"}}], where: {author: {id: {eq: 1}}}) { id } }`:                         "1 3",
		`{ books(orderBy: [{embedding: ASC}]) { id } }`:                                                                     "GRAPHQL_VALIDATION_FAILED",
		`{ books(orderBy: [{embedding: {to: "[0,2,0]", metric: null}}]) { id } }`:                                           "BAD_USER_INPUT at books 1:3 argument orderBy.embedding.metric: null is no metric",
	} {
		metric := "L2"
		if _, rest, ok := strings.Cut(query, "metric: "); ok {
			metric = rest[:strings.IndexAny(rest, "}")]
		}
		if metric != "null" && !slices.Contains(metrics, metric) {
			continue
		}
		if got := ids(t, s.Execute(t.Context(), transport.Request{Query: query})); !strings.HasPrefix(got, want) {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
	byVariable := transport.Request{
		Query:     `query($o: [BookOrderBy!], $w: BookWhere) { books(orderBy: $o, where: $w) { id } }`,
		Variables: map[string]any{"o": []any{map[string]any{"embedding": map[string]any{"to": "[0,2,0]", "metric": "COSINE"}}}, "w": map[string]any{"embedding": map[string]any{"isnull": false}}},
	}
	for _, metric := range []string{"COSINE", "L2"} {
		byVariable.Variables["o"].([]any)[0].(map[string]any)["embedding"].(map[string]any)["metric"] = metric
		want := map[string]string{"COSINE": "2 3 1", "L2": "2 1 3"}[metric]
		if got := ids(t, s.Execute(t.Context(), byVariable)); got != want {
			t.Errorf("by variables and %s: got %s, want %s", metric, got, want)
		}
	}
	bound, err := s.Statements(transport.Request{Query: `{ books(orderBy: [{embedding: {to: "[0,2,0]"}}]) { id } }`})
	if order := ` order by (t1."embedding" operator("extensions".<->) $1::extensions.vector) limit 100`; err != nil || !strings.HasSuffix(bound.Calls[0].SQL, order) {
		t.Errorf("an order that an index could not serve: %v %s", err, bound.Calls[0].SQL)
	}
	first := s.Execute(t.Context(), transport.Request{Query: `{ booksConnection(orderBy: [{embedding: {to: "[0,2,0]"}}], first: 2) { nodes { id } pageInfo { endCursor } } }`})
	_, cursor, _ := strings.Cut(string(first.Data), `"endCursor":"`)
	cursor, _, _ = strings.Cut(cursor, `"`)
	next := s.Execute(t.Context(), transport.Request{Query: `{ booksConnection(orderBy: [{embedding: {to: "[0,2,0]"}}], first: 2, after: "` + cursor + `") { nodes { id embedding } } }`})
	if want := `{"booksConnection":{"nodes":[{"id":3,"embedding":"[5,5,0]"},{"id":4,"embedding":null}]}}`; compact(t, next.Data) != want {
		t.Errorf("the second page is %s %v after %s", next.Data, next.Errors, first.Data)
	}
}
