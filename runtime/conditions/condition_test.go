package conditions_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/conditions"
)

// columns are those of the rows in these tests.
var columns = conditions.Columns{
	{Name: "id", Kind: conditions.Number, Type: "int8"},
	{Name: "status", Kind: conditions.Text, Type: "text"},
	{Name: "qty", Kind: conditions.Number, Type: "int4"},
	{Name: "price", Kind: conditions.Number, Type: "numeric"},
	{Name: "paid", Kind: conditions.Bool, Type: "bool"},
	{Name: "data", Kind: conditions.JSON, Type: "jsonb"},
	{Name: "tags", Kind: conditions.List, Type: "_text"},
	{Name: "at", Kind: conditions.Time, Type: "timestamptz"},
	{Name: "day", Kind: conditions.Time, Type: "date"},
	{Name: "range", Kind: conditions.Other, Type: "int4range"},
	{Name: "Strange \"Name\"", Kind: conditions.Text, Type: "text"},
	{Name: "new", Kind: conditions.Text, Type: "text"},
}

const (
	before = `{"id": 12345678901234567, "status": "open", "qty": 3, "price": 9.50, "paid": false, "data": {"address": {"city": "Köln"}, "n": 1.0}, "tags": ["a", "b"], "at": "2024-05-01T12:00:00+02:00", "day": "2024-05-01", "range": "[1,5)", "Strange \"Name\"": "x", "new": null}`
	after  = `{"id":12345678901234568,"status":"paid","qty":5,"price":9.5,"paid":true,"data":{"n":1,"address":{"city":"Köln","zip":null},"list":[1,"x",{"k":"v"}],"when":"2024-05-01T10:00:00Z","s":"5"},"tags":["b","ä\n"],"at":"2024-05-01T10:00:00+00:00","day":"2024-05-02","range":"[1,5)","Strange \"Name\"":"y","new":"v"}`
	claims = `{"sub": "u1", "roles": ["admin", "staff"], "level": 3}`
)

var (
	update   = conditions.Change{Op: conditions.Update, Old: json.RawMessage(before), New: json.RawMessage(after), Claims: json.RawMessage(claims)}
	inserted = conditions.Change{Op: conditions.Insert, New: json.RawMessage(after)}
	deleted  = conditions.Change{Op: conditions.Delete, Old: json.RawMessage(before), New: json.RawMessage("null")}
	custom   = conditions.Change{Op: conditions.Custom, New: json.RawMessage(" \n{\"amount\": 10} ")}
)

// TestMeanings judges an update by every part of the language, with and without columns.
func TestMeanings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want bool
	}{
		{"new.status == 'paid' && changed('status')", true},
		{`new.status != "paid"`, false},
		{"true", true},
		{"false || !false", true},
		{"not (new.status == 'paid') or new.paid", true},
		{"new.paid", true},
		{"old.paid", false},
		{"!old.paid", true},
		{"op == 'UPDATE'", true},
		{"op in ['INSERT', 'DELETE']", false},
		{"is_new() || is_deleted()", false},
		// numbers
		{"new.id == 12345678901234568", true},
		{"new.id == 12345678901234567", false},
		{"new.id > old.id", true},
		{"new.id - old.id == 1", true},
		{"new.id == 12345678901234568.0", true},
		{"new.id < 12345678901234568.0000000001", true},
		{"new.id < 123456789012345678901234567890", true},
		{"new.id > -9223372036854775808 and -9223372036854775808 - 1 == -9223372036854775809", true},
		{"9223372036854775807 + 1 == 9223372036854775808", true},
		{"9223372036854775807 * 9223372036854775807 == 85070591730234615847396907784232501249", true},
		{"-9223372036854775808 / -1 == 9223372036854775808", true},
		{"new.price == old.price", true},
		{"new.price == 9.500", true},
		{"new.price * 2 == 19", true},
		{"0.1 + 0.2 == 0.3", true},
		{"new.qty / 2 == 2.5", true},
		{"1 / 3 * 3 == 1", true},
		{"-7 % 3 == -1 && 7 % -3 == 1 && 7.5 % 2 == 1.5", true},
		{"new.qty + 2 * 3 == 11 && (new.qty + 2) * 3 == 21", true},
		{"-new.qty == -5 && - -5 == 5", true},
		{"1e3 == 1000 && 1_000 == 1000 && .5 == 0.50 && 1e-2 == 0.01", true},
		{"1e400 > 1e399 && -1e400 < 0", true},
		{"1e999999999999999999999 > 5 && 5 > 1e-999999999999999999999", true},
		{"-0 == 0 && -0.0 == 0", true},
		// texts
		{"new.status < 'q' && new.status >= 'paid'", true},
		{"new.status contains 'ai' && new.status startsWith 'pa' && new.status endsWith 'id'", true},
		{"new.status not contains 'ai'", false},
		{"new.status matches '^p.+d$'", true},
		{"new.status not matches `^\\w+$`", false},
		{`'Köln' matches '^\\p{L}+$' && 'a1' not matches '^\\p{L}+$'`, true},
		{"upper(new.status) == 'PAID' && lower('ÄÖ') == 'äö' && trim(' \\n x ') == 'x'", true},
		{"len(new.status) == 4 && len('äöü') == 3 && len(new.tags) == 2 && len(new.data.list) == 3", true},
		{"'Z' < 'a' && 'a' < 'ä'", true},
		{`'it\'s' == "it's" && 'a\\b' == ` + "`a\\b`", true},
		// lists
		{"new.status in ['open', 'paid']", true},
		{"new.status not in ['open', 'paid']", false},
		{"new.qty in [1, 5.0]", true},
		{"new.qty in []", false},
		{"'b' in new.tags && 'ä\\n' in new.tags && 'c' not in new.tags", true},
		{"1 in new.data.list && 'x' in new.data.list && 2 not in new.data.list", true},
		{"null in [1, null] && null not in [1]", true},
		{"new.tags[0] == 'b' && new.tags[2] == null", true},
		{"new.tags == old.tags", false},
		// within JSON
		{"new.data.address.city == 'Köln'", true},
		{"new.data['address']['city'] == 'Köln'", true},
		{"new.data.list[2].k == 'v' && new.data.list[ 1 ] == 'x'", true},
		{"new.data.list[7].k == null && new.data.nothing.at.all == null && new.data.list.k == null && new.data[0] == null", true},
		{"new.data.n == old.data.n", true},
		{"new.data == old.data", false},
		{"changed(data) && changed(new.data) && changed('data') && !changed(data.n) && changed(data.address) && !changed(old.data.address.city)", true},
		{`new['Strange "Name"'] == 'y' && changed('Strange "Name"') && changed_to('Strange "Name"', 'y')`, true},
		{"new.new == 'v' && changed('new')", true},
		// null
		{"new.data.address.zip == null", true},
		{"old.new == null && new.new != null && null == null", true},
		{"old.new == 'v' || old.new < 'v' || old.new >= 'v' || old.new contains '' || old.new matches '' || old.new <= new.data.none || old.new >= old.new", false},
		{"old.new != 'v' && !(old.new < 'v')", true},
		{"new.data.none + 1 == null && -new.data.none == null && lower(old.new) == null && len(old.new) == null", true},
		{"new.data.none + 1 > 0 || new.data.none > 0", false},
		{"(old.new ?? 'w') == 'w' && (new.new ?? 'w') == 'v' && (null ?? null ?? 1) == 1", true},
		{"'x' in new.data.none", false},
		{"new.data.none", false},
		{"!new.data.none", true},
		{"new != null && old != null && claims != null", true},
		// changes
		{"changed('qty') && changed(qty) && changed(new.qty)", true},
		{"changed('price')", false},
		{"changed('range')", false},
		{"changed_to('status', 'paid') && changed_from('status', 'open')", true},
		{"changed_to('status', 'open') || changed_from('status', 'paid') || changed_to('price', 9.5)", false},
		{"changed_to(new.data.s, '5') && changed_from(data.s, null)", true},
		// times
		{"new.data.when == '2024-05-01T12:00:00+02:00'", true},
		{"new.data.s < '2024-05-01T12:00:00+02:00' || new.data.s > '2024-05-01T12:00:00+02:00' || new.data.s == '2024-05-01T12:00:00+02:00'", false},
		// claims
		{"claims.sub == 'u1' && 'admin' in claims.roles && claims.level >= 3 && claims.none == null", true},
		// booleans are values too
		{"changed('qty') == true && (new.paid != old.paid) == (1 < 2)", true},
		{"(new.qty > 3 ?? false) && new.qty>3", true},
		// bounds of what is written
		{"// a remark\nnew.paid /* and another */", true},
		{"new\n.paid\t&&\n true", true},
	} {
		for name, known := range map[string]conditions.Columns{"online": columns, "offline": nil} {
			compiled, err := conditions.Compile(c.text, known)
			if err != nil {
				t.Errorf("%s, %s: %v", c.text, name, err)
				continue
			}
			if got, err := compiled.Matches(update); got != c.want || err != nil {
				t.Errorf("%s, %s: %t %v", c.text, name, got, err)
			}
		}
	}
}

// TestTimes has columns that are known to be points in time. Offline they are texts, but for a literal with an offset.
func TestTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want bool
	}{
		{"changed(at)", false},
		{"new.at == old.at", true},
		{"new.at == '2024-05-01T15:30:00+05:30' && new.at == '2024-05-01 10:00:00Z' && new.at == '2024-05-01 10:00'", true},
		{"new.at > '2024-05-01' && new.at < '2024-05-01T10:00:00.000001Z'", true},
		{"new.day > old.day && new.day == '2024-05-02' && new.day < 'infinity' && new.day > '0044-03-15 BC'", true},
		{"new.at >= '-infinity' && new.at != 'infinity' && new.day < '10000-01-01'", true},
		{"new.at < '2024-05-01T10:00:00-00:00:01'", true},
		{"changed(day) && changed_from(day, '2024-05-01T00:00Z')", true},
	} {
		compiled, err := conditions.Compile(c.text, columns)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, err := compiled.Matches(update); got != c.want || err != nil {
			t.Errorf("%s: %t %v", c.text, got, err)
		}
	}
}

// TestOperations has the same conditions for rows that come and go, and for events that are no change of a row.
func TestOperations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text                          string
		insert, update, delete, other bool
	}{
		{"changed('qty')", true, true, true, false},
		{"changed('price')", true, false, true, false},
		{"changed('new')", true, true, false, false},
		{"changed_to('status', 'paid')", true, true, false, false},
		{"changed_from('status', 'open')", false, true, true, false},
		{"changed_to('status', null)", false, false, true, false},
		{"changed_from('status', null)", true, false, false, false},
		{"is_new()", true, false, false, false},
		{"is_deleted()", false, false, true, false},
		{"old == null", true, false, false, true},
		{"new == null", false, false, true, false},
		{"old.qty == null", true, false, false, true},
		{"op == 'CUSTOM' && new.amount == 10", false, false, false, true},
		{"claims == null", true, false, true, true},
		{"claims.sub == null", true, false, true, true},
		{"'admin' in claims.roles", false, true, false, false},
	} {
		compiled, err := conditions.Compile(c.text, nil)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for _, o := range []struct {
			change conditions.Change
			want   bool
		}{{inserted, c.insert}, {update, c.update}, {deleted, c.delete}, {custom, c.other}} {
			if got, err := compiled.Matches(o.change); got != o.want || err != nil {
				t.Errorf("%s at %s: %t %v", c.text, o.change.Op, got, err)
			}
		}
	}
}

// TestSpecialNumbers are texts in JSON, and numbers to PostgreSQL.
func TestSpecialNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, row string
		want      bool
	}{
		{"new.price > 5", `{"price": "NaN"}`, true},
		{"new.price < 5", `{"price": "-Infinity"}`, true},
		{"new.price == 'NaN' && new.price > 'Infinity'", `{"price": "NaN"}`, true},
		{"new.price == 'NaN' || new.price >= 'Infinity'", `{"price": 5}`, false},
		{"new.price != 5 && new.price not in [5]", `{"price": "NaN"}`, true},
	} {
		compiled, err := conditions.Compile(c.text, columns)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, err := compiled.Matches(conditions.Change{Op: conditions.Insert, New: json.RawMessage(c.row)}); got != c.want || err != nil {
			t.Errorf("%s of %s: %t %v", c.text, c.row, got, err)
		}
	}
}

// TestNamesWithEscapes has columns of which JSON writes the names otherwise than they are.
func TestNamesWithEscapes(t *testing.T) {
	t.Parallel()
	row := json.RawMessage(`{"a\b": 1, "a\\b": 2, "\u00e4": 3, "q\"q": {"x\ty": 4}}`)
	for _, text := range []string{`new['a\\b'] == 2`, `new['a\b'] == 1`, "new['ä'] == 3 && new.ä == 3", `new['q"q']['x\ty'] == 4`} {
		c, err := conditions.Compile(text, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := c.Matches(conditions.Change{Op: conditions.Insert, New: row}); !got || err != nil {
			t.Errorf("%s: %t %v", text, got, err)
		}
	}
}

// TestColumnsOfACondition are what has to be read of each row.
func TestColumnsOfACondition(t *testing.T) {
	t.Parallel()
	c, err := conditions.Compile("new.status == 'paid' && changed('qty') && changed_to(data.a.b, 1) && old.id in [1] && claims.sub == 'x' && new != null && new.data.c", columns)
	if err != nil {
		t.Fatal(err)
	}
	old, after := c.Columns()
	if got := strings.Join(old, " ") + " | " + strings.Join(after, " "); got != "data id qty | data qty status" {
		t.Error(got)
	}
}

// TestManyAskAtOnce asks one condition from many goroutines, each with its own row.
func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	c, err := conditions.Compile("new.n % 2 == 0 && lower(new.s) endsWith 'x' && changed('n')", nil)
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for g := range 8 {
		asking.Go(func() {
			for i := range 500 {
				row, _ := json.Marshal(map[string]any{"n": i, "s": strings.Repeat("A", g) + "X", "other": i})
				got, err := c.Matches(conditions.Change{Op: conditions.Insert, New: row})
				if got != (i%2 == 0) || err != nil {
					t.Errorf("%s: %t %v", row, got, err)
				}
			}
		})
	}
	asking.Wait()
}
