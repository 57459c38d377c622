package observers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// Mail is what an action of type email sends to one person.
type Mail struct {
	Key     string // the same at each try
	To      string
	From    string // empty: the channel's
	Subject string
	Text    string
	HTML    string
}

// Sent is what came of a mail.
type Sent struct {
	Text  string // what the server answered
	Err   error  // nil: it is handed over
	Final bool   // another try would end alike
}

// Mailer sends mails.
type Mailer interface {
	Send(ctx context.Context, m Mail) Sent
}

// emailAction hands a mail over, under a name that is the same at each try.
func (s *Service) emailAction(o *observer, a Action, t texts) (action, error) {
	if s.deps.Mailer == nil {
		return action{}, fault.New(fault.Invalid, "config/no-channel", "observer "+o.name+" sends mails, but there is no [notifications.email]").WithHint("add [notifications.email] with its provider")
	}
	if err := s.readMail(a, &t); err != nil {
		return action{}, err
	}
	return action{kind: a.Type, run: func(ctx context.Context, d *dispatch.Delivery) reply {
		m, err := o.mail(d, a, t)
		if err != nil {
			return reply{err: err, final: true}
		}
		sent := s.deps.Mailer.Send(ctx, m)
		return reply{text: sent.Text, err: sent.Err, final: sent.Final}
	}}, nil
}

// readMail reads the files of the template, where the action names one.
func (s *Service) readMail(a Action, t *texts) (err error) {
	if a.Template == "" {
		return nil
	}
	dir := s.deps.Templates.Folder()
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.deps.Dir, dir)
	}
	t.mail, err = templates.ReadMail(dir, a.Template, s.deps.Templates.Missing())
	return err
}

// mail renders what is sent about an event.
func (o *observer) mail(d *dispatch.Delivery, a Action, t texts) (Mail, error) {
	m := Mail{Key: o.idOf(d)}
	values, err := data(d.Event)
	if err != nil {
		return m, err
	}
	if t.to == nil {
		m.To, err = field(d.Event, a.To, values)
	} else {
		m.To, err = t.to.Render(values)
	}
	if err != nil {
		return m, err
	}
	more := make(map[string]any, len(a.Data))
	for name, value := range a.Data {
		if more[name], err = filled(value, t.values, values); err != nil {
			return m, err
		}
	}
	maps.Copy(values, more)
	for _, part := range []struct {
		template *templates.Template
		into     *string
	}{{t.from, &m.From}, {t.mail.Subject, &m.Subject}, {t.mail.Text, &m.Text}, {t.mail.HTML, &m.HTML}} {
		if part.template == nil {
			continue
		}
		if *part.into, err = part.template.Render(values); err != nil {
			return m, err
		}
	}
	return m, nil
}

// isField tells whether `to` names a field of the row, as it is neither an address nor a template.
func isField(to string) bool { return !strings.Contains(to, "@") && !strings.Contains(to, "{{") }

// Field is the field of the row that an email goes to; empty where `to` is something else.
func (a *Action) Field() string {
	if a.Type != "email" || !isField(a.To) {
		return ""
	}
	return a.To
}

// field gives the address that a field of the row holds. Nobody is written to where there is none, and that is an error: an
// observer that does nothing on some rows says so by its condition.
func field(e *events.Event, name string, values map[string]any) (string, error) {
	row, _ := values["row"].(map[string]any)
	value, there := row[name]
	if !there {
		return "", fault.New(fault.Invalid, "observers/no-field", "`to` names "+name+", and the row of "+e.Entity+" has no such field").
			WithHint("one of: %s", strings.Join(slices.Sorted(maps.Keys(row)), ", "))
	}
	if text, ok := value.(string); ok && strings.TrimSpace(text) != "" {
		return text, nil
	}
	if value == nil || value == "" {
		return "", fault.New(fault.Invalid, "observers/no-address", "the field "+name+", which `to` names, is empty: there is nobody to write to").
			WithHint(`when = "new.%s != null" leaves such rows out`, name)
	}
	return "", fault.New(fault.Invalid, "observers/no-address", fmt.Sprintf("the field %s, which `to` names, holds no address", name))
}

// filled gives a value of `data` or `args` with its texts rendered. A text that is one {{json …}} becomes that value: a number
// stays one.
func filled(value any, parsed map[string]*templates.Template, values map[string]any) (any, error) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return v, nil
		}
		text, err := parsed[v].Render(values)
		if err == nil && strings.HasPrefix(v, "{{json ") && strings.Index(v, "}}") == len(v)-2 {
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.UseNumber()
			var made any
			err = decoder.Decode(&made)
			return made, err
		}
		return text, err
	case map[string]any:
		made := make(map[string]any, len(v))
		for name, inner := range v {
			one, err := filled(inner, parsed, values)
			if err != nil {
				return nil, err
			}
			made[name] = one
		}
		return made, nil
	case []any:
		made := make([]any, len(v))
		for i, inner := range v {
			one, err := filled(inner, parsed, values)
			if err != nil {
				return nil, err
			}
			made[i] = one
		}
		return made, nil
	}
	return value, nil
}

// textsOf gives all texts within a value of `data` or `args`.
func textsOf(value any) []string {
	var all []string
	switch v := value.(type) {
	case string:
		return []string{v}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, textsOf(v[name])...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, textsOf(inner)...)
		}
	}
	return all
}

// checkMail wants a mail that says something, to somebody.
func (a *Action) checkMail(r *config.Report) {
	if a.Template != "" {
		for key, given := range map[string]bool{"subject": a.Subject != "", "body": a.Body != ""} {
			if given {
				r.Error(key, "config/two-sources", "`"+key+"` is for mails without a template, and there is `template` too", "keep one of the two")
			}
		}
	} else if a.Body != "" && a.Subject == "" && !r.Reported("subject") {
		r.Error("", "config/missing-key", "a mail needs `subject`", `subject = "Welcome"`)
	}
	for key, text := range map[string]string{"to": a.To, "from": a.From} {
		if text == "" || strings.Contains(text, "{{") || key == "to" && isField(text) {
			continue
		}
		if _, err := mail.ParseAddress(text); err != nil {
			r.Error(key, "config/bad-value", "`"+key+"` is no address of mail", key+` = "Ann <ann@example.com>"`)
		}
	}
}
