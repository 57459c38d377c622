package graphql_test

import (
	"encoding/json"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestAPageThatNobodyReads gives arguments of a page by variables and asks for nothing of it: the statement has
// to take its parameters all the same, and what is wrong with them is said.
func TestAPageThatNobodyReads(t *testing.T) {
	t.Parallel()
	s, _ := chinook(t)
	page := s.Execute(t.Context(), transport.Request{Query: "{ albumsConnection(first: 1) { pageInfo { endCursor } } }"})
	var answer struct {
		AlbumsConnection struct{ PageInfo struct{ EndCursor string } }
	}
	if err := json.Unmarshal(page.Data, &answer); err != nil {
		t.Fatal(err)
	}
	cursor := answer.AlbumsConnection.PageInfo.EndCursor
	for name, c := range map[string]struct {
		query     string
		variables map[string]any
		data, err string
	}{
		"a number":    {"query($n: Int) { albumsConnection(first: $n) { totalCount } }", map[string]any{"n": json.Number("5")}, `{"albumsConnection":{"totalCount":347}}`, ""},
		"a cursor":    {"query($c: String) { albumsConnection(after: $c) { totalCount } }", map[string]any{"c": cursor}, `{"albumsConnection":{"totalCount":347}}`, ""},
		"a literal":   {`{ albumsConnection(after: "` + cursor + `") { totalCount } }`, nil, `{"albumsConnection":{"totalCount":347}}`, ""},
		"below a row": {"query($n: Int) { artist(artistId: 1) { albumsConnection(last: $n) { totalCount } } }", map[string]any{"n": json.Number("5")}, `{"artist":{"albumsConnection":{"totalCount":2}}}`, ""},
		"conditions":  {"query($w: AlbumWhere) { albumsConnection(where: $w) { __typename } }", map[string]any{"w": map[string]any{"albumId": map[string]any{"eq": json.Number("5")}}}, `{"albumsConnection":{"__typename":"AlbumConnection"}}`, ""},
		"too many":    {"query($n: Int) { albumsConnection(first: $n) { totalCount } }", map[string]any{"n": json.Number("5000")}, "", "BAD_USER_INPUT"},
		"no cursor":   {"query($c: String) { albumsConnection(after: $c) { totalCount } }", map[string]any{"c": "x"}, "", "BAD_USER_INPUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // the second time it is prepared
				got := s.Execute(t.Context(), transport.Request{Query: c.query, Variables: c.variables})
				if spaceless(string(got.Data)) != c.data && string(got.Data) != c.data || code(got) != c.err {
					t.Errorf("it gave %s %v", got.Data, got.Errors)
				}
			}
		})
	}
}
