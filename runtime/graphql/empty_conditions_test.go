package graphql_test

import (
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestConditionsOnAggregatesWithoutAny has conditions of which nothing is left: they are one truth for each row.
func TestConditionsOnAggregatesWithoutAny(t *testing.T) {
	t.Parallel()
	s, _ := chinook(t)
	for conditions, want := range map[string]string{
		"{_or: []}": "0", "{_and: []}": "347", "{_not: {_or: []}}": "347", "{_not: {}}": "0", "{_or: [{}]}": "347", "{where: {}, _not: {_and: []}}": "0", "{}": "347",
	} {
		got := s.Execute(t.Context(), transport.Request{Query: "{ albumsAggregate(where: {tracks: {aggregate: " + conditions + "}}) { count } }"})
		if string(got.Data) != `{"albumsAggregate":{"count":`+want+`}}` {
			t.Errorf("%s gave %s %v, want %s", conditions, got.Data, got.Errors, want)
		}
	}
}
