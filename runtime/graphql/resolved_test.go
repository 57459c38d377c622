package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/resolve"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

const shelved = `
	create type shelf as enum ('HIGH', 'LOW');
	create table author (id int primary key, name text not null, email text);
	create table book (id int primary key, title text not null, author_id int references author, price numeric, place shelf);
	create function author_initial(a author) returns text stable language sql as 'select left(a.name, 1)';
	insert into author select n, 'Author ' || n, 'a' || n || '@example.com' from generate_series(1, 40) n;
	insert into book select n, 'A "book" \ ' || n, 1 + n % 40, n from generate_series(1, 400) n;`

// calls remembers what code was asked for.
type calls struct {
	mu   sync.Mutex
	list []resolve.Batch
}

func (c *calls) note(b resolve.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, b)
}

// seen gives the calls since it was asked last: the field, and how many rows.
func (c *calls) seen() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, b := range c.list {
		list = append(list, fmt.Sprintf("%s %d", b.Field, len(b.Rows)))
	}
	c.list = nil
	return strings.Join(list, ", ")
}

// resolvers are fields of every kind.
func resolvers(c *calls) []resolve.Field {
	of := func(r schema.Resolved, f resolve.Func) resolve.Field {
		return resolve.Field{Resolved: r, Values: func(ctx context.Context, b resolve.Batch) ([]resolve.Value, error) {
			c.note(b)
			return f(ctx, b)
		}}
	}
	type author struct {
		ID    int
		Name  string
		Email string
	}
	return []resolve.Field{
		of(schema.Resolved{Of: "Author", Name: "avatar", Arguments: "size: Int! = 64, on: Shelf", Requires: []string{"email"}, Cost: 5},
			resolve.Typed(func(_ context.Context, rows []author, b resolve.Batch) ([]string, error) {
				list := make([]string, len(rows))
				for i, row := range rows {
					list[i] = fmt.Sprintf("https://pictures.example.com/%s?s=%v&on=%v", row.Email, b.Arguments["size"], b.Arguments["on"])
				}
				return list, nil
			})),
		of(schema.Resolved{Of: "Author", Name: "card", Requires: []string{"avatar", "name", "initial"}, Type: "[String!]!"},
			func(_ context.Context, b resolve.Batch) ([]resolve.Value, error) {
				values := make([]resolve.Value, len(b.Rows))
				for i, row := range b.Rows {
					var r struct{ Name, Avatar, Initial string }
					values[i].Err = json.Unmarshal(row, &r)
					values[i].Data = []string{r.Initial, r.Name, r.Avatar}
				}
				return values, nil
			}),
		of(schema.Resolved{Of: "Book", Name: "price"}, // an existing field, made of its own value
			resolve.Typed(func(_ context.Context, rows []struct{ Price string }, _ resolve.Batch) ([]string, error) {
				list := make([]string, len(rows))
				for i, row := range rows {
					list[i] = row.Price + ".99"
				}
				return list, nil
			})),
		of(schema.Resolved{Of: "Book", Name: "shelf", Type: "Shelf"}, // made of the key
			func(_ context.Context, b resolve.Batch) ([]resolve.Value, error) {
				values := make([]resolve.Value, len(b.Rows))
				for i, row := range b.Rows {
					var r struct{ ID int }
					values[i].Err = json.Unmarshal(row, &r)
					switch {
					case r.ID%5 == 0:
						values[i].Err = fault.New(fault.NotFound, "books/none", fmt.Sprintf("book %d is on no shelf", r.ID))
					case r.ID%7 == 0:
						values[i].Data = "MIDDLE" // no label
					case r.ID%2 == 0:
						values[i].Data = "LOW"
					default:
						values[i].Data = "HIGH"
					}
				}
				return values, nil
			}),
		of(schema.Resolved{Of: "Book", Name: "weight", Type: "Int!", Requires: []string{"id"}},
			func(ctx context.Context, b resolve.Batch) ([]resolve.Value, error) {
				switch string(b.Rows[0]) {
				case `{"id":1}`:
					return nil, errors.New("secret of the scales")
				case `{"id":2}`:
					panic("secret of the scales")
				case `{"id":3}`:
					return nil, nil
				case `{"id":5}`: // of another database
					return nil, fmt.Errorf("the scales: %w", &pgconn.PgError{Code: "23505", Message: "secret of the scales", ConstraintName: "secret"})
				case `{"id":6}`:
					return nil, fmt.Errorf("the scales: %w", context.Canceled)
				case `{"id":4}`:
					<-ctx.Done()
					time.Sleep(50 * time.Millisecond) // and goes on for a while
					return nil, nil
				}
				values := make([]resolve.Value, len(b.Rows))
				for i := range values {
					values[i].Data = 7
				}
				return values, nil
			}),
	}
}

func openShelved(t *testing.T) (*graphql.Service, *calls, *bytes.Buffer) {
	t.Helper()
	var c calls
	var log bytes.Buffer
	var lock sync.Mutex
	config := graphql.DefaultConfig()
	config.MaxLimit = 2000
	s, _ := openWith(t, config, graphql.Deps{
		Resolvers: resolvers(&c), Timeout: 3 * time.Second, Log: slog.New(slog.NewTextHandler(locked{&lock, &log}, nil)),
	}, sql(t, shelved))
	return s, &c, &log
}

// TestFieldsThatCodeResolves asks for them everywhere: the code is called once for all rows, each of them once.
func TestFieldsThatCodeResolves(t *testing.T) {
	t.Parallel()
	s, c, _ := openShelved(t)
	if o := s.Schema("").Objects["Author"]; o.Weight("avatar") != 5 || o.Weight("card") != 1 {
		t.Errorf("they cost %v and %v", o.Weight("avatar"), o.Weight("card"))
	}
	for _, test := range []struct{ query, want, calls string }{
		{`{ author(id: 3) { avatar } }`, `{"author":{"avatar":"https://pictures.example.com/a3@example.com?s=64&on=<nil>"}}`, "Author.avatar 1"},
		{`{ author(id: 99) { avatar } }`, `{"author":null}`, ""},
		{
			`{ book(id: 3) { title author { name small: avatar(size: 8, on: LOW) } } }`,
			`{"book":{"title":"A \"book\" \\ 3","author":{"name":"Author 4","small":"https://pictures.example.com/a4@example.com?s=8&on=LOW"}}}`, "Author.avatar 1",
		},
		{`{ author(id: 3) { card } }`, `{"author":{"card":["A","Author 3","https://pictures.example.com/a3@example.com?s=64&on=<nil>"]}}`, "Author.avatar 1, Author.card 1"},
		{`{ books(limit: 2) { id price } }`, `{"books":[{"id":1,"price":"1.99"},{"id":2,"price":"2.99"}]}`, "Book.price 2"},
		{`{ books(where: {price: {eq: "3"}}, orderBy: [{price: DESC}]) { price } }`, `{"books":[{"price":"3.99"}]}`, "Book.price 1"},
		{
			`{ booksConnection(first: 1) { edges { node { price author { avatar } } } nodes { price } } }`,
			`{"booksConnection":{"edges":[{"node":{"price":"1.99","author":{"avatar":"https://pictures.example.com/a2@example.com?s=64&on=<nil>"}}}],"nodes":[{"price":"1.99"}]}}`,
			"Author.avatar 1, Book.price 1",
		},
		{
			`{ a: author(id: 1) { books(limit: 2) { price } } b: author(id: 2) { books(limit: 1) { price } } }`,
			`{"a":{"books":[{"price":"40.99"},{"price":"80.99"}]},"b":{"books":[{"price":"1.99"}]}}`, "Book.price 3",
		},
		{
			`mutation { createBook(input: {id: 1001, title: "New", authorId: 5, price: "3"}) { price author { avatar } } }`,
			`{"createBook":{"price":"3.99","author":{"avatar":"https://pictures.example.com/a5@example.com?s=64&on=<nil>"}}}`, "Author.avatar 1, Book.price 1",
		},
	} {
		got := s.Execute(t.Context(), transport.Request{Query: test.query})
		if compact(t, got.Data) != test.want || len(got.Errors) > 0 {
			t.Errorf("%s:\n%s %v, want\n%s", test.query, got.Data, got.Errors, test.want)
		}
		if seen := sorted(c.seen()); seen != test.calls {
			t.Errorf("%s: called %s, want %s", test.query, seen, test.calls)
		}
	}
}

func sorted(list string) string {
	items := strings.Split(list, ", ")
	for i := range items {
		for j := i + 1; j < len(items); j++ {
			if items[j] < items[i] {
				items[i], items[j] = items[j], items[i]
			}
		}
	}
	return strings.Join(items, ", ")
}

// TestCodeIsCalledOnceForManyRows has 401 books of 40 authors, and arguments from variables.
func TestCodeIsCalledOnceForManyRows(t *testing.T) {
	t.Parallel()
	s, c, _ := openShelved(t)
	r := transport.Request{
		Query:     `query($s: Int!) { books(limit: 400) { id author { avatar(size: $s) again: avatar(size: $s) } } authors(limit: 40) { avatar(size: $s) other: avatar(size: 9) } }`,
		Variables: map[string]any{"s": json.Number("5")},
	}
	for range 2 { // the second by the plan that is kept
		got := s.Execute(t.Context(), r)
		if len(got.Errors) > 0 || strings.Count(string(got.Data), "?s=5&") != 840 || strings.Count(string(got.Data), "?s=9&") != 40 {
			t.Fatalf("%v %d", got.Errors, strings.Count(string(got.Data), "?s=5&"))
		}
		if seen := c.seen(); seen != "Author.avatar 40, Author.avatar 40" {
			t.Errorf("called %s", seen)
		}
	}
	if got := s.Execute(t.Context(), transport.Request{Query: `{ books(limit: 400) { price } more: books(limit: 400, where: {title: {contains: "b"}}) { price p2: price } }`}); len(got.Errors) > 0 {
		t.Fatal(got.Errors)
	}
	if seen := c.seen(); seen != "Book.price 400" {
		t.Errorf("called %s", seen)
	}
}

// TestCodeThatFails has errors of rows, of calls, values of other types and panics: each field is null alone, or what it
// is in where it must not be; what is not for clients is masked, with one id in the log for one cause.
func TestCodeThatFails(t *testing.T) {
	t.Parallel()
	s, c, log := openShelved(t)
	got := s.Execute(t.Context(), transport.Request{Query: `{ books(limit: 7, orderBy: [{id: ASC}]) { id shelf } }`})
	want := `{"books":[{"id":1,"shelf":"HIGH"},{"id":2,"shelf":"LOW"},{"id":3,"shelf":"HIGH"},{"id":4,"shelf":"LOW"},{"id":5,"shelf":null},{"id":6,"shelf":"LOW"},{"id":7,"shelf":null}]}`
	if string(got.Data) != want || len(got.Errors) != 2 {
		t.Fatalf("%s %v", got.Data, got.Errors)
	}
	if e := got.Errors[0]; e.Message != "book 5 is on no shelf" || e.Path.String() != "books[4].shelf" || e.Extensions["code"] != "NOT_FOUND" || e.Locations[0].Column != 46 {
		t.Errorf("%v %v %v", e, e.Extensions, e.Locations)
	}
	if e := got.Errors[1]; e.Path.String() != "books[6].shelf" || e.Extensions["code"] != "INTERNAL_SERVER_ERROR" || strings.Contains(e.Message, "MIDDLE") {
		t.Errorf("%v %v", e, e.Extensions)
	}
	c.seen()
	log.Reset()
	for _, test := range []struct{ query, data, path, code string }{
		{`{ book(id: 1) { id weight } author(id: 1) { id } }`, `{"book":null,"author":{"id":1}}`, "book.weight", "INTERNAL_SERVER_ERROR"},
		{`{ book(id: 2) { id weight } }`, `{"book":null}`, "book.weight", "INTERNAL_SERVER_ERROR"},
		{`{ book(id: 3) { id weight } }`, `{"book":null}`, "book.weight", "INTERNAL_SERVER_ERROR"},
		{`{ book(id: 4) { id weight } }`, `{"book":null}`, "book.weight", "TIMEOUT"},
		{`{ book(id: 5) { id weight } }`, `{"book":null}`, "book.weight", "INTERNAL_SERVER_ERROR"},
		{`{ book(id: 6) { id weight } }`, `{"book":null}`, "book.weight", "INTERNAL_SERVER_ERROR"},
		{`{ author(id: 2) { id books(limit: 2, orderBy: [{id: ASC}]) { weight } } }`, `{"author":null}`, "author.books[0].weight", "INTERNAL_SERVER_ERROR"},
		{`{ books(limit: 2, orderBy: [{id: ASC}]) { weight } }`, `null`, "books[0].weight", "INTERNAL_SERVER_ERROR"},
		{`{ book(id: 8) { weight } }`, `{"book":{"weight":7}}`, "", ""},
	} {
		got := s.Execute(t.Context(), transport.Request{Query: test.query})
		if string(got.Data) != test.data {
			t.Errorf("%s: %s", test.query, got.Data)
		}
		if test.code == "" {
			continue
		}
		e := got.Errors[0]
		if e.Path.String() != test.path || e.Extensions["code"] != test.code || strings.Contains(e.Message, "secret") {
			t.Errorf("%s: %v %v", test.query, e, e.Extensions)
		}
		if id, masked := e.Extensions["errorId"].(string); masked && strings.Count(log.String(), id) != 1 {
			t.Errorf("%s: its id is in the log %d times", test.query, strings.Count(log.String(), id))
		}
	}
	got = s.Execute(t.Context(), transport.Request{Query: `{ books(limit: 400) { shelf } }`})
	if last := got.Errors[len(got.Errors)-1]; len(got.Errors) != 101 || last.Message != "26 more fields have no value" {
		t.Errorf("%d errors, the last one %s", len(got.Errors), last.Message)
	}
	if n := strings.Count(log.String(), "secret of the scales"); n < 3 {
		t.Errorf("the log tells of %d causes", n)
	}
}

// TestResolversThatCannotBe has wrong ones: none is served, and each is named with what is wrong.
func TestResolversThatCannotBe(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Connect(t.Context(), pgtest.Database(t, sql(t, shelved+"create view nothing as select 1 as one;")), postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	none := func(context.Context, resolve.Batch) ([]resolve.Value, error) { return nil, nil }
	for want, list := range map[string][]schema.Resolved{
		"no plain value":           {{Of: "Author", Name: "books"}},
		"whose type it keeps":      {{Of: "Author", Name: "name", Type: "Int"}},
		"is no plain value withou": {{Of: "Author", Name: "x", Requires: []string{"books"}}},
		"is made of itself":        {{Of: "Author", Name: "x", Requires: []string{"y"}}, {Of: "Author", Name: "y", Requires: []string{"x"}}},
		"another one that is reso": {{Of: "Author", Name: "x"}, {Of: "Author", Name: "x"}},
		"name fields in Requires":  {{Of: "Nothing", Name: "x"}},
		"`Author` is none":         {{Of: "Author", Name: "x", Type: "Author"}},
		"`Nowhere` is none":        {{Of: "Author", Name: "x", Type: "[Nowhere]"}},
		"input type `Author`":      {{Of: "Author", Name: "x", Arguments: "a: Author"}},
		"no field of the schema l": {{Of: "Author", Name: "x", Type: "Int } type Query { y: Int"}},
	} {
		var fields []resolve.Field
		for _, r := range list {
			fields = append(fields, resolve.Field{Resolved: r, Values: none})
		}
		s := graphql.New(graphql.DefaultConfig(), graphql.Deps{Pool: pool, Log: slog.New(slog.DiscardHandler), Schemas: []string{"public"}, Resolvers: fields})
		err := s.Load(t.Context())
		s.Close()
		if fault.CodeOf(err) != "schema/bad-resolver" || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestResolversAndRoles has a field that is made of what not everybody sees.
func TestResolversAndRoles(t *testing.T) {
	t.Parallel()
	var c calls
	s, _ := roledWith(t, graphql.DefaultConfig(), graphql.Deps{Resolvers: resolvers(&c)}, shelved+`
		grant select (id, name) on author to member_DB; grant select on book to member_DB; grant execute on function author_initial to member_DB;`)
	if f := s.Schema("member").Objects["Author"].Fields; f["avatar"] != nil || f["card"] != nil {
		t.Error("what is made of a hidden column is shown")
	}
	if s.Schema("member").Objects["Book"].Fields["shelf"] == nil {
		t.Error("what is made of the key is not shown")
	}
	got := s.Execute(t.Context(), transport.Request{Query: `{ book(id: 2) { shelf price } }`, Principal: as("member", "ann")})
	if string(got.Data) != `{"book":{"shelf":"LOW","price":"2.99"}}` {
		t.Errorf("%s %v", got.Data, got.Errors)
	}
	for _, b := range c.list {
		if !strings.HasPrefix(b.Role, "member_") || !strings.Contains(string(b.Claims), `"ann"`) {
			t.Errorf("the code is told that %s asks, with %s", b.Role, b.Claims)
		}
	}
}
