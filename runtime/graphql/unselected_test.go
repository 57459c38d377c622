package graphql_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestArgumentsThatNothingSelectedNeeds gives arguments whose values then have no place in the statement.
func TestArgumentsThatNothingSelectedNeeds(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "filters", "vector.sql"), sql(t, embeddings))
	for query, want := range map[string]string{
		`query($n: Int) { booksConnection(first: $n) { totalCount } }`:                                                            `{"booksConnection":{"totalCount":4}}`,
		`query($n: Int) { booksConnection(first: $n, where: {id: {gt: 1}}) { __typename } }`:                                      `{"booksConnection":{"__typename":"BookConnection"}}`,
		`query($n: Int) { booksConnection(last: $n, where: {id: {gt: 1}}) { totalCount estimatedCount } }`:                        `{"booksConnection":{"totalCount":3,"estimatedCount":3}}`,
		`query($n: Int) { booksConnection(orderBy: [{embedding: {to: "[0,1,0]"}}], first: $n) { totalCount } }`:                   `{"booksConnection":{"totalCount":4}}`,
		`query($n: Int) { author(id: 1) { booksConnection(first: $n, orderBy: [{embedding: {to: "[0,1,0]"}}]) { totalCount } } }`: `{"author":{"booksConnection":{"totalCount":2}}}`,
		`query($n: Int) { authors { booksConnection(first: $n, where: {id: {lt: 3}}) { __typename } } }`:                          `{"authors":[{"booksConnection":{"__typename":"BookConnection"}},{"booksConnection":{"__typename":"BookConnection"}}]}`,
	} {
		got := s.Execute(t.Context(), transport.Request{Query: query, Variables: map[string]any{"n": json.Number("2")}})
		if len(got.Errors) > 0 || compact(t, got.Data) != want {
			t.Errorf("%s\n got %s %v\nwant %s", query, got.Data, got.Errors, want)
		}
	}
}
