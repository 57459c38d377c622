package graphql

import (
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// library is a schema made by hand: no database is asked in these benchmarks.
func library(b testing.TB) *schema.Schema {
	b.Helper()
	number := &catalog.Type{OID: 23, Schema: "pg_catalog", Name: "int4", SQL: "integer", Kind: catalog.Base}
	text := &catalog.Type{OID: 25, Schema: "pg_catalog", Name: "text", SQL: "text", Kind: catalog.Base}
	column := func(name string, t *catalog.Type) *catalog.Column {
		return &catalog.Column{Name: name, Type: t, NotNull: true}
	}
	table := func(name string, columns ...*catalog.Column) *catalog.Table {
		t := &catalog.Table{Schema: "public", Name: name, Kind: catalog.Ordinary, Columns: columns}
		t.SetRows(10000)
		t.Keys = []*catalog.Key{{Primary: true, Columns: columns[:1]}}
		return t
	}
	author := table("author", column("id", number), column("name", text), column("country", text))
	book := table("book", column("id", number), column("title", text), column("author_id", number), column("pages", number))
	book.ForeignKeys = []*catalog.ForeignKey{{Columns: book.Columns[2:3], Target: author, References: author.Columns[:1], Validated: true}}
	s, err := schema.Build(&catalog.Catalog{Schemas: []string{"public"}, Tables: []*catalog.Table{author, book}}, schema.Options{DefaultLimit: 100, MaxLimit: 1000})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// idlePool is a pool that nobody asks for a connection.
func idlePool(b testing.TB) *pgxpool.Pool {
	b.Helper()
	pool, err := pgxpool.New(b.Context(), "postgres://nobody@127.0.0.1:1/none")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

// BenchmarkFrontEnd is what a request costs before the database when its operation has been seen: finding the
// document, coercing variables, finding the plan for their shape, and binding them.
func BenchmarkFrontEnd(b *testing.B) {
	p := &picture{schema: library(b), documents: newKept(1)}
	s := New(DefaultConfig(), Deps{Dev: true, Pool: idlePool(b)})
	b.Cleanup(s.Close)
	s.pictures.Store(&pictures{byName: map[string]*picture{"": p}})
	for _, c := range []struct {
		name, query string
		variables   map[string]any
	}{
		{"by key", "query($id: Int!) { author(id: $id) { id name country } }", map[string]any{"id": json.Number("7")}},
		{"list", "query($after: Int!, $limit: Int) { books(where: {id: {gt: $after}}, orderBy: [{title: ASC}], limit: $limit) { id title pages } }", map[string]any{"after": json.Number("7"), "limit": json.Number("20")}},
		{"filter by variable", "query($w: BookWhere) { books(where: $w) { id title author { name } } }", map[string]any{"w": map[string]any{
			"_or":    []any{map[string]any{"title": map[string]any{"contains": "go"}}, map[string]any{"pages": map[string]any{"gte": json.Number("100")}}},
			"author": map[string]any{"country": map[string]any{"in": []any{"DE", "FR", "IT"}}},
		}}},
		{"nested", "query($n: Int!) { authors(limit: 10, offset: $n, orderBy: [{id: ASC}]) { id name books(limit: 5, orderBy: [{title: DESC}]) { id title author { name } } } }", map[string]any{"n": json.Number("40")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := transport.Request{Query: c.query, Variables: c.variables}
			b.ReportAllocs()
			for b.Loop() {
				d, op, list := s.operation(admitted{picture: p}, r)
				if list != nil {
					b.Fatal(list)
				}
				if bound, list := s.prepare(p, d, op, r); list != nil || len(bound.Calls[0].Args) == 0 {
					b.Fatal(list)
				}
			}
		})
	}
	b.Run("first time", func(b *testing.B) {
		query := "query($n: Int!) { authors(limit: 10, offset: $n, orderBy: [{id: ASC}]) { id name books(limit: 5, orderBy: [{title: DESC}]) { id title author { name } } } }"
		r := transport.Request{Query: query, Variables: map[string]any{"n": json.Number("40")}}
		b.ReportAllocs()
		for b.Loop() {
			p.documents = newKept(1)
			d, op, list := s.operation(admitted{picture: p}, r)
			if list != nil {
				b.Fatal(list)
			}
			if _, list := s.prepare(p, d, op, r); list != nil {
				b.Fatal(list)
			}
		}
	})
}

// TestRegularExpressionsAreOff unless they are asked for.
func TestRegularExpressionsAreOff(t *testing.T) {
	t.Parallel()
	s := library(t) // with no option but the sizes of pages
	for _, name := range []string{"regex", "iregex"} {
		if s.AST.Types["StringFilter"].Fields.ForName(name) != nil {
			t.Errorf("a filter has %s", name)
		}
	}
	if s.AST.Types["StringFilter"].Fields.ForName("like") == nil {
		t.Error("a filter has no patterns at all")
	}
}
