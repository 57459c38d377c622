package templates_test

import (
	"fmt"
	"net/mail"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

func TestAddressesOfMail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, name, email, want string }{
		{"{{name}} <{{email}}>", "Doe, Jane", "jane@example.com", `"Doe, Jane" <jane@example.com>`},
		{"{{name}} <{{email}}>", "Dr. Jürgen O'Brien (ACME)", "j@example.com", `"Dr. Jürgen O'Brien (ACME)" <j@example.com>`},
		{"{{name}} <{{email}}>", `J. "Joe" Smith`, "j@example.com", `"J. \"Joe\" Smith" <j@example.com>`},
		{"{{name}} <{{email}}>", "Jürgen Müller-O'Brien", "j@example.com", `Jürgen Müller-O'Brien <j@example.com>`},
		{"{{name}} <{{email}}>", "", "j@example.com", ` <j@example.com>`},
		{`"{{name}}" <{{email}}>`, `Doe, J. \ "Joe"`, "j@example.com", `"Doe, J. \\ \"Joe\"" <j@example.com>`},
		{`"Mr {{name}}, {{name}}" <{{email}}>`, `O"x`, "j@example.com", `"Mr O\"x, O\"x" <j@example.com>`},
		{"{{email}} ({{name}})", "Doe) <x@y.z> (", "j@example.com", `j@example.com (Doe\) <x@y.z> \()`},
		{"{{email}}", "", "j@example.com", "j@example.com"},
		{"{{email}}", "", `"john doe"@example.com`, `"john doe"@example.com`},
		{"{{email}}", "", "a@b.c, d@e.f", "a@b.c, d@e.f"},
		{"{{email}}", "", "Ann <a@b.c>", `"Ann <a@b.c>"`},
		{"{{{email}}}", "", "Ann <a@b.c>", "Ann <a@b.c>"},
		{"{{name}}@{{email}}", "jane.doe", "example.com", "jane.doe@example.com"},
		{"Team <{{name}}@example.com>", "x@evil.com>, <y", "", `Team <"x@evil.com>, <y"@example.com>`},
		{"{{name}} <{{email}}>", "evil@example.org", "j@example.com", `"evil@example.org" <j@example.com>`},
		{"{{name}} <{{email}}>", "Evil <evil@example.org>,", "j@example.com", `"Evil <evil@example.org>," <j@example.com>`},
		{"{{name}} {{name}} <{{email}}>", "evil@example.org", "j@example.com", `"evil@example.org" "evil@example.org" <j@example.com>`},
		{"{{name}} <{{email}}>", "Ann", "a@b.c>, <d@e.f", `Ann <"a@b.c>, <d@e.f">`},
		{"{{name}} <{{email}}>", "=?utf-8?q?x=0D=0Ay?=", "j@example.com", `"=?utf-8?q?x=0D=0Ay?=" <j@example.com>`},
		{"{{name}} <{{email}}>", "Tab\tand  spaces", "j@example.com", `"Tab and  spaces" <j@example.com>`},
		{"{{name}} <{{email}}>", "J.R.", "j@example.com", `"J.R." <j@example.com>`},
	} {
		got, err := render(c.text, map[string]any{"name": c.name, "email": c.email}, templates.Options{Escape: templates.Address})
		if err != nil || got != c.want {
			t.Errorf("%s with %q and %q: %s (%v), want %s", c.text, c.name, c.email, got, err, c.want)
		}
	}
	for _, evil := range []string{"a\r\nBcc: all@b.c", "a\nb", "a\u2028b"} {
		for _, text := range []string{"{{name}} <a@b.c>", `"{{name}}" <a@b.c>`, "{{{name}}} <a@b.c>"} {
			if got, err := render(text, map[string]any{"name": evil}, templates.Options{Escape: templates.Address}); fault.CodeOf(err) != "templates/control-character" {
				t.Errorf("%s with %q: %q, %v", text, evil, got, err)
			}
		}
	}
}

// TestNamesStayNames puts short texts of all that divides addresses where a name is: it is the name, and mails go where the template says.
func TestNamesStayNames(t *testing.T) {
	t.Parallel()
	letters := []string{"a", " ", "@", "<", ">", `"`, `\`, "(", ")", ",", ".", ":", ";", "=?", "é"}
	for _, text := range []string{"{{name}} <to@example.com>", `"{{name}}" <to@example.com>`} {
		template, err := templates.Parse("to", text, templates.Options{Escape: templates.Address})
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(letters) * len(letters) * len(letters) * len(letters) {
			name := ""
			for range 4 {
				name, n = name+letters[n%len(letters)], n/len(letters)
			}
			got, err := template.Render(map[string]any{"name": name})
			if err != nil {
				t.Fatal(err)
			}
			all, err := mail.ParseAddressList(got)
			if err != nil || len(all) != 1 || all[0].Address != "to@example.com" || strings.TrimSpace(all[0].Name) != strings.TrimSpace(name) {
				t.Fatalf("%q makes %s: %v, %v", name, got, fmt.Sprint(all), err)
			}
		}
	}
}
