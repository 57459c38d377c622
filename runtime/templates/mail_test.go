package templates_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// TestMailsOfAFolder escapes each part for what it is, and says of a missing value what the configuration says.
func TestMailsOfAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"subject.txt.hbs": "{{a}} & {{b}}\n", "body.txt.hbs": "{{a}}\n", "body.html.hbs": "{{a}}"} {
		if err := os.MkdirAll(filepath.Join(dir, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "x", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	off := false
	for _, c := range []struct {
		config *templates.Config
		empty  bool
	}{
		{nil, false},
		{&templates.Config{}, false},
		{&templates.Config{Absent: "error"}, false},
		{&templates.Config{Absent: "empty"}, true},
		{&templates.Config{Absent: "empty", Switch: config.Switch{Enabled: &off}}, false},
	} {
		m, err := templates.ReadMail(dir, "x", c.config.Missing())
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]any{"a": "<&>"}
		subject, err := m.Subject.Render(values)
		if c.empty && (err != nil || subject != "<&> & ") || !c.empty && fault.CodeOf(err) != "templates/missing" {
			t.Errorf("%+v: the subject is %q, %v", c.config, subject, err)
		}
		text, _ := m.Text.Render(values)
		html, _ := m.HTML.Render(values)
		if text != "<&>\n" || html != "&lt;&amp;&gt;" {
			t.Errorf("the bodies are %q and %q", text, html)
		}
	}
	for _, name := range []string{"../x", "/x", "", "y"} {
		if _, err := templates.ReadMail(filepath.Join(dir, "x"), name, templates.Refuse); err == nil {
			t.Errorf("%q is read", name)
		}
	}
}

func TestFolderOfTemplates(t *testing.T) {
	t.Parallel()
	off := false
	var none *templates.Config
	if none.Folder() != "templates" || (&templates.Config{Dir: "texts"}).Folder() != "texts" || (&templates.Config{Dir: "texts", Switch: config.Switch{Enabled: &off}}).Folder() != "templates" {
		t.Error("it is another one")
	}
}
