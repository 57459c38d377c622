package observers

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// texts are the templates of an action, by the keys that they stand under.
type texts struct {
	url     *templates.Template
	body    *templates.Template // nil: the event
	message *templates.Template // nil: what happened to what
	headers map[string]*templates.Template
	values  map[string]*templates.Template // within `data` and `args`, by their text

	to   *templates.Template // nil: a field of the row
	from *templates.Template // nil: the channel's
	mail templates.Mail
}

// parse reads the templates of an action; problem is called for each that cannot be read.
func (a *Action) parse(problem func(key string, err error)) texts {
	read := func(key, text string, escape templates.Escape) *templates.Template {
		if text == "" {
			return nil
		}
		t, err := templates.Parse(key, text, templates.Options{Escape: escape, Missing: templates.Refuse})
		if err != nil {
			problem(key, err)
		}
		return t
	}
	t := texts{
		url: read("url", a.URL, templates.URL), message: read("message", a.Message, templates.None),
		headers: map[string]*templates.Template{}, values: map[string]*templates.Template{},
	}
	for key, value := range map[string]any{"data": a.Data, "args": a.Args} {
		for _, text := range textsOf(value) {
			t.values[text] = read(key, text, templates.None)
		}
	}
	if a.Type == "webhook" {
		t.body = read("body", a.Body, templates.JSON)
	}
	if a.Type == "email" {
		t.from, t.mail.Subject, t.mail.Text = read("from", a.From, templates.Address), read("subject", a.Subject, templates.Header), read("body", a.Body, templates.None)
		if !isField(a.To) {
			t.to = read("to", a.To, templates.Address)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		t.headers[name] = read("headers."+name, a.Headers[name], templates.Header)
	}
	return t
}

// checkTexts wants templates that can be read.
func (a *Action) checkTexts(r *config.Report) {
	a.parse(func(key string, err error) {
		message, hint := err.Error(), ""
		if told, known := fault.As(err); known {
			message, hint = told.Message, told.Hint
		}
		var at *templates.Error
		if errors.As(err, &at) {
			message += " (column " + itoa(at.Column) + " of the template)"
		}
		r.Error(key, "config/bad-template", "the template cannot be read: "+message, hint)
	})
}

// data is what templates see of an event: its stable shape, and the row as it is now, or was.
func data(e *events.Event) (map[string]any, error) {
	whole, err := e.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var all map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(whole)))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		return nil, err
	}
	all["row"] = all["new"]
	if all["row"] == nil {
		all["row"] = all["old"]
	}
	return all, nil
}

// Paths gives what the templates of an action read of an event, by the key that each stands under. What an email's data has for
// its template, it does not read.
func (s *Service) Paths(a Action) (map[string][]templates.Path, error) {
	t := a.parse(func(string, error) {}) // what cannot be read, the configuration has told
	if a.Type == "email" {
		if err := s.readMail(a, &t); err != nil {
			return nil, err
		}
	}
	all := map[string][]templates.Path{}
	read := func(key string, made *templates.Template) {
		if made != nil {
			all[key] = append(all[key], made.Paths()...)
		}
	}
	read("url", t.url)
	read("body", t.body)
	read("message", t.message)
	read("to", t.to)
	for name, made := range t.headers {
		read("headers."+name, made)
	}
	for _, text := range textsOf(a.Args) {
		read("args", t.values[text])
	}
	for _, text := range textsOf(a.Data) {
		read("data", t.values[text])
	}
	mail := [...]struct {
		key string
		of  *templates.Template
	}{{"from", t.from}, {"subject", t.mail.Subject}, {"body", t.mail.Text}, {"template", t.mail.HTML}}
	for _, part := range mail {
		key := part.key
		if a.Template != "" && key != "from" {
			key = "template"
		}
		read(key, part.of)
		all[key] = slices.DeleteFunc(all[key], func(p templates.Path) bool { _, given := a.Data[p.Parts[0]]; return given })
	}
	return all, nil
}

// Names are what templates see of an event, beside the columns of old, new and row.
func Names() []string {
	values, err := data(&events.Event{Cut: true})
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(values))
}
