package graphql_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestObjectsWithoutFields has objects of which @skip leaves nothing, in each place where one can be.
func TestObjectsWithoutFields(t *testing.T) {
	t.Parallel()
	s, _ := chinook(t)
	for query, want := range map[string]string{
		"{ album(albumId: 1) { title @skip(if: true) } }":                                               `{"album":{}}`,
		"{ albums(limit: 2) { title @skip(if: true) } }":                                                `{"albums":[{},{}]}`,
		"{ album(albumId: 1) { artist { name @skip(if: true) } } }":                                     `{"album":{"artist":{}}}`,
		"{ artist(artistId: 1) { albums { title @skip(if: true) } } }":                                  `{"artist":{"albums":[{},{}]}}`,
		"{ albumsConnection(first: 1) { nodes { title @skip(if: true) } } }":                            `{"albumsConnection":{"nodes":[{}]}}`,
		"{ albumsConnection(first: 1) { edges { node { title @skip(if: true) } } } }":                   `{"albumsConnection":{"edges":[{"node":{}}]}}`,
		"{ albumsConnection(first: 1) { edges { cursor @skip(if: true) } } }":                           `{"albumsConnection":{"edges":[{}]}}`,
		"{ albumsConnection(first: 1) { pageInfo { hasNextPage @skip(if: true) } } }":                   `{"albumsConnection":{"pageInfo":{}}}`,
		"{ albumsConnection(first: 1) { totalCount @skip(if: true) } }":                                 `{"albumsConnection":{}}`,
		"{ albumsAggregate { count @skip(if: true) } }":                                                 `{"albumsAggregate":{}}`,
		"{ albumsAggregate { min { title @skip(if: true) } } }":                                         `{"albumsAggregate":{"min":{}}}`,
		"{ albumsGroupBy(by: [artistId], limit: 1) { key { artistId @skip(if: true) } } }":              `{"albumsGroupBy":[{"key":{}}]}`,
		"{ artist(artistId: 1) { albumsGroupBy(by: [artistId]) { count @skip(if: true) } } }":           `{"artist":{"albumsGroupBy":[{}]}}`,
		"{ artist(artistId: 1) { albumsConnection { edges { node { title @include(if: false) } } } } }": `{"artist":{"albumsConnection":{"edges":[{"node":{}},{"node":{}}]}}}`,
	} {
		got := s.Execute(t.Context(), transport.Request{Query: query})
		var compact bytes.Buffer
		if err := json.Compact(&compact, got.Data); err != nil || compact.String() != want {
			t.Errorf("%s\n got %s %v\nwant %s", query, got.Data, got.Errors, want)
		}
	}
}
