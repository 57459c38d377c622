package graphql_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestAnAnswerIsBounded asks for more than the configuration lets an answer have: many rows, and one row
// that PostgreSQL sends in one message. What else was asked for is answered, and so is the next request.
func TestAnAnswerIsBounded(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Connect(t.Context(), pgtest.Database(t, sql(t, `
		create table shop (id int primary key);
		create table item (id int primary key, shop_id int not null references shop, name text not null);
		insert into shop values (1);
		insert into item select i, 1, repeat('x', 100) from generate_series(1, 1000) i;`)), postgres.PoolOptions{Size: 2, MaxMessage: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	config := graphql.DefaultConfig()
	config.Limits.Response = 64 << 10
	s := graphql.New(config, graphql.Deps{Pool: pool, Log: slog.New(slog.DiscardHandler), Schemas: []string{"public"}})
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ query, data, err string }{
		"rows":          {`{ items(limit: 1000) { name } }`, `null`, "items"},
		"one row":       {`{ shop(id: 1) { items(limit: 1000) { name } } }`, `{"shop":null}`, "shop"},
		"among others":  {`{ a: item(id: 1) { id } shop(id: 1) { items(limit: 1000) { name } } b: item(id: 2) { id } }`, `{"a":{"id":1},"shop":null,"b":{"id":2}}`, "shop"},
		"in all":        {`{ a: item(id: 1) { id } b: items(limit: 400) { name } c: items(limit: 400) { name } }`, `null`, "c"},
		"within bounds": {`{ shop(id: 1) { items(limit: 1) { id } } }`, `{"shop":{"items":[{"id":1}]}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.Execute(t.Context(), transport.Request{Query: c.query})
			if string(got.Data) != c.data {
				t.Errorf("it gave %.200s %v", got.Data, got.Errors)
			}
			if c.err == "" {
				return
			}
			if len(got.Errors) != 1 || code(got) != "QUERY_TOO_COMPLEX" || got.Errors[0].Path.String() != c.err {
				t.Errorf("the errors are %v", got.Errors)
			}
		})
	}
}

// within puts a value into itself, as filters and orders by relations may be.
func within(depth int, core any, keys ...string) any {
	for i := range depth {
		core = map[string]any{keys[i%len(keys)]: core}
	}
	return core
}

// TestInputsAreBounded has filters and orders that no limit of the document sees: they come in variables.
func TestInputsAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := chinook(t)
	many := func(n int, item any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = item
		}
		return list
	}
	title := map[string]any{"title": map[string]any{"eq": "x"}}
	for name, c := range map[string]struct {
		where, orderBy any
		allowed        bool
	}{
		"deep not":            {where: within(9000, title, "_not")},
		"deep relations":      {where: within(60, map[string]any{}, "some", "albums", "artist")},
		"many relations":      {where: map[string]any{"_or": many(31, map[string]any{"artist": map[string]any{}})}},
		"every":               {where: map[string]any{"_or": many(31, map[string]any{"tracks": map[string]any{"every": map[string]any{}}})}},
		"many conditions":     {where: map[string]any{"_or": many(1001, title)}},
		"deep order":          {orderBy: within(1000, map[string]any{"name": "ASC"}, "artist")},
		"many orders":         {orderBy: many(1001, map[string]any{"title": "ASC"})},
		"many related orders": {orderBy: many(31, map[string]any{"artist": map[string]any{"name": "ASC"}})},
		"conditions":          {where: map[string]any{"_or": many(400, title)}, allowed: true},
		"relations":           {where: within(30, map[string]any{}, "some", "albums", "artist"), allowed: true},
		"a long list":         {where: map[string]any{"albumId": map[string]any{"in": many(5000, json.Number("1"))}}, allowed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.Execute(t.Context(), transport.Request{
				Query:     "query($w: AlbumWhere, $o: [AlbumOrderBy!]) { albums(where: $w, orderBy: $o) { albumId tracks(limit: 1) { trackId } } }",
				Variables: map[string]any{"w": c.where, "o": c.orderBy},
			})
			switch {
			case c.allowed && len(got.Errors) > 0:
				t.Errorf("refused: %v", got.Errors)
			case !c.allowed && code(got) != "QUERY_TOO_COMPLEX" && !strings.Contains(firstError(got), "has no field"):
				t.Errorf("it gave %.100s %v", got.Data, got.Errors)
			}
			for _, e := range got.Errors {
				if len(e.Message) > 300 {
					t.Errorf("the message has %d bytes", len(e.Message))
				}
			}
		})
	}
}

// TestUndeclaredVariables has many variables that no operation declares: the first ones are named, in their order.
func TestUndeclaredVariables(t *testing.T) {
	t.Parallel()
	s, _ := chinook(t)
	given := map[string]any{}
	for i := range 3000 {
		given[fmt.Sprintf("v%04d", i)] = nil
	}
	got := s.Execute(t.Context(), transport.Request{Query: "{ __typename }", Variables: given})
	if len(got.Errors) != 50 || !strings.Contains(got.Errors[0].Message, "$v0000 ") || !strings.Contains(got.Errors[49].Message, "$v0049 ") {
		t.Errorf("there are %d errors, the first of which is %s", len(got.Errors), firstError(got))
	}
	got = s.Execute(t.Context(), transport.Request{Query: "{ __typename }", Variables: map[string]any{strings.Repeat("z", 9000): nil}})
	if len(got.Errors) != 1 || len(got.Errors[0].Message) > 300 {
		t.Errorf("a long name is told as %.400s", firstError(got))
	}
}

// TestNoAliasesMeansNone has a limit of zero.
func TestNoAliasesMeansNone(t *testing.T) {
	t.Parallel()
	config := graphql.DefaultConfig()
	config.Limits.Aliases = 0
	s, _ := open(t, config, sql(t, "create table a (id int primary key)"))
	if got := s.Execute(t.Context(), transport.Request{Query: "{ other: as { id } }"}); code(got) != "QUERY_TOO_COMPLEX" {
		t.Errorf("it gave %s %v", got.Data, got.Errors)
	}
	if got := s.Execute(t.Context(), transport.Request{Query: "{ __typename }"}); len(got.Errors) > 0 {
		t.Errorf("it gave %v", got.Errors)
	}
}

// TestManyRoots raises the limits until one statement would have more columns and parameters than PostgreSQL takes.
func TestManyRoots(t *testing.T) {
	t.Parallel()
	config := graphql.DefaultConfig()
	config.Limits.Tokens, config.Limits.Aliases, config.Limits.ExpandedFields = 1e6, 1e6, 1e6
	s, _ := open(t, config, sql(t, "create table a (id int primary key)"), sql(t, "insert into a values (1), (2)"))
	var query, want strings.Builder
	for i := range 1700 {
		fmt.Fprintf(&query, " c%d: as(limit: 1, offset: 1) { id }", i)
		fmt.Fprintf(&want, `,"c%d":[{"id":2}]`, i)
	}
	got := s.Execute(t.Context(), transport.Request{Query: "{" + query.String() + "}"})
	if len(got.Errors) > 0 || string(got.Data) != "{"+want.String()[1:]+"}" {
		t.Errorf("it gave %.200s %v", got.Data, got.Errors)
	}
}
