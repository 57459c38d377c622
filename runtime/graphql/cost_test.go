package graphql_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestCost tells what requests are estimated to cost: rows, and fields of all rows.
func TestCost(t *testing.T) {
	t.Parallel()
	s, _ := chinook(t)
	for query, want := range map[string]plan.Cost{
		`{artist(artistId: 1) {name}}`:                                               {Rows: 1, Fields: 1},
		`{artists(limit: 10) {name artistId}}`:                                       {Rows: 10, Fields: 20},
		`{artists(limit: 10) {name} a: artists(limit: 5) {name}}`:                    {Rows: 15, Fields: 15},
		`{artists(limit: 10) {name albums(limit: 1) {title albumId artistId}}}`:      {Rows: 20, Fields: 50},
		`{albums(limit: 10) {title artist {name}}}`:                                  {Rows: 10, Fields: 30},
		`{artistsConnection(first: 10) {nodes {name}}}`:                              {Rows: 10, Fields: 10},
		`mutation {createArtist(input: {artistId: 999, name: "x"}) {artistId name}}`: {Rows: 1, Fields: 2},
	} {
		got := s.Execute(t.Context(), transport.Request{Query: query, Cost: true})
		if got.Cost == nil || *got.Cost != want || len(got.Errors) > 0 {
			t.Errorf("%s costs %v, want %v %v", query, got.Cost, want, got.Errors)
		}
	}
	mux := http.NewServeMux()
	s.Routes(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for body, want := range map[string]string{
		`{"query": "{artist(artistId: 1) {name}}", "extensions": {"cost": true}}`: `{"data":{"artist":{"name":"AC/DC"}},"extensions":{"cost":{"rows":1,"fields":1}}}`,
		`{"query": "{artist(artistId: 1) {name}}"}`:                               `{"data":{"artist":{"name":"AC/DC"}}}`,
	} {
		response, err := http.Post(server.URL+"/graphql", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(text) != want {
			t.Errorf("%s is answered %s %v", body, text, err)
		}
	}
}
