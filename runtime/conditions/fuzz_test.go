package conditions_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fraiseql/fraiseql/runtime/conditions"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// FuzzCompile gives Compile whatever text there is: it answers soon and never panics, its errors have a place within the
// text, and what it takes can be judged and written as SQL.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		"new.status == 'paid' && changed('status')", "not (new.data.a[0].b in [1, 2.5, null, 'x']) or op == 'INSERT'", "lower(old.status ?? '') matches `^a+$`",
		"-new.qty + 1.5e3 % 7 / 2 >= 12345678901234567890", "'ä' contains \"ö\" && changed_to(data.x, true) // why", "1 < 2 < 3", "new['Strange \"Name\"'] != claims.sub",
		"new.status = 'x'", "(((", "new.at > '2024-05-01T00:00:00Z' && len(trim(upper(new.tags[0]))) == 1", "a?.b[1:2]{|#..$env::let if", "'\\u{1F600}\\x41'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		begun := time.Now()
		for _, known := range []conditions.Columns{columns, nil} {
			c, err := conditions.Compile(text, known)
			if err != nil {
				var e *conditions.Error
				if !errors.As(err, &e) || fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(fault.CodeOf(err), "conditions/") {
					t.Fatalf("%q: %v", text, err)
				}
				if e.Offset < 0 || e.Width < 0 || e.Offset+e.Width > len(text) {
					t.Fatalf("%q: the place is %d+%d", text, e.Offset, e.Width)
				}
				if valid := utf8.ValidString(text); valid && !utf8.ValidString(text[e.Offset:e.Offset+e.Width]) && len(text) <= 4096 {
					t.Fatalf("%q: the place %d+%d is within a character", text, e.Offset, e.Width)
				}
				continue
			}
			c.Columns()
			for _, change := range []conditions.Change{update, inserted, deleted, custom} {
				if _, err := c.Matches(change); err != nil && fault.KindOf(err) != fault.Invalid {
					t.Fatalf("%q at %s: %v", text, change.Op, err)
				}
				c.SQL(change.Op, "old", "new")
			}
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Fatalf("%q took %s", text, took)
		}
	})
}

// FuzzRow gives Matches whatever bytes there are as a row. Of JSON it reads what encoding/json does.
func FuzzRow(f *testing.F) {
	for _, row := range []string{before, after, " ", `{"a":{"b":[1,{"c":"\u00e4"}]}}`, `{"a":{"b":[1,{"c`, "[", `{"\u0061": {"b": null}, "x": -0.0e+5}`, ` {"a" : {"b" : [ 1 , {"c" : "x\"y" } ] } } `} {
		f.Add([]byte(row))
	}
	exists, err := conditions.Compile("new.a.b[1].c != null", nil)
	if err != nil {
		f.Fatal(err)
	}
	others := []*conditions.Condition{}
	for _, text := range []string{"new.a == old.a", "new.a < 5", "len(new.a) == 1", "1 in new.a", "changed('a')", "new.a + 1 == 2", "new.a matches 'x'", "new.a == '2024-05-01T00:00:00Z'"} {
		c, err := conditions.Compile(text, nil)
		if err != nil {
			f.Fatal(err)
		}
		others = append(others, c)
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		for _, c := range others {
			if _, err := c.Matches(conditions.Change{Op: conditions.Update, Old: json.RawMessage(`{"a": 1}`), New: row}); err != nil && fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%s of %q: %v", c, row, err)
			}
		}
		var decoded map[string]any
		if json.Unmarshal(row, &decoded) != nil || duplicated(row) {
			return
		}
		want := false
		if a, ok := decoded["a"].(map[string]any); ok {
			if b, ok := a["b"].([]any); ok && len(b) > 1 {
				if second, ok := b[1].(map[string]any); ok {
					want = second["c"] != nil
				}
			}
		}
		if got, err := exists.Matches(conditions.Change{Op: conditions.Custom, New: row}); got != want || err != nil {
			t.Fatalf("%q: %t %v", row, got, err)
		}
	})
}

// duplicated tells whether a name may be there twice, of which encoding/json has the last, and jsonb makes one.
func duplicated(row []byte) bool {
	return strings.Count(string(row), `"a"`) > 1 || strings.Count(string(row), `"b"`) > 1 || strings.Count(string(row), `"c"`) > 1 || strings.Contains(string(row), `\`) || !utf8.Valid(row)
}
