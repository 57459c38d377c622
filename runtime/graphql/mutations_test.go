package graphql_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

const library = `
	create type mood as enum ('calm', 'wild');
	create type size as (width int, label text, tags text[]);
	create domain grade as int check (value between 1 and 10);
	create table writer (id serial primary key, name text not null unique, mood mood, born date);
	create table shelf (id int generated always as identity primary key, code text not null, room int not null, unique (code, room));
	create table book (
		id bigserial primary key, title varchar(40) not null, writer_id int not null references writer, shelf_id int references shelf on delete set null,
		sold int not null default 0, price numeric(8, 2) check (price >= 0), tags text[], doc jsonb, cover bytea, size size, grade grade,
		length int generated always as (char_length(title)) stored, written timestamptz, fits bool, spans int4range, dims int[][]
	);
	create table chapter (book_id bigint references book on delete cascade, number int, title text not null, primary key (book_id, number));
	create table label (id serial primary key, name text not null unique);
	create table book_label (book_id bigint references book on delete cascade, label_id int references label, primary key (book_id, label_id));
	create table passport (id serial primary key, writer_id int not null unique references writer, code text not null);
	create table note (text text, at int);
	create table loose (code text unique, n int);
	create table team (id int primary key, moved int not null default 0);
	create table mate (id int primary key, team_id int references team on update cascade);
	create function moved() returns trigger language plpgsql as $$ begin update team set moved = moved + 1 where id = new.team_id; return new; end $$;
	create trigger moved after insert on mate for each row execute function moved();
	insert into team values (1); insert into mate values (1, 1);
	create table author (tenant int, id int, primary key (tenant, id));
	create table category (tenant int, id int, primary key (tenant, id));
	create table post (id int primary key, tenant int not null, author_id int, category_id int, foreign key (tenant, author_id) references author, foreign key (tenant, category_id) references category);
	insert into author values (1, 5), (2, 5); insert into category values (1, 7), (2, 7); insert into post values (1, 1, 5, 7);
	create view titles as select id, title from book;
	create view named as select id, name || '!' as name from writer;
	comment on view titles is '@fraiseql {"key": ["id"]}'; comment on view named is '@fraiseql {"key": ["id"]}';
	create function named() returns trigger language plpgsql as $$ begin
		if new.name = 'no' then return null; end if;
		insert into writer (name) values (rtrim(new.name, '!')); return new; end $$;
	create trigger named instead of insert on named for each row execute function named();
	create table shy (id int primary key); create table bold (id int);
	create function shy() returns trigger language plpgsql as $$ begin delete from shy; insert into bold values (1); return null; end $$;
	create trigger shy after insert on shy for each statement execute function shy();
	create table hung (id int primary key, code text references loose (code));
	create function bump() returns trigger language plpgsql as $$ begin new.n = coalesce(new.n, 0) + 1; return new; end $$;
	create trigger bump before insert or update on loose for each row execute function bump();
	insert into writer (name) values ('Ann'), ('Bob');
	insert into book (title, writer_id, doc, tags) values ('One', 1, '{"a": {"b": 1}}', '{x}'), ('Two', 2, null, null);
	insert into label (name) values ('new'), ('old');`

// TestMutations writes in all ways, and reads what has come of it in the same request.
func TestMutations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query     string
		variables map[string]any
		data, err string
		sql, want string // what is in the database then
	}{
		"a row": {
			query: `mutation { createWriter(input: {name: "Cid", mood: wild, born: "2000-01-02"}) { id name mood born books { id } } }`,
			data:  `{"createWriter":{"id":3,"name":"Cid","mood":"wild","born":"2000-01-02","books":[]}}`,
			sql:   `select name from writer where id = 3`, want: "Cid",
		},
		"every type": {
			query: `mutation ($b: BookInput!) { createBook(input: $b) { title writer { name } sold price tags doc cover size { width label tags } grade length written fits spans dims } }`,
			variables: map[string]any{"b": map[string]any{
				"title": "T", "writerId": num("1"), "price": "1.50", "tags": []any{`a"b`, nil, `c,d\`}, "doc": map[string]any{"k": []any{num("1"), "x"}}, "cover": "AAH/",
				"size": map[string]any{"width": num("2"), "label": `q"(,)\`, "tags": []any{"m n"}}, "grade": num("3"), "written": "2020-02-03T04:05:06Z", "fits": true, "spans": "[1,5)",
				"dims": []any{[]any{num("1"), num("2")}, []any{num("3"), nil}},
			}},
			data: `{"createBook":{"title":"T","writer":{"name":"Ann"},"sold":0,"price":"1.50","tags":["a\"b",null,"c,d\\"],"doc":{"k":[1,"x"]},"cover":"AAH/","size":{"width":2,"label":"q\"(,)\\","tags":["m n"]},"grade":3,"length":1,"written":"2020-02-03T04:05:06+00:00","fits":true,"spans":"[1,5)","dims":[[1,2],[3,null]]}}`,
		},
		"rows that are alike": {
			query: `mutation ($b: [BookInput!]!) { createBooks(input: $b) { id title fits size { width } tags writer { name } } }`,
			variables: map[string]any{"b": []any{
				map[string]any{"title": "A", "writerId": num("2"), "fits": true, "tags": []any{"p"}},
				map[string]any{"title": "B", "writerId": num("1"), "fits": false, "tags": []any{}},
				map[string]any{"title": "C", "writerId": num("2"), "fits": true, "tags": []any{"q", "r"}},
			}},
			data: `{"createBooks":[{"id":"3","title":"A","fits":true,"size":null,"tags":["p"],"writer":{"name":"Bob"}},{"id":"4","title":"B","fits":false,"size":null,"tags":[],"writer":{"name":"Ann"}},{"id":"5","title":"C","fits":true,"size":null,"tags":["q","r"],"writer":{"name":"Bob"}}]}`,
		},
		"rows that are not": {
			query: `mutation { createBooks(input: [{title: "A", writerId: 2}, {title: "B", writerId: 1, sold: 4}]) { title sold } }`,
			data:  `{"createBooks":[{"title":"A","sold":0},{"title":"B","sold":4}]}`,
		},
		"an empty list": {query: `mutation { createBooks(input: []) { id } }`, data: `{"createBooks":[]}`},
		"defaults alone": {
			query: `mutation { createNote(input: {}) { text at } createNotes(input: [{}, {}]) { text } }`,
			data:  `{"createNote":{"text":null,"at":null},"createNotes":[{"text":null},{"text":null}]}`, sql: `select count(*) from note`, want: "3",
		},
		"along relations": {
			query: `mutation { createBook(input: {title: "N", writer: {create: {name: "Dee", passport: {create: {code: "D1"}}}},
				chapters: {create: [{number: 1, title: "I"}, {number: 2, title: "II"}]}, labels: {create: [{name: "fresh"}], connect: [{name: "old"}, {id: 1}]},
				shelf: {create: {code: "s", room: 1}}})
				{ writer { name passport { code } } chapters(orderBy: [{number: DESC}]) { number } chaptersAggregate { count } labels { name } shelf { code } } }`,
			data: `{"createBook":{"writer":{"name":"Dee","passport":{"code":"D1"}},"chapters":[{"number":2},{"number":1}],"chaptersAggregate":{"count":2},"labels":[{"name":"new"},{"name":"old"},{"name":"fresh"}],"shelf":{"code":"s"}}}`,
		},
		"rows along relations": {
			query: `mutation { createWriters(input: [{name: "E", books: {create: [{title: "e1"}, {title: "e2", chapters: {create: [{number: 7, title: "c"}]}}]}}, {name: "F", books: {create: [{title: "f1"}], connect: [{id: "1"}]}}])
				{ name books { title chapters { number } } } }`,
			data: `{"createWriters":[{"name":"E","books":[{"title":"e1","chapters":[]},{"title":"e2","chapters":[{"number":7}]}]},{"name":"F","books":[{"title":"One","chapters":[]},{"title":"f1","chapters":[]}]}]}`,
		},
		"many rows along a relation": {
			query:     `mutation ($c: [ChapterInput!]!) { createBook(input: {title: "N", writer: {connect: {name: "Bob"}}, chapters: {create: $c}}) { writer { name } chapters { number title } } }`,
			variables: map[string]any{"c": []any{map[string]any{"number": num("1"), "title": "x"}, map[string]any{"number": num("2"), "title": "y"}}},
			data:      `{"createBook":{"writer":{"name":"Bob"},"chapters":[{"number":1,"title":"x"},{"number":2,"title":"y"}]}}`,
		},
		"an update": {
			query:     `mutation ($t: String!) { updateBook(id: "1", set: {title: $t, sold: null, writer: {connect: {name: "Bob"}}}) { title } }`,
			variables: map[string]any{"t": "Uno"}, data: "null", err: "CONSTRAINT_VIOLATION",
			sql: `select title from book where id = 1`, want: "One",
		},
		"an update of a relation": {
			query: `mutation { updateBook(id: "1", set: {writer: {connect: {name: "Bob"}}, _inc: {sold: 3}, _append: {tags: ["y"], doc: {c: 2}}, chapters: {create: [{number: 1, title: "I"}]}}) { writer { name books { id } } sold tags doc chapters { title } length } }`,
			data:  `{"updateBook":{"writer":{"name":"Bob","books":[{"id":"1"},{"id":"2"}]},"sold":3,"tags":["x","y"],"doc":{"a":{"b":1},"c":2},"chapters":[{"title":"I"}],"length":3}}`,
		},
		"only what hangs on it": {
			query: `mutation { updateBook(id: "2", set: {labels: {connect: [{name: "new"}]}}) { labels { name } } again: updateBook(id: "2", set: {labels: {connect: [{name: "new"}, {name: "old"}]}}) { labels { name } } }`,
			data:  `{"updateBook":{"labels":[{"name":"new"}]},"again":{"labels":[{"name":"new"},{"name":"old"}]}}`,
		},
		"changes by what there is": {
			query: `mutation { updateBooks(where: {}, set: {title: "X", _mul: {sold: 2}, _prepend: {tags: "z"}, _set_path: {doc: [{path: ["n"], value: {o: 1}}, {path: ["n", "p"], value: null}]}}) { id title sold tags doc } }`,
			data:  `{"updateBooks":[{"id":"1","title":"X","sold":0,"tags":["z","x"],"doc":{"a":{"b":1},"n":{"o":1,"p":null}}},{"id":"2","title":"X","sold":0,"tags":["z"],"doc":{"n":{"o":1,"p":null}}}]}`,
		},
		"keys of JSON":              {query: `mutation { updateBook(id: "1", set: {_delete_key: {doc: "a"}}) { doc } }`, data: `{"updateBook":{"doc":{}}}`},
		"a path without a place":    {query: `mutation { updateBook(id: "1", set: {_set_path: {doc: {path: ["q", "r"], value: 1}}}) { doc } }`, data: "null", err: "BAD_USER_INPUT"},
		"an update of nothing":      {query: `mutation { updateBook(id: "9", set: {title: "x"}) { id } updateBooks(where: {id: {eq: "9"}}, set: {title: "x"}) { id } }`, data: `{"updateBook":null,"updateBooks":[]}`},
		"hanging on nothing":        {query: `mutation { updateBook(id: "9", set: {chapters: {create: [{number: 1, title: "x"}]}}) { id } }`, data: "null", err: "NOT_FOUND"},
		"connected to nothing":      {query: `mutation { createBook(input: {title: "x", writer: {connect: {name: "Zed"}}}) { id } }`, data: "null", err: "NOT_FOUND"},
		"connecting nothing":        {query: `mutation { updateWriter(id: 1, set: {books: {connect: [{id: "1"}, {id: "9"}]}}) { id } }`, data: "null", err: "NOT_FOUND"},
		"a change of the key":       {query: `mutation { updateWriter(id: 1, set: {id: 9}) { id } }`, data: "null", err: "CONSTRAINT_VIOLATION"},
		"a deletion":                {query: `mutation { deleteBook(id: "1") { id title writer { name books { id } } chapters { number } } }`, data: `{"deleteBook":{"id":"1","title":"One","writer":{"name":"Ann","books":[{"id":"1"}]},"chapters":[]}}`, sql: `select count(*) from book`, want: "1"},
		"a deletion of nothing":     {query: `mutation { deleteBook(id: "9") { id } }`, data: `{"deleteBook":null}`},
		"deletions":                 {query: `mutation { deleteBooks(where: {writer: {name: {in: ["Ann", "Bob"]}}}) { title } }`, data: `{"deleteBooks":[{"title":"One"},{"title":"Two"}]}`, sql: `select count(*) from book`, want: "0"},
		"in order":                  {query: `mutation { a: createWriter(input: {name: "G"}) { id } b: updateWriters(where: {name: {eq: "G"}}, set: {name: "H"}) { name } c: deleteWriters(where: {name: {eq: "H"}}) { name } __typename }`, data: `{"a":{"id":3},"b":[{"name":"H"}],"c":[{"name":"H"}],"__typename":"Mutation"}`},
		"all or nothing":            {query: `mutation { a: createWriter(input: {name: "G"}) { id } b: createWriter(input: {name: "Ann"}) { id } c: deleteWriters(where: {}) { id } }`, data: "null", err: "CONFLICT", sql: `select count(*) from writer`, want: "2"},
		"a new row by upsert":       {query: `mutation { upsertWriter(input: {name: "G", mood: calm}) { id name mood } }`, data: `{"upsertWriter":{"id":3,"name":"G","mood":"calm"}}`},
		"an old row by upsert":      {query: `mutation { upsertWriter(input: {name: "Ann", mood: calm}) { id name mood } }`, data: `{"upsertWriter":{"id":1,"name":"Ann","mood":"calm"}}`},
		"an old row as it is":       {query: `mutation { upsertWriter(input: {name: "Ann", mood: calm}, onConflict: {update: []}) { id name mood books { id } } }`, data: `{"upsertWriter":{"id":1,"name":"Ann","mood":null,"books":[{"id":"1"}]}}`},
		"an old row that is raised": {query: `mutation { upsertBook(input: {id: "1", title: "O", writerId: 2}, onConflict: {key: id, update: [title], set: {_inc: {sold: 5}}}) { title sold writer { name } } }`, data: `{"upsertBook":{"title":"O","sold":5,"writer":{"name":"Ann"}}}`},
		"old and new rows": {
			query:     `mutation ($w: [WriterInput!]!) { upsertWriters(input: $w) { id name born } same: upsertWriters(input: $w, onConflict: {update: []}) { id } }`,
			variables: map[string]any{"w": []any{map[string]any{"name": "Bob", "born": "1999-01-01"}, map[string]any{"name": "New", "born": nil}, map[string]any{"name": "Ann", "born": "1998-01-01"}}},
			data:      `{"upsertWriters":[{"id":2,"name":"Bob","born":"1999-01-01"},{"id":4,"name":"New","born":null},{"id":1,"name":"Ann","born":"1998-01-01"}],"same":[{"id":2},{"id":4},{"id":1}]}`,
		},
		"an upsert without a key":    {query: `mutation { upsertWriter(input: {name: "G"}, onConflict: {key: id}) { id } }`, err: "BAD_USER_INPUT"},
		"one row twice":              {query: `mutation { upsertWriters(input: [{name: "Ann"}, {name: "Ann"}], onConflict: {set: {mood: calm}}) { id } }`, data: "null", err: "BAD_USER_INPUT"},
		"a value twice":              {query: `mutation { createBook(input: {title: "x", writerId: 1, writer: {connect: {id: 2}}}) { id } }`, data: "null", err: "BAD_USER_INPUT"},
		"a change twice":             {query: `mutation { updateBook(id: "1", set: {sold: 1, _inc: {sold: 1}}) { id } }`, err: "BAD_USER_INPUT"},
		"nothing to change":          {query: `mutation { updateBook(id: "1", set: {}) { id } }`, err: "BAD_USER_INPUT"},
		"a value that is missing":    {query: `mutation { createBook(input: {title: "x"}) { id } }`, err: "BAD_USER_INPUT"},
		"no rows":                    {query: `mutation { updateBook(id: "1", set: {title: "x", shelf: null}) { id } }`, err: "BAD_USER_INPUT"},
		"no key of a row":            {query: `mutation { createBook(input: {title: "x", shelf: {connect: {code: "s"}}, writerId: 1}) { id } }`, err: "BAD_USER_INPUT"},
		"a generated column":         {query: `mutation { createBook(input: {title: "x", writerId: 1, length: 4}) { id } }`, err: "GRAPHQL_VALIDATION_FAILED"},
		"an identity":                {query: `mutation { createShelf(input: {code: "x", room: 1, id: 4}) { id } }`, err: "GRAPHQL_VALIDATION_FAILED"},
		"a text that is too long":    {query: `mutation { createBook(input: {title: "0123456789012345678901234567890123456789x", writerId: 1}) { id } }`, data: "null", err: "BAD_USER_INPUT"},
		"only what it is":            {query: `mutation { createWriter(input: {name: "G"}) { __typename } deleteWriter(id: 3) { __typename } }`, data: `{"createWriter":{"__typename":"Writer"},"deleteWriter":{"__typename":"Writer"}}`},
		"a table without a key":      {query: `mutation { createNote(input: {text: "n", at: 1}) { text } updateNotes(where: {at: {eq: 1}}, set: {_inc: {at: 1}}) { at } deleteNotes(where: {}) { at } }`, data: `{"createNote":{"text":"n"},"updateNotes":[{"at":2}],"deleteNotes":[{"at":2}]}`},
		"relations that differ":      {query: `mutation { createPost(input: {id: 2, author: {connect: {tenant: 1, id: 5}}, category: {connect: {tenant: 2, id: 7}}}) { id } }`, data: "null", err: "BAD_USER_INPUT"},
		"relations that agree":       {query: `mutation { createPost(input: {id: 2, tenant: 2, author: {connect: {tenant: 2, id: 5}}, category: {connect: {tenant: 2, id: 7}}}) { tenant } updatePost(id: 1, set: {author: {connect: {tenant: 2, id: 5}}, category: {connect: {tenant: 2, id: 7}}}) { tenant } }`, data: `{"createPost":{"tenant":2},"updatePost":{"tenant":2}}`},
		"a parent that differs":      {query: `mutation { updateAuthor(tenant: 1, id: 5, set: {posts: {create: [{id: 3, category: {connect: {tenant: 2, id: 7}}}]}}) { id } }`, data: "null", err: "BAD_USER_INPUT"},
		"another parent":             {query: `mutation { createWriter(input: {name: "P", books: {create: [{title: "b", writer: {create: {name: "Q"}}}]}}) { id } }`, data: "null", err: "BAD_USER_INPUT", sql: "select count(*) from writer", want: "2"},
		"a parent that agrees":       {query: `mutation { updateAuthor(tenant: 1, id: 5, set: {posts: {create: [{id: 3, tenant: 1, category: {connect: {tenant: 1, id: 7}}}]}}) { posts { id tenant } } }`, data: `{"updateAuthor":{"posts":[{"id":1,"tenant":1},{"id":3,"tenant":1}]}}`},
		"created for nothing":        {query: `mutation { updateBook(id: "99", set: {writer: {create: {name: "Orphan"}}}) { id } }`, data: "null", err: "NOT_FOUND", sql: "select count(*) from writer", want: "2"},
		"created for any":            {query: `mutation { updateBooks(where: {}, set: {writer: {create: {name: "Orphan"}}}) { id } }`, err: "BAD_USER_INPUT"},
		"an identity's children":     {query: `mutation { createShelf(input: {code: "s", room: 1}) { id } updateShelf(id: 1, set: {books: {connect: [{id: "1"}]}}) { books { id } } }`, data: `{"createShelf":{"id":1},"updateShelf":{"books":[{"id":"1"}]}}`},
		"keys of nulls":              {query: `mutation { upsertLoose(input: {code: null, n: 1}, onConflict: {key: code, update: []}) { n } }`, err: "BAD_USER_INPUT"},
		"a simple view":              {query: `mutation { updateTitle(id: "1", set: {title: "Uno"}) { title } deleteTitle(id: "2") { title } }`, data: `{"updateTitle":{"title":"Uno"},"deleteTitle":{"title":"Two"}}`, sql: "select string_agg(title, ',') from book", want: "Uno"},
		"a view with a trigger":      {query: `mutation { createNamed(input: {name: "G!"}) { id name } }`, data: `{"createNamed":{"id":null,"name":"G!"}}`, sql: "select max(name) from writer", want: "G"},
		"a view that refuses":        {query: `mutation { createNameds(input: [{name: "G!"}, {name: "no"}]) { name } }`, data: "null", err: "CONSTRAINT_VIOLATION", sql: "select count(*) from writer", want: "2"},
		"hanging on null":            {query: `mutation { createLoose(input: {n: 1, hungs: {create: [{id: 1}]}}) { n } }`, data: "null", err: "BAD_USER_INPUT", sql: "select count(*) from hung", want: "0"},
		"naming null":                {query: `mutation { a: createLoose(input: {n: 9}) { n } b: createHung(input: {id: 1, looseByCode: {create: {n: 1}}}) { id } }`, data: "null", err: "BAD_USER_INPUT"},
		"a null that differs":        {query: `mutation { createHung(input: {id: 1, code: "y", looseByCode: {create: {n: 1}}}) { id } }`, data: "null", err: "BAD_USER_INPUT"},
		"what is taken away again":   {query: `mutation { createShy(input: {id: 1}) { id } }`, data: "null", err: "CONSTRAINT_VIOLATION", sql: "select count(*) from bold", want: "0"},
		"what cascades":              {query: `mutation { updateTeam(id: 1, set: {id: 2}) { id mates { id } matesAggregate { count } } }`, data: `{"updateTeam":{"id":2,"mates":[{"id":1}],"matesAggregate":{"count":1}}}`},
		"what a trigger changes":     {query: `mutation { createMate(input: {id: 2, teamId: 1}) { team { moved } } }`, data: `{"createMate":{"team":{"moved":2}}}`},
		"a key of nulls":             {query: `mutation { createLoose(input: {n: 1}) { code n } updateLooses(where: {}, set: {_inc: {n: 5}}) { code n } deleteLooses(where: {}) { n } }`, data: `{"createLoose":{"code":null,"n":2},"updateLooses":[{"code":null,"n":8}],"deleteLooses":[{"n":8}]}`},
		"hanging on such a key":      {query: `mutation { createLoose(input: {code: "x", hungs: {create: [{id: 1}]}}) { code n hungs { id } } }`, data: `{"createLoose":{"code":"x","n":1,"hungs":[{"id":1}]}}`},
		"a relation to its own rows": {query: `mutation { createBook(input: {title: "x", writerId: 1}) { writer { books { title } } } }`, data: `{"createBook":{"writer":{"books":[{"title":"One"},{"title":"x"}]}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{}, sql(t, library))
			got := s.Execute(t.Context(), transport.Request{Query: c.query, Variables: c.variables})
			data := got.Data
			if data != nil {
				data = []byte(compact(t, data))
			}
			if string(data) != c.data || c.err != "" && !strings.HasPrefix(firstError(got), c.err) || c.err == "" && len(got.Errors) > 0 {
				t.Errorf("it gave %s %s, want %s %s", got.Data, firstError(got), c.data, c.err)
			}
			if c.sql == "" {
				return
			}
			var found string
			if err := pool.QueryRow(t.Context(), "select ("+c.sql+")::text").Scan(&found); err != nil || found != c.want {
				t.Errorf("the database has %q, want %q: %v", found, c.want, err)
			}
		})
	}
}

func num(digits string) json.Number { return json.Number(digits) }
