package smtp

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"unicode"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Class says what a failure means for another try.
type Class uint8

// The classes.
const (
	Temporary Class = iota // the server cannot now: later, or another server
	Account                // the server does not serve us, whatever the mail is: it is set up wrongly, here or there
	Unknown                // the mail was sent and nobody knows whether it was taken: again, with the same Message-ID, to the same server
	Permanent              // the mail or its address is refused: another try would end alike
)

// Error is what went wrong, with its class. fault.As finds the fault in it.
type Error struct {
	Class Class
	Fault *fault.Error
	early bool // the connection had ended before anything of the mail was said: a new one may do
}

// Error gives the fault's text.
func (f *Error) Error() string { return f.Fault.Error() }

// Unwrap gives the fault.
func (f *Error) Unwrap() error { return f.Fault }

// ClassOf gives the class of an error of Send.
func ClassOf(err error) Class {
	var f *Error
	if errors.As(err, &f) {
		return f.Class
	}
	return Temporary
}

var kinds = map[Class]struct {
	kind fault.Kind
	code string
}{
	Temporary: {fault.Unavailable, "mail/temporary"}, Account: {fault.Forbidden, "mail/account"},
	Unknown: {fault.Timeout, "mail/unknown"}, Permanent: {fault.Invalid, "mail/refused"},
}

func failure(c Class, message string, cause error) *Error {
	return &Error{Class: c, Fault: fault.Wrap(kinds[c].kind, kinds[c].code, message, cause)}
}

func refused(code, format string, args ...any) *Error {
	return &Error{Class: Permanent, Fault: fault.New(fault.Invalid, code, fmt.Sprintf(format, args...))}
}

// step is where in the conversation something failed, and what an answer means there.
type step struct {
	what    string
	refusal Class // what 5xx means
	silence Class // what no answer means
}

var (
	greeting  = step{"greeting", Account, Temporary}
	encrypt   = step{"TLS", Account, Temporary}
	login     = step{"AUTH", Account, Temporary}
	sender    = step{"MAIL", Account, Temporary}
	recipient = step{"RCPT", Permanent, Temporary}
	begin     = step{"DATA", Permanent, Temporary}
	content   = step{"the text", Temporary, Temporary}
	end       = step{"the end of the text", Permanent, Unknown}
)

// unauthenticated are the answers that say that the account is the matter, wherever they come (RFC 4954, section 6).
var unauthenticated = map[int]bool{530: true, 534: true, 535: true, 538: true}

// judge makes a failure of what went wrong at a step.
func (p *Provider) judge(s step, err error) *Error {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return failure(s.silence, p.Name+": no answer to "+s.what, errors.New(p.line(err.Error())))
	}
	class := s.silence
	switch {
	case unauthenticated[answer.Code]:
		class = Account
	case answer.Code/100 == 4:
		class = Temporary
	case answer.Code/100 == 5:
		class = s.refusal
	}
	return failure(class, fmt.Sprintf("%s answers %s with %d %s", p.Name, s.what, answer.Code, p.line(answer.Msg)), nil)
}

// line makes one short line of what a server says, without this program's password in it.
func (p *Provider) line(text string) string {
	for _, secret := range p.secrets() {
		text = strings.ReplaceAll(text, secret, "…")
	}
	words := strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) })
	text = strings.ToValidUTF8(strings.Join(words, " "), "�")
	if letters := []rune(text); len(letters) > 200 {
		text = string(letters[:199]) + "…"
	}
	return text
}
