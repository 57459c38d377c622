package graphql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

const functions = `
	create type mood as enum ('calm', 'wild');
	create type place as (street text, zip int);
	create domain percent as int check (value between 0 and 100);
	create table author (id int primary key, name text not null, mood mood);
	create table book (id int primary key, title text not null, author_id int not null references author, sold int not null default 0, grade percent);
	create table stray (text text, at int);
	insert into author values (1, 'Ann', 'calm'), (2, 'Bob', 'wild'), (3, 'Cyd', null);
	insert into book values (1, 'One', 1, 10, 50), (2, 'Two', 1, 30, null), (3, 'Three', 2, 20, 7), (4, 'Four', 2, 0, 0);

	create function add(a int, b int default 10) returns int language sql immutable strict return a + b;
	create function joined(sep text, variadic parts text[]) returns text language sql immutable as 'select array_to_string(parts, sep)';
	create function unnamed(int, text default 'x', int default 3) returns text language sql immutable return $1 || $2 || $3;
	create function echo_mood(m mood) returns mood language sql immutable return m;
	create function echo_place(p place) returns place language sql immutable return p;
	create function echo_places(p place[]) returns place[] language sql immutable return p;
	create function echo_texts(variadic t text[]) returns text[] language sql immutable return t;
	create function echo_set(t text) returns setof text language sql stable as 'select t';
	create function echo_record(t text, p place) returns table (t text, p place) language sql stable as 'select t, p';
	create function echo_write(t text, p place) returns table (t text, p place) language sql as 'select t, p';
	create function echo_grid(n int[]) returns int[] language sql immutable return n;
	create function echo_json(j jsonb) returns jsonb language sql immutable return j;
	create function echo_big(n bigint) returns bigint language sql immutable return n;
	create function half(p percent) returns numeric language sql immutable return p / 2.0;
	create function nothing() returns text language sql stable return null;
	create function now_there() returns boolean language sql stable return true;
	create function no_author() returns author language sql stable as 'select * from author where false';
	create function best_author(fewest int default 0) returns author language sql stable
		as 'select a.* from author a join book b on b.author_id = a.id where b.sold >= fewest order by b.sold desc limit 1';
	create function search_books(word text) returns setof book language sql stable as 'select * from book where title ilike ''%'' || word || ''%'' order by sold desc';
	create function sellers(fewest int, "limit" int default null) returns table (name text, sold bigint) language sql stable
		as 'select a.name, sum(b.sold) from author a join book b on b.author_id = a.id group by a.name having sum(b.sold) >= fewest order by 2 desc limit "limit"';
	create function bounds(out low int, out high int) language sql stable as 'select min(sold), max(sold) from book';
	create function titles() returns setof text language sql stable as 'select title from book order by id desc';
	create function places() returns setof place language sql stable as 'select * from (values (''a'', 1), (''b'', 2)) v';
	create function twice(inout n int) language sql immutable as 'select 2 * n';

	create function author_shout(author) returns text language sql stable return upper($1.name);
	create function author_greeting(a author, word text, twice boolean default false) returns text language sql stable return word || ' ' || a.name || case when twice then ' ' || a.name else '' end;
	create function author_total(a author) returns bigint language sql stable as 'select sum(sold) from book where author_id = a.id';
	create function author_top_books(a author, fewest int default 0) returns setof book language sql stable as 'select * from book where author_id = a.id and sold >= fewest order by sold desc';
	create function book_writer(b book) returns author language sql stable as 'select * from author where id = b.author_id';
	create function book_words(b book) returns setof text language sql stable as 'select unnest(array[b.title, b.title || ''!''])';
	create function book_where(b book) returns place language sql stable return row(b.title, b.id)::place;
	create function book_spots(b book) returns place[] language sql stable return array[row(b.title, b.id)::place];

	create function fn_create_author(name text, mood mood default null) returns author language sql
		as 'insert into author values ((select max(id) + 1 from author), $1, $2) returning *';
	create function drop_books(fewest int) returns setof book language sql as 'delete from book where sold <= fewest returning *';
	create function sell(book_id int, n int default 1) returns int language sql as 'update book set sold = sold + n where id = book_id returning sold';
	create function rest() returns void language sql as 'update book set sold = 0 where id = 1';
	create function add_book(author_id int, title text) returns book language sql as 'insert into book (id, title, author_id) values ((select max(id) + 1 from book), $2, $1) returning *';
	create function many(n int) returns setof int language sql volatile as 'select generate_series(1, n)';
	create function refuse(why text) returns int language plpgsql as $$ begin raise exception '%', why using errcode = 'FQ409'; end $$;
	create function burst() returns int language plpgsql as $$ begin raise exception 'secret'; end $$;
	create table vault (id int primary key, card text); insert into vault values (1, '4111secret'), (2, '4112');
	comment on table vault is '@fraiseql {"omit": true}';
	create function card_number() returns int language sql security definer as 'select card::int from vault where id = 1';
	create function card_range() returns int language sql stable as 'select (9999999999999 + id)::int from vault where id = 1';
	create function card_range_written() returns int language sql as 'select (9999999999999 + id)::int from vault where id = 1';
	create function card_again() returns int language sql as $$ insert into vault values (1, 'x') returning id $$;
	create function cards() returns int language sql as 'select (select id from vault)';
	create function overdrawn() returns int language plpgsql stable as $$ begin raise 'secret 4711' using errcode = 'check_violation'; end $$;
	create function overdrawn_written() returns int language plpgsql as $$ begin raise 'secret 4711' using errcode = 'check_violation'; end $$;
	create function unsupported() returns int language plpgsql stable as $$ begin raise 'secret' using errcode = '0A000'; end $$;
	create function forged() returns int language sql as $$ select ('fraiseql:missing:' || id)::int from vault where id = 1 $$;
	create function book_again() returns int language sql as $$ insert into book values (1, 'x', 1) returning id $$;
	create function sneak() returns int language plpgsql stable as $$ begin perform sell(1); return 1; end $$;

	create function anything(x anyelement) returns anyelement language sql immutable as 'select x';
	create function shapeless() returns record language sql stable as 'select 1, 2';
	create function keep(a author) returns void language sql as 'update author set name = name where id = a.id';
	create function odd() returns trigger language plpgsql as $$ begin return new; end $$;
	create function add(a text, b text) returns text language sql immutable return a || b;
	create function over(a int) returns int language sql immutable return a;
	create function over(a int, b int default 1) returns int language sql immutable return b;
	create function mixed(a int default 1, variadic b text[] default '{q}') returns text language sql immutable as 'select a || array_to_string(b, '','')';
	create function ranked() returns setof book language sql stable as 'select * from book order by title desc';
	create function draft() returns setof book language sql stable as $$ select null::int, 'draft', null::int, 2, null::percent union all select null, null, null, null, null $$;
	create function drafted() returns book language sql as $$ select null::int, 'draft', null::int, 2, null::percent $$;
	create function grid() returns int[] language sql immutable return '{{1,2},{3,4}}'::int[];
	comment on function grid() is '@fraiseql {"dimensions": 2}';
	create function voids() returns setof void language sql as 'select';
	create function rows_in_lists() returns author[] language sql stable as 'select array_agg(a) from author a';
	create schema apart; create type apart.kind as enum ('x');
	create function hidden() returns int language sql stable return 1;
	comment on function hidden() is '@fraiseql {"omit": true}';
	create function plain() returns int language sql stable return 1;
	comment on function plain() is '@fraiseql {"name": "fancy"} What it is.';
`

// TestFunctions calls functions of every kind.
func TestFunctions(t *testing.T) {
	t.Parallel()
	file := sql(t, functions)
	for name, c := range map[string]struct {
		query, variables, want string
	}{
		"scalar":                           {`{add(a: 1, b: 2)}`, ``, `{"add":3}`},
		"default":                          {`{add(a: 1)}`, ``, `{"add":11}`},
		"null in place of default":         {`{add(a: 1, b: null)}`, ``, `{"add":null}`},
		"variables":                        {`query($a: Int!, $b: Int) {add(a: $a, b: $b)}`, `{"a": 4}`, `{"add":14}`},
		"variadic":                         {`{joined(sep: "-", parts: ["a", "b", null])}`, ``, `{"joined":"a-b"}`},
		"variadic, nothing":                {`{joined(sep: "-")}`, ``, `{"joined":""}`},
		"unnamed":                          {`{unnamed(arg1: 1) b: unnamed(arg1: 1, arg2: "y") c: unnamed(arg1: 1, arg2: "y", arg3: 4)}`, ``, `{"unnamed":"1x3","b":"1y3","c":"1y4"}`},
		"enum":                             {`query($m: Mood) {echoMood(m: $m) b: echoMood(m: calm)}`, `{"m": "wild"}`, `{"echoMood":"wild","b":"calm"}`},
		"composite":                        {`query($p: PlaceInput) {echoPlace(p: $p) {street zip} b: echoPlace(p: {zip: 3}) {street zip __typename}}`, `{"p": {"street": "a \"b\", \\c", "zip": 1}}`, `{"echoPlace":{"street":"a \"b\", \\c","zip":1},"b":{"street":null,"zip":3,"__typename":"Place"}}`},
		"no composite":                     {`{echoPlace {zip}}`, ``, `{"echoPlace":null}`},
		"composites":                       {`{echoPlaces(p: [{street: "x"}, null, {zip: 2}]) {street zip}}`, ``, `{"echoPlaces":[{"street":"x","zip":null},null,{"street":null,"zip":2}]}`},
		"array":                            {`query($n: [Int]) {echoGrid(n: $n)}`, `{"n": [1, null, 3]}`, `{"echoGrid":[1,null,3]}`},
		"json":                             {`{echoJson(j: {a: [1, "x"]})}`, ``, `{"echoJson":{"a":[1,"x"]}}`},
		"bigint":                           {`{echoBig(n: "9007199254740993")}`, ``, `{"echoBig":"9007199254740993"}`},
		"domain":                           {`{half(p: 7)}`, ``, `{"half":"3.5000000000000000"}`},
		"null":                             {`{nothing}`, ``, `{"nothing":null}`},
		"boolean":                          {`{nowThere}`, ``, `{"nowThere":true}`},
		"both ways":                        {`{twice(n: 4)}`, ``, `{"twice":8}`},
		"no row":                           {`{noAuthor {name}}`, ``, `{"noAuthor":null}`},
		"a row with relations":             {`{bestAuthor {name books(orderBy: [{id: ASC}]) {title}}}`, ``, `{"bestAuthor":{"name":"Ann","books":[{"title":"One"},{"title":"Two"}]}}`},
		"none so good":                     {`{bestAuthor(fewest: 1000) {name}}`, ``, `{"bestAuthor":null}`},
		"rows in their order":              {`{searchBooks(word: "o") {title}}`, ``, `{"searchBooks":[{"title":"Two"},{"title":"One"},{"title":"Four"}]}`},
		"rows chosen":                      {`query($n: Int) {searchBooks(word: "o", where: {sold: {gt: 0}}, orderBy: [{title: ASC}], limit: $n, offset: 1) {title author {name}}}`, `{"n": 1}`, `{"searchBooks":[{"title":"Two","author":{"name":"Ann"}}]}`},
		"rows with lists":                  {`{searchBooks(word: "o", limit: 2) {title author {books(orderBy: [{id: ASC}], limit: 1) {title}}}}`, ``, `{"searchBooks":[{"title":"Two","author":{"books":[{"title":"One"}]}},{"title":"One","author":{"books":[{"title":"One"}]}}]}`},
		"aggregates of rows":               {`{searchBooksAggregate(word: "o") {count sum {sold}}}`, ``, `{"searchBooksAggregate":{"count":3,"sum":{"sold":"40"}}}`},
		"groups of rows":                   {`{searchBooksGroupBy(word: "o", by: [authorId]) {key {authorId} count}}`, ``, `{"searchBooksGroupBy":[{"key":{"authorId":1},"count":2},{"key":{"authorId":2},"count":1}]}`},
		"a table of its own":               {`{sellers(fewest: 1) {name sold} one: sellers(fewest: 0, limitArgument: 1) {name} two: sellers(fewest: 1, where: {sold: {lt: "30"}}) {name}}`, ``, `{"sellers":[{"name":"Ann","sold":"40"},{"name":"Bob","sold":"20"}],"one":[{"name":"Ann"}],"two":[{"name":"Bob"}]}`},
		"ordered":                          {`{sellers(fewest: 1, orderBy: [{name: DESC}]) {name} sellersAggregate(fewest: 1) {count max {name}}}`, ``, `{"sellers":[{"name":"Bob"},{"name":"Ann"}],"sellersAggregate":{"count":2,"max":{"name":"Bob"}}}`},
		"out parameters":                   {`{bounds {low high}}`, ``, `{"bounds":{"low":0,"high":30}}`},
		"values":                           {`{titles}`, ``, `{"titles":["Four","Three","Two","One"]}`},
		"values chosen":                    {`query($n: Int) {titles(where: {startswith: "T"}, orderBy: ASC) b: titles(limit: $n, offset: 1)}`, `{"n": 2}`, `{"titles":["Three","Two"],"b":["Three","Two"]}`},
		"composites chosen":                {`{places(where: {zip: {gt: 1}}) {street} placesAggregate {count}}`, ``, `{"places":[{"street":"b"}],"placesAggregate":{"count":2}}`},
		"a name of a person":               {`{fancy}`, ``, `{"fancy":1}`},
		"computed":                         {`{author(id: 1) {shout total greeting(word: "Hi") b: greeting(word: "Hi", twice: true)}}`, ``, `{"author":{"shout":"ANN","total":"40","greeting":"Hi Ann","b":"Hi Ann Ann"}}`},
		"computed in a list":               {`{authors {shout books(orderBy: [{id: ASC}], limit: 1) {title writer {name shout}}}}`, ``, `{"authors":[{"shout":"ANN","books":[{"title":"One","writer":{"name":"Ann","shout":"ANN"}}]},{"shout":"BOB","books":[{"title":"Three","writer":{"name":"Bob","shout":"BOB"}}]},{"shout":"CYD","books":[]}]}`},
		"computed rows":                    {`{authors(limit: 2) {topBooks(fewest: 1, limit: 1) {title words} topBooksAggregate(where: {sold: {gt: 0}}) {count}}}`, ``, `{"authors":[{"topBooks":[{"title":"Two","words":["Two","Two!"]}],"topBooksAggregate":{"count":2}},{"topBooks":[{"title":"Three","words":["Three","Three!"]}],"topBooksAggregate":{"count":1}}]}`},
		"computed composites":              {`{book(id: 1) {where {street zip} spots {zip}}}`, ``, `{"book":{"where":{"street":"One","zip":1},"spots":[{"zip":1}]}}`},
		"computed beside what is numbered": {`{authors(limit: 1) {books(limit: 1, orderBy: [{id: ASC}]) {title} topBooks(where: {author: {shout: {neq: "x"}}}) {title}}}`, ``, `{"authors":[{"books":[{"title":"One"}],"topBooks":[{"title":"Two"},{"title":"One"}]}]}`},
		"computed in a connection":         {`{authorsConnection(first: 1) {nodes {shout} edges {node {total}}}}`, ``, `{"authorsConnection":{"nodes":[{"shout":"ANN"}],"edges":[{"node":{"total":"40"}}]}}`},
		"computed of rows":                 {`{bestAuthor {shout topBooks {title}}}`, ``, `{"bestAuthor":{"shout":"ANN","topBooks":[{"title":"Two"},{"title":"One"}]}}`},
		"chosen by computed":               {`{authors(where: {shout: {startswith: "B"}}) {name} b: authors(where: {total: {isnull: true}}) {name} books(where: {author: {shout: {eq: "BOB"}}}, orderBy: [{id: ASC}]) {id}}`, ``, `{"authors":[{"name":"Bob"}],"b":[{"name":"Cyd"}],"books":[{"id":3},{"id":4}]}`},
		"ordered by computed":              {`{authors(orderBy: [{total: DESC_NULLS_LAST}]) {name} books(orderBy: [{author: {shout: DESC}}, {id: ASC}]) {id}}`, ``, `{"authors":[{"name":"Ann"},{"name":"Bob"},{"name":"Cyd"}],"books":[{"id":3},{"id":4},{"id":1},{"id":2}]}`},
		"a connection in its order":        {`{authorsConnection(orderBy: [{shout: DESC}], first: 2) {nodes {name}}}`, ``, `{"authorsConnection":{"nodes":[{"name":"Cyd"},{"name":"Bob"}]}}`},

		"by their place":             {`{mixed b: mixed(a: 2) c: mixed(a: 2, b: ["x", "y"]) joined(sep: "-", parts: null)}`, ``, `{"mixed":"1q","b":"2q","c":"2x,y","joined":null}`},
		"in its order":               {`{ranked(where: {author: {name: {neq: "x"}}}) {title} b: ranked(where: {_or: [{author: {shout: {eq: "ANN"}}, title: {neq: "x"}}]}, limit: 1, offset: 1) {title author {name}} c: ranked(orderBy: [], limit: 1) {title}}`, ``, `{"ranked":[{"title":"Two"},{"title":"Three"},{"title":"One"},{"title":"Four"}],"b":[{"title":"One","author":{"name":"Ann"}}],"c":[{"title":"Two"}]}`},
		"two dimensions":             {`{grid}`, ``, `{"grid":[[1,2],[3,4]]}`},
		"rows of which some are not": {`{draft {title sold}}`, ``, `{"draft":[{"title":"draft","sold":2}]}`},
		"a row is written":           {`mutation {createAuthor(name: "Dan") {id name mood}}`, ``, `{"createAuthor":{"id":4,"name":"Dan","mood":null}}`},
		"and what hangs on it read":  {`mutation {addBook(authorId: 3, title: "Five") {id author {name total books {title}} where {zip}}}`, ``, `{"addBook":{"id":5,"author":{"name":"Cyd","total":"0","books":[{"title":"Five"}]},"where":{"zip":5}}}`},
		"rows are taken away":        {`mutation {dropBooks(fewest: 10) {title author {name books {title}}}}`, ``, `{"dropBooks":[{"title":"One","author":{"name":"Ann","books":[{"title":"Two"}]}},{"title":"Four","author":{"name":"Bob","books":[{"title":"Three"}]}}]}`},
		"none":                       {`mutation {dropBooks(fewest: -1) {title author {name}} b: dropBooks(fewest: -1) {title}}`, ``, `{"dropBooks":[],"b":[]}`},
		"a value":                    {`mutation {sell(bookId: 1) b: sell(bookId: 1, n: 4) c: sell(bookId: 99)}`, ``, `{"sell":11,"b":15,"c":null}`},
		"no value":                   {`mutation {rest updateBook(id: 1, set: {_inc: {sold: 1}}) {sold}}`, ``, `{"rest":true,"updateBook":{"sold":1}}`},
		"values of a mutation":       {`mutation {many(n: 3)}`, ``, `{"many":[1,2,3]}`},
		"computed of what is new":    {`mutation {createAuthors(input: [{id: 8, name: "Eve"}]) {shout total}}`, ``, `{"createAuthors":[{"shout":"EVE","total":null}]}`},
		"computed of what is gone":   {`mutation {deleteAuthor(id: 3) {shout greeting(word: "Bye")}}`, ``, `{"deleteAuthor":{"shout":"CYD","greeting":"Bye Cyd"}}`},
		"changed by computed":        {`mutation {updateAuthors(where: {shout: {eq: "ANN"}}, set: {name: "Anna"}) {shout}}`, ``, `{"updateAuthors":[{"shout":"ANNA"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, graphql.DefaultConfig(), file)
			request := transport.Request{Query: c.query}
			if c.variables != "" {
				decoder := json.NewDecoder(strings.NewReader(c.variables))
				decoder.UseNumber()
				if err := decoder.Decode(&request.Variables); err != nil {
					t.Fatal(err)
				}
			}
			times := 2 // the second time everything is prepared
			if strings.HasPrefix(c.query, "mutation") {
				times = 1
			}
			for range times {
				got := s.Execute(t.Context(), request)
				var data bytes.Buffer
				if err := json.Compact(&data, got.Data); err != nil || data.String() != c.want || len(got.Errors) > 0 {
					t.Fatalf("got %s %v\nwant %s", got.Data, got.Errors, c.want)
				}
			}
		})
	}
}

// TestFunctionsThatFail says what clients are told.
func TestFunctionsThatFail(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), sql(t, functions))
	for _, c := range []struct{ query, code, message string }{
		{`mutation {refuse(why: "it is taken")}`, "CONFLICT", "it is taken"},
		{`mutation {sell(bookId: 1) refuse(why: "no")}`, "CONFLICT", "no"},
		{`mutation {burst}`, "INTERNAL_SERVER_ERROR", "something went wrong inside the server"},
		{`mutation {cardNumber}`, "INTERNAL_SERVER_ERROR", ""},
		{`{cardRange}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {cardRangeWritten}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {cardAgain}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {cards}`, "INTERNAL_SERVER_ERROR", ""},
		{`{overdrawn}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {overdrawnWritten}`, "INTERNAL_SERVER_ERROR", ""},
		{`{unsupported}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {forged}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {bookAgain}`, "CONFLICT", "there is a row with the same id already"},
		{`{sneak}`, "INTERNAL_SERVER_ERROR", "something went wrong inside the server"},
		{`{half(p: 101)}`, "BAD_USER_INPUT", `value for domain percent violates check constraint "percent_check"`},
		{`{echoBig(n: "99999999999999999999")}`, "BAD_USER_INPUT", `argument n: value "99999999999999999999" is out of range for type bigint`},
		{`{add(a: 2147483647, b: 1)}`, "INTERNAL_SERVER_ERROR", "a value in the database cannot be computed"},
		{`{unnamed(arg1: 1, arg3: 4)}`, "BAD_USER_INPUT", "argument arg3: what is before it must be given as well: `arg2`"},
		{`{mixed(b: ["1"])}`, "BAD_USER_INPUT", "argument b: what is before it must be given as well: `a`"},
		{`{over(a: 1)}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{draft {id}}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {drafted {id}}`, "INTERNAL_SERVER_ERROR", ""},
		{`mutation {drafted {id title author {name}}}`, "INTERNAL_SERVER_ERROR", ""},
		{`{searchBooksConnection(word: "o") {totalCount}}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{add(b: 1)}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{add(a: null)}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{titles(limit: 1001)}`, "BAD_USER_INPUT", "limit 1001 is over the most that is allowed, 1000: ask for pages"},
		{`{searchBooks(word: "o", limit: -1) {id}}`, "BAD_USER_INPUT", "limit must not be negative"},
		{`{sell(bookId: 1)}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`mutation {add(a: 1)}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{authors {topBooksAggregate {estimatedCount}}}`, "BAD_USER_INPUT", "estimatedCount is known of a field of Query only"},
		{`{hidden}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{plain}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{authorShout}`, "GRAPHQL_VALIDATION_FAILED", ""},
		{`{anything(x: 1)}`, "GRAPHQL_VALIDATION_FAILED", ""},
	} {
		got := s.Execute(t.Context(), transport.Request{Query: c.query})
		if code(got) != c.code || !strings.Contains(firstError(got), c.message) || strings.Contains(firstError(got), "secret") || strings.Contains(fmt.Sprint(got.Errors[0].Extensions), "vault") {
			t.Errorf("%s gave %s %s %s", c.query, got.Data, code(got), firstError(got))
		}
	}
	var sold int
	if err := pool.QueryRow(t.Context(), "select sold from book where id = 1").Scan(&sold); err != nil || sold != 10 {
		t.Errorf("a request that failed has left %d sold, %v", sold, err)
	}
}

// TestFunctionsAsTheyAreShown has the definitions of fields, and what is said of the functions that have none.
func TestFunctionsAsTheyAreShown(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), sql(t, functions))
	shown := map[string]string{}
	for _, name := range []string{"Query", "Mutation", "Author", "Book", "AuthorWhere", "AuthorOrderBy"} {
		for _, f := range s.Schema("").AST.Types[name].Fields {
			var arguments []string
			for _, a := range f.Arguments {
				arguments = append(arguments, a.Name+": "+a.Type.String())
			}
			shown[name+"."+f.Name] = strings.Join(arguments, ", ") + " -> " + f.Type.String()
		}
	}
	for field, want := range map[string]string{
		"Query.add":                "a: Int!, b: Int -> Int",
		"Query.joined":             "sep: String, parts: [String] -> String",
		"Query.unnamed":            "arg1: Int, arg2: String, arg3: Int -> String",
		"Query.echoPlace":          "p: PlaceInput -> Place",
		"Query.echoPlaces":         "p: [PlaceInput] -> [Place]",
		"Query.bestAuthor":         "fewest: Int -> Author",
		"Query.searchBooks":        "word: String, where: BookWhere, orderBy: [BookOrderBy!], limit: Int, offset: Int -> [Book!]!",
		"Query.sellers":            "fewest: Int, limitArgument: Int, where: SellersRowWhere, orderBy: [SellersRowOrderBy!], limit: Int, offset: Int -> [SellersRow!]!",
		"Query.bounds":             " -> BoundsRow",
		"Query.titles":             "where: StringFilter, orderBy: OrderDirection, limit: Int, offset: Int -> [String]!",
		"Mutation.createAuthor":    "name: String, mood: Mood -> Author",
		"Mutation.dropBooks":       "fewest: Int -> [Book!]!",
		"Mutation.rest":            " -> Boolean!",
		"Mutation.sell":            "bookId: Int, n: Int -> Int",
		"Author.shout":             " -> String",
		"Author.greeting":          "word: String, twice: Boolean -> String",
		"Author.topBooks":          "fewest: Int, where: BookWhere, orderBy: [BookOrderBy!], limit: Int, offset: Int -> [Book!]!",
		"Book.writer":              " -> Author",
		"Book.words":               "where: StringFilter, orderBy: OrderDirection, limit: Int, offset: Int -> [String]!",
		"Book.where":               " -> Place",
		"AuthorWhere.shout":        " -> StringFilter",
		"AuthorWhere.greeting":     "",
		"AuthorOrderBy.total":      " -> OrderDirection",
		"Query.authorShout":        "",
		"Query.sell":               "",
		"Mutation.searchBooks":     "",
		"Query.odd":                "",
		"Mutation.keep":            "",
		"Mutation.createAuthors":   "input: [AuthorInput!]! -> [Author!]!",
		"Query.searchBooksGroupBy": "word: String, by: [BookColumn!]!, where: BookWhere, having: BookHaving, orderBy: [BookGroupOrderBy!], limit: Int, offset: Int -> [BookGroup!]!",
	} {
		if shown[field] != want {
			t.Errorf("%s is %q, want %q", field, shown[field], want)
		}
	}
	if got := s.Schema("").AST.Query.Fields.ForName("fancy").Description; got != "What it is." {
		t.Errorf("fancy is described as %q", got)
	}
	var warnings []string
	for _, w := range s.Schema("").Warnings {
		warnings = append(warnings, warning(w))
	}
	want := []string{
		"schema/no-function public.anything(x anyelement): the type anyelement stands for many, and a field has one, so the function is left out -> write a function with types of its own that calls it, or hide it: comment on function \"public\".\"anything\"(x anyelement) is '@fraiseql {\"omit\": true}'",
		"schema/no-function public.keep(a author): it takes a row of public.author and may write: only a function that is stable or immutable can be a field of rows, so the function is left out -> let it take the key of the row, or declare it stable if it only reads",
		"schema/no-function public.over(a integer): when what has a default is left out, PostgreSQL cannot tell it from over(a integer, b integer), so the function is left out -> rename one of them, or drop the defaults",
		"schema/no-function public.over(a integer, b integer): when what has a default is left out, PostgreSQL cannot tell it from over(a integer), so the function is left out -> rename one of them, or drop the defaults",
		"schema/no-function public.rows_in_lists(): it gives a value of public.author, of which the API has only whole rows, so the function is left out -> let it give keys or a type of its own, or return rows (setof), or hide it: comment on function \"public\".\"rows_in_lists\"() is '@fraiseql {\"omit\": true}'",
		"schema/no-function public.shapeless(): nobody knows the columns of its rows, so the function is left out -> let it return table (…) or a type of its own, or hide it: comment on function \"public\".\"shapeless\"() is '@fraiseql {\"omit\": true}'",
		"schema/no-function public.voids(): it gives nothing, in any number of rows, so the function is left out -> let it return void and be volatile, or hide it: comment on function \"public\".\"voids\"() is '@fraiseql {\"omit\": true}'",
		"schema/no-root-name Query.add: the name is taken by the function public.add, so this field for the function public.add is left out -> comment on function \"public\".\"add\"(a text, b text) is '@fraiseql {\"name\": \"…\"}'",
		"schema/no-root-name Mutation.createAuthor: the name is taken by the function public.fn_create_author, so this field for Author is left out -> give one of the two types another name in [graphql.entities] or in the table's comment",
	}
	if strings.Join(warnings, "\n") != strings.Join(want, "\n") {
		t.Errorf("it says\n%s\nwant\n%s", strings.Join(warnings, "\n"), strings.Join(want, "\n"))
	}
}

// TestFunctionsOfRoles has functions that some may call, with rows of tables that they may read in part.
func TestFunctionsOfRoles(t *testing.T) {
	t.Parallel()
	s, _ := roled(t, graphql.DefaultConfig(), 0, tenants+`
		create function all_items() returns setof item language sql stable as 'select * from item';
		create function every_item() returns setof item language sql stable security definer as 'select * from item';
		create function item_shout(i item) returns text language sql stable return upper(i.title);
		create function account_shout(a account) returns text language sql stable return upper(a.name);
		create function whoami() returns text language sql stable return current_user || ' ' || (current_setting('request.jwt.claims', true)::json ->> 'sub');
		create function add_item(title text) returns item language sql as 'insert into item (title) values (title) returning *';
		create function closed() returns int language sql stable return 1;
		create schema apart; create type apart.kind as enum ('x'); create function kinds(k apart.kind default 'x') returns int language sql stable return 1;
		revoke execute on function closed(), whoami(), add_item(text) from public;
		grant execute on function whoami(), add_item(text) to member_DB;`)
	for _, c := range []struct {
		role, query, data, code string
	}{
		{"member", `{allItems {title} everyItem(where: {id: {gt: 1}}) {title owner}}`, `{"allItems":[{"title":"A"}],"everyItem":[{"title":"B","owner":"bob"}]}`, ""},
		{"member", `{items {shout}}`, `{"items":[{"shout":"A"}]}`, ""},
		{"member", `{accounts {shout}}`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{"member", `{closed}`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{"member", `{kinds}`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{"guest", `{whoami}`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{"guest", `{items {shout}}`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{"guest", `{everyItem {title}}`, `{"everyItem":[{"title":"A"},{"title":"B"}]}`, ""},
		{"guest", `{everyItem {owner}}`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{"guest", `mutation {addItem(title: "x") {title}}`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{"member", `mutation {addItem(title: "N") {title owner}}`, `{"addItem":{"title":"N","owner":"ann"}}`, ""},
	} {
		got := s.Execute(t.Context(), transport.Request{Query: c.query, Principal: as(c.role, "ann")})
		if string(got.Data) != c.data || code(got) != c.code {
			t.Errorf("%s asks %s and gets %s %s", c.role, c.query, got.Data, firstError(got))
		}
	}
	got := s.Execute(t.Context(), transport.Request{Query: `{whoami}`, Principal: as("member", "ann")})
	if text := string(got.Data); !strings.HasPrefix(text, `{"whoami":"member_`) || !strings.HasSuffix(text, ` ann"}`) {
		t.Errorf("a function runs as %s %v", text, got.Errors)
	}
}

// TestHostileValuesOfFunctions gives functions values that they give back: none stands in a statement, each comes back as
// it was, whatever it is part of, and equal shapes have equal texts.
func TestHostileValuesOfFunctions(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, unlimited(), graphql.Deps{}, sql(t, functions))
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Release)
	w := scribbler{random(t)}
	const place = "{ street zip }"
	queries := []string{
		`query ($t: String, $l: [String]) { v: echoTexts(t: $l) w: echoSet(t: $t) }`,
		`query ($p: PlaceInput, $q: [PlaceInput]) { v: echoPlace(p: $p) ` + place + ` w: echoPlaces(p: $q) ` + place + ` }`,
		`query ($t: String, $p: PlaceInput, $j: JSON) { v: echoJson(j: $j) w: echoRecord(t: $t, p: $p, where: {t: {eq: $t}}) { t p ` + place + ` } }`,
		`mutation ($t: String, $p: PlaceInput) { v: echoWrite(t: $t, p: $p) { t p ` + place + ` } }`,
	}
	texts := map[int]string{}
	for i := range times(400) {
		n := w.IntN(len(queries))
		street := func() any { return map[string]any{"street": w.text(), "zip": num("8675309")} }
		v := map[string]any{"t": w.text(), "l": []any{w.text(), nil, w.text()}, "p": street(), "q": []any{street(), street()}, "j": map[string]any{"x": []any{w.text()}}}
		request := transport.Request{Query: queries[n], Variables: maps.Clone(v)}
		maps.DeleteFunc(request.Variables, func(name string, _ any) bool { return !strings.Contains(queries[n], "$"+name) })
		bound, problem := s.Statements(request)
		if problem != nil {
			t.Fatalf("input %d: %v\n%s", i, problem, shown(request.Query, v))
		}
		var all []string
		for _, c := range bound.Calls {
			all = append(all, c.SQL)
			if strings.Contains(strings.ToLower(c.SQL), strings.ToLower(canary)) || strings.Contains(c.SQL, "86753") {
				t.Fatalf("input %d: a value stands in %s", i, c.SQL)
			}
			if texts[n] == "" {
				if _, err := conn.Conn().Prepare(t.Context(), "", c.SQL); err != nil {
					t.Fatalf("%v\n%s", err, c.SQL)
				}
			}
		}
		if text := strings.Join(all, ";"); texts[n] != "" && texts[n] != text {
			t.Fatalf("input %d has other statements than one of its shape:\n%s\n%s", i, texts[n], text)
		} else {
			texts[n] = text
		}
		want := []map[string]any{
			{"v": v["l"], "w": []any{v["t"]}},
			{"v": v["p"], "w": v["q"]},
			{"v": v["j"], "w": []any{map[string]any{"t": v["t"], "p": v["p"]}}},
			{"v": []any{map[string]any{"t": v["t"], "p": v["p"]}}},
		}[n]
		got := s.Execute(t.Context(), request)
		var data map[string]any
		decoder := json.NewDecoder(bytes.NewReader(got.Data))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil || len(got.Errors) > 0 {
			t.Fatalf("input %d: %s %v\n%s", i, got.Data, got.Errors, shown(request.Query, v))
		}
		if diff := cmp.Diff(want, data); diff != "" {
			t.Fatalf("input %d comes back as another (-want +got):\n%s", i, diff)
		}
	}
}

// TestComputedFieldsUseIndexes asks PostgreSQL how it would run a condition and an order by a computed field that has an index.
func TestComputedFieldsUseIndexes(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), sql(t, `
		create table thing (id int primary key, name text not null, note text);
		insert into thing select i, 'name' || i from generate_series(1, 20000) i;
		create function thing_shout(t thing) returns text language sql immutable return upper(t.name);
		create index on thing (thing_shout(thing)); analyze thing;`))
	for query, want := range map[string]string{
		`{things(where: {shout: {eq: "NAME7"}}) {id shout}}`:                                     "Index Cond",
		`{things(orderBy: [{shout: DESC_NULLS_FIRST}], limit: 3) {id}}`:                          "Index Scan Backward using thing_thing_shout_idx",
		`{thingsConnection(where: {shout: {in: ["NAME7", "NAME8"]}}) {nodes {name} totalCount}}`: "Index Cond",
	} {
		bound, problem := s.Statements(transport.Request{Query: query})
		if problem != nil {
			t.Fatal(problem)
		}
		if text := planOf(t, pool, bound.Calls[0]); !strings.Contains(text, want) || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s runs as\n%s\nwant %s", query, text, want)
		}
	}
}

// planOf asks PostgreSQL how it would run a statement.
func planOf(t *testing.T, pool *pgxpool.Pool, call plan.Call) string {
	t.Helper()
	arguments := []any{pgx.QueryExecModeSimpleProtocol}
	for _, a := range call.Args {
		arguments = append(arguments, string(a))
	}
	rows, err := pool.Query(t.Context(), "explain "+call.SQL, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// TestWhatChangesUnderAServer gives a function, and a column, another type between two looks at the database: what was a
// number is never written as one when it is a text.
func TestWhatChangesUnderAServer(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), sql(t, `
		create table thing (id int primary key, v int); insert into thing values (1, 1);
		create table piece (id int primary key, thing_id int references thing, v int); insert into piece values (1, 1, 1);
		create function number() returns int language sql stable as 'select 1';
		create function numbers() returns setof int language sql stable as 'select 1';
		create function same() returns thing language sql as 'select * from thing';
		create function made() returns int language sql as 'select 1';
		create function thing_number(t thing) returns int language sql stable as 'select 1';`))
	queries := []string{`{thing(id: 1) {number}}`, `{things(where: {number: {eq: 1}}) {id}}`, `mutation {updateThing(id: 1, set: {v: 1}) {v number}}`, `mutation {same {number}}`, `{number}`, `{numbers}`, `{number numbers}`, `{things {number}}`, `{things {v}}`, `{things {pieces {v}}}`, `mutation {made}`}
	ask := func() (answers []string) {
		for _, query := range queries {
			got := s.Execute(t.Context(), transport.Request{Query: query})
			if len(got.Data) > 0 && !json.Valid(got.Data) || strings.Contains(string(got.Data), `,"admin"`) {
				t.Errorf("%s gave %s", query, got.Data)
			}
			answers = append(answers, firstError(got))
		}
		return answers
	}
	if got := strings.Join(ask(), ""); strings.Contains(got, "INTERNAL") {
		t.Fatal(got)
	}
	exec(t, pool, "alter table thing add column more int")
	if got := strings.Join(ask(), ""); strings.Contains(got, "INTERNAL") {
		t.Errorf("a column that is added stops %s", got)
	}
	for _, kind := range []string{"number() returns %s stable", "numbers() returns setof %s stable", "made() returns %s volatile", "thing_number(t thing) returns %s stable"} {
		name, _, _ := strings.Cut(kind, "(")
		exec(t, pool, "drop function "+name)
		exec(t, pool, "create function "+fmt.Sprintf(kind, "text")+" language sql as $$ select '1,\"admin\":true' $$")
	}
	exec(t, pool, `alter table thing alter v type text using '1,"admin":true'; alter table piece alter v type text using '1,"admin":true'`)
	for i, said := range ask() {
		if queries[i] != `{number numbers}` && queries[i] != `{things {pieces {v}}}` && !strings.Contains(said, "INTERNAL_SERVER_ERROR") { // those are made JSON by PostgreSQL
			t.Errorf("%s gave no error: %s", queries[i], said)
		}
	}
}

// TestRowsOfAFunctionKeepTheirOrder has conditions that lead to a table which PostgreSQL would rather begin with.
func TestRowsOfAFunctionKeepTheirOrder(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), sql(t, `
		create table author (id int primary key, name text not null); insert into author select i, 'A' || i from generate_series(1, 3000) i;
		create table book (id int primary key, author_id int not null references author); insert into book select i, i from generate_series(1, 3000) i;
		create function ranked() returns setof book language sql stable as 'select * from book where id < 300 order by md5(id::text)'; analyze;`))
	rows, err := pool.Query(t.Context(), "select id from ranked()")
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`{ranked(limit: 200, WHERE) {id}}`, `{ranked(limit: 200, WHERE) {id author {name}}}`, `{ranked(limit: 200, WHERE) {id author {books {id}}}}`, `{ranked(limit: 3, offset: 100, WHERE) {id}}`,
	} {
		for _, where := range []string{``, `where: {author: {name: {like: "A%"}}}`, `where: {_and: [{_or: [{author: {id: {gt: 0}}}]}]}`} {
			got := s.Execute(t.Context(), transport.Request{Query: strings.Replace(query, "WHERE", where, 1)})
			var data struct{ Ranked []struct{ ID int } }
			if err := json.Unmarshal(got.Data, &data); err != nil {
				t.Fatal(err, got.Errors)
			}
			from := 0
			if strings.Contains(query, "offset") {
				from = 100
			}
			for i, row := range data.Ranked {
				if row.ID != want[from+i] {
					t.Fatalf("%s with %q gives %d at place %d, want %d", query, where, row.ID, i, want[from+i])
				}
			}
		}
	}
}
