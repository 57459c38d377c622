package templates_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// FuzzTemplate parses and renders whatever there is: it answers soon and never panics, its errors have a place, and no text
// has what its sort must not have.
func FuzzTemplate(f *testing.F) {
	raw, err := os.ReadFile("testdata/handlebars.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<20)
	lines.Scan()
	usual := bytes.Clone(lines.Bytes())
	for i := 0; lines.Scan(); i++ {
		var c handlebarsCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			f.Fatal(err)
		}
		if i%7 == 0 {
			f.Add(c.Template, string(usual), uint8(i)) //nolint:gosec // whatever
		}
	}
	f.Add("{{date at 'YYYY-MM-DD' zone='Europe/Paris'}}{{truncate a 3}}{{json this indent=2}}{{lookup a b}}", `{"at": "2024-05-01"}`, uint8(3))
	f.Fuzz(func(t *testing.T, text, data string, sort uint8) {
		begun := time.Now()
		o := templates.Options{Escape: templates.Escape(sort % 6), Missing: templates.Missing(sort / 6 % 2), Output: 1 << 16, Steps: 10_000}
		got, err := render(text, json.RawMessage(data), o)
		if took := time.Since(begun); took > 2*time.Second {
			t.Fatalf("%q took %s", text, took)
		}
		if err != nil {
			var e *templates.Error
			if !errors.As(err, &e) || fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(fault.CodeOf(err), "templates/") || e.Line < 1 || e.Column < 1 || e.Width < 1 {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		control := strings.ContainsFunc(got, func(c rune) bool { return unicode.IsControl(c) && c != '\t' })
		switch {
		case len(got) > 1<<16, !utf8.ValidString(got):
			t.Fatalf("%q: %d bytes", text, len(got))
		case o.Escape == templates.JSON && !json.Valid([]byte(got)), (o.Escape == templates.Header || o.Escape == templates.Address || o.Escape == templates.URL) && control:
			t.Fatalf("%q makes %q", text, got)
		}
	})
}
