package graphql_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// ask is a request and what comes of it: its data, or how its first error begins.
type ask struct{ query, variables, want string }

const (
	pageNames = `
		create table person (first text, last text, name text, primary key (first, last));
		insert into person values ('99999999999999999999', 'x', 'Ann');`

	domains = `
		create type mood as enum ('sad', 'ok', 'glad');
		create domain temper as mood;
		create domain amount as numeric(12,2) check (value < 1000);
		create domain share as numeric(4,2);
		create type amounts as range (subtype = amount);
		create table shop (id int primary key);
		insert into shop values (1), (2), (3);
		create table item (id int primary key, shop_id int references shop, price amount, share share, ts temper[], prices amount[], span amounts);
		insert into item values (1, 1, 10.00, 1, '{sad,glad}', '{10.00}'), (2, 1, 999, 2, '{}', null), (3, 1, 999, 2, null, null),
			(4, 2, 900, 1, '{ok}', '{1}'), (5, 2, 901, 1, null, null), (6, 2, 902, 2, null, null), (7, 3, 1, 1, null, null);
		update item set span = '[2,8]' where id = 7;`

	extensions = `
		create schema "exten%sions"; create extension citext with schema "exten%sions"; create extension ltree with schema "exten%sions";
		create table word (id int primary key, word "exten%sions".citext, path "exten%sions".ltree);
		insert into word values (1, 'a', 'A'), (2, 'A', 'A'), (3, null, null), (4, 'B', 'A.B'), (5, null, null), (6, 'c', null);`

	composites = `
		create type punkt as ("länge" numeric, "höhe" numeric);
		create type place as (x int, y int);
		create domain blobs as bytea[];
		create domain grid as bytea[][];
		create domain spot as place;
		create table stelle (id int primary key, p punkt, ps punkt[], place place, cells money[][], raws bytea[], docs jsonb[][], sums numeric[][], deep blobs[], deeper grid[][], spots spot[]);
		insert into stelle values (1, (1, 2), array[(1, 2)::punkt], (1, 2), '{{1,2}}', array['\x00ff'::bytea, null], '{{"{\"a\": [1]}",NULL}}', '{{1,2}}',
				'{"{AA,AB}",NULL,"{AC}"}', '{{"{{AA,AB}}","{{AC},{AD}}"}}', '{"(3,4)",NULL}'),
			(2, null, '{}', null, '{{1},{2}}', '{}', '{{"[1]"}}', '{{1},{2}}', null, '{}', '{}');`
)

// TestCorners has small databases with what is easily got wrong.
func TestCorners(t *testing.T) {
	t.Parallel()
	relay := graphql.DefaultConfig()
	relay.Relay = true
	keyed := graphql.DefaultConfig()
	keyed.Entities = map[string]graphql.Entity{"A": {Key: []string{"code"}}, "B": {Key: []string{"id"}}}
	for name, c := range map[string]struct {
		config *graphql.Config
		script string
		asks   []ask
	}{
		"a key with the names of pages": {script: pageNames, asks: []ask{
			{`query($f: String!, $l: String!) { person(first: $f, last: $l) { name } }`, `{"f": "99999999999999999999", "l": "x"}`, `{"person":{"name":"Ann"}}`},
		}},
		"conditions on domains": {script: domains, asks: []ask{
			{`{ items(where: {price: {lt: "10.001"}, shopId: {eq: 1}}) { id } }`, ``, `{"items":[{"id":1}]}`},
			{`{ items(where: {price: {in: ["10.001", "5000", "999"]}}) { id } }`, ``, `{"items":[{"id":2},{"id":3}]}`},
			{`{ items(where: {price: {gte: "5000"}}) { id } }`, ``, `{"items":[]}`},
			{`{ itemsGroupBy(by: [shopId], having: {sum: {price: {gt: "2700"}}}) { key { shopId } } }`, ``, `{"itemsGroupBy":[{"key":{"shopId":2}}]}`},
			{`{ items(where: {ts: {eq: [sad, glad]}}) { id } }`, ``, `{"items":[{"id":1}]}`},
			{`{ items(where: {ts: {array_overlaps: [ok, sad]}}) { id } }`, ``, `{"items":[{"id":1},{"id":4}]}`},
			{`{ items(where: {span: {range_contains: "5"}}) { id } }`, ``, `{"items":[{"id":7}]}`},
			{`{ items(where: {span: {range_overlaps: "[1,2]"}}) { id } }`, ``, `{"items":[{"id":7}]}`},
			{`{ items(where: {prices: {array_contains: ["10"]}}) { id } }`, ``, `{"items":[{"id":1}]}`},
		}},
		"a key beside the table's own": {config: &keyed, script: `
			create table a (id int primary key, code text); insert into a values (1, 'x'); create table b (id int primary key); insert into b values (1);
			create table c (id int primary key, code text); insert into c values (1, 'x'); create unique index on c (code); create unique index on c (code) include (id);`, asks: []ask{
			{`{ a(code: "x") { id } aById(id: 1) { code } b(id: 1) { id } c(id: 1) { id } cByCode(code: "x") { id } }`, ``, `{"a":{"id":1},"aById":{"code":"x"},"b":{"id":1},"c":{"id":1},"cByCode":{"id":1}}`},
			{`{ bById(id: 1) { id } }`, ``, "GRAPHQL_VALIDATION_FAILED"},
		}},
		"a global id of a type that has none": {config: &relay, script: `
			create table a (id int primary key); insert into a values (1);
			create table b (key int primary key, node_id text); insert into b values (1, 'x');`, asks: []ask{
			{`{ a(id: 1) { nodeId } node(nodeId: "WyJBIiwiMSJd") { __typename } }`, ``, `{"a":{"nodeId":"WyJBIiwiMSJd"},"node":{"__typename":"A"}}`},
			{`{ node(nodeId: "WyJCIiwiMSJd") { __typename } }`, ``, "BAD_USER_INPUT"},
		}},
		"composites and arrays": {script: composites, asks: []ask{
			{`{ stelles(limit: 1) { p ps place { x } } }`, ``, `{"stelles":[{"p":"(1,2)","ps":["(1,2)"],"place":{"x":1}}]}`},
			{`{ stelles(where: {cells: {eq: [["1", "2"]]}}) { id } }`, ``, `{"stelles":[{"id":1}]}`},
			{`{ stelles(where: {sums: {eq: [["1", "2"]]}}) { id } }`, ``, `{"stelles":[{"id":1}]}`},
			{`{ stelles(where: {cells: {array_contains: ["2.00"]}}) { id cells } }`, ``, `{"stelles":[{"id":1,"cells":[["1.00","2.00"]]},{"id":2,"cells":[["1.00"],["2.00"]]}]}`},
			{`{ stelles(where: {docs: {eq: [[{a: [1]}, null]]}}) { id } }`, ``, `{"stelles":[{"id":1}]}`},
			{`query($v: JSON) { stelles(where: {docs: {eq: [[$v]]}}) { id } }`, `{"v": [1]}`, `{"stelles":[{"id":2}]}`},
			{`query($v: [[JSON]]) { stelles(where: {docs: {eq: $v}}) { id } }`, `{"v": [[[1]]]}`, `{"stelles":[{"id":2}]}`},
			{`{ stelle(id: 1) { deep deeper spots { y } } }`, ``, `{"stelle":{"deep":[["QUE=","QUI="],null,["QUM="]],"deeper":[[[["QUE=","QUI="]],[["QUM="],["QUQ="]]]],"spots":[{"y":4},null]}}`},
			{`{ stelles { raws } }`, ``, `{"stelles":[{"raws":["AP8=",null]},{"raws":[]}]}`},
		}},
		"aggregates of an extension's type": {script: extensions, asks: []ask{
			{`{ wordsAggregate(where: {id: {in: [1, 4, 6]}}) { min { word } max { word } countDistinct { word } } }`, ``, `{"wordsAggregate":{"min":{"word":"a"},"max":{"word":"c"},"countDistinct":{"word":3}}}`},
			{`{ wordsGroupBy(by: [path], having: {max: {word: {gte: "b"}}}) { key { path } max { word } } }`, ``, `{"wordsGroupBy":[{"key":{"path":"A.B"},"max":{"word":"B"}},{"key":{"path":null},"max":{"word":"c"}}]}`},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := graphql.DefaultConfig()
			if c.config != nil {
				config = *c.config
			}
			s, _ := open(t, config, sql(t, c.script))
			for _, a := range c.asks {
				got := s.Execute(t.Context(), request(t, a.query, a.variables))
				if text := answer(t, got); !strings.HasPrefix(text, a.want) {
					t.Errorf("%s %s\n got %s\nwant %s", a.query, a.variables, text, a.want)
				}
			}
		})
	}
}

// request makes a request with variables that are written as JSON.
func request(t *testing.T, query, variables string) transport.Request {
	t.Helper()
	r := transport.Request{Query: query}
	if variables != "" {
		decoder := json.NewDecoder(strings.NewReader(variables))
		decoder.UseNumber()
		if err := decoder.Decode(&r.Variables); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// answer writes the data of a response, or its first error.
func answer(t *testing.T, got transport.Response) string {
	t.Helper()
	if len(got.Errors) > 0 {
		return firstError(got)
	}
	return compact(t, got.Data)
}

// TestWalksOverOddKeys reads pages of one row in orders whose values are of domains, of an extension's types or null.
func TestWalksOverOddKeys(t *testing.T) {
	t.Parallel()
	for script, orders := range map[string]map[string]string{
		domains: {
			`shops {items: {sum: {price: DESC}}}`:                   "2 1 3",
			`shops {items: {avg: {price: ASC}}}`:                    "3 1 2",
			`shops {items: {avg: {share: ASC}}}`:                    "3 2 1",
			`items {price: DESC_NULLS_LAST}`:                        "3 2 6 5 4 1 7",
			`items {shop: {items: {max: {price: DESC_NULLS_LAST}}}`: "3 2 1 6 5 4 7",
		},
		extensions: {
			`words {word: ASC}`:             "1 2 4 6 3 5",
			`words {word: DESC}`:            "5 3 6 4 2 1",
			`words {word: ASC_NULLS_FIRST}`: "3 5 1 2 4 6",
			`words {path: ASC}`:             "1 2 4 3 5 6",
			`words {path: DESC_NULLS_LAST}`: "4 2 1 6 5 3",
		},
	} {
		s, _ := open(t, graphql.DefaultConfig(), sql(t, script))
		for order, want := range orders {
			list, key, _ := strings.Cut(order, " ")
			for strings.Count(key, "{") > strings.Count(key, "}") {
				key += "}"
			}
			for _, side := range []string{"first: 1, after", "last: 1, before"} {
				var ids []string
				cursor := "null"
				for range len(want) { // more than there are pages
					query := "{ page: " + list + "Connection(" + side + ": " + cursor + ", orderBy: [" + key + "]) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } } }"
					got := s.Execute(t.Context(), transport.Request{Query: query})
					var answer struct{ Page walkedPage }
					if err := json.Unmarshal(got.Data, &answer); err != nil || len(got.Errors) > 0 || len(answer.Page.Edges) != 1 {
						t.Fatalf("%s gave %s %s after %v", query, got.Data, firstError(got), ids)
					}
					edge := answer.Page.Edges[0]
					cursor = `"` + edge.Cursor + `"`
					if id := edge.Node["id"].String(); strings.HasPrefix(side, "first") {
						ids = append(ids, id)
					} else {
						ids = append([]string{id}, ids...)
					}
					if info := answer.Page.PageInfo; strings.HasPrefix(side, "first") && !info.HasNextPage || strings.HasPrefix(side, "last") && !info.HasPreviousPage {
						break
					}
				}
				if got := strings.Join(ids, " "); got != want {
					t.Errorf("%s, %s: got %s, want %s", order, side, got, want)
				}
			}
		}
	}
}

// TestValuesAreReadOfRowsThatAreLeft has values that are sub-selects: those of rows that an offset leaves out are not
// for reading.
func TestValuesAreReadOfRowsThatAreLeft(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), sql(t, composites))
	for selection, below := range map[string]bool{"place { x }": true, "cells": true, "raws": true, "sums": false, "p": false} {
		bound, err := s.Statements(transport.Request{Query: "{ stelles(offset: 1) { " + selection + " } }"})
		if err != nil {
			t.Fatal(err)
		}
		if text := bound.Calls[0].SQL; strings.Contains(text, " offset $1::int8) t1") != below {
			t.Errorf("%s: %s", selection, text)
		}
	}
}

// TestWarnings has what cannot be shown as it is: the warnings say how to change that.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entities map[string]graphql.Entity
		script   string
		want     []string
	}{
		"what a comment is on": {
			script: `
				create view "ä" as select 1 as id; create materialized view "ö" as select 1 as id; create table "ü" (id int primary key);
				create table parted ("é" int) partition by range ("é");
				create extension file_fdw; create server files foreign data wrapper file_fdw; create foreign table "ß" (id int) server files options (filename 'none');
				create view orders as select 1 as id, 'x' as code; comment on view orders is '@fraiseql {"key": ["no"]}';`,
			want: []string{
				"schema/bad-reference public.orders: the key by (no) names a table or column that does not exist or does not fit -> comment on view \"public\".\"orders\" is '@fraiseql {\"key\": [\"id\"], \"references\": [{\"columns\": [\"customer_id\"], \"table\": \"public.customer\"}]}'",
				"schema/no-name public.ß: no GraphQL name can be derived from its own, so the foreign table is left out -> comment on foreign table \"public\".\"ß\" is '@fraiseql {\"name\": \"…\"}'",
				"schema/no-name public.ä: no GraphQL name can be derived from its own, so the view is left out -> comment on view \"public\".\"ä\" is '@fraiseql {\"name\": \"…\"}'",
				"schema/no-name public.ö: no GraphQL name can be derived from its own, so the materialized view is left out -> comment on materialized view \"public\".\"ö\" is '@fraiseql {\"name\": \"…\"}'",
				"schema/no-name public.ü: no GraphQL name can be derived from its own, so the table is left out -> comment on table \"public\".\"ü\" is '@fraiseql {\"name\": \"…\"}'",
				"schema/no-field-name public.parted.é: no GraphQL name can be derived that is not taken, so the column is left out -> comment on column \"public\".\"parted\".\"é\" is '@fraiseql {\"name\": \"…\"}'",
			},
		},
		"two indexes over the same columns": {script: `create table a (id int primary key, code text); create unique index on a (code); create unique index on a (code) include (id);`},
		"a key beside the table's own":      {entities: map[string]graphql.Entity{"A": {Key: []string{"code"}}}, script: `create table a (id int primary key, code text);`},
		"a table that takes another's name": {
			script: `create table album (id int primary key); create table albums (id int primary key);`,
			want:   []string{"schema/name-taken public.albums: the name Album, or that of a type made for it, is taken, so the table is shown as PublicAlbum -> comment on table \"public\".\"albums\" is '@fraiseql {\"name\": \"…\"}'"},
		},
		"references that do not fit": {
			entities: map[string]graphql.Entity{
				"Fit":   {References: []graphql.Reference{{Columns: []string{"a"}, Table: "far"}, {Columns: []string{"t"}, Table: "far", To: []string{"code"}}, {Columns: []string{"d"}, Table: "far", To: []string{"mood"}}}},
				"Unfit": {References: []graphql.Reference{{Columns: []string{"t"}, Table: "far"}, {Columns: []string{"j"}, Table: "far", To: []string{"doc"}}, {Columns: []string{"t"}, Table: "far", To: []string{"mood"}}}},
			},
			script: `
				create type mood as enum ('sad'); create domain temper as mood;
				create table far (id int8 primary key, code varchar(9), doc json, mood mood);
				create view fits as select 1::int2 as a, 'x' as t, 'sad'::temper as d; create view unfits as select 'x' as t, '1'::json as j;`,
			want: []string{
				"schema/bad-reference public.unfits: the reference to far by (t) names a table or column that does not exist or does not fit -> comment on view \"public\".\"unfits\" is '@fraiseql {\"key\": [\"id\"], \"references\": [{\"columns\": [\"customer_id\"], \"table\": \"public.customer\"}]}'",
				"schema/bad-reference public.unfits: the reference to far by (j) names a table or column that does not exist or does not fit -> comment on view \"public\".\"unfits\" is '@fraiseql {\"key\": [\"id\"], \"references\": [{\"columns\": [\"customer_id\"], \"table\": \"public.customer\"}]}'",
				"schema/bad-reference public.unfits: the reference to far by (t) names a table or column that does not exist or does not fit -> comment on view \"public\".\"unfits\" is '@fraiseql {\"key\": [\"id\"], \"references\": [{\"columns\": [\"customer_id\"], \"table\": \"public.customer\"}]}'",
			},
		},
		"a comment with a value of another kind": {
			script: `create table c (id int); create table a (id int primary key); comment on table a is '@fraiseql {"key": "id"}'; create table b (id int primary key); comment on table b is '@fraiseql {"keys": ["id"]}';`,
			want: []string{
				`schema/bad-comment public.a: the comment's @fraiseql part cannot be read, so public.a is left out: "key" takes a list, not a string -> write it as one JSON object: comment on … is '@fraiseql {"name": "…"}'`,
				`schema/bad-comment public.b: the comment's @fraiseql part cannot be read, so public.b is left out: unknown field "keys" -> write it as one JSON object: comment on … is '@fraiseql {"name": "…"}'`,
			},
		},
		"a name that was chosen comes first": {
			script: `create table a (id int primary key, name text, label text); comment on column a.label is '@fraiseql {"name": "name"}';`,
			want:   []string{"schema/no-field-name public.a.name: no GraphQL name can be derived that is not taken, so the column is left out -> comment on column \"public\".\"a\".\"name\" is '@fraiseql {\"name\": \"…\"}'"},
		},
		"a composite type without names": {
			script: `create type punkt as ("ä" int); create type "ü" as (x int); create table a (id int primary key, p punkt, u "ü");`,
			want: []string{
				"schema/composite-as-string public.punkt: no GraphQL name can be derived for any of its attributes, so the type is shown as String -> alter type public.punkt rename attribute \"ä\" to …",
				"schema/composite-as-string public.ü: no GraphQL name can be derived that is not taken, so the type is shown as String -> rename the type: alter type public.\"ü\" rename to …",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := graphql.DefaultConfig()
			config.Entities = c.entities
			s, _ := open(t, config, sql(t, c.script))
			var got []string
			for _, w := range s.Schema("").Warnings {
				got = append(got, warning(w))
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("it says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestATableThatIsAddedTakesNoName has a table whose name, with the schema before it, is that of another.
func TestATableThatIsAddedTakesNoName(t *testing.T) {
	t.Parallel()
	_, pool := open(t, graphql.DefaultConfig(), sql(t, `create table app_user (id int primary key); create table "user" (id int primary key);
		create schema app; create table app."user" (id int primary key); create table people (id int primary key);`))
	build := func() map[string]*schema.Object {
		tables, err := catalog.Load(t.Context(), pool, []string{"public", "app"}, "")
		if err != nil {
			t.Fatal(err)
		}
		s, err := schema.Build(tables, schema.Options{DefaultLimit: 1, MaxLimit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return s.Objects
	}
	for _, added := range []string{`create table other (id int)`, `create table persons (id int)`, `create table app.people (id int)`, `create table app.app_user (id int)`} {
		exec(t, pool, added)
		objects := build()
		for name, want := range map[string]string{"AppUser": "app_user", "User": "user", "Person": "people", "UserRow": "user"} {
			if objects[name] == nil || objects[name].Table.Name != want {
				t.Errorf("after %s, %s is %v", added, name, objects[name])
			}
		}
	}
}

// TestEntitiesThatAreNotThere has entries that name nothing of the database: one that was to keep something out of the
// API is refused, so that nothing is shown by a slip of the pen or after a change of name.
func TestEntitiesThatAreNotThere(t *testing.T) {
	t.Parallel()
	omitted := map[string]schema.EntityField{"pin": {Omit: true}}
	s, pool := open(t, graphql.DefaultConfig(), sql(t, `create table person (id int primary key, pin text); create schema b; create table b.person (id int primary key);
		create table usr (id int primary key, pin text); comment on table usr is '@fraiseql {"name": "User"}'; create table users (id int primary key, pin text);`))
	tables, err := catalog.Load(t.Context(), pool, []string{"public", "b"}, "")
	if err != nil {
		t.Fatal(err)
	}
	tables.Closed = []catalog.Closed{{Schema: "public", Table: "vault"}, {Schema: "b", Table: "person", Column: "pass_word"}}
	if len(s.Schema("").Objects) != 3 {
		t.Fatal("there are other tables")
	}
	for name, c := range map[string]struct {
		entity  string
		said    schema.Entity
		want    string
		refused bool
	}{
		"a table":                  {"Persn", schema.Entity{Omit: true}, "the database has no table that is `Persn`", true},
		"a table's column":         {"Persn", schema.Entity{Fields: omitted}, "the database has no table that is `Persn`", true},
		"a column":                 {"b.person", schema.Entity{Fields: omitted}, "b.person has no column `pin`", true},
		"nothing that is out":      {"Persn", schema.Entity{Description: "d"}, "the database has no table that is `Persn`", false},
		"a name of a field":        {"b.person", schema.Entity{Fields: map[string]schema.EntityField{"pin": {Name: "code"}}}, "b.person has no column `pin`", false},
		"a column of neither":      {"Person", schema.Entity{Fields: map[string]schema.EntityField{"pim": {Omit: true}}}, "none of public.person, b.person has a column `pim`", true},
		"a relation of no table":   {"Persn", schema.Entity{References: []schema.Reference{{Columns: []string{"a"}, Table: "b", Omit: true}}}, "the database has no table that is `Persn`", true},
		"a relation's column":      {"b.person", schema.Entity{References: []schema.Reference{{Columns: []string{"a"}, Table: "b.person", Omit: true}}}, "b.person has no column `a`", true},
		"what another is shown as": {"User", schema.Entity{Fields: omitted}, "`User` is what public.usr is shown as, and [graphql.entities.User] is for another table", true},
		"two tables":               {"Person", schema.Entity{Omit: true}, "`Person` may be any of", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entities := map[string]schema.Entity{c.entity: c.said}
			got, err := schema.Build(tables, schema.Options{Entities: entities, DefaultLimit: 1, MaxLimit: 1})
			told := schema.Misnomers([]*catalog.Catalog{tables}, schema.Options{Entities: entities})
			switch {
			case c.refused && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("it says %v", err)
			case c.refused:
			case err != nil:
				t.Error(err)
			case !slices.ContainsFunc(told, func(m schema.Misnomer) bool { return strings.Contains(m.Message, c.want) }):
				t.Errorf("it warns of %v", told)
			case c.said.Omit && (got.Objects["Person"] != nil || got.Objects["BPerson"] != nil):
				t.Error("it is shown")
			}
		})
	}
	// An entry of a table that is not shown says nothing, too.
	if told := schema.Misnomers([]*catalog.Catalog{tables}, schema.Options{Entities: map[string]schema.Entity{"Vault": {Description: "d"}}}); len(told) != 1 || told[0].Entity != "Vault" {
		t.Errorf("it warns of %v", told)
	}
	// What is there, and not shown anyway, may be omitted.
	if _, err := schema.Build(tables, schema.Options{Entities: map[string]schema.Entity{
		"Vault": {Omit: true}, "public.vault": {Omit: true}, "b.person": {Fields: map[string]schema.EntityField{"pass_word": {Omit: true}, "passWord": {Omit: true}}},
	}, DefaultLimit: 1, MaxLimit: 1}); err != nil {
		t.Error(err)
	}
}

// TestNamesThatAreTakenAlready chooses names that the API itself has, by itself or for what is made for a table.
func TestNamesThatAreTakenAlready(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), sql(t, `create table album (id int primary key); create table song (id int primary key);`))
	for _, c := range []struct{ album, song, want string }{
		{"Date", "Song", "the name `Date` that was chosen for public.album is one of the API itself"},
		{"Record", "Record", "the name `Record` is chosen for both public.album and public.song"},
		{"Record", "RecordEdge", "the name `Record` that was chosen for public.album needs `RecordEdge` for a type beside it, which is taken"},
	} {
		exec(t, pool, fmt.Sprintf(`comment on table album is '@fraiseql {"name": "%s"}'; comment on table song is '@fraiseql {"name": "%s"}'`, c.album, c.song))
		if err := s.Load(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("it says %v\nwant %s", err, c.want)
		}
	}
}

func warning(w schema.Warning) string {
	return w.Code + " " + w.Subject + ": " + w.Message + " -> " + w.Hint
}
