package graphql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
)

const records = `
	create table artist (id bigint primary key, name text not null);
	create table album (album_id int primary key, artist_id bigint references artist, title text, year int, api_token text);
	insert into artist values (1, 'A'), (9007199254740993, 'B');
	insert into album values (1, 1, 'one', 2001), (2, 1, 'two', 2002);`

// TestWhatIsTold has every field, and each op.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), records)
	s := l.stream(t, "", `subscription { c: albumChanged { __typename op key changed row: album { title artist { name albums(where: {year: {gt: 2001}}) { title } } } again: album { albumId } } }`, "")
	exec(t, l.owner, `insert into album values (3, 9007199254740993, E'th"ree\n', 2003); update album set title = 'drei', api_token = 'x' where album_id = 3;
		update album set year = year where album_id = 3; delete from album where album_id = 3; truncate album`)
	// Rows are as they are when they are read: the row is gone already.
	s.expect(`{"__typename":"AlbumChanged","op":"DELETE","key":{"albumId":3},"changed":null,"row":null,"again":null}`, `{"__typename":"AlbumChanged","op":"TRUNCATE","key":null,"changed":null,"row":null,"again":null}`)
	exec(t, l.owner, `insert into album values (4, 9007199254740993, E'fo"ur\n', 2004)`)
	s.expect(`{"__typename":"AlbumChanged","op":"INSERT","key":{"albumId":4},"changed":null,"row":{"title":"fo\"ur\n","artist":{"name":"B","albums":[{"title":"fo\"ur\n"}]}},"again":{"albumId":4}}`)
	exec(t, l.owner, `update album set title = 'vier', year = 1 where album_id = 4`)
	s.expect(`{"__typename":"AlbumChanged","op":"UPDATE","key":{"albumId":4},"changed":["title","year"],"row":{"title":"vier","artist":{"name":"B","albums":[]}},"again":{"albumId":4}}`)
	big := l.stream(t, "", `subscription { c: artistChanged(ops: [UPDATE]) { id at key artist { id } } }`, "")
	exec(t, l.owner, `insert into artist values (7, 'x'); delete from artist where id = 7; update artist set name = 'b' where id = 9007199254740993`)
	got := big.next()
	if !strings.Contains(got, `"key":{"id":"9007199254740993"},"artist":{"id":"9007199254740993"}`) || !strings.Contains(got, `+00:00"`) || !strings.Contains(got, `{"c":{"id":"`) {
		t.Errorf("told %s", got)
	}
}

// TestAFilterIsLeft has rows that come to meet conditions, and that meet them no more.
func TestAFilterIsLeft(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), records)
	s := l.stream(t, "", `subscription { c: albumChanged(where: {artist: {name: {eq: "A"}}, year: {gt: 2001}}) { op key changed album { title } } }`, "")
	step := func(sql string, want ...string) {
		t.Helper()
		exec(t, l.owner, sql)
		s.expect(want...)
	}
	step(`update album set title = 'eins' where album_id = 1; update album set title = 'zwei' where album_id = 2`, `{"op":"UPDATE","key":{"albumId":2},"changed":["title"],"album":{"title":"zwei"}}`)
	step(`update album set year = 2000 where album_id = 2`, `{"op":"UPDATE","key":{"albumId":2},"changed":null,"album":null}`)
	step(`update album set title = 'two' where album_id = 2; update album set year = 2005 where album_id = 1`, `{"op":"UPDATE","key":{"albumId":1},"changed":["year"],"album":{"title":"eins"}}`)
	step(`delete from album where album_id = 2; delete from album where album_id = 1`, `{"op":"DELETE","key":{"albumId":1},"changed":null,"album":null}`)
	step(`insert into album values (5, 1, 'five', 2005)`, `{"op":"INSERT","key":{"albumId":5},"changed":null,"album":{"title":"five"}}`)
	step(`update album set album_id = 6 where album_id = 5`, `{"op":"UPDATE","key":{"albumId":5},"changed":null,"album":null}`, `{"op":"UPDATE","key":{"albumId":6},"changed":["albumId"],"album":{"title":"five"}}`)
	step(`update album set title = repeat('x', 300000) || 'y', year = 3000 where album_id = 6`, `{"op":"UPDATE","key":{"albumId":6},"changed":["title","year"],"album":{"title":"`+strings.Repeat("x", 300000)+`y"}}`)
	step(`truncate album`, `{"op":"TRUNCATE","key":null,"changed":null,"album":null}`)
}

// TestRowSecurityOfSubscriptions has two who see different rows, of which one changes hands.
func TestRowSecurityOfSubscriptions(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), `
		create table item (id int primary key, owner text not null, title text not null, price int, note text);
		insert into item values (1, 'ann', 'A', 1), (2, 'bob', 'B', 1), (3, 'ann', 'C', 1);
		alter table item enable row level security;
		create policy own on item to member_DB using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
		create policy look on item for select to guest_DB using (price > 10);
		grant usage on schema public to member_DB, guest_DB;
		grant select (id, owner, title), update, delete on item to member_DB;
		grant select (id, title) on item to guest_DB;`)
	const items = `subscription { c: itemChanged { op key changed item { title } } }`
	ann, bob, guest := l.stream(t, "member:ann", items, ""), l.stream(t, "member:bob", items, ""), l.stream(t, "guest:", items, "")
	exec(t, l.owner, `update item set owner = 'bob' where id = 1`)
	ann.expect(`{"op":"UPDATE","key":{"id":1},"changed":null,"item":null}`)
	bob.expect(`{"op":"UPDATE","key":{"id":1},"changed":["owner"],"item":{"title":"A"}}`)
	// What ann does not see any more, and what she never saw, is gone without a word to her.
	exec(t, l.owner, `update item set title = 'AA' where id = 1`)
	bob.expect(`{"op":"UPDATE","key":{"id":1},"changed":["title"],"item":{"title":"AA"}}`)
	exec(t, l.owner, `delete from item where id in (1, 2)`)
	bob.expect(`{"op":"DELETE","key":{"id":1},"changed":null,"item":null}`, `{"op":"DELETE","key":{"id":2},"changed":null,"item":null}`)
	exec(t, l.owner, `insert into item values (4, 'cid', 'D', 11)`)
	guest.expect(`{"op":"INSERT","key":{"id":4},"changed":null,"item":{"title":"D"}}`)
	// A column that a role may not read is no news of a row that it knows.
	exec(t, l.owner, `update item set price = 12 where id = 4`)
	exec(t, l.owner, `update item set owner = 'dan' where id = 4`)
	exec(t, l.owner, `update item set title = 'DD' where id = 4`)
	guest.expect(`{"op":"UPDATE","key":{"id":4},"changed":["title"],"item":{"title":"DD"}}`)
	exec(t, l.owner, `update item set price = 9 where id = 4`)
	guest.expect(`{"op":"UPDATE","key":{"id":4},"changed":null,"item":null}`)
	exec(t, l.owner, `delete from item where id = 4; update item set note = 'n' where id = 3; delete from item where id = 3`)
	ann.expect(`{"op":"DELETE","key":{"id":3},"changed":null,"item":null}`)
	for _, s := range []*stream{bob, guest} { // and nothing more
		exec(t, l.owner, `insert into item values (10, 'bob', 'last', 20)`)
		s.expect(`{"op":"INSERT","key":{"id":10},"changed":null,"item":{"title":"last"}}`)
		exec(t, l.owner, `delete from item where id = 10`)
		s.expect(`{"op":"DELETE","key":{"id":10},"changed":null,"item":null}`)
	}
	if s := l.stream(t, "guest:", `subscription { itemChanged { item { owner } } }`, ""); s.status != 200 || !strings.Contains(s.next(), "GRAPHQL_VALIDATION_FAILED") || s.next() != "complete" {
		t.Error("a column that may not be read was subscribed to")
	}
	for who, status := range map[string]int{"": 401, "root:x": 403} {
		if s := l.stream(t, who, items, ""); s.status != status {
			t.Errorf("%q got %d %s", who, s.status, s.body)
		}
	}
}

// TestRowSecurityThatComes switches it on behind the back of a server that has not looked again.
func TestRowSecurityThatComes(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), `
		create table item (id int primary key, title text);
		insert into item select i, 'x' from generate_series(1, 5) i;
		grant usage on schema public to member_DB;
		grant select on item to member_DB;`)
	s := l.stream(t, "member:ann", `subscription { c: itemChanged { op key } }`, "")
	exec(t, l.owner, `delete from item where id = 1`)
	s.expect(`{"op":"DELETE","key":{"id":1}}`)
	// Policies are there, but the schema of the server has none.
	exec(t, l.owner, `begin; alter table item enable row level security; create policy p on item using (id > 3); delete from item where id = 2; commit`)
	exec(t, l.owner, `update item set title = 'y'; delete from item where id = 3`)
	for range 2 {
		s.expect(`{"op":"UPDATE","key":{"id":4}}`, `{"op":"UPDATE","key":{"id":5}}`)
		exec(t, l.owner, `update item set title = 'z'`)
	}
	// Rights that are taken end it.
	exec(t, l.owner, l.in(`revoke select on item from member_DB; delete from item where id = 4`))
	if got := s.next(); !strings.Contains(got, "FORBIDDEN") || s.next() != "complete" {
		t.Errorf("it was told %s", got)
	}
}

// TestLimitsOfSubscriptions has documents that are refused.
func TestLimitsOfSubscriptions(t *testing.T) {
	t.Parallel()
	c := graphql.DefaultConfig()
	c.Limits.Depth, c.Limits.Rows = 5, 300
	l := lively(t, c, records+`insert into album select i, 1, 't', 2000 from generate_series(10, 2000) i; analyze`)
	for query, want := range map[string]string{
		`subscription { a: albumChanged { op } b: artistChanged { op } }`:                      "must select only one top level field",
		`subscription { __typename }`:                                                          "must not select an introspection top level field",
		`subscription($x: Boolean = true) { albumChanged @skip(if: $x) { op } }`:               "it is left out",
		`subscription { artistChanged { artist { albums { artist { albums { title } } } } } }`: "depth",
		`subscription { artistChanged { artist { albums(limit: 900) { title } } } }`:           "QUERY_TOO_COMPLEX",
		`subscription { albumChanged(where: {title: {matches_all: "x"}}) { op } }`:             "GRAPHQL_VALIDATION_FAILED",
		`subscription { albumChanged(where: {nothing: {eq: 1}}) { op } }`:                      "GRAPHQL_VALIDATION_FAILED",
		fmt.Sprintf(`subscription { albumChanged { %s } }`, strings.Repeat("op ", 2001)):       "2000 tokens",
	} {
		s := l.stream(t, "", query, "")
		if got := s.next(); !strings.Contains(got, want) || !strings.HasPrefix(got, `{"errors":`) || s.next() != "complete" {
			t.Errorf("%.60s: %s", query, got)
		}
	}
	s := l.stream(t, "", `subscription { c: artistChanged { artist { albums(limit: 250) { title } } } }`, "")
	exec(t, l.owner, `update artist set name = 'Z'`) // each by its own statement
	if got := s.next(); len(got) < 250*10 {
		t.Errorf("it was told %s", got)
	}
	s.expect(`{"artist":{"albums":[]}}`)
}
