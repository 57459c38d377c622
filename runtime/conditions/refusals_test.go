package conditions_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/conditions"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// TestRefusals has what is wrong when it is compiled: what is told, where, and what to write.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, code, at, hint string
	}{
		{"", "empty", "", "leave it out"},
		{"  // nothing", "empty", "  // nothing", ""},
		{"new.status = 'x'", "operator", "=", "write =="},
		{"new.status <> 'x'", "operator", "<>", "write !="},
		{"new.status === 'x'", "operator", "===", "write =="},
		{"new.paid AND old.paid", "operator", "AND", "write and"},
		{"new.paid & old.paid", "operator", "&", "write &&"},
		{"new.status is null", "operator", "is", "== null"},
		{"new.status == NULL", "operator", "NULL", "write null"},
		{"new.status == nil", "operator", "nil", "write null"},
		{"new.status like 'x%'", "operator", "like", "startsWith"},
		{"new.status == 'it''s'", "syntax", "'s'", `\'`},
		{"new.paid ? 1 : 2", "operator", "?", "no choice"},
		{"new?.paid", "operator", "?.", "write ."},
		{"new.tags[0:1]", "operator", ":", "no slices"},
		{"new.qty ** 2 == 4", "operator", "**", "there are =="},
		{"new.qty in 1..5", "operator", "..", ""},
		{"let x = 1; x == 1", "operator", "let", ""},
		{"if new.paid { true } else { false }", "operator", "if", ""},
		{"{'a': 1} == new.data", "syntax", "{", "no objects"},
		{"new.status | lower", "operator", "|", "write ||"},
		{"::len(new.status) == 1", "operator", "::", "no casts"},
		{"b'x' == new.status", "syntax", "b'x'", ""},
		{"$env == null", "unknown-name", "$env", ""},
		{"filter(new.tags, {# == 1}) == null", "unknown-function", "filter", "there are changed"},
		{"any(new.tags, true)", "unknown-function", "any", "there are"},
		{"now() > new.at", "unknown-function", "now", ""},
		{"lowr(new.status) == 'x'", "unknown-function", "lowr", `"lower"`},
		{"new.status.lower() == 'x'", "unknown-function", "lower", "lower(…) around"},
		{"len() == 1", "arguments", "len", ""},
		{"changed_to('status')", "arguments", "changed_to", "two arguments"},
		{"changed(1)", "arguments", "1", "changed('status')"},
		{"changed(new)", "arguments", "new", "changed('new')"},
		{"changed(claims.sub)", "arguments", "claims.sub", ""},
		{"changed('statsu')", "unknown-column", "'statsu'", `"status"`},
		{"changed(statsu)", "unknown-column", "statsu", `"status"`},
		{"new.statsu == 'x'", "unknown-column", "new.statsu", `"status"`},
		{"true && new['statsu'] == 'x'", "unknown-column", "new['statsu']", `"status"`},
		{"status == 'x'", "unknown-name", "status", "new.status"},
		{"nwe.status == 'x'", "unknown-name", "nwe", `"new"`},
		{"new.status == paid", "unknown-name", "paid", "'paid'"},
		{"'Ä' == 'Ö' && status == 'ß'", "unknown-name", "status", "new.status"},
		{"new.status < 5", "kinds", "<", ""},
		{"new.qty == '5'", "kinds", "==", ""},
		{"new.paid == 'true'", "kinds", "==", ""},
		{"new.paid < true", "kinds", "<", "numbers, texts and times"},
		{"new.tags < old.tags", "kinds", "<", ""},
		{"new.qty < null", "kinds", "<", "== null"},
		{"new.qty", "kinds", "new.qty", "new.qty == …"},
		{"new.qty && true", "kinds", "new.qty", ""},
		{"!new.status", "kinds", "new.status", ""},
		{"new.qty + new.status == 1", "kinds", "new.status", "where a number is needed"},
		{"-new.status == 1", "kinds", "new.status", ""},
		{"new.tags contains 'x'", "kinds", "new.tags", "'a' in new.tags"},
		{"new.status in 'open'", "kinds", "'open'", "write in ["},
		{"new.status in ['open', 5]", "kinds", "5", ""},
		{"new.status in [old.status]", "syntax", "old.status", "a == x"},
		{"new.at in ['2024-05-01']", "kinds", "in", "one by one"},
		{"new.tags == ['x']", "syntax", "[", "after in"},
		{"new.at < 'tomorrow'", "kinds", "'tomorrow'", "'2024-05-01'"},
		{"new.day == '2024-02-30'", "kinds", "'2024-02-30'", ""},
		{"op == 'insert'", "kinds", "'insert'", `"INSERT"`},
		{"op in ['INSERT', 'UPSERT']", "kinds", "'UPSERT'", ""},
		{"op.x == 1", "kinds", "op.x", ""},
		{"new.status.x == 1", "kinds", "new.status.x", "no members"},
		{"new[0] == 1", "kinds", "new[0]", ""},
		{"new.tags[-1] == 'x'", "syntax", "-", "from 0 on"},
		{"new.tags[new.qty] == 'x'", "syntax", "qty", "from 0 on"},
		{"new.status matches new.status", "pattern", "new.status", ""},
		{"new.status matches '('", "pattern", "'('", "RE2"},
		{"new.status matches '(?=x)'", "pattern", "'(?=x)'", "RE2"},
		{"new.status matches '((a{100}){100}){10}'", "pattern", "'((a{100}){100}){10}'", ""},
		{"new.status matches '(a{500}){2}b'", "too-large", "'(a{500}){2}b'", ""},
		{"not new.qty == 5", "operator", "not", "not (a == b)"},
		{"new.qty == !new.paid", "operator", "!", "! (a == b)"},
		{"1 < new.qty < 5", "syntax", "<", "a < b && b < c"},
		{"1 < new.qty < 5 < 7", "syntax", "<", "a < b && b < c"},
		{"new.qty ?? 0 > 5", "syntax", ">", "(a ?? b) >"},
		{"0x1F == 31", "syntax", "0x1F", "decimal"},
		{"1e == 1", "syntax", "1e", "decimal"},
		{"(new.paid", "syntax", "", ""},
		{"new.qty ==", "syntax", "", ""},
		{"new.paid new.paid", "syntax", "new", ""},
		{"new.paid)", "syntax", ")", ""},
		{"new.", "syntax", "", ""},
		{"'open", "syntax", "", ""},
		{"new.qty == 5 @", "syntax", "@", ""},
		{"new.paid && \xff", "syntax", "new.paid && \xff", ""},
		{strings.Repeat("(", 3000) + "true" + strings.Repeat(")", 3000), "too-large", "", ""},
		{"true" + strings.Repeat("&&true", 600), "too-large", "true" + strings.Repeat("&&true", 600), ""},
	} {
		_, err := conditions.Compile(c.text, columns)
		var e *conditions.Error
		if !errors.As(err, &e) || fault.CodeOf(err) != "conditions/"+c.code || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %s: %v", c.text, fault.CodeOf(err), err)
			continue
		}
		if got := c.text[e.Offset : e.Offset+e.Width]; got != c.at && len(c.text) < 4096 {
			t.Errorf("%s: the place is %q", c.text, got)
		}
		if said := e.Error() + " " + e.Fault.Hint; !strings.Contains(said, c.hint) {
			t.Errorf("%s: %s", c.text, said)
		}
	}
}

// TestJudgementsThatEnd has what only a row can show: the answer is false, and says why and where.
func TestJudgementsThatEnd(t *testing.T) {
	t.Parallel()
	long, _ := json.Marshal(strings.Repeat("x", 300<<10))
	for _, c := range []struct{ text, row, code, at string }{
		{"new.a < 5", `{"a": "x"}`, "kinds", "<"},
		{"!(new.a == 5)", `{"a": "5"}`, "kinds", "=="},
		{"new.a == 5 || true", `{"a": "5"}`, "kinds", "=="},
		{"new.a < new.b", `{"a": true, "b": false}`, "kinds", "<"},
		{"new.a == true", `{"a": {}}`, "kinds", "=="},
		{"new.a && true", `{"a": 1}`, "kinds", "new.a"},
		{"new.a + 1 == 2", `{"a": "1"}`, "kinds", "+"},
		{"-new.a == 2", `{"a": "1"}`, "kinds", "-"},
		{"lower(new.a) == 'x'", `{"a": 1}`, "kinds", "lower"},
		{"len(new.a) == 1", `{"a": {}}`, "kinds", "len"},
		{"new.a contains 'x'", `{"a": ["x"]}`, "kinds", "contains"},
		{"new.a matches 'x'", `{"a": 1}`, "kinds", "matches"},
		{"'x' in new.a", `{"a": "x"}`, "kinds", "in"},
		{"1 / new.a == 1", `{"a": 0}`, "division-by-zero", "/"},
		{"1 % new.a == 1", `{"a": 0.0}`, "division-by-zero", "%"},
		{"new.a + 1 == 1", `{"a": 1e2000}`, "too-large", "+"},
		{"new.a * new.a * new.a * new.a * new.a == 1", `{"a": 1e999}`, "too-large", "*"},
		{"new.a matches 'x'", `{"a": ` + string(long) + `}`, "too-large", "matches"},
		{"new.a == 1", `{"a": `, "bad-row", "new.a"},
		{"new.a == 1", `[1]`, "bad-row", "new.a"},
		{"new.a == 1", `{"a" 1}`, "bad-row", "new.a"},
		{"new.a == 1", `{"a": 1.2.3}`, "bad-row", "new.a"},
		{"new.a == 1", `{"a": tru}`, "bad-row", "new.a"},
		{"new.a.b == 1", `{"a": {"b"`, "bad-row", "new.a.b"},
		{"1 in new.a", `{"a": [2 3]}`, "bad-row", "in"},
		{"new == null", `17`, "bad-row", "new"},
	} {
		compiled, err := conditions.Compile(c.text, nil)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := compiled.Matches(conditions.Change{Op: conditions.Custom, New: json.RawMessage(c.row)})
		var e *conditions.Error
		if got || !errors.As(err, &e) || fault.CodeOf(err) != "conditions/"+c.code {
			t.Errorf("%s: %t %v", c.text, got, err)
			continue
		}
		if at := c.text[e.Offset : e.Offset+e.Width]; at != c.at {
			t.Errorf("%s: the place is %q", c.text, at)
		}
	}
}

// TestCostsAreBounded has texts that could be dear: what doubles with every level, and what is repeated within.
func TestCostsAreBounded(t *testing.T) {
	t.Parallel()
	nested := func(before, middle, after string, times int) string {
		return strings.Repeat(before, times) + middle + strings.Repeat(after, times)
	}
	begun := time.Now()
	for _, text := range []string{
		nested("", "new.paid", " in [true]", 300),
		nested("", "new.paid", " == true", 300),
		nested("(1 < ", "new.qty", " < 2)", 200),
		nested("!(", "new.paid", ")", 400),
		nested("lower(", "new.status", ")", 400) + " == 'x'",
		nested("-", "new.qty", "", 900) + " == 1",
		nested("(new.data.a ?? ", "1", ")", 200) + " == 1",
		nested("new.qty * new.price + ", "1", "", 150) + " == 1",
		"new.status matches '" + nested("(", "a", "*)*", 900) + "'",
		"new.status matches '" + strings.Repeat("a{1000}", 500) + "'",
		"new.status matches '" + strings.Repeat(`\\pL`, 300) + "'",
		"new.data" + strings.Repeat("[0]", 900) + " == 1",
	} {
		c, err := conditions.Compile(text, columns)
		if err != nil {
			continue
		}
		_, _ = c.Matches(update)
		c.SQL(conditions.Update, "old", "new")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
