package graphql_test

import (
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestRowsAreEstimatedByTheTables has a database that was never analyzed, as a new one is: small tables let three
// levels of default pages pass, and large ones do not, once they have been counted.
func TestRowsAreEstimatedByTheTables(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig())
	exec(t, pool, `
		create table shop (id int primary key);
		create table shelf (id int primary key, shop_id int references shop);
		create table item (id int primary key, shelf_id int references shelf); create index on item (shelf_id);
		create table part (id int primary key, kind int) partition by range (id);
		create table part_1 partition of part for values from (0) to (1000000);
		insert into shop select i from generate_series(1, 5) i;
		insert into shelf select i, 1 + i % 5 from generate_series(1, 20) i;
		insert into item select i, 1 + i % 20 from generate_series(1, 100) i`)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := transport.Request{Query: "{ shops { shelves { items { id } } } }"}
	if got := s.Execute(t.Context(), ask); len(got.Errors) > 0 {
		t.Fatalf("small tables: %v", got.Errors)
	}
	exec(t, pool, `insert into shelf select i, 1 + i % 5 from generate_series(21, 1000) i; insert into item select i, 1 + i % 1000 from generate_series(101, 200000) i`)
	if got := s.Execute(t.Context(), ask); len(got.Errors) > 0 {
		t.Fatalf("nobody has counted yet: %v", got.Errors)
	}
	if err := s.Schema("").Catalog.Count(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	if got := s.Execute(t.Context(), ask); code(got) != "QUERY_TOO_COMPLEX" {
		t.Errorf("large tables: it gave %.100s %v", got.Data, got.Errors)
	}
	if rows := s.Schema("").Objects["Part"].Table.Rows(); rows != 0 {
		t.Errorf("an empty partitioned table has %v rows", rows)
	}
}
