package graphql_test

import (
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// BenchmarkRequests is what a request costs from its text to the bytes of its answer, database included.
func BenchmarkRequests(b *testing.B) {
	s, _ := chinook(b)
	for _, c := range []struct{ name, query string }{
		{"typename", "{ __typename }"},
		{"by key", "{ album(albumId: 7) { albumId title } }"},
		{"list of 20", "{ albums(limit: 20) { albumId title artistId } }"},
		{"list of 1000", "{ tracks(limit: 1000) { trackId name milliseconds unitPrice } }"},
		{"three levels", "{ artists(limit: 10) { name albums(limit: 3) { title tracks(limit: 3) { name genre { name } } } } }"},
		{"two fields in a snapshot", "{ album(albumId: 7) { title } artist(artistId: 7) { name } }"},
		{"filter by relation", `{ albums(where: {artist: {name: {startswith: "A"}}}, limit: 20) { title } }`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got := s.Execute(b.Context(), transport.Request{Query: c.query})
				if len(got.Errors) > 0 {
					b.Fatal(got.Errors)
				}
				b.SetBytes(int64(len(got.Data)))
			}
		})
	}
}
