package templates

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Error is a fault with the place in the template that it is about. errors.As finds it in what Parse and Render give, and
// fault.As finds the fault in it. Lines and columns begin with 1, and columns count characters.
type Error struct {
	Fault  *fault.Error
	Name   string
	Line   int
	Column int
	Width  int // in characters, within the line; at least 1
}

// Error gives the place and the message: "welcome/body.html.hbs:3:7: …".
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, e.Fault.Error())
}

// Unwrap gives the fault.
func (e *Error) Unwrap() error { return e.Fault }

// try adds what to write instead.
func (e *Error) try(format string, args ...any) *Error {
	_ = e.Fault.WithHint(format, args...)
	return e
}

// span is a part of a template's text, in bytes.
type span struct{ from, to int }

// source is a template's text with its name, which makes places of spans.
type source struct{ name, text string }

func (s source) problem(at span, code, format string, args ...any) *Error {
	before := s.text[:at.from]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	within, _, _ := strings.Cut(s.text[at.from:at.to], "\n")
	return &Error{
		Fault: fault.New(fault.Invalid, "templates/"+code, fmt.Sprintf(format, args...)),
		Name:  s.name, Line: 1 + strings.Count(before, "\n"), Column: 1 + utf8.RuneCountInString(line), Width: max(1, utf8.RuneCountInString(within)),
	}
}

// notYet is for what Handlebars has and this package does not have yet: better an error than another text.
func (s source) notYet(at span, what string) *Error {
	return s.problem(at, "not-yet", "%s are not built yet", what)
}
