package conditions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/conditions"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func tries(t *testing.T, usual int) int {
	t.Helper()
	if given, err := strconv.Atoi(os.Getenv("CONDITIONS_TRIES")); err == nil {
		return given
	}
	return usual
}

// TestSQLAgrees asks PostgreSQL and Go the same random conditions over the same random rows.
func TestSQLAgrees(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	r := rand.New(rand.NewPCG(1, 2))
	if given := os.Getenv("CONDITIONS_SEED"); given != "" {
		seed, _ := strconv.ParseUint(given, 10, 64)
		r = rand.New(rand.NewPCG(seed, 2))
	}
	fill(t, conn, r, 400)
	counts := map[string]int{}
	for range tries(t, 4) {
		for _, op := range []conditions.Op{conditions.Insert, conditions.Update, conditions.Delete} {
			var all []*conditions.Condition
			var filters []conditions.Filter
			for len(all) < 40 {
				text := makeCondition(r, r.IntN(4), r.IntN(2) == 0)
				c, err := conditions.Compile(text, table)
				if err != nil {
					counts["refused"]++
					continue
				}
				f, ok := c.SQL(op, "old", "new")
				if !ok {
					counts["unsaid"]++
					continue
				}
				all, filters = append(all, c), append(filters, f)
			}
			compare(t, conn, op, all, filters, counts)
		}
	}
	t.Logf("%v", counts)
	if counts["exact true"] < 1000 || counts["exact false"] < 1000 || counts["wider true"] < 500 || counts["wider false"] < 500 || counts["wider only"] < 100 {
		t.Errorf("too little was tried: %v", counts)
	}
}

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the test is over
	if _, err := conn.Exec(t.Context(), makeTable); err != nil {
		t.Fatal(err)
	}
	return conn
}

func fill(t *testing.T, conn *pgx.Conn, r *rand.Rand, pairs int) {
	t.Helper()
	for id := range pairs {
		old := makeRow(r, nil)
		o, _ := json.Marshal(old)
		n, _ := json.Marshal(makeRow(r, old))
		if _, err := conn.Exec(t.Context(), `insert into pairs select $1, jsonb_populate_record(null::r, $2), jsonb_populate_record(null::r, $3)`, id, o, n); err != nil {
			t.Fatalf("%s %s: %v", o, n, err)
		}
	}
}

// compare asks many filters at once of all pairs.
func compare(t *testing.T, conn *pgx.Conn, op conditions.Op, all []*conditions.Condition, filters []conditions.Filter, counts map[string]int) {
	t.Helper()
	list := make([]string, len(filters))
	for i, f := range filters {
		list[i] = f.SQL
	}
	// What is not written with its schema is found in one of traps.
	if _, err := conn.Exec(t.Context(), "set search_path = trap, pg_catalog"); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `select pg_catalog.to_jsonb(p.o), pg_catalog.to_jsonb(p.n), array[`+strings.Join(list, ", ")+`]
		from public.pairs p, lateral (select (p.o).*) as "old", lateral (select (p.n).*) as "new"`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var o, n json.RawMessage
		var said []*bool
		if err := rows.Scan(&o, &n, &said); err != nil {
			t.Fatal(err)
		}
		change := conditions.Change{Op: op, Old: o, New: n, Claims: json.RawMessage(`{"sub": "u"}`)}
		switch op {
		case conditions.Insert:
			change.Old = nil
		case conditions.Delete:
			change.New = nil
		}
		for i, c := range all {
			want, err := c.Matches(change)
			switch f := filters[i]; {
			case said[i] == nil:
				t.Errorf("%s\n%s\nis null", c, f.SQL)
			case f.Exact && (err != nil || *said[i] != want), want && !*said[i]:
				t.Errorf("%s at %s\n%s\nold %s\nnew %s\nGo %t (%v), SQL %t, exact %t", c, op, f.SQL, o, n, want, err, *said[i], f.Exact)
			case f.Exact:
				counts[fmt.Sprintf("exact %t", want)]++
			case want != *said[i]:
				counts["wider only"]++
			default:
				counts[fmt.Sprintf("wider %t", want)]++
			}
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(list, "\n"))
	}
}

// TestSQLInTriggers has filters where they are meant for: in the WHEN of triggers, and in their functions.
func TestSQLInTriggers(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	c, err := conditions.Compile(`new['v"q'] == 'it\'s \\ it' && changed('v"q') || is_deleted() && old.b`, table)
	if err != nil {
		t.Fatal(err)
	}
	script := `create table heard (what text);
		create function hear() returns trigger language plpgsql as $f$ begin insert into heard values (tg_op); return null; end $f$;`
	for _, op := range []conditions.Op{conditions.Insert, conditions.Update, conditions.Delete} {
		f, ok := c.SQL(op, "old", "new")
		if !ok || !f.Exact {
			t.Fatalf("%s: %+v", op, f)
		}
		script += fmt.Sprintf("\ncreate trigger a%[1]s after %[1]s on r for each row when (%[2]s) execute function hear();", op, f.SQL)
		script += fmt.Sprintf("\ncreate function hear%[1]s() returns trigger language plpgsql as $f$ begin if %[2]s then insert into heard values (tg_op); end if; return null; end $f$;", op, f.SQL)
		script += fmt.Sprintf("\ncreate trigger b%[1]s after %[1]s on r for each row execute function hear%[1]s();", op)
	}
	script += `
		set standard_conforming_strings = off;
		insert into r ("v""q", b) values (E'it''s \\ it', true), ('other', false), (null, null);
		update r set "v""q" = E'it''s \\ it';
		update r set i2 = 1;
		delete from r;`
	if _, err := conn.Exec(t.Context(), script); err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	var heard string
	if err := conn.QueryRow(t.Context(), "select string_agg(what || n, ' ' order by what) from (select what, count(*) as n from heard group by 1) as h").Scan(&heard); err != nil || heard != "DELETE2 INSERT2 UPDATE4" {
		t.Errorf("%s %v", heard, err)
	}
}

// TestSQLThatIsNot has what nothing can be said of.
func TestSQLThatIsNot(t *testing.T) {
	t.Parallel()
	for text, known := range map[string]conditions.Columns{
		"new.t == 'a'":                    nil,
		"claims.sub == 'u'":               table,
		"new.t < 'm'":                     table,
		"new.f == 1":                      table,
		"new.c == 'a'":                    table,
		"lower(new.t) == 'a'":             table,
		"new.i2 + 1 == 2":                 table,
		"new.j.x == 1":                    table,
		"new.at < '2024-05-01T00:00:00Z'": table,
		"new.t == 'nul\\x00'":             table,
		"new.n == 1e5000":                 table,
		"claims.sub == 'u' || new.b":      table,
		"!(claims.sub == 'u' && new.b)":   table,
		"old == new":                      table,
		"new.t == 'a' ":                   {{Name: "t", Kind: conditions.Text}},
		"new.t == 'a'  ":                  {{Name: "t", Kind: conditions.Text, Type: "citext"}},
		"new.t in ['a', 'b\\x00']":        table,
	} {
		c, err := conditions.Compile(text, known)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if f, ok := c.SQL(conditions.Update, "old", "new"); ok {
			t.Errorf("%s: %+v", text, f)
		}
	}
	c, err := conditions.Compile("new.i2 == 1 && claims.sub == 'u' && !(new.j.x == 1)", table)
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := c.SQL(conditions.Insert, "old", "new"); !ok || f.Exact || f.SQL != `coalesce("new"."i2"::pg_catalog.int8 operator(pg_catalog.=) '1'::pg_catalog.int8, false)` {
		t.Errorf("what SQL can say of a conjunction: %+v", f)
	}
	if f, ok := c.SQL(conditions.Delete, "old", "new"); !ok || f.SQL != "false" {
		t.Errorf("a condition over new rows at DELETE: %+v", f)
	}
	for _, op := range []conditions.Op{conditions.Custom, conditions.Truncate, ""} {
		if f, ok := c.SQL(op, "old", "new"); ok {
			t.Errorf("%s: %+v", op, f)
		}
	}
}
