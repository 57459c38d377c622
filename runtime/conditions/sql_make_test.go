package conditions_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/conditions"
)

// table is what the filters are asked over: every type that SQL takes, and those that it must not.
var table = conditions.Columns{
	{Name: "i2", Kind: conditions.Number, Type: "int2"},
	{Name: "i8", Kind: conditions.Number, Type: "int8"},
	{Name: "n", Kind: conditions.Number, Type: "numeric"},
	{Name: "f", Kind: conditions.Number, Type: "float8"},
	{Name: "t", Kind: conditions.Text, Type: "text"},
	{Name: `v"q`, Kind: conditions.Text, Type: "varchar"},
	{Name: "e", Kind: conditions.Text, Type: "enum"},
	{Name: "u", Kind: conditions.Text, Type: "uuid"},
	{Name: "c", Kind: conditions.Text, Type: "bpchar"},
	{Name: "ci", Kind: conditions.Text, Type: "text"},
	{Name: "b", Kind: conditions.Bool, Type: "bool"},
	{Name: "j", Kind: conditions.JSON, Type: "jsonb"},
	{Name: "a", Kind: conditions.List, Type: "_text"},
	{Name: "at", Kind: conditions.Time, Type: "timestamptz"},
	{Name: "day", Kind: conditions.Time, Type: "date"},
	{Name: "r", Kind: conditions.Other, Type: "pair"},
	{Name: "select", Kind: conditions.Number, Type: "int4"},
	{Name: "d", Kind: conditions.Number, Type: "int8"},
}

const makeTable = `
	create type mood as enum ('sad', 'ok', 'it''s \');
	create type pair as (x int, y text);
	create domain positive as int8 check (value > -10);
	do $$ begin
		create collation blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	exception when others then
		create collation blind from "C";
	end $$;
	create table r (i2 int2, i8 int8, n numeric, f float8, t text, "v""q" varchar(40), e mood, u uuid, c char(5),
		ci text collate blind, b bool, j jsonb, a text[], at timestamptz, day date, r pair, "select" int4, d positive);
	create table pairs (id int, o r, n r);

	create schema trap;
	create function trap.lie(text, text) returns bool language sql as 'select null::bool';
	create function trap.lie(int8, int8) returns bool language sql as 'select null::bool';
	create function trap.lie(numeric, numeric) returns bool language sql as 'select null::bool';
	create function trap.lie(bool, bool) returns bool language sql as 'select null::bool';
	create function trap.lie(jsonb, jsonb) returns bool language sql as 'select null::bool';
	create function trap.to_jsonb(anyelement) returns jsonb language sql as 'select null::jsonb';
	create type trap.int8 as (x int);
	create type trap.text as (x int);
	create type trap.jsonb as (x int);
	do $$ declare typ text; op text; begin
		foreach typ in array array['text', 'int8', 'numeric', 'bool', 'jsonb'] loop
			foreach op in array array['=', '<', '<=', '>', '>='] loop
				execute format('create operator trap.%s (function = trap.lie, leftarg = pg_catalog.%s, rightarg = pg_catalog.%s)', op, typ, typ);
			end loop;
		end loop;
	end $$;
`

// pools are the values of each column, as they are written in conditions and, without the quotes of texts, in rows. Those of
// one kind share theirs, so that columns meet each other.
var (
	ints    = []string{"0", "1", "-1", "5", "32767", "9007199254740993", "9007199254740992", "9223372036854775807", "-9223372036854775808"}
	numbers = append([]string{"1.0", "0.5", "-0.50", "5.000", "1e3", "1000", "9007199254740992.5", "123456789012345678901234567890", "1e-20"}, ints...)
	texts   = []string{`''`, `'a'`, `'A'`, `'it\'s'`, `'back\\slash'`, `'quote"double'`, `'ä'`, `'日本 ☃'`, `'\'; drop table r; --'`, `'$1'`, `'%'`, `' a '`, `'\n'`, `'ok'`, `'sad'`, `'it\'s \\'`, `'9f0b1d5e-0000-4000-8000-0000000000ab'`, `'9F0B1D5E-0000-4000-8000-0000000000AB'`, `'x  '`, `'1'`, `'true'`, `'null'`}
)

var pools = map[string][]string{
	"i2": {"0", "1", "-1", "5", "32767"}, "i8": ints, "n": numbers, "f": {"0", "1", "0.5", "1e300", "0.30000000000000004"}, "t": texts, `v"q`: texts[:9],
	"e": {`'ok'`, `'sad'`, `'it\'s \\'`}, "u": {`'9f0b1d5e-0000-4000-8000-0000000000ab'`, `'00000000-0000-0000-0000-000000000000'`},
	"c": {`'a'`, `'A'`, `'x  '`}, "ci": {`'a'`, `'A'`, `'ä'`}, "b": {"true", "false"}, "select": {"0", "1", "5"}, "d": {"0", "1", "5"},
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// makeCondition makes a random condition; with whole only of what SQL takes.
func makeCondition(r *rand.Rand, depth int, whole bool) string {
	if depth > 0 {
		switch r.IntN(6) {
		case 0, 1:
			return makeCondition(r, depth-1, whole) + pick(r, []string{" && ", " and "}) + makeCondition(r, depth-1, whole)
		case 2, 3:
			return "(" + makeCondition(r, depth-1, whole) + pick(r, []string{" || ", " or "}) + makeCondition(r, depth-1, whole) + ")"
		case 4:
			return pick(r, []string{"!", "not "}) + "(" + makeCondition(r, depth-1, whole) + ")"
		}
	}
	if !whole && r.IntN(4) == 0 {
		return pick(r, []string{
			"new.j.x == 1", "lower(new.t) == 'a'", "claims.sub == 'u'", "new.i2 + 1 > 2", "new.at < '2024-05-01T00:00:00Z'", "new.t < 'm'",
			"old.t contains 'a'", "new.f == 0.3", "new.f >= 1", "new.f != old.f", "new.f in [0.3, 1]", "new.c == 'a'", "len(old.a) == 2", "'a' in new.a", "new.j == old.j", "new.at == old.at",
			"changed(j.x)", "old.t matches 'a'", "(new.t ?? 'a') == 'a'", "new.r.x == 1", "(new.i2 > 1) == new.b", "claims == null", "old == new", "new.i8 in new.a",
		})
	}
	row := pick(r, []string{"old", "new"})
	switch r.IntN(10) {
	case 0:
		return "changed('" + pick(r, table).Name + "')"
	case 1:
		name := pick(r, table).Name
		return column(row, name) + pick(r, []string{" == null", " != null"})
	case 2:
		return pick(r, []string{"is_new()", "is_deleted()", "op == 'UPDATE'", "op in ['INSERT', 'UPDATE']", "old == null", "new != null", "true", "false", "1 < 2", "null == 1"})
	case 3:
		return pick(r, []string{"", "!"}) + column(row, "b")
	}
	name := pick(r, []string{"i2", "i8", "n", "t", `v"q`, "e", "u", "ci", "b", "select", "d"})
	pool, same, order := numbers, []string{"i2", "i8", "n", "select", "d"}, true
	switch name {
	case "t", `v"q`, "e", "u", "ci":
		pool, same, order = texts, []string{"t", `v"q`, "e", "u", "ci"}, false
	case "b":
		pool, same, order = []string{"true", "false"}, []string{"b"}, false
	}
	operator := pick(r, []string{"==", "!="})
	if order && r.IntN(2) == 0 {
		operator = pick(r, []string{"<", "<=", ">", ">="})
	}
	switch r.IntN(8) {
	case 0:
		return fmt.Sprintf("%s('%s', %s)", pick(r, []string{"changed_to", "changed_from"}), name, pick(r, append(pool, "null")))
	case 1, 2:
		return column(row, name) + " " + operator + " " + column(pick(r, []string{"old", "new"}), pick(r, same))
	case 3:
		list := []string{}
		for range r.IntN(4) {
			list = append(list, pick(r, append(pool, "null")))
		}
		return column(row, name) + pick(r, []string{" in ", " not in "}) + "[" + strings.Join(list, ", ") + "]"
	case 4:
		return pick(r, pool) + " " + operator + " " + column(row, name)
	}
	return column(row, name) + " " + operator + " " + pick(r, pool)
}

func column(row, name string) string {
	if name == `v"q` {
		return row + `['v"q']`
	}
	return row + "." + name
}

// makeRow makes a row of JSON; like says a row that it has most of its values from.
func makeRow(r *rand.Rand, like map[string]any) map[string]any {
	row := map[string]any{}
	for _, c := range table {
		switch {
		case like != nil && r.IntN(2) == 0:
			row[c.Name] = like[c.Name]
		case r.IntN(4) == 0:
			row[c.Name] = nil
		case c.Name == "n" && r.IntN(4) == 0:
			row[c.Name] = pick(r, []string{"NaN", "Infinity", "-Infinity"})
		case c.Name == "f" && r.IntN(4) == 0:
			row[c.Name] = pick(r, []string{"NaN", "Infinity", "-0"})
		case pools[c.Name] == nil:
			row[c.Name] = json.RawMessage(pick(r, map[string][]string{
				"j": {`1`, `1.0`, `"x"`, `{"x": 1}`, `{"x": 1.00}`, `[1, null]`, `null`}, "a": {`["a", "b"]`, `["a"]`, `[]`, `[null, "b"]`},
				"at": {`"2024-05-01T00:00:00Z"`, `"2024-04-30T22:00:00.5+00"`, `"infinity"`, `"0044-03-15 BC"`}, "day": {`"2024-05-01"`, `"-infinity"`, `"12024-05-01"`},
				"r": {`{"x": 1, "y": "a"}`, `{"x": null, "y": null}`, `{"x": 2, "y": null}`},
			}[c.Name]))
		default:
			text := pick(r, pools[c.Name])
			if text[0] == '\'' {
				text = strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\n`, "\n").Replace(text[1 : len(text)-1])
			}
			row[c.Name] = text
		}
	}
	return row
}
