package graphql_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

const bookshelf = `
	create table tb_author (pk_author bigint generated always as identity primary key, id uuid not null unique default gen_random_uuid(), name text not null, born date);
	create table tb_book (pk_book bigint generated always as identity primary key, id uuid not null unique default gen_random_uuid(),
		title text not null, year int, price numeric, fk_author bigint not null references tb_author, tags text[] not null default '{}', mood text, published timestamptz, extra jsonb);
	create view v_author as select id, pk_author, jsonb_build_object('id', id, 'name', name, 'born', born, 'books', (
		select coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'title', b.title) order by b.pk_book), '[]') from tb_book b where b.fk_author = a.pk_author)) as data from tb_author a;
	create view v_book as select b.id, b.pk_book, jsonb_build_object('id', b.id, 'title', b.title, 'year', b.year, 'price', b.price, 'tags', b.tags, 'mood', b.mood,
		'meta', jsonb_build_object('published_at', b.published, 'it''s', 'q'), 'extra', b.extra, 'big_number', 9007199254740993, 'author', a.data) as data
		from tb_book b join v_author a on a.pk_author = b.fk_author;
	create table tv_shelf (id int primary key, data jsonb not null);
	create index on tv_shelf ((data ->> 'code')); create index on tv_shelf (((data ->> 'width')::int)); create index on tv_shelf ((data -> 'room' ->> 'name'));
	insert into tv_shelf select i, jsonb_build_object('code', 'C' || i, 'width', i, 'room', jsonb_build_object('name', 'R' || i)) from generate_series(1, 5000) i; analyze tv_shelf;
	insert into tb_author (id, name, born) values ('00000000-0000-4000-8000-000000000001', 'Ann', '1950-05-05'), ('00000000-0000-4000-8000-000000000002', 'Bob "B"', null);
	insert into tb_book (id, title, year, price, fk_author, tags, mood, published, extra) values
		('00000000-0000-4000-8000-000000000011', 'One', 1999, 10.50, 1, '{x,y}', 'CALM', '2020-01-02 03:04:05+00', '{"a": [1]}'),
		('00000000-0000-4000-8000-000000000012', 'Two', 2005, null, 1, '{}', null, null, null),
		('00000000-0000-4000-8000-000000000013', 'Three', null, 7, 2, '{y}', 'WILD', '2021-01-02 03:04:05+00', 'null');
`

const bookshelfTypes = `
"A book of ours."
type Book @view(name: "v_book") {
  id: ID!
  "What it is called."
  title: String!
  year: Int
  price: Decimal
  tags: [String!]!
  mood: Temper
  publishedAt: DateTime @json(path: "meta.published_at")
  quote: String @json(path: "meta.it's")
  extra: JSON
  bigNumber: BigInt
  author: Author!
  oldTitle: String @json(path: "title") @deprecated(reason: "title")
  cost: Decimal @json(path: "price") @role(name: "member")
}
type Author @view(name: "v_author") { id: ID! name: String! born: Date books: [BookOfAuthor!]! }
type BookOfAuthor { id: ID! title: String! }
type Shelf @view(name: "tv_shelf") { id: Int! code: String! width: Int! room: Room }
type Room { name: String }
enum Temper { CALM WILD }
`

// documents gives a service whose schema files have a text.
func documents(t *testing.T, types, script string) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "types.graphql"), []byte(types), 0o600); err != nil {
		t.Fatal(err)
	}
	c := graphql.DefaultConfig()
	c.SchemaFiles = []string{"*.graphql"}
	declared, err := c.ReadSchemaFiles(folder)
	if err != nil {
		t.Fatal(err)
	}
	return openWith(t, c, graphql.Deps{Declared: declared}, sql(t, script))
}

// TestViewsOfJSON asks for what is in JSON, in all ways.
func TestViewsOfJSON(t *testing.T) {
	t.Parallel()
	s, pool := documents(t, bookshelfTypes, bookshelf)
	const one, three = `00000000-0000-4000-8000-000000000011`, `00000000-0000-4000-8000-000000000013`
	for name, c := range map[string]struct{ query, want string }{
		"a row":                     {`{book(id: "` + one + `") {id title year price tags mood publishedAt quote extra bigNumber __typename}}`, `{"book":{"id":"` + one + `","title":"One","year":1999,"price":"10.50","tags":["x","y"],"mood":"CALM","publishedAt":"2020-01-02T03:04:05+00:00","quote":"q","extra":{"a":[1]},"bigNumber":"9007199254740993","__typename":"Book"}}`},
		"nothing":                   {`{book(id: "` + three + `") {year price extra mood}}`, `{"book":{"year":null,"price":"7","extra":null,"mood":"WILD"}}`},
		"within":                    {`{book(id: "` + one + `") {author {name born books {title __typename}} a: author {id}}}`, `{"book":{"author":{"name":"Ann","born":"1950-05-05","books":[{"title":"One","__typename":"BookOfAuthor"},{"title":"Two","__typename":"BookOfAuthor"}]},"a":{"id":"00000000-0000-4000-8000-000000000001"}}}`},
		"a list":                    {`{authors(orderBy: [{name: DESC}]) {name books {title}}}`, `{"authors":[{"name":"Bob \"B\"","books":[{"title":"Three"}]},{"name":"Ann","books":[{"title":"One"},{"title":"Two"}]}]}`},
		"chosen":                    {`{books(where: {year: {gt: 1990}, title: {icontains: "o"}}, orderBy: [{year: DESC}]) {title}}`, `{"books":[{"title":"Two"},{"title":"One"}]}`},
		"chosen by what is within":  {`{books(where: {author: {name: {startswith: "Bob"}}}) {title} a: books(where: {_or: [{author: {born: {isnull: true}}}, {mood: {eq: CALM}}]}, orderBy: [{title: ASC}]) {title}}`, `{"books":[{"title":"Three"}],"a":[{"title":"One"},{"title":"Three"}]}`},
		"chosen by lists":           {`{books(where: {tags: {json_contains: ["y"]}, author: {books: {json_contains: [{title: "Two"}]}}}) {title}}`, `{"books":[{"title":"One"}]}`},
		"ordered by what is within": {`{books(orderBy: [{author: {name: DESC}}, {year: ASC_NULLS_FIRST}]) {title}}`, `{"books":[{"title":"Three"},{"title":"One"},{"title":"Two"}]}`},
		"by cursors":                {`{booksConnection(first: 2, orderBy: [{publishedAt: DESC}]) {totalCount nodes {title author {name}} pageInfo {hasNextPage}}}`, `{"booksConnection":{"totalCount":3,"nodes":[{"title":"Two","author":{"name":"Ann"}},{"title":"Three","author":{"name":"Bob \"B\""}}],"pageInfo":{"hasNextPage":true}}}`},
		"aggregates":                {`{booksAggregate(where: {price: {gt: "1"}}) {count sum {price year} max {title}} booksGroupBy(by: [mood], orderBy: [{key: {mood: ASC}}]) {key {mood} count}}`, `{"booksAggregate":{"count":2,"sum":{"price":"17.50","year":"1999"},"max":{"title":"Three"}},"booksGroupBy":[{"key":{"mood":"CALM"},"count":1},{"key":{"mood":"WILD"},"count":1},{"key":{"mood":null},"count":1}]}`},
		"by a table's key":          {`{shelf(id: 7) {code room {name}} shelves(where: {room: {name: {eq: "R9"}}}) {id}}`, `{"shelf":{"code":"C7","room":{"name":"R7"}},"shelves":[{"id":9}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				got := s.Execute(t.Context(), transport.Request{Query: c.query})
				var data bytes.Buffer
				if err := json.Compact(&data, got.Data); err != nil || data.String() != c.want || len(got.Errors) > 0 {
					t.Fatalf("got %s %v\nwant %s", got.Data, got.Errors, c.want)
				}
			}
		})
	}
	t.Run("shown", func(t *testing.T) {
		q := s.Schema("").AST
		for _, gone := range []string{"tbBook", "publicBook", "PublicBook", "BookRow"} {
			if q.Query.Fields.ForName(gone) != nil || q.Types[gone] != nil {
				t.Errorf("%s is shown", gone)
			}
		}
		book := q.Types["Book"]
		if book.Fields.ForName("cost") != nil || book.Fields.ForName("oldTitle").Directives.ForName("deprecated") == nil || book.Fields.ForName("title").Description != "What it is called." || book.Description != "A book of ours." || book.Fields.ForName("author").Type.String() != "Author!" {
			t.Errorf("Book is shown as %v", book.Fields)
		}
		if q.Mutation != nil && q.Mutation.Fields.ForName("createBook") != nil {
			t.Error("rows that are made of others can be created")
		}
	})
	t.Run("indexes", func(t *testing.T) {
		for _, where := range []string{`{code: {eq: "C7"}}`, `{width: {eq: 7}}`, `{room: {name: {eq: "R7"}}}`} {
			bound, problem := s.Statements(transport.Request{Query: `{shelves(where: ` + where + `) {id code}}`})
			if problem != nil {
				t.Fatal(problem)
			}
			if plan := planOf(t, pool, bound.Calls[0]); !strings.Contains(plan, "Index Cond") {
				t.Errorf("%s runs as\n%s", where, plan)
			}
		}
	})
}
