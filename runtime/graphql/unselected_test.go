package graphql_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
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

// TestEstimatesReadNothing asks for estimates alone, also with conditions of which a part has no place in the statement.
func TestEstimatesReadNothing(t *testing.T) {
	t.Parallel()
	s, pool := chinook(t)
	exec(t, pool, "analyze")
	for query, want := range map[string]string{
		`{ artistsConnection(where: {albums: {aggregate: {where: {title: {eq: "x"}}}}}) { estimatedCount } }`: `{"artistsConnection":{"estimatedCount":275}}`,
		`{ artistsAggregate(where: {albums: {aggregate: {where: {title: {eq: "x"}}}}}) { estimatedCount } }`:  `{"artistsAggregate":{"estimatedCount":275}}`,
		`{ tracksAggregate { estimatedCount } }`:                                       `{"tracksAggregate":{"estimatedCount":3503}}`,
		`{ tracksAggregate { __typename } }`:                                           `{"tracksAggregate":{"__typename":"TrackAggregate"}}`,
		`{ tracksAggregate(where: {trackId: {gt: 0}}) { __typename estimatedCount } }`: `{"tracksAggregate":{"__typename":"TrackAggregate","estimatedCount":3503}}`,
	} {
		request := transport.Request{Query: query}
		for range 2 { // the second time it is prepared
			got := s.Execute(t.Context(), request)
			if text := answer(t, got); text != want {
				t.Errorf("%s\n got %s\nwant %s", query, text, want)
			}
		}
		bound, err := s.Statements(request)
		if err != nil {
			t.Fatal(err)
		}
		if text := bound.Calls[0].SQL; strings.Contains(text, `"public"`) {
			t.Errorf("%s reads %s", query, text)
		}
	}
}
