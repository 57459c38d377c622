package templates_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// order is the data of these tests: a row, as an event has it.
var order = json.RawMessage(`{"id": 12345678901234567890, "total": 9.50, "paid": true, "note": null, "name": "Ann <a@b.c> & \"co\"", "address": {"city": "Köln", "zip": null},
	"items": [{"sku": "a/b c", "qty": 2}, {"sku": "é?&=#", "qty": 1}], "at": "2024-05-01T22:30:05.5+00:00", "day": "2024-05-01", "evil": "x\r\nBcc: all@b.c", "dots": "..", "empty": [], "tab": "a\tb"}`)

// TestEscapes has the sorts of text, what a value becomes in each, and what none may have.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		escape templates.Escape
		text   string
		want   string
		code   string
	}{
		{"html", templates.HTML, "{{name}} {{{name}}} {{& name}}", `Ann &lt;a@b.c&gt; &amp; &quot;co&quot; Ann <a@b.c> & "co" Ann <a@b.c> & "co"`, ""},
		{"html json", templates.HTML, "{{{json address}}}|{{json address}}|{{{json name}}}", `{"city":"Köln","zip":null}|{&quot;city&quot;:&quot;Köln&quot;,&quot;zip&quot;:null}|"Ann \u003ca@b.c\u003e \u0026 \"co\""`, ""},
		{"none", templates.None, "{{name}}\n{{json name}}\n", "Ann <a@b.c> & \"co\"\n\"Ann <a@b.c> & \\\"co\\\"\"\n", ""},
		{"digits", templates.None, "{{id}} {{total}} {{items.[0].qty}} {{paid}} {{note}}|{{missing}}", "12345678901234567890 9.50 2 true |", ""},
		{"url", templates.URL, "https://h/{{items.[0].sku}}/{{address.city}}?q={{items.[1].sku}}&{{{items.[0].qty}}}#{{name}}\n", "https://h/a%2Fb%20c/K%C3%B6ln?q=%C3%A9%3F%26%3D%23&2#Ann%20%3Ca%40b.c%3E%20%26%20%22co%22", ""},
		{"url with a line break", templates.URL, "https://h/{{evil}}", "https://h/x%0D%0ABcc%3A%20all%40b.c", ""},
		{"url with a raw line break", templates.URL, "https://h/{{{evil}}}", "", "control-character"},
		{"url with a raw space", templates.URL, "https://h/{{{name}}}", "", "control-character"},
		{"url with a space", templates.URL, "https://h/a b", "", "control-character"},
		{"url that goes up", templates.URL, "https://h/users/{{dots}}/x", "", "unsafe-url"},
		{"url that goes up at its end", templates.URL, "https://h/users/{{dots}}", "", "unsafe-url"},
		{"url that stays", templates.URL, "https://h/users/{{lookup dots 0}}/x", "", "unsafe-url"},
		{"url that goes up in two steps", templates.URL, "https://h/users/.{{lookup dots 0}}?x", "", "unsafe-url"},
		{"url that goes up in disguise", templates.URL, "https://h/users/%2e{{lookup dots 0}}#x", "", "unsafe-url"},
		{"url with dots in its query", templates.URL, "https://h/users/x{{dots}}?q={{dots}}/../", "https://h/users/x..?q=../../", ""},
		{"json", templates.JSON, `{"name": "{{name}}", "id": {{id}}, "address": {{json address}}, "evil": "{{evil}}"{{#if note}}, "note": 1{{/if}}, "tab": "{{tab}}"}`, `{"name": "Ann \u003ca@b.c\u003e \u0026 \"co\"", "id": 12345678901234567890, "address": {"city":"Köln","zip":null}, "evil": "x\r\nBcc: all@b.c", "tab": "a\tb"}`, ""},
		{"json, raw", templates.JSON, `{{{json items}}}`, `[{"qty":2,"sku":"a/b c"},{"qty":1,"sku":"é?&=#"}]`, ""},
		{"json that is none", templates.JSON, `{"name": {{name}} }`, "", "not-json"},
		{"json without a value", templates.JSON, `{"note": {{note}} }`, "", "not-json"},
		{"json, injected", templates.JSON, `{"name": "{{{name}}}"}`, "", "not-json"},
		{"header", templates.Header, "Order {{id}} of {{name}}\r\n", `Order 12345678901234567890 of Ann <a@b.c> & "co"`, ""},
		{"header with a tab", templates.Header, "{{tab}}", "a\tb", ""},
		{"header with a line break", templates.Header, "Hello {{evil}}", "", "control-character"},
		{"header with a raw line break", templates.Header, "Hello {{{evil}}}", "", "control-character"},
		{"header with a line break of a list", templates.Header, "{{#each items}}{{sku}}{{/each}}{{lookup this 'evil'}}", "", "control-character"},
		{"header of two lines", templates.Header, "Hello\n{{name}}", "", "control-character"},
		{"header of lines that are taken away", templates.Header, "Hello {{~! c ~}}\n {{~name~}}\n\n", `HelloAnn <a@b.c> & "co"`, ""},
		{"header with lines of a block", templates.Header, "{{#if paid}}\nx\n{{/if}}", "", "control-character"},
		{"header with NEL", templates.Header, "a\u0085b", "", "control-character"},
		{"header with LS", templates.Header, "a\u2028b", "", "control-character"},
	} {
		got, err := render(c.text, order, templates.Options{Escape: c.escape})
		if c.code != "" {
			if fault.CodeOf(err) != "templates/"+c.code || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %q %v", c.name, got, err)
			}
			continue
		}
		if got != c.want || err != nil {
			t.Errorf("%s:\n     got %q (%v)\ninstead of %q", c.name, got, err, c.want)
		}
	}
}

// TestHelpers has what ours make.
func TestHelpers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want, code string }{
		{"{{upper address.city}} {{lower address.city}} {{upper note}}{{upper missing}} {{upper total}}", "KÖLN köln  9.50", ""},
		{"{{default note 'none'}} {{default missing total}} {{default total 1}} {{default '' 'x'}} {{default false 'x'}} {{default 0 'x'}}", "none 9.50 9.50 x false 0", ""},
		{"{{truncate name 5}} {{truncate name 500}} {{truncate 'äöüß' 3 '..'}} {{truncate 'abc' 3}} {{truncate 'abcd' 0}}| {{truncate 'abcd' 1}} {{truncate 'abcd' 2 ''}} {{truncate missing 3}}", `Ann … Ann <a@b.c> & "co" ä.. abc | … ab `, ""},
		{"{{truncate 'ab' 1 '...'}}", ".", ""},
		{"{{truncate 'ab' 'x'}}", "", "arguments"},
		{"{{truncate 'ab' -1}}", "", "arguments"},
		{"{{json items.[0]}} {{json items.[0] indent=1}} {{json missing}} {{json note}} {{json total}} {{json 'x'}} {{json empty}}", "{\"qty\":2,\"sku\":\"a/b c\"} {\n \"qty\": 2,\n \"sku\": \"a/b c\"\n} null null 9.50 \"x\" []", ""},
		{"{{json items indent=9}}", "", "arguments"},
		{"{{json items.[0] indnt=2}}", "", "arguments"},
		{"{{date at 'YYYY-MM-DD HH:mm:ss.SSS Z'}}", "2024-05-01 22:30:05.500 +00:00", ""},
		{"{{date at 'D. MMMM YYYY, H:m:s' zone='Europe/Berlin'}}", "2. May 2024, 0:30:5", ""},
		{"{{date at 'dddd ddd DD MMM YY M hh h A a ZZ [at] [' zone='Asia/Kolkata'}}", "Thursday Thu 02 May 24 5 04 4 AM am +0530 at [", ""},
		{"{{date day 'YYYY-MM-DD HH:mm' zone='America/New_York'}}", "2024-05-01 00:00", ""},
		{"{{date '2024-05-01 22:30:05+02' 'HH:mm'}} {{date '2024-05-01T22:30Z' 'HH:mm'}} {{date '2024-05-01T22:30:05.123456' 'ss.SSS'}}", "20:30 22:30 05.123", ""},
		{"{{date note 'YYYY'}}{{date missing 'YYYY'}}|", "|", ""},
		{"{{date name 'YYYY'}}", "", "data"},
		{"{{date '2024-02-30' 'YYYY'}}", "", "data"},
		{"{{date total 'YYYY'}}", "", "data"},
		{"{{date at 'the day'}}", "", "arguments"},
		{"{{date at address.city}}", "", "arguments"},
		{"{{date at 'YYYY' zone='Mars/Base'}}", "", "arguments"},
		{"{{date at 'YYYY' zone='Local'}}", "", "arguments"},
		{"{{date at 'YYYY' zone=address.city}}", "", "arguments"},
		{"{{date at}}", "", "arguments"},
		{"{{upper name 'x'}}", "", "arguments"},
		{"{{#each items}}{{json @root.day}}{{json this.qty}}{{json @index}}{{/each}}", `"2024-05-01"20"2024-05-01"11`, ""},
		{"{{date}} {{upper}} {{this.lookup}}", "  ", ""},
	} {
		got, err := render(c.text, order, templates.Options{Escape: templates.None})
		if code := strings.TrimPrefix(fault.CodeOf(err), "templates/"); c.code != "" && code != c.code || c.code == "" && (err != nil || got != c.want) {
			t.Errorf("%s:\n     got %q (%v)\ninstead of %q", c.text, got, err, c.want)
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := render("{{date at 'DD HH'}}", order, templates.Options{Zone: berlin}); got != "02 00" || err != nil {
		t.Errorf("in a zone: %q %v", got, err)
	}
}

// TestMissing has what is not there, written, decided by and given to helpers.
func TestMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want, at string }{
		{"{{note}}{{address.zip}}{{paid}}{{empty}}", "true", ""},
		{"a\n b {{nickname}}", "", "1:nickname"},
		{"{{address.street}}", "", "address.street"},
		{"{{{note.x}}}", "", "note.x"},
		{"{{missing.x.y}}", "", "missing.x.y"},
		{"{{items.[2].sku}}", "", "items.[2].sku"},
		{"{{upper nickname}}", "", "nickname"},
		{"{{#each items}}{{sku}}{{prize}}{{/each}}", "", "prize"},
		{"{{#each items}}{{../id}}{{../../id}}{{/each}}", "", "../../id"},
		{"{{@index}}", "", "@index"},
		{"{{lookup items 7}}", "", "lookup items 7"},
		{"{{default missing other}}", "", "default missing other"},
		{"{{address}}", "", "address"},
		{"{{#if missing}}1{{else}}2{{/if}}{{#unless missing}}3{{/unless}}{{#each missing}}4{{else}}5{{/each}}{{#with missing}}6{{else}}7{{/with}}{{default missing '8'}}{{#if missing.x}}{{/if}}", "23578", ""},
	} {
		got, err := render(c.text, order, templates.Options{Missing: templates.Refuse})
		if c.at == "" {
			if got != c.want || err != nil {
				t.Errorf("%s: %q %v", c.text, got, err)
			}
			continue
		}
		_, path, found := strings.Cut(c.at, ":")
		if !found {
			path = c.at
		}
		if code := fault.CodeOf(err); code != "templates/missing" && code != "templates/data" || !strings.Contains(err.Error(), path+" is ") {
			t.Errorf("%s: %q %v", c.text, got, err)
		}
		if got, err := render(c.text, order, templates.Options{}); err != nil {
			t.Errorf("%s: when it may be missing: %q %v", c.text, got, err)
		}
	}
}

// TestPlaces has errors with the line and the column that they tell.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, code   string
		line, column int
		width        int
		said         string
	}{
		{"a\nbä {{> footer}}", "not-yet", 2, 4, 3, "partials are not built yet"},
		{"{{#> layout}}{{/layout}}", "not-yet", 1, 1, 4, "partial blocks"},
		{"{{#*inline 'x'}}{{/inline}}", "not-yet", 1, 1, 4, "inline partials"},
		{"{{* x}}", "not-yet", 1, 1, 3, "decorators"},
		{"{{{{raw}}}} {{{{/raw}}}}", "not-yet", 1, 1, 4, "raw blocks"},
		{"{{#if (eq a b)}}{{/if}}", "not-yet", 1, 7, 1, "subexpressions"},
		{"{{#each a as |x|}}{{/each}}", "not-yet", 1, 11, 4, "block parameters"},
		{"\n\n  {{uper name}}", "not-yet", 3, 5, 9, `did you mean "upper"?`},
		{"{{frob name}}", "not-yet", 1, 3, 9, `no helper "frob"`},
		{"{{#items}}{{/items}}", "not-yet", 1, 4, 5, "#each"},
		{"{{#iff x}}{{/iff}}", "not-yet", 1, 4, 5, `did you mean "if"?`},
		{"{{#each list}}\n{{/if}}", "syntax", 2, 4, 2, "{{/if}} closes {{#each}}"},
		{"x {{#each list}}\n\n", "syntax", 1, 3, 14, "this block is not closed"},
		{"x {{/each}}", "syntax", 1, 3, 3, "not open"},
		{"x\n{{else}}", "syntax", 2, 1, 8, "no block"},
		{"{{name", "syntax", 1, 3, 1, "}} is missing"},
		{"{{name ", "syntax", 1, 8, 1, "}} is missing"},
		{"{{", "syntax", 1, 3, 1, "}} is missing"},
		{`{"a": {{b}}}`, "syntax", 1, 10, 3, "a space after }}"},
		{"{{name } }}", "syntax", 1, 8, 1, `"}" has no place here`},
		{"{{if x}}", "syntax", 1, 3, 4, "{{#if …}}"},
		{"{{if}}", "arguments", 1, 3, 2, "{{this.if}}"},
		{"{{#if}}{{/if}}", "arguments", 1, 4, 2, "takes one value"},
		{"{{b/../c}}", "syntax", 1, 5, 2, "can only begin a path"},
		{"{{#each a}}{{@indx}}{{/each}}", "unknown-name", 1, 14, 5, "there are @root"},
		{"{{truncate name}}", "arguments", 1, 3, 13, "truncate text length"},
		{"{{!-- open", "syntax", 1, 1, 3, "}} is missing"},
		{"{{!-- open }}", "syntax", 1, 1, 3, "has no place here"},
		{"{{date at 'oops'}}", "arguments", 1, 11, 6, "YYYY"},
		{"a\x00b", "syntax", 1, 1, 1, "no text has"},
		{"a\xffb", "syntax", 1, 1, 1, "UTF-8"},
	} {
		_, err := templates.Parse("welcome/body.html.hbs", c.text, templates.Options{})
		var e *templates.Error
		if !errors.As(err, &e) || fault.CodeOf(err) != "templates/"+c.code || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if e.Name != "welcome/body.html.hbs" || e.Line != c.line || e.Column != c.column || e.Width != c.width {
			t.Errorf("%q: the place is %s:%d:%d, %d wide", c.text, e.Name, e.Line, e.Column, e.Width)
		}
		if said := e.Error() + " " + e.Fault.Hint; !strings.Contains(said, c.said) || !strings.HasPrefix(said, "welcome/body.html.hbs:") {
			t.Errorf("%q: %s", c.text, said)
		}
	}
}

// TestManyRenderAtOnce renders one template in many goroutines.
func TestManyRenderAtOnce(t *testing.T) {
	t.Parallel()
	made, err := templates.Parse("t", "{{#each items}}{{sku}}{{date @root.day 'YYYY' zone='Europe/Paris'}}{{json @root.address}}{{/each}}", templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := made.Render(order)
	if err != nil {
		t.Fatal(err)
	}
	var rendering sync.WaitGroup
	for range 8 {
		rendering.Go(func() {
			for range 200 {
				if got, err := made.Render(order); got != want || err != nil {
					t.Errorf("%q %v", got, err)
				}
			}
		})
	}
	rendering.Wait()
}
