package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Template is one that has been read, and can be rendered by many goroutines at once.
type Template struct {
	source
	options Options
	program *program
}

// Parse reads a template. The name is how errors call it: "welcome/body.html.hbs". Errors are *Error of kind Invalid with a
// code "templates/…"; templates/not-yet is for what Handlebars has and this package does not have yet.
func Parse(name, text string, o Options) (*Template, error) {
	o = o.withDefaults()
	s := source{name, text}
	if i := strings.IndexByte(text, 0); i >= 0 || !utf8.ValidString(text) {
		return nil, source{name, ""}.problem(span{}, "syntax", "the template is not UTF-8, or has a character that no text has")
	}
	if len(text) > maxSource {
		return nil, s.problem(span{0, 0}, "too-large", "the template is longer than %d bytes", maxSource)
	}
	if o.Escape.line() { // the end of the file's only line is none of the text
		s.text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	}
	p := parser{lexer: lexer{source: s}, options: o}
	p.current = p.next()
	made, err := p.program()
	if err != nil {
		return nil, err
	}
	switch t := p.current; t.kind {
	case end:
	case openEndBlock:
		return nil, p.problem(t.at, "syntax", "this closes a block that is not open")
	default:
		return nil, p.problem(t.at, "syntax", "there is no block that this belongs to")
	}
	new(whitespace).program(made)
	t := &Template{s, o, made}
	if err := t.judge(made); err != nil {
		return nil, err
	}
	return t, nil
}

// judge refuses characters that a header or an address cannot have.
func (t *Template) judge(p *program) error {
	if p == nil || !t.options.Escape.line() {
		return nil
	}
	for _, n := range p.body {
		switch n := n.(type) {
		case *text:
			if bad := strings.IndexFunc(n.value, t.options.Escape.forbids); bad >= 0 {
				return t.problem(n.at, "control-character", "here is %q, which must not be in %s", firstOf(n.value[bad:]), t.options.Escape).try("~ takes white space away: {{~x~}}")
			}
		case *block:
			if err := t.judge(n.program); err != nil {
				return err
			}
			if err := t.judge(n.inverse); err != nil {
				return err
			}
		}
	}
	return nil
}

func firstOf(s string) string {
	_, width := utf8.DecodeRuneInString(s)
	return s[:width]
}

// line tells whether the text is a single line.
func (e Escape) line() bool { return e == Header || e == URL || e == Address }

func (e Escape) String() string {
	return [...]string{"HTML", "a text", "an address", "JSON", "a header", "an address of mail"}[min(e, Address)]
}

// forbids tells of a character whether no text of the sort may have it.
func (e Escape) forbids(c rune) bool {
	switch e {
	case Header, Address:
		return unicode.IsControl(c) && c != '\t' || c == 0x2028 || c == 0x2029
	case URL:
		return unicode.IsControl(c) || unicode.IsSpace(c)
	}
	return false
}
