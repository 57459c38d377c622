package events_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/events"
)

// TestEveryWayOfWriting changes rows in all the ways that there are.
func TestEveryWayOfWriting(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, `
		create table parent (id integer primary key, name text);
		create table child (id integer primary key, parent integer references parent on delete cascade on update cascade);
		create table log (day date, id integer, n integer, primary key (day, id)) partition by range (day);
		create table log_1 partition of log for values from ('2026-01-01') to ('2026-02-01');
		create table log_2 partition of log for values from ('2026-02-01') to ('2026-03-01');
		create view parents as select * from parent;`, "parent", "child", "log")
	for _, c := range []struct {
		name, sql string
		want      []string
	}{
		{"insert", "insert into parent values (1, 'a')", []string{`INSERT {"id":1} - {"id":1,"name":"a"} `}},
		{"several rows", "insert into child values (1, 1), (2, 1)", []string{`INSERT {"id":1} - {"id":1,"parent":1} `, `INSERT {"id":2} - {"id":2,"parent":1} `}},
		{"copy", "create temp table x as select 7 as id, 'c' as name; insert into parent table x", []string{`INSERT {"id":7} - {"id":7,"name":"c"} `}},
		{"a view", "update parents set name = 'v' where id = 7", []string{`UPDATE {"id":7} {"id":7,"name":"c"} {"id":7,"name":"v"} name`}},
		{"on conflict", "insert into parent values (7, 'd') on conflict (id) do update set name = excluded.name", []string{`UPDATE {"id":7} {"id":7,"name":"v"} {"id":7,"name":"d"} name`}},
		{"on conflict do nothing", "insert into parent values (7, 'd') on conflict do nothing", nil},
		{"nothing changes", "update parent set name = name", nil},
		{"a key changes", "update parent set id = 2 where id = 1", []string{
			`UPDATE {"id":2} {"id":1,"name":"a"} {"id":2,"name":"a"} id`, `UPDATE {"id":1} {"id":1,"parent":1} {"id":1,"parent":2} parent`, `UPDATE {"id":2} {"id":2,"parent":1} {"id":2,"parent":2} parent`,
		}},
		{"a cascade", "delete from parent where id = 2", []string{
			`DELETE {"id":2} {"id":2,"name":"a"} - `, `DELETE {"id":1} {"id":1,"parent":2} - `, `DELETE {"id":2} {"id":2,"parent":2} - `,
		}},
		{"rolled back", "begin; insert into parent values (9, 'z'); rollback", nil},
		{"a savepoint", "begin; savepoint a; insert into parent values (9, 'z'); rollback to a; update parent set name = 'e' where id = 7; commit", []string{`UPDATE {"id":7} {"id":7,"name":"d"} {"id":7,"name":"e"} name`}},
		{"as a replica", "set session_replication_role = replica; insert into parent values (10, 'r'); reset session_replication_role", []string{`INSERT {"id":10} - {"id":10,"name":"r"} `}},
		{"null", "update parent set name = null where id = 10", []string{`UPDATE {"id":10} {"id":10,"name":"r"} {"id":10,"name":null} name`}},
		{"from null", "update parent set name = 'n' where id = 10", []string{`UPDATE {"id":10} {"id":10,"name":null} {"id":10,"name":"n"} name`}},
		{"a partition", "insert into log values ('2026-01-05', 1, 0)", []string{`INSERT {"day":"2026-01-05","id":1} - {"day":"2026-01-05","id":1,"n":0} `}},
		{"within a partition", "update log_1 set n = 1", []string{`UPDATE {"day":"2026-01-05","id":1} {"day":"2026-01-05","id":1,"n":0} {"day":"2026-01-05","id":1,"n":1} n`}},
		{"to another partition", "update log set day = '2026-02-05'", []string{`DELETE {"day":"2026-01-05","id":1} {"day":"2026-01-05","id":1,"n":1} - `, `INSERT {"day":"2026-02-05","id":1} - {"day":"2026-02-05","id":1,"n":1} `}},
		{"a new partition", "create table log_3 partition of log for values from ('2026-03-01') to ('2026-04-01'); set session_replication_role = replica; insert into log values ('2026-03-05', 1, 0); reset session_replication_role", []string{`INSERT {"day":"2026-03-05","id":1} - {"day":"2026-03-05","id":1,"n":0} `}},
		{
			"merge", "merge into parent p using (values (7, 'm'), (11, 'm')) v(id, name) on p.id = v.id when matched then update set name = v.name when not matched then insert values (v.id, v.name)",
			[]string{`INSERT {"id":11} - {"id":11,"name":"m"} `, `UPDATE {"id":7} {"id":7,"name":"e"} {"id":7,"name":"m"} name`},
		},
		{"truncate", "truncate parent cascade", []string{"TRUNCATE - - - ", "TRUNCATE - - - "}},
	} {
		before := len(told(t, s))
		exec(t, pool, c.sql)
		got := told(t, s)[before:]
		if c.name == "merge" && len(got) == 2 && strings.HasPrefix(got[0], "UPDATE") {
			got[0], got[1] = got[1], got[0]
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s told\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestCopyIsCaptured loads rows by COPY, the command.
func TestCopyIsCaptured(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key, name text);", "item")
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Conn().PgConn().CopyFrom(t.Context(), strings.NewReader("1\ta\n2\t\\N\n"), "copy item from stdin"); err != nil {
		t.Fatal(err)
	}
	expect(t, told(t, s), `INSERT {"id":1} - {"id":1,"name":"a"} `, `INSERT {"id":2} - {"id":2,"name":null} `)
}

// TestATableThatWasAltered goes on with what is known of it; nobody's write fails, and no column is told that was not asked for.
func TestATableThatWasAltered(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key, name text, price numeric, gone text);", "item")
	exec(t, pool, "insert into item values (1, 'a', 1.50, 'x')")
	exec(t, pool, "alter table item add column reset_token text; alter table item drop column gone; alter table item rename column name to title; alter table item alter column price type integer")
	exec(t, pool, "insert into item (id, title, price, reset_token) values (2, 'b', 2, 'geheim'); update item set price = 3 where id = 2; delete from item where id = 1")
	expect(t, told(t, s), `INSERT {"id":1} - {"gone":"x","id":1,"name":"a","price":1.5} `,
		`INSERT {"id":2} - {"id":2,"price":2} `, `UPDATE {"id":2} {"id":2,"price":2} {"id":2,"price":3} `, `DELETE {"id":1} {"id":1,"price":2} - `)
	capture(t, s, nil, "item")
	exec(t, pool, "update item set reset_token = 'anders', title = 'c' where id = 2")
	if got := told(t, s); got[len(got)-1] != `UPDATE {"id":2} {"id":2,"price":3,"title":"b"} {"id":2,"price":3,"title":"c"} title,reset_token` {
		t.Errorf("told %s", got[len(got)-1])
	}
	exec(t, pool, "alter table item add column later text; update item set later = 'x' where id = 2; update item set later = 'x' where id = 2")
	if got := told(t, s); got[len(got)-1] != `UPDATE {"id":2} {"id":2,"price":3,"title":"c"} {"id":2,"price":3,"title":"c"} ` || len(got) != 6 {
		t.Errorf("of a column that is not known yet: %s", strings.Join(got, "\n"))
	}
	exec(t, pool, "alter table item rename column id to number; update item set price = 4")
	if got := told(t, s); got[len(got)-1] != `UPDATE - {"price":3,"title":"c"} {"price":4,"title":"c"} ` {
		t.Errorf("told %s", got[len(got)-1])
	}
}

func TestColumnsThatAreNotTold(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, `create table member (id integer primary key, email text, password_hash text, "api key" text, apikey text);
		create table session (token text primary key, member integer);
		create table note (id integer primary key, body text, password text);
		create table silent (token text primary key); create table empty ();`)
	capture(t, s, map[events.Relation]events.Columns{{Schema: "public", Table: "member"}: {Hash: []string{"email"}, Omit: []string{"apikey", "password_hash"}}, {Schema: "public", Table: "note"}: {Omit: []string{}}}, "member", "session", "note", "silent", "empty")
	exec(t, pool, `insert into member values (1, 'a@b.c', 'geheim', 'k1', 'k2'); update member set password_hash = 'anders' where id = 1; insert into session values ('geheim', 1); insert into note values (1, 'x', 'told'); insert into silent values ('geheim'); insert into empty default values`)
	expect(t, told(t, s),
		`INSERT {"id":1} - {"api key":"k1","email":"sha256:d648b243a3e817eaa3309e00e183483f2867baadf522099f0c2121770536b25a","id":1} `,
		`UPDATE {"id":1} {"api key":"k1","email":"sha256:d648b243a3e817eaa3309e00e183483f2867baadf522099f0c2121770536b25a","id":1} {"api key":"k1","email":"sha256:d648b243a3e817eaa3309e00e183483f2867baadf522099f0c2121770536b25a","id":1} password_hash`,
		`INSERT {"token":"sha256:addb0f5e7826c857d7376d1bd9bc33c0c544790a2eac96144a8af22b1298c940"} - {"member":1} `,
		`INSERT {"id":1} - {"body":"x","id":1,"password":"told"} `,
		`INSERT {"token":"sha256:addb0f5e7826c857d7376d1bd9bc33c0c544790a2eac96144a8af22b1298c940"} - {} `, `INSERT {} - {} `)
	// Whoever may read the view may read all of it.
	role := "reader_" + strings.TrimPrefix(pool.Config().ConnConfig.Database, "test_")
	exec(t, pool, "create role "+role+"; grant usage on schema _system to "+role+"; grant select on _system.events to "+role)
	defer exec(t, pool, "reset role; drop owned by "+role+"; drop role "+role)
	exec(t, pool, "set role "+role+"; select changed from _system.events; reset role")
}

// TestValuesAreWrittenAlike writes values of many types in sessions with settings of their own.
func TestValuesAreWrittenAlike(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, `
		create type mood as enum ('sad', 'ok');
		create type pair as (a integer, b timestamptz);
		create domain moment as timestamptz;
		create table thing (id integer primary key, t timestamptz, f float8, i interval, b bytea, m mood, p pair, d moment, ms mood[], j json, jb jsonb, r tstzrange, n numeric, "odd ""name' %s" text, c char(3), bi bit(8), cs char(3)[], v varchar(5));`, "thing")
	row := `(%d, '2026-07-01 12:00:00+00', 0.1::float8 + 0.2, '1 day 02:00', '\x0102', 'ok', '(1,"2026-07-01 12:00:00+00")', '2026-07-01 12:00:00+00', '{sad,ok}', '{"b": 1, "a": 1.10}', '{"b": 1.10}', '[2026-07-01 12:00:00+00,)', 1.10, 'x', 'USD', B'10100000', '{abc,def}', 'vwxyz')`
	exec(t, pool, "insert into thing values "+fmt.Sprintf(row, 1))
	exec(t, pool, "set timezone = 'Asia/Tokyo'; set extra_float_digits = -3; set intervalstyle = 'sql_standard'; set bytea_output = 'escape'; set datestyle = 'German'; insert into thing values "+fmt.Sprintf(row, 2)+"; reset all")
	got := told(t, s)
	if len(got) != 2 || strings.ReplaceAll(got[0], `"id":1`, `"id":2`) != got[1] {
		t.Errorf("told\n%s", strings.Join(got, "\n"))
	}
	if !strings.Contains(got[0], `"f":0.30000000000000004`) || !strings.Contains(got[0], `"t":"2026-07-01T12:00:00+00:00"`) || !strings.Contains(got[0], `"ms":["sad","ok"]`) || !strings.Contains(got[0], `"odd \"name' %s":"x"`) ||
		!strings.Contains(got[0], `"c":"USD","bi":"10100000","cs":["abc","def"],"v":"vwxyz"`) && !strings.Contains(got[0], `"bi":"10100000","c":"USD","cs":["abc","def"]`) {
		t.Errorf("told %s", got[0])
	}
	for _, set := range []string{"n = 1.1", `jb = '{"b": 1.1}'`, `j = '{"a": 1.10, "b": 1}'`, "p = '(2,)'", "m = 'sad'", "ms = '{ok}'", "c = 'UAH'", "bi = B'10100001'", "cs = '{abx,def}'", `"odd ""name' %s" = 'X'`} {
		exec(t, pool, "update thing set "+set+" where id = 1")
		column, _, _ := strings.Cut(set, " = ")
		column = strings.ReplaceAll(strings.Trim(column, `"`), `""`, `"`)
		if all := told(t, s); !strings.HasSuffix(all[len(all)-1], " "+column) {
			t.Errorf("%s told %s", set, all[len(all)-1])
		}
	}
	exec(t, pool, "drop table thing; drop type pair; drop type mood; drop domain moment") // capturing stands in nobody's way
}

// TestDigestsAreAlike takes those of values whose text depends on who asks.
func TestDigestsAreAlike(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table person (token date primary key, born date, at timestamptz, weight float8, n integer);", "person")
	capture(t, s, map[events.Relation]events.Columns{{Schema: "public", Table: "person"}: {Hash: []string{"born", "at", "weight"}, Omit: []string{"token"}}}, "person")
	exec(t, pool, "insert into person values ('2026-01-02', '2001-02-03', '2026-07-01 12:00:00+00', 0.1::float8 + 0.2, 1); delete from person")
	exec(t, pool, "set timezone = 'Asia/Tokyo'; set extra_float_digits = -3; set datestyle = 'German'; insert into person values ('2026-01-02', '2001-02-03', '2026-07-01 12:00:00+00', 0.1::float8 + 0.2, 1); reset all")
	got := told(t, s)
	if len(got) != 3 || got[0] != got[2] || strings.Count(got[0], "sha256:") != 4 {
		t.Errorf("told\n%s", strings.Join(got, "\n"))
	}
}

func TestWideAndLargeRows(t *testing.T) {
	t.Parallel()
	var columns []string
	for i := range 300 {
		columns = append(columns, fmt.Sprintf("c%d integer default %d", i, i))
	}
	s, pool := captured(t, "create table wide (id integer primary key, "+strings.Join(columns, ", ")+"); create table large (id integer primary key, body text);", "wide", "large")
	exec(t, pool, "insert into wide (id) values (1); update wide set c299 = 0; insert into large select 1, string_agg(md5(i::text), '') from generate_series(1, 10000) i; update large set body = 'small'")
	got := told(t, s)
	if len(got) != 4 || !strings.Contains(got[0], `"c299":299`) || !strings.HasSuffix(got[1], " c299") {
		t.Fatalf("told %.300q", got)
	}
	if got[2] != `INSERT {"id":1} - - ` || got[3] != `UPDATE {"id":1} - - body` {
		t.Errorf("of large rows: %q", got[2:])
	}
	all, err := s.List(t.Context(), events.Filter{Entity: "large", Limit: 1})
	if err != nil || len(all) != 1 || !all[0].Cut {
		t.Errorf("%+v %v", all, err)
	}
}

// TestARowThatWasCutIsReadAnew asks for the row that it is, under the settings of whoever.
func TestARowThatWasCutIsReadAnew(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, `create table large (day date, "the id" uuid, at timestamptz, body text, password text, primary key (day, "the id")); create table heap (body text); create table other (id integer primary key);
		create table secret (token text primary key, body text);`, "large", "heap", "secret")
	const body = "(select string_agg(md5(i::text), '') from generate_series(1, 10000) i)"
	exec(t, pool, "set timezone = 'Asia/Tokyo'; insert into large values ('2026-01-02', '5ad2e8d4-2f7b-4a43-a6a6-3a4c3d5e8f10', '2026-01-01 00:00:00+00', "+body+", 'geheim'); reset timezone")
	exec(t, pool, "insert into heap values ("+body+"); insert into secret values ('a', "+body+")")
	load := func() (rows []string) {
		t.Helper()
		all, err := s.List(t.Context(), events.Filter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if e.Cut {
				read, err := events.ReadAnew(t.Context(), pool, e, "all")
				if err != nil {
					t.Fatal(err)
				}
				e = read.Event
			}
			row := "-"
			if e.New != nil {
				row = strings.ReplaceAll(string(e.New), strings.Repeat("x", 300000), "xxx")
			}
			rows = append(rows, fmt.Sprint(e.Op, " ", e.Cut, " ", row))
		}
		slices.Sort(rows)
		return rows
	}
	exec(t, pool, "update large set body = repeat('x', 300000)")
	const row = `{"day":"2026-01-02","the id":"5ad2e8d4-2f7b-4a43-a6a6-3a4c3d5e8f10","at":"2026-01-01T00:00:00+00:00","body":"xxx"}`
	expect(t, load(), "INSERT true -", "INSERT true -", "INSERT true "+row, "UPDATE true "+row)
	exec(t, pool, "alter table large rename column body to text")
	expect(t, load(), "INSERT true -", "INSERT true -", "INSERT true -", "UPDATE true -")
	exec(t, pool, "alter table large rename column text to body; delete from large")
	expect(t, load(), "DELETE true -", "INSERT true -", "INSERT true -", "INSERT true -", "UPDATE true -")
	// It is read as whoever asks: naming a source gives nobody the rows of a table that he may not read.
	login := "reread_" + strings.TrimPrefix(pool.Config().ConnConfig.Database, "test_")
	exec(t, pool, "insert into other values (7); insert into _system.event_source (schema_name, table_name, entity) values ('public', 'other', 'x'); select _system.recapture(4)")
	exec(t, pool, "create role "+login+"; grant usage on schema _system to "+login+"; grant execute on all functions in schema _system to "+login)
	defer exec(t, pool, "reset role; drop owned by "+login+"; drop role "+login)
	for who, want := range map[string]string{"reset role": `{"id":7}`, "set role " + login: ""} {
		var read *string
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(t.Context(), who)
		if err == nil {
			err = conn.QueryRow(t.Context(), `select r from _system.event_reread(4, '{"id": 7}')`).Scan(&read)
		}
		_, _ = conn.Exec(t.Context(), "reset role")
		conn.Release()
		if err != nil || (read == nil) != (want == "") || read != nil && *read != want {
			t.Errorf("%s reads %v %v", who, read, err)
		}
	}
}

// TestRowsThatCannotBeReadAnew are null, and no error: others wait for them.
func TestRowsThatCannotBeReadAnew(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, `create table par (id jsonb primary key, body text); create table kid () inherits (par);
		create table big (id bigint primary key, body text); create table busy (id integer primary key, body text);`, "par", "big", "busy")
	exec(t, pool, `insert into par values ('1', 'number'), ('"1"', 'text'); insert into kid values ('2', 'kid'); insert into big values (5000000000, 'x'); insert into busy values (1, 'x')`)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	exec(t, pool, "alter table big alter id type integer using 1; select _system.recapture(id) from _system.event_source where table_name = 'big'")
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "lock table busy"); err != nil {
		t.Fatal(err)
	}
	for table, keys := range map[string]map[string][2]string{ // the row, and why there is none
		"par":  {`1`: {`{"id":1,"body":"number"}`}, `"1"`: {`{"id":"1","body":"text"}`}, `2`: {}},
		"big":  {`5000000000`: {"", "out of range"}},
		"busy": {`1`: {"", "lock timeout"}},
	} {
		var source int
		if err := pool.QueryRow(t.Context(), "select id from _system.event_source where table_name = $1", table).Scan(&source); err != nil {
			t.Fatal(err)
		}
		for id, want := range keys {
			read, err := events.ReadAnew(t.Context(), s.Pool, &events.Event{Source: source, Op: events.Update, Key: json.RawMessage(`{"id": ` + id + `}`)}, "all")
			if err != nil || string(read.Event.New) != want[0] || !strings.Contains(read.Problem, want[1]) || (read.Problem == "") != (want[1] == "") {
				t.Errorf("%s %s: %s %q %v", table, id, read.Event.New, read.Problem, err)
			}
		}
	}
	_ = tx.Rollback(t.Context())
	read, err := events.ReadAnew(t.Context(), s.Pool, &events.Event{Source: 1, Op: events.Insert}, "all")
	if err != nil || read.Event.New != nil || read.Problem == "" { // nobody knows which row it is
		t.Errorf("%s %q %v", read.Event.New, read.Problem, err)
	}
}

// TestNobodysOperatorsRunAsTheOwner writes as somebody with operators, functions and types of their own before PostgreSQL's.
func TestNobodysOperatorsRunAsTheOwner(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, `create table item (id integer primary key, name text, n numeric, t timestamptz, kind varchar(10));
		create schema evil;
		create table evil.caught (what pg_catalog.text, who pg_catalog.name);
		grant usage, create on schema evil to public; grant all on evil.caught to public;
		grant insert, select, update, delete on item to public;`, "item")
	var names []string
	rows, err := pool.Query(t.Context(), `select distinct p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', p.proname, pg_get_function_identity_arguments(p.oid)
		from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.provariadic = 0 and p.proname in
		('current_setting', 'nextval', 'clock_timestamp', 'pg_current_xact_id', 'row_to_json', 'to_json', 'to_jsonb', 'hashtextextended', 'pg_column_size', 'array_remove', 'array_append', 'cardinality', 'unnest')
		and not exists (select from unnest(p.proargtypes) a where a::regtype::text like '%any%')`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var signature, name, args string
		if err := rows.Scan(&signature, &name, &args); err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprintf("create function evil.%s(%s) returns pg_catalog.text language plpgsql as $$ begin insert into evil.caught values ('%s', current_user); return 'x'; end $$", name, args, name))
	}
	if rows.Err() != nil || len(names) < 5 {
		t.Fatalf("%d functions: %v", len(names), rows.Err())
	}
	for _, types := range [][3]string{{"text", "text", "="}, {"text", "text", "<>"}, {"integer", "integer", "="}, {"integer", "integer", ">"}, {"bigint", "integer", "="}, {"bigint", "integer", "&"}, {"integer", "integer", "&"}, {"numeric", "numeric", "="}, {"text[]", "text[]", "&&"}, {"record", "record", "*<>"}} {
		name := "op_" + fmt.Sprintf("%x", strings.Join(types[:], " "))
		names = append(names, fmt.Sprintf("create function evil.%s(%s, %s) returns boolean language plpgsql as $$ begin insert into evil.caught values ('%s', current_user); return true; end $$", name, types[0], types[1], types[2]))
		if types[0] != "record" {
			names = append(names, fmt.Sprintf("create operator evil.%s (leftarg = %s, rightarg = %s, function = evil.%s)", types[2], types[0], types[1], name))
		}
	}
	for _, kind := range []string{"int2", "int4", "int8", "text", "name", "bool", "json", "jsonb", "xid8", "timestamptz", `"char"`} {
		names = append(names, fmt.Sprintf("create domain evil.%s as pg_catalog.%[1]s check (false)", kind))
	}
	for _, sql := range names {
		if err := try(t.Context(), pool, sql); err != nil && !strings.Contains(err.Error(), "record") {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	role := "evil_" + strings.ReplaceAll(pool.Config().ConnConfig.Database, "test_", "")
	exec(t, pool, "create role "+role)
	defer exec(t, pool, "reset role; drop owned by "+role+"; drop role "+role)
	exec(t, pool, "set role "+role+"; set search_path = evil, pg_temp, public, pg_catalog; insert into public.item values (1, 'a', 1, '2026-01-01', 'x'); update public.item set name = 'b', n = 2, kind = 'y'; delete from public.item; reset search_path; reset role")
	if got := told(t, s); len(got) != 3 {
		t.Errorf("told %q", got)
	}
	var caught []string
	if err := pool.QueryRow(t.Context(), "select coalesce(array_agg(distinct what || ' as ' || who), '{}') from evil.caught").Scan(&caught); err != nil || len(caught) > 0 {
		t.Errorf("ran as the owner: %v %v", caught, err)
	}
}

// TestWithoutAKey keeps the changes of a table in order as a whole.
func TestWithoutAKey(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table heap (n integer, name text); create table other (code text not null unique, id integer);", "heap", "other")
	exec(t, pool, "insert into heap values (1, 'a'), (2, 'b'); insert into other values ('x', 1)")
	expect(t, told(t, s), `INSERT {} - {"n":1,"name":"a"} `, `INSERT {} - {"n":2,"name":"b"} `, `INSERT {"code":"x"} - {"code":"x","id":1} `)
	var keys int
	if err := pool.QueryRow(t.Context(), "select count(distinct key) from _system.event_delivery").Scan(&keys); err != nil || keys != 2 {
		t.Errorf("%d keys: %v", keys, err)
	}
}

// TestTextsThatWouldBeCode has names and values that would end a quoted body, if anything were only pasted.
func TestTextsThatWouldBeCode(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, `create table item (id integer primary key, "$body$ ' %s $f$" text, n integer); create table stolen (id integer);`, "item")
	exec(t, pool, `insert into item values (1, 'x', 1)`)
	expect(t, told(t, s), `INSERT {"id":1} - {"$body$ ' %s $f$":"x","id":1,"n":1} `)
	for _, tag := range []string{"$body$", "$f$", "$make$", "$$", "'"} {
		exec(t, pool, fmt.Sprintf(`set check_function_bodies = off; update _system.event_interest set columns = array[%s]; select _system.recapture(1); reset check_function_bodies`,
			"'"+strings.ReplaceAll(tag, "'", "''")+"; drop table stolen; select "+strings.ReplaceAll(tag, "'", "''")+"'"))
		exec(t, pool, "update item set n = n + 1; select from stolen")
	}
}

// TestJSONThatJSONBRefuses writes it into a table, also when that has been altered since.
func TestJSONThatJSONBRefuses(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key, j json, gone text);", "item")
	exec(t, pool, `insert into item values (1, '{"a": "\u0000"}', 'x')`)
	exec(t, pool, `alter table item drop column gone; insert into item values (2, '{"a": "\ud800"}'); update item set j = '{"a": 1e400000}' where id = 2; delete from item where id = 1`)
	all, err := s.List(t.Context(), events.Filter{Limit: 10})
	if err != nil || len(all) != 4 || !all[0].Cut || !strings.Contains(string(all[3].New), `\u0000`) {
		t.Errorf("%d events: %v", len(all), err)
	}
}
