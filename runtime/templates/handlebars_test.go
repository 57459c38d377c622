package templates_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// handlebarsCase is one of testdata/generate.mjs: what handlebars.js 4.7.10 makes of a template.
type handlebarsCase struct {
	Template string          `json:"t"`
	Data     json.RawMessage `json:"d"`
	Output   string          `json:"o"`
	Fails    int             `json:"e"`
	Plain    int             `json:"n"`
	Stricter int             `json:"s"`
}

// TestHandlebars makes what handlebars.js does of every template of the file, byte by byte, and an error where it does. What
// handlebars.js takes and is not built yet, or is taken by it for something else than it says, is an error that says so.
func TestHandlebars(t *testing.T) {
	t.Parallel()
	file := "testdata/handlebars.jsonl"
	if given := os.Getenv("TEMPLATES_CASES"); given != "" {
		file = given
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<20)
	lines.Scan()
	usual := json.RawMessage(bytes.Clone(lines.Bytes()))
	equal, failing, refused, wrong := 0, 0, map[string]int{}, 0
	for lines.Scan() && wrong < 30 {
		var c handlebarsCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Data == nil {
			c.Data = usual
		}
		o := templates.Options{}
		if c.Plain == 1 {
			o.Escape = templates.None
		}
		got, err := render(c.Template, c.Data, o)
		code := fault.CodeOf(err)
		switch {
		case c.Fails == 1 && err == nil:
			t.Errorf("%q of %.60s: handlebars.js refuses it, and here it is %q", c.Template, c.Data, got)
			wrong++
		case c.Fails == 1:
			failing++
		case err != nil && (c.Stricter == 1 || code == "templates/not-yet" || code == "templates/arguments" || code == "templates/unknown-name"):
			refused[code]++
		case err != nil:
			t.Errorf("%q of %.60s: %v, and handlebars.js makes %q", c.Template, c.Data, err, c.Output)
			wrong++
		case got != c.Output || c.Stricter == 1:
			t.Errorf("%q of %.60s:\n     got %q\ninstead of %q", c.Template, c.Data, got, c.Output)
			wrong++
		default:
			equal++
		}
	}
	t.Logf("%d are equal, %d fail in both, and refused are %v", equal, failing, refused)
	if equal < 700 || failing < 300 {
		t.Error("the file has too few cases")
	}
}

func render(text string, data any, o templates.Options) (string, error) {
	made, err := templates.Parse("test.hbs", text, o)
	if err != nil {
		return "", err
	}
	return made.Render(data)
}
