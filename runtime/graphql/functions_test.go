package graphql_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
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
	create function sneak() returns int language plpgsql stable as $$ begin perform sell(1); return 1; end $$;

	create function anything(x anyelement) returns anyelement language sql immutable as 'select x';
	create function shapeless() returns record language sql stable as 'select 1, 2';
	create function keep(a author) returns void language sql as 'update author set name = name where id = a.id';
	create function odd() returns trigger language plpgsql as $$ begin return new; end $$;
	create function add(a text, b text) returns text language sql immutable return a || b;
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
		"scalar":                    {`{add(a: 1, b: 2)}`, ``, `{"add":3}`},
		"default":                   {`{add(a: 1)}`, ``, `{"add":11}`},
		"null in place of default":  {`{add(a: 1, b: null)}`, ``, `{"add":null}`},
		"variables":                 {`query($a: Int!, $b: Int) {add(a: $a, b: $b)}`, `{"a": 4}`, `{"add":14}`},
		"variadic":                  {`{joined(sep: "-", parts: ["a", "b", null])}`, ``, `{"joined":"a-b"}`},
		"variadic, nothing":         {`{joined(sep: "-")}`, ``, `{"joined":""}`},
		"unnamed":                   {`{unnamed(arg1: 1) b: unnamed(arg1: 1, arg2: "y") c: unnamed(arg1: 1, arg2: "y", arg3: 4)}`, ``, `{"unnamed":"1x3","b":"1y3","c":"1y4"}`},
		"enum":                      {`query($m: Mood) {echoMood(m: $m) b: echoMood(m: calm)}`, `{"m": "wild"}`, `{"echoMood":"wild","b":"calm"}`},
		"composite":                 {`query($p: PlaceInput) {echoPlace(p: $p) {street zip} b: echoPlace(p: {zip: 3}) {street zip __typename}}`, `{"p": {"street": "a \"b\", \\c", "zip": 1}}`, `{"echoPlace":{"street":"a \"b\", \\c","zip":1},"b":{"street":null,"zip":3,"__typename":"Place"}}`},
		"no composite":              {`{echoPlace {zip}}`, ``, `{"echoPlace":null}`},
		"composites":                {`{echoPlaces(p: [{street: "x"}, null, {zip: 2}]) {street zip}}`, ``, `{"echoPlaces":[{"street":"x","zip":null},null,{"street":null,"zip":2}]}`},
		"array":                     {`query($n: [Int]) {echoGrid(n: $n)}`, `{"n": [1, null, 3]}`, `{"echoGrid":[1,null,3]}`},
		"json":                      {`{echoJson(j: {a: [1, "x"]})}`, ``, `{"echoJson":{"a":[1,"x"]}}`},
		"bigint":                    {`{echoBig(n: "9007199254740993")}`, ``, `{"echoBig":"9007199254740993"}`},
		"domain":                    {`{half(p: 7)}`, ``, `{"half":"3.5000000000000000"}`},
		"null":                      {`{nothing}`, ``, `{"nothing":null}`},
		"boolean":                   {`{nowThere}`, ``, `{"nowThere":true}`},
		"both ways":                 {`{twice(n: 4)}`, ``, `{"twice":8}`},
		"no row":                    {`{noAuthor {name}}`, ``, `{"noAuthor":null}`},
		"a row with relations":      {`{bestAuthor {name books(orderBy: [{id: ASC}]) {title}}}`, ``, `{"bestAuthor":{"name":"Ann","books":[{"title":"One"},{"title":"Two"}]}}`},
		"none so good":              {`{bestAuthor(fewest: 1000) {name}}`, ``, `{"bestAuthor":null}`},
		"rows in their order":       {`{searchBooks(word: "o") {title}}`, ``, `{"searchBooks":[{"title":"Two"},{"title":"One"},{"title":"Four"}]}`},
		"rows chosen":               {`query($n: Int) {searchBooks(word: "o", where: {sold: {gt: 0}}, orderBy: [{title: ASC}], limit: $n, offset: 1) {title author {name}}}`, `{"n": 1}`, `{"searchBooks":[{"title":"Two","author":{"name":"Ann"}}]}`},
		"rows with lists":           {`{searchBooks(word: "o", limit: 2) {title author {books(orderBy: [{id: ASC}], limit: 1) {title}}}}`, ``, `{"searchBooks":[{"title":"Two","author":{"books":[{"title":"One"}]}},{"title":"One","author":{"books":[{"title":"One"}]}}]}`},
		"rows by cursors":           {`{searchBooksConnection(word: "o", first: 2) {totalCount nodes {title} pageInfo {hasNextPage}}}`, ``, `{"searchBooksConnection":{"totalCount":3,"nodes":[{"title":"One"},{"title":"Two"}],"pageInfo":{"hasNextPage":true}}}`},
		"aggregates of rows":        {`{searchBooksAggregate(word: "o") {count sum {sold}}}`, ``, `{"searchBooksAggregate":{"count":3,"sum":{"sold":"40"}}}`},
		"groups of rows":            {`{searchBooksGroupBy(word: "o", by: [authorId]) {key {authorId} count}}`, ``, `{"searchBooksGroupBy":[{"key":{"authorId":1},"count":2},{"key":{"authorId":2},"count":1}]}`},
		"a table of its own":        {`{sellers(fewest: 1) {name sold} one: sellers(fewest: 0, limitArgument: 1) {name} two: sellers(fewest: 1, where: {sold: {lt: "30"}}) {name}}`, ``, `{"sellers":[{"name":"Ann","sold":"40"},{"name":"Bob","sold":"20"}],"one":[{"name":"Ann"}],"two":[{"name":"Bob"}]}`},
		"ordered":                   {`{sellers(fewest: 1, orderBy: [{name: DESC}]) {name} sellersAggregate(fewest: 1) {count max {name}}}`, ``, `{"sellers":[{"name":"Bob"},{"name":"Ann"}],"sellersAggregate":{"count":2,"max":{"name":"Bob"}}}`},
		"out parameters":            {`{bounds {low high}}`, ``, `{"bounds":{"low":0,"high":30}}`},
		"values":                    {`{titles}`, ``, `{"titles":["Four","Three","Two","One"]}`},
		"values chosen":             {`query($n: Int) {titles(where: {startswith: "T"}, orderBy: ASC) b: titles(limit: $n, offset: 1)}`, `{"n": 2}`, `{"titles":["Three","Two"],"b":["Three","Two"]}`},
		"composites chosen":         {`{places(where: {zip: {gt: 1}}) {street} placesAggregate {count}}`, ``, `{"places":[{"street":"b"}],"placesAggregate":{"count":2}}`},
		"a name of a person":        {`{fancy}`, ``, `{"fancy":1}`},
		"computed":                  {`{author(id: 1) {shout total greeting(word: "Hi") b: greeting(word: "Hi", twice: true)}}`, ``, `{"author":{"shout":"ANN","total":"40","greeting":"Hi Ann","b":"Hi Ann Ann"}}`},
		"computed in a list":        {`{authors {shout books(orderBy: [{id: ASC}], limit: 1) {title writer {name shout}}}}`, ``, `{"authors":[{"shout":"ANN","books":[{"title":"One","writer":{"name":"Ann","shout":"ANN"}}]},{"shout":"BOB","books":[{"title":"Three","writer":{"name":"Bob","shout":"BOB"}}]},{"shout":"CYD","books":[]}]}`},
		"computed rows":             {`{authors(limit: 2) {topBooks(fewest: 1, limit: 1) {title words} topBooksAggregate(where: {sold: {gt: 0}}) {count}}}`, ``, `{"authors":[{"topBooks":[{"title":"Two","words":["Two","Two!"]}],"topBooksAggregate":{"count":2}},{"topBooks":[{"title":"Three","words":["Three","Three!"]}],"topBooksAggregate":{"count":1}}]}`},
		"computed composites":       {`{book(id: 1) {where {street zip} spots {zip}}}`, ``, `{"book":{"where":{"street":"One","zip":1},"spots":[{"zip":1}]}}`},
		"computed in a connection":  {`{authorsConnection(first: 1) {nodes {shout} edges {node {total}}}}`, ``, `{"authorsConnection":{"nodes":[{"shout":"ANN"}],"edges":[{"node":{"total":"40"}}]}}`},
		"computed of rows":          {`{bestAuthor {shout topBooks {title}}}`, ``, `{"bestAuthor":{"shout":"ANN","topBooks":[{"title":"Two"},{"title":"One"}]}}`},
		"chosen by computed":        {`{authors(where: {shout: {startswith: "B"}}) {name} b: authors(where: {total: {isnull: true}}) {name} books(where: {author: {shout: {eq: "BOB"}}}, orderBy: [{id: ASC}]) {id}}`, ``, `{"authors":[{"name":"Bob"}],"b":[{"name":"Cyd"}],"books":[{"id":3},{"id":4}]}`},
		"ordered by computed":       {`{authors(orderBy: [{total: DESC_NULLS_LAST}]) {name} books(orderBy: [{author: {shout: DESC}}, {id: ASC}]) {id}}`, ``, `{"authors":[{"name":"Ann"},{"name":"Bob"},{"name":"Cyd"}],"books":[{"id":3},{"id":4},{"id":1},{"id":2}]}`},
		"a connection in its order": {`{authorsConnection(orderBy: [{shout: DESC}], first: 2) {nodes {name}}}`, ``, `{"authorsConnection":{"nodes":[{"name":"Cyd"},{"name":"Bob"}]}}`},

		"a row is written":          {`mutation {createAuthor(name: "Dan") {id name mood}}`, ``, `{"createAuthor":{"id":4,"name":"Dan","mood":null}}`},
		"and what hangs on it read": {`mutation {addBook(authorId: 3, title: "Five") {id author {name total books {title}} where {zip}}}`, ``, `{"addBook":{"id":5,"author":{"name":"Cyd","total":"0","books":[{"title":"Five"}]},"where":{"zip":5}}}`},
		"rows are taken away":       {`mutation {dropBooks(fewest: 10) {title author {name books {title}}}}`, ``, `{"dropBooks":[{"title":"One","author":{"name":"Ann","books":[{"title":"Two"}]}},{"title":"Four","author":{"name":"Bob","books":[{"title":"Three"}]}}]}`},
		"none":                      {`mutation {dropBooks(fewest: -1) {title author {name}} b: dropBooks(fewest: -1) {title}}`, ``, `{"dropBooks":[],"b":[]}`},
		"a value":                   {`mutation {sell(bookId: 1) b: sell(bookId: 1, n: 4) c: sell(bookId: 99)}`, ``, `{"sell":11,"b":15,"c":null}`},
		"no value":                  {`mutation {rest updateBook(id: 1, set: {_inc: {sold: 1}}) {sold}}`, ``, `{"rest":true,"updateBook":{"sold":1}}`},
		"values of a mutation":      {`mutation {many(n: 3)}`, ``, `{"many":[1,2,3]}`},
		"computed of what is new":   {`mutation {createAuthors(input: [{id: 8, name: "Eve"}]) {shout total}}`, ``, `{"createAuthors":[{"shout":"EVE","total":null}]}`},
		"computed of what is gone":  {`mutation {deleteAuthor(id: 3) {shout greeting(word: "Bye")}}`, ``, `{"deleteAuthor":{"shout":"CYD","greeting":"Bye Cyd"}}`},
		"changed by computed":       {`mutation {updateAuthors(where: {shout: {eq: "ANN"}}, set: {name: "Anna"}) {shout}}`, ``, `{"updateAuthors":[{"shout":"ANNA"}]}`},
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
