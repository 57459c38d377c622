package graphql_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
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

	create type error_class as enum ('validation', 'conflict', 'not_found');
	create type mutation_response as (succeeded boolean, state_changed boolean, error_class error_class, status_detail text, http_status int, message text, entity_id uuid, entity_type text,
		entity jsonb, updated_fields text[], cascade jsonb, error_detail jsonb, metadata jsonb);
	create function fn_create_book(p_title text, p_year int, p_author uuid) returns mutation_response language plpgsql as $$
		declare r mutation_response; made uuid;
		begin
			insert into tb_book (title, year, fk_author) select p_title, p_year, pk_author from tb_author where id = p_author returning id into made;
			if made is null then
				r.succeeded = false; r.error_class = 'not_found'; r.message = 'no such author'; return r;
			end if;
			r.succeeded = true; r.state_changed = true; r.entity_id = made; r.entity_type = 'Book'; r.updated_fields = '{title,year}';
			r.entity = (select data from v_book where id = made); r.cascade = jsonb_build_object('updated', jsonb_build_array(p_author));
			return r;
		end $$;
	create function fn_rename_book(p_id uuid, p_title text) returns table (id uuid, updated_fields text[], status text, message text, object_data jsonb, extra_metadata jsonb) language plpgsql as $$
		#variable_conflict use_column
		begin
			if $2 = '' then return query select $1, null::text[], 'failed:validation', 'a title has letters', null::jsonb, '{"field": "title"}'::jsonb; return; end if;
			update tb_book b set title = $2 where b.id = $1 and b.title <> $2;
			return query select $1, '{title}'::text[], case when found then 'updated' else 'noop:same' end, null::text, (select data from v_book v where v.id = $1), null::jsonb;
		end $$;
	create function fn_touch_book(id uuid, out status text, out message text, out entity jsonb) language sql as $$ select 'conflict:busy', 'later', null::jsonb $$;
	create function fn_odd_book(out status text, out entity jsonb) language sql as $$ select 'who:knows', null::jsonb $$;
	create function fn_fail_book(p_status text, p_class text, out succeeded boolean, out status text, out error_code text, out entity jsonb) language sql as $$ select false, p_status, p_class, null::jsonb $$;
	create function fn_delete_comic_book(out status text, out entity jsonb, out error_code text) language sql as $$ select 'SUCCESS', '{"pages": 3}'::jsonb, 'W01' $$;
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
  oldTitle: String @cost(weight: 7) @json(path: "title") @deprecated(reason: "title")
  cost: Decimal @json(path: "price") @role(name: "member")
}
type Author @view(name: "v_author") { id: ID! name: String! born: Date books: [BookOfAuthor!]! }
type BookOfAuthor { id: ID! title: String! }
type Shelf @view(name: "tv_shelf") { id: Int! code: String! width: Int! room: Room }
type Room { name: String }
enum Temper { CALM WILD }
`

// jsonViews gives a service whose schema files have a text.
func jsonViews(t *testing.T, types, script string) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	return jsonViewsWith(t, graphql.DefaultConfig(), types, script)
}

// jsonViewsWith is jsonViews with a configuration of its own.
func jsonViewsWith(t *testing.T, c graphql.Config, types, script string) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "types.graphql"), []byte(types), 0o600); err != nil {
		t.Fatal(err)
	}
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
	s, pool := jsonViews(t, bookshelfTypes, bookshelf)
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
	const payload = `{succeeded changed status errorClass message entityId entity {title year author {name}} updatedFields cascade errorDetail metadata __typename}`
	for _, c := range []struct{ query, want string }{
		{`mutation {createBook(title: "Four", year: 2024, author: "00000000-0000-4000-8000-000000000009") ` + payload + `}`, `{"createBook":{"succeeded":false,"changed":false,"status":null,"errorClass":"NOT_FOUND","message":"no such author","entityId":null,"entity":null,"updatedFields":null,"cascade":null,"errorDetail":null,"metadata":null,"__typename":"CreateBookPayload"}}`},
		{`mutation {createBook(title: "Four", year: 2024, author: "00000000-0000-4000-8000-000000000001") {succeeded changed errorClass entity {title year author {name}} updatedFields cascade}}`, `{"createBook":{"succeeded":true,"changed":true,"errorClass":null,"entity":{"title":"Four","year":2024,"author":{"name":"Ann"}},"updatedFields":["title","year"],"cascade":{"updated":["00000000-0000-4000-8000-000000000001"]}}}`},
		{`mutation {renameBook(id: "` + one + `", title: "") ` + payload + `}`, `{"renameBook":[{"succeeded":false,"changed":false,"status":"failed:validation","errorClass":"VALIDATION","message":"a title has letters","entityId":"` + one + `","entity":null,"updatedFields":null,"cascade":null,"errorDetail":null,"metadata":{"field":"title"},"__typename":"RenameBookPayload"}]}`},
		{`mutation {renameBook(id: "` + one + `", title: "Uno") ` + payload + `}`, `{"renameBook":[{"succeeded":true,"changed":true,"status":"updated","errorClass":null,"message":null,"entityId":"` + one + `","entity":{"title":"Uno","year":1999,"author":{"name":"Ann"}},"updatedFields":["title"],"cascade":null,"errorDetail":null,"metadata":null,"__typename":"RenameBookPayload"}]}`},
		{`mutation {renameBook(id: "` + one + `", title: "Uno") {succeeded changed status errorClass}}`, `{"renameBook":[{"succeeded":true,"changed":false,"status":"noop:same","errorClass":null}]}`},
		{
			`mutation {a: failBook(status: "FAILED: Not_Found") {errorClass} b: failBook(status: "not_found:x") {errorClass} c: failBook(status: "x", class: "conflict") {errorClass} d: failBook {errorClass} deleteComicBook {succeeded errorClass entity}}`,
			`{"a":{"errorClass":"NOT_FOUND"},"b":{"errorClass":"NOT_FOUND"},"c":{"errorClass":"CONFLICT"},"d":{"errorClass":"INTERNAL"},"deleteComicBook":{"succeeded":true,"errorClass":null,"entity":{"pages":3}}}`,
		},
		{`mutation {touchBook(id: "` + one + `") {succeeded errorClass message} oddBook {succeeded changed errorClass}}`, `{"touchBook":{"succeeded":false,"errorClass":"CONFLICT","message":"later"},"oddBook":{"succeeded":false,"changed":false,"errorClass":"INTERNAL"}}`},
	} {
		writer, _ := jsonViews(t, bookshelfTypes, bookshelf)
		if strings.HasSuffix(c.query, `{succeeded changed status errorClass}}`) {
			writer.Execute(t.Context(), transport.Request{Query: `mutation {renameBook(id: "` + one + `", title: "Uno") {changed}}`})
		}
		got := writer.Execute(t.Context(), transport.Request{Query: c.query})
		var data bytes.Buffer
		if err := json.Compact(&data, got.Data); err != nil || data.String() != c.want || len(got.Errors) > 0 {
			t.Errorf("%s\ngot %s %v\nwant %s", c.query, got.Data, got.Errors, c.want)
		}
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
		if q.Mutation.Fields.ForName("createBooks") != nil || q.Mutation.Fields.ForName("updateShelf") != nil {
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

// TestMistakesInSchemaFiles has what cannot be: each is told with its place.
func TestMistakesInSchemaFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`type Book @view(name: "v_book") { title }`:                             `types.graphql:1:41: Expected :, found }`,
		`type Book @veiw(name: "v_book") { title: String }`:                     "types.graphql:1:12: there is no directive @veiw here -> did you mean \"@view\"?",
		`type Book @view { title: String }`:                                     "types.graphql:1:12: @view takes a text as `name` -> @view(name: \"…\")",
		`type Book @key(fields: ["id"]) { title: String }`:                      "types.graphql:1:6: @key names columns of a view, and Book has none -> add @view(name: \"…\"), or leave @key out",
		`type Book { title: Strnig }`:                                           "types.graphql:1:13: no type has the name Strnig -> did you mean \"String\"?",
		`type Book { title: [[String]] }`:                                       "types.graphql:1:13: Book.title is a list of lists -> JSON is the type of what is deeper than a list",
		`type Book { title(short: Boolean): String }`:                           "types.graphql:1:13: Book.title is a value in JSON, which takes no arguments -> leave them out",
		`type Book { title: String @json(path: "a..b") }`:                       "types.graphql:1:28: a path is names of members with dots between them -> @json(path: \"meta.published_at\")",
		`type Book { title: String @cost(weight: "a") }`:                        "types.graphql:1:28: @cost takes a number from 1 to 65535 as `weight` -> @cost(weight: 10)",
		`type Book { a: Int a: String }`:                                        "types.graphql:1:20: Book has two fields a -> leave one of them out",
		`enum E { A A }`:                                                        "types.graphql:1:12: the label A is none, or is there twice -> leave it out",
		`enum OrderDirection { A }`:                                             "types.graphql:1:6: the name OrderDirection is one of the API itself -> choose another one",
		`type BookDataWhere { a: Int } type Book { a: Int }`:                    "types.graphql:1:6: the name BookDataWhere is that of a type made for Book -> choose another one",
		`type A @view(name: "v") { a: Int } type B @view(name: "v") { a: Int }`: "types.graphql:1:41: the view v is that of A already -> let each type have a view of its own",
		`type Book { a: Int @role(name: []) }`:                                  "types.graphql:1:21: @role takes texts as `name`, and there are none -> @role(name: [\"…\"])",
		`extend type Book { a: Int }`:                                           "types.graphql:1:13: a type is declared once, and not extended -> put its fields into the type",
		`type Book @view(name: "v", of: "w") { a: Int }`:                        "types.graphql:1:12: @view has no argument of -> it has: name, data",
		`type Mutation { a: Nope @function(name: "f") }`:                        "types.graphql:1:17: no type has the name Nope -> declare it, or use a scalar",
		`type Book { title: String } type Book { title: String }`:               "types.graphql:1:34: Book is declared twice: it is in types.graphql, line 1 as well -> leave one of them out",
		`type Query { books: String }`:                                          "types.graphql:1:14: a field of Query is for a function: what reads types with a view is made by itself -> add @function(name: \"…\"), or leave it out",
		`type Subscription { books: String }`:                                   "types.graphql:1:6: the name Subscription is one of the API itself -> choose another one",
		`input Book { title: String }`:                                          "types.graphql:1:7: a schema file has types and enums, and no input_object -> leave it out: inputs and interfaces are made of the types",
		`type JSON { title: String }`:                                           "types.graphql:1:6: the name JSON is one of the API itself -> choose another one",
		`type Book { title: String @deprecated @deprecated }`:                   "types.graphql:1:40: @deprecated is said twice -> leave one of them out",
		"type A { b: C }\ntype B { c: D }":                                      "types.graphql:1:10: no type has the name C (and 1 more: `fraiseql validate` tells them all)",
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "types.graphql"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := graphql.DefaultConfig()
		c.SchemaFiles = []string{"types.graphql"}
		_, err := c.ReadSchemaFiles(folder)
		refusal, known := fault.As(err)
		if !known || !strings.HasPrefix(refusal.Message+" -> "+refusal.Hint, want) {
			t.Errorf("%s\ngives %v", text, err)
		}
	}
	c := graphql.DefaultConfig()
	c.SchemaFiles = []string{"none.graphql"}
	if _, err := c.ReadSchemaFiles(t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is no file `none.graphql`") {
		t.Errorf("of a file that is not there it says %v", err)
	}
	c.SchemaFiles = []string{"[a"}
	if _, err := c.ReadSchemaFiles(t.TempDir()); err == nil || !strings.Contains(err.Error(), "`[a` is no pattern of files") {
		t.Errorf("of a pattern that is none it says %v", err)
	}
	c.SchemaFiles = []string{"library.graphql", "*.graphql"}
	if _, err := c.ReadSchemaFiles("../../examples/library"); err != nil {
		t.Errorf("of a file that is meant twice it says %v", err)
	}
}

// TestWhatViewsHave compares declarations with what is in the views.
func TestWhatViewsHave(t *testing.T) {
	t.Parallel()
	for types, want := range map[string][]string{
		bookshelfTypes: nil,
		`type Book @view(name: "v_book") { title: Int }`:                       {"public.v_book has at `title` what is no Int: \"One\""},
		`type Book @view(name: "v_book") { price: Int year: Int! }`:            {"public.v_book has at `price` what is no Int: 10.50", "public.v_book has nothing at `year` in 1 of 3 values, and the field is never null"},
		`type Book @view(name: "v_book") { titel: String }`:                    {"no value of public.v_book has a member `titel` (3 were looked at)"},
		`type Book @view(name: "v_bok") { title: String }`:                     {"the database has no view `v_bok` that may be read"},
		`type Book @view(name: "v_book") @key(fields: "no") { title: String }`: {"public.v_book has no column `no` that may be read"},
		`type Book @view(name: "v_book") { author: A tags: String mood: M } type A { name: Boolean books: [B] } type B { title: UUID } enum M { CALM }`: {
			"public.v_book has at `tags` what is no String: [\"x\", \"y\"]", "public.v_book has at `mood` what is no M: \"WILD\"", "public.v_book.author has at `name` what is no Boolean: \"Ann\"",
			"public.v_book.author.books has at `title` what is no UUID: \"One\"",
		},
		`type Author @view(name: "v_author") { born: DateTime books: B } type B { title: String }`: {"public.v_author has at `born` what is no DateTime: \"1950-05-05\"", `public.v_author has at ` + "`books`" + ` what is no B: [{"id": "00000000-0000-4000-8000-000000000011", "title": "O…`},
	} {
		s, _ := jsonViews(t, types, bookshelf)
		seen, err := s.Look(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		mistakes, err := s.LookAtViews(t.Context(), map[string]*catalog.Catalog{"": seen})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range mistakes {
			got = append(got, m.Message)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", types, diff)
		}
	}
}

// TestFunctionsInSchemaFiles names functions, and says who sees them and what their payloads are about.
func TestFunctionsInSchemaFiles(t *testing.T) {
	t.Parallel()
	s, _ := jsonViews(t, bookshelfTypes+`
		type Mutation {
			"Puts a book on the shelf."
			addVolume(title: String!, when: Int, author: UUID): Book @function(name: "fn_create_book") @deprecated(reason: "none")
			touch(id: UUID): Author @function(name: "public.fn_touch_book")
			odd: Book @function(name: "fn_odd_book") @role(name: ["member", "guest"])
			count: Int @function(name: "book_count")
			label: String @function(name: "tv_room_label")
		}`, bookshelf+`create table tv_room (id int primary key); create function tv_room_label(r tv_room) returns text language sql stable return 'x'; create function book_count() returns int language sql stable as 'select count(*)::int from tb_book';`)
	m := s.Schema("").AST.Mutation.Fields
	added := m.ForName("addVolume")
	if added == nil || added.Description != "Puts a book on the shelf." || added.Directives.ForName("deprecated") == nil || m.ForName("createBook") != nil || m.ForName("odd") != nil || m.ForName("oddBook") != nil {
		t.Errorf("Mutation has %v", m)
	}
	var got []string
	for _, w := range s.Schema("").Warnings {
		got = append(got, warning(w))
	}
	want := []string{
		`schema/no-function public.book_count(): a schema file has count in Mutation, and the function is not volatile, so it is left out -> move the field, or declare what the function is: alter function "public"."book_count"() volatile | stable`,
		"schema/function-differs public.fn_create_book(p_title text, p_year integer, p_author uuid): a schema file has an argument `when: Int`, and the function takes (title: String, year: Int, author: UUID) -> correct the file: the arguments are those of the function",
		"schema/no-function public.tv_room_label(r tv_room): a schema file has label in Query or Mutation, and the function is of a row of public.tv_room, so it is left out -> take the field out of the file: the function is a field of the row's type by itself",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
	answer := s.Execute(t.Context(), transport.Request{Query: `mutation {touch(id: "00000000-0000-4000-8000-000000000001") {errorClass entity {name}} addVolume(title: "T", author: "00000000-0000-4000-8000-000000000001") {entity {title}}}`})
	if string(answer.Data) != `{"touch":{"errorClass":"CONFLICT","entity":null},"addVolume":{"entity":{"title":"T"}}}` {
		t.Errorf("got %s %v", answer.Data, answer.Errors)
	}
}

// TestTypesForOthers has types and fields that a role does not see: their views are not shown in another way, nor what
// is of them within others or in a payload.
func TestTypesForOthers(t *testing.T) {
	t.Parallel()
	s, _ := jsonViews(t, `
		type Book @view(name: "v_book") { id: ID! title: String author: Person buyers: [Person] }
		type Person @role(name: "member") { name: String }
		type Author @view(name: "v_author") @role(name: "member") { id: ID! name: String }
		type Shelf @view(name: "tv_shelf") { id: Int! code: String @role(name: "member") room: Room }
		type Room { name: String @role(name: "member") }
		type Mutation { actAuthor: Author @function(name: "fn_odd_book") }`, bookshelf)
	schema := s.Schema("").AST
	for _, name := range []string{"Person", "Author", "Room", "VAuthor", "TvShelf"} {
		if schema.Types[name] != nil {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{"author", "authors", "vAuthors", "tvShelf"} {
		if schema.Query.Fields.ForName(name) != nil {
			t.Errorf("Query.%s is shown", name)
		}
	}
	book := schema.Types["Book"].Fields
	if book.ForName("title") == nil || book.ForName("author") != nil || book.ForName("buyers") != nil || schema.Types["Shelf"].Fields.ForName("id") == nil || schema.Types["Shelf"].Fields.ForName("code") != nil {
		t.Errorf("Book has %v", book)
	}
	payload := schema.Types["ActAuthorPayload"].Fields
	if payload.ForName("succeeded") == nil || payload.ForName("entity") != nil {
		t.Errorf("the payload has %v", payload)
	}
	for _, f := range schema.Mutation.Fields {
		if strings.HasPrefix(f.Name, "delete") && f.Name != "deleteComicBook" || strings.HasPrefix(f.Name, "update") {
			t.Errorf("Mutation.%s is shown", f.Name)
		}
	}
}

// TestColumnsOfViews has columns that are fields, and some that are of another type than their field.
func TestColumnsOfViews(t *testing.T) {
	t.Parallel()
	s, _ := jsonViews(t, `type Item @view(name: "v_item") { id: ID! code: String tags: [String!] n: [Int] at: DateTime }`, `
		create view v_item as select 1 as id, 5 as code, array['a', 'b'] as tags, array[1, 2] as n, '2020-01-01 00:00+00'::timestamptz as at, '{"code": "json"}'::jsonb as data;`)
	got := s.Execute(t.Context(), transport.Request{Query: `{item(id: "1") {id code tags n at} items(where: {code: {eq: "json"}, tags: {array_contains: ["a"]}}) {id}}`})
	var data bytes.Buffer
	if err := json.Compact(&data, got.Data); err != nil || data.String() != `{"item":{"id":"1","code":"json","tags":["a","b"],"n":[1,2],"at":"2020-01-01T00:00:00+00:00"},"items":[{"id":"1"}]}` {
		t.Errorf("got %s %v", got.Data, got.Errors)
	}
	if w := s.Schema("").Warnings; len(w) != 1 || w[0].Code != "schema/other-type" || w[0].Subject != "Item.code" {
		t.Errorf("warnings: %v", w)
	}
}

// TestWhatSchemaFilesNameInVain is told by the server, too, not by validate alone: it would be missing without a word.
func TestWhatSchemaFilesNameInVain(t *testing.T) {
	t.Parallel()
	s, _ := jsonViews(t, `
		type Book @view(name: "v_book") { id: ID! title: String }
		type Note @view(name: "v_note") { id: ID! text: String }
		type Mutation { noteBook: Book @function(name: "fn_note_book") }`, bookshelf)
	var got []string
	for _, w := range s.Warnings() {
		if w.Code == "graphql/declared" {
			got = append(got, w.Subject+" "+w.Message)
		}
	}
	want := []string{"types.graphql:3:8 the database has no view `v_note` that may be read", "types.graphql:4:19 the database has no function `fn_note_book` that may be executed"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
