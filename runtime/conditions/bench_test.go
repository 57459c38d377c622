package conditions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/expr-lang/expr"

	"github.com/fraiseql/fraiseql/runtime/conditions"
)

// wide is an update of a row of thirty columns, as to_jsonb writes it.
func wide() conditions.Change {
	row := func(status string) json.RawMessage {
		var b strings.Builder
		b.WriteString(`{"id": 12345678901234567, "qty": 5, "paid": true, "price": 19.90, "status": "` + status + `"`)
		for i := range 25 {
			fmt.Fprintf(&b, `, "column_%02d": "some text of a row, %d"`, i, i)
		}
		return json.RawMessage(b.String() + "}")
	}
	return conditions.Change{Op: conditions.Update, Old: row("open"), New: row("paid")}
}

// BenchmarkMatches judges one change. BenchmarkPlainExpr is what it would take to decode both rows and give them to expr.
func BenchmarkMatches(b *testing.B) {
	for _, text := range []string{
		"new.status == 'paid' && changed('status')",
		"new.status == 'void'",
		"op == 'INSERT'",
		"new.price > 19.5",
		"new.qty * new.price > 50",
		"new.status in ['open', 'paid', 'sent'] and not (old.paid and new.qty < 3)",
		"new.column_24 contains 'row' && old.column_24 matches '^some'",
	} {
		c, err := conditions.Compile(text, nil)
		if err != nil {
			b.Fatal(err)
		}
		change := wide()
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Matches(change); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPlainExpr(b *testing.B) {
	program, err := expr.Compile("new.status == 'paid' && new.status != old.status", expr.Env(map[string]any{"old": map[string]any{}, "new": map[string]any{}}))
	if err != nil {
		b.Fatal(err)
	}
	change := wide()
	decode := func(raw json.RawMessage) (row map[string]any) {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			b.Fatal(err)
		}
		return row
	}
	b.Run("decoding", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := expr.Run(program, map[string]any{"old": decode(change.Old), "new": decode(change.New)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decoded before", func(b *testing.B) {
		env := map[string]any{"old": decode(change.Old), "new": decode(change.New)}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := expr.Run(program, env); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := conditions.Compile("new.status in ['open', 'paid'] and not (old.paid and new.qty < 3)", columns); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkError(b *testing.B) {
	c, err := conditions.Compile("new.status < 5", nil)
	if err != nil {
		b.Fatal(err)
	}
	change := wide()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Matches(change); err == nil {
			b.Fatal("no error")
		}
	}
}
