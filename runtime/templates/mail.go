package templates

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Mail is a message of a folder, as mails are made of it. Of Text and HTML one may be nil.
type Mail struct{ Subject, Text, HTML *Template }

// ReadMail reads NAME/subject.txt.hbs, NAME/body.txt.hbs and NAME/body.html.hbs below dir: a subject and at least one body.
// Errors are *Error for what cannot be read as a template, with a name such as "welcome/body.html.hbs", and otherwise faults
// of the codes templates/no-template and templates/no-part.
func ReadMail(dir, name string, missing Missing) (Mail, error) {
	if !filepath.IsLocal(name) {
		return Mail{}, fault.New(fault.Invalid, "templates/no-template", "`"+name+"` leads out of the folder of templates").WithHint(`template = "welcome_email"`)
	}
	if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.IsDir() {
		return Mail{}, fault.New(fault.Invalid, "templates/no-template", "there is no template `"+name+"`").
			WithHint("make %s/subject.txt.hbs and body.html.hbs in the folder of templates", name)
	}
	var m Mail
	for _, part := range []struct {
		file   string
		escape Escape
		into   **Template
	}{{"subject.txt.hbs", Header, &m.Subject}, {"body.txt.hbs", None, &m.Text}, {"body.html.hbs", HTML, &m.HTML}} {
		text, err := os.ReadFile(filepath.Join(dir, name, part.file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Mail{}, fault.Wrap(fault.Invalid, "templates/no-part", "a file of the template `"+name+"` cannot be read", err)
		}
		if *part.into, err = Parse(filepath.ToSlash(filepath.Join(name, part.file)), string(text), Options{Escape: part.escape, Missing: missing}); err != nil {
			return Mail{}, err
		}
	}
	switch {
	case m.Subject == nil:
		return Mail{}, noPart(name, "subject", "subject.txt.hbs")
	case m.Text == nil && m.HTML == nil:
		return Mail{}, noPart(name, "body", "body.html.hbs, body.txt.hbs or both")
	}
	return m, nil
}

func noPart(name, what, files string) error {
	return fault.New(fault.Invalid, "templates/no-part", "the template `"+name+"` has no "+what).WithHint("make %s in its folder", files)
}
