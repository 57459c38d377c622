package templates_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/templates"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{{new.a}} {{this.id}} {{{old.[odd key]}}}`:                                               "new a 1:3, id 1:13, old|odd key 1:26",
		`{{json new.b indent=row.c}} {{upper "x"}} {{this}}`:                                      "new b 1:8, row c 1:21",
		`{{#if new.a}}{{new.b}}{{else if old.c}}{{@root.d.e}}{{/if}}`:                             "new a 1:7, new b 1:16, old c 1:33, d e 1:42",
		"{{#each new.list}}\n{{name}}{{../new.a}}{{@root.x}}{{@index}}{{else}}{{new.b}}{{/each}}": "new list 1:9, new a 2:11, x 2:23, new b 2:52",
		`{{#with row}}{{#with b}}{{../../id}}{{../id}}{{/with}}{{/with}}`:                         "row 1:9, id 1:27",
	} {
		made, err := templates.Parse("it", text, templates.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range made.Paths() {
			sep := " "
			if strings.Contains(strings.Join(p.Parts, ""), " ") {
				sep = "|"
			}
			got = append(got, fmt.Sprintf("%s %d:%d", strings.Join(p.Parts, sep), p.Line, p.Column))
		}
		if all := strings.Join(got, ", "); all != want {
			t.Errorf("%s:\n%s, want\n%s", text, all, want)
		}
	}
}
