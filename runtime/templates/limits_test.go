package templates_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// TestLimits has templates and data that would take too much.
func TestLimits(t *testing.T) {
	t.Parallel()
	list := func(size int) []any { return make([]any, size) }
	deep := any("x")
	for range 2000 {
		deep = []any{deep}
	}
	nested := func(times int) string {
		return strings.Repeat("{{#if a}}", times) + "x" + strings.Repeat("{{/if}}", times)
	}
	chained := func(times int) string {
		return "{{#if b}}" + strings.Repeat("{{else if b}}", times) + "{{/if}}"
	}
	data := map[string]any{"a": list(1000), "deep": deep, "long": strings.Repeat("x", 1<<19)}
	for _, c := range []struct {
		name, text string
		options    templates.Options
		code       string
	}{
		{"what is usual", "{{#each a}}{{@index}}{{/each}}{{long}}", templates.Options{}, ""},
		{"loops in loops", "{{#each a}}{{#each ../a}}{{#each ../../a}}{{/each}}{{/each}}{{/each}}", templates.Options{}, "too-large"},
		{"steps that are few", "{{#each a}}x{{/each}}", templates.Options{Steps: 1000}, "too-large"},
		{"steps that are enough", "{{#each a}}x{{/each}}", templates.Options{Steps: 2001}, ""},
		{"a text that is long", "{{long}}{{long}}{{long}}", templates.Options{}, "too-large"},
		{"a text that is escaped", "{{long}}", templates.Options{Output: 1<<19 - 1}, "too-large"},
		{"a text that is as long as it may be", "{{long}}", templates.Options{Output: 1 << 19}, ""},
		{"content that is long", "0123456789", templates.Options{Output: 9}, "too-large"},
		{"blocks that are deep", nested(51), templates.Options{}, "too-large"},
		{"blocks that are as deep as they may be", nested(50), templates.Options{}, ""},
		{"blocks that may be deep", nested(51), templates.Options{Nesting: 51}, ""},
		{"an else for each of many", chained(60), templates.Options{}, "too-large"},
		{"a few elses", chained(20), templates.Options{}, ""},
		{"blocks that are absurd", nested(100_000), templates.Options{}, "too-large"},
		{"a long template", strings.Repeat("x", 1<<20+1), templates.Options{}, "too-large"},
		{"data that is deep, as a list", "{{deep}}", templates.Options{}, "too-large"},
		{"data that is deep, as JSON", "{{json deep}}", templates.Options{}, "too-large"},
		{"a long list", "{{long_list}}", templates.Options{}, ""},
		{"a long list as JSON", "{{json a}}", templates.Options{Steps: 500}, "too-large"},
	} {
		begun := time.Now()
		_, err := render(c.text, data, c.options)
		if code := strings.TrimPrefix(fault.CodeOf(err), "templates/"); c.code != "" && code != c.code || c.code == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%s took %s", c.name, took)
		}
	}
}

// TestData has what may be given, and what is never looked into.
func TestData(t *testing.T) {
	t.Parallel()
	type secret struct{ Password string }
	inner := json.RawMessage(`{"b": [1, {"c": "d"}]}`)
	for _, c := range []struct {
		name, text string
		data       any
		want, code string
	}{
		{"JSON within", "{{a.b.[1].c}} {{a.b}} {{json a}}", map[string]any{"a": inner}, `d 1,[object Object] {"b":[1,{"c":"d"}]}`, ""},
		{"JSON in lists", "{{#each this}}{{#with b}}{{length}}{{/with}}{{/each}} {{json this}}", []any{inner, nil, inner}, `22 [{"b":[1,{"c":"d"}]},null,{"b":[1,{"c":"d"}]}]`, ""},
		{"JSON that is nothing", "[{{this}}]", json.RawMessage(nil), "[]", ""},
		{"JSON that is broken", "{{a}}", json.RawMessage(`{"a": `), "", "data"},
		{"JSON that is two", "{{a}}", json.RawMessage(`{"a": 1} 2`), "", "data"},
		{"JSON that is broken within", "{{a.b}}", map[string]any{"a": json.RawMessage("x")}, "", "data"},
		{"numbers", "{{a}} {{#if a}}1{{/if}}{{#if b}}2{{/if}}{{#if c}}3{{/if}}", map[string]any{"a": json.Number("1e2"), "b": json.Number("0.000"), "c": json.Number("-0e7")}, "1e2 1", ""},
		{"a struct", "{{a.Password}}", map[string]any{"a": secret{"hunter2"}}, "", "data"},
		{"a pointer", "{{a}}", map[string]any{"a": &secret{"hunter2"}}, "", "data"},
		{"a struct at the top", "x", secret{"hunter2"}, "", "data"},
		{"a struct in JSON", "{{json a}}", map[string]any{"a": []any{secret{"hunter2"}}}, "", "data"},
		{"a struct in a list", "{{a}}", map[string]any{"a": []any{secret{"hunter2"}}}, "", "data"},
		{"a struct in a loop", "{{#each a}}{{this}}{{/each}}", map[string]any{"a": []any{secret{"hunter2"}}}, "", "data"},
		{"a struct by its name", "{{lookup a 0}}", map[string]any{"a": []any{secret{"hunter2"}}}, "", "data"},
		{"a number of Go", "{{a}}", map[string]any{"a": 1}, "", "data"},
		{"a map of texts", "{{a.b}}", map[string]any{"a": map[string]string{"b": "c"}}, "", "data"},
		{"a function", "{{a}}", map[string]any{"a": func() string { return "x" }}, "", "data"},
		{"no UTF-8", "{{a}}", map[string]any{"a": "\xff"}, "", "data"},
		{"what is not looked at", "{{b}}", map[string]any{"a": secret{"hunter2"}, "b": "x"}, "x", ""},
	} {
		got, err := render(c.text, c.data, templates.Options{})
		if code := strings.TrimPrefix(fault.CodeOf(err), "templates/"); c.code != "" && code != c.code || c.code == "" && (err != nil || got != c.want && got != strings.ReplaceAll(c.want, `"`, "&quot;")) {
			t.Errorf("%s: %q %v", c.name, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells what is in the data: %v", c.name, err)
		}
	}
}
