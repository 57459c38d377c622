package templates_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/templates"
)

func BenchmarkParse(b *testing.B) {
	text := strings.Repeat("<p>Dear {{name}},</p>\n{{#each items}}\n  <li>{{sku}}: {{qty}}</li>\n{{else}}\nnothing\n{{/each}}\n", 10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := templates.Parse("t", text, templates.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	items := make([]any, 20)
	for i := range items {
		items[i] = map[string]any{"sku": fmt.Sprintf("sku & %d", i), "qty": json.Number(fmt.Sprint(i))}
	}
	mail := map[string]any{"name": "Ann", "items": items}
	for _, c := range []struct {
		name, text string
		escape     templates.Escape
		data       any
	}{
		{"a subject", "Order {{id}} of {{address.city}}", templates.Header, order},
		{"a subject, decoded", "Order of {{name}}", templates.Header, mail},
		{"a mail of twenty lines", "<p>Dear {{name}},</p>\n{{#each items}}\n  <li>{{sku}}: {{qty}}</li>\n{{else}}\nnothing\n{{/each}}\n", templates.HTML, mail},
		{"a body of JSON", `{"id": {{id}}, "name": "{{name}}", "items": {{json items}} }`, templates.JSON, order},
	} {
		made, err := templates.Parse("t", c.text, templates.Options{Escape: c.escape})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := made.Render(c.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
