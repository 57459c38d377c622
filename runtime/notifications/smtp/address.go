package smtp

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// parseAddress reads one address, with or without a name. The domain is given as mail servers look it up.
func parseAddress(what, text string) (*mail.Address, *Error) {
	bad := func() *Error {
		f := refused("mail/bad-address", "the %s %s is no address of mail", what, quote(text))
		_ = f.Fault.WithHint("write one address: ann@example.com or Ann <ann@example.com>")
		return f
	}
	if strings.TrimSpace(text) == "" {
		f := refused("mail/no-address", "the %s is empty", what)
		return nil, f
	}
	if !isText(text) {
		return nil, bad()
	}
	a, err := mail.ParseAddress(text)
	if err != nil || !isText(a.Name) || !isText(a.Address) { // a name may be encoded, and hide line breaks so
		return nil, bad()
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	if !isASCII(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return nil, bad()
		}
	}
	if len(local) > 64 || len(domain) > 253 { // RFC 5321, section 4.5.3.1
		return nil, bad()
	}
	a.Address = local + "@" + domain
	return a, nil
}

// angle gives the address as commands of SMTP take it: what is odd in it is quoted.
func angle(a *mail.Address) string { return (&mail.Address{Address: a.Address}).String() }

func domainOf(a *mail.Address) string { return a.Address[strings.LastIndexByte(a.Address, '@')+1:] }

// isText tells whether a text can stand in a line: UTF-8 without control characters.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) || c == 0x2028 || c == 0x2029 })
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c >= utf8.RuneSelf })
}

// quote shows a text in an error, in short.
func quote(text string) string {
	letters := []rune(strings.ToValidUTF8(text, "�"))
	if len(letters) > 80 {
		letters = append(letters[:79], '…')
	}
	return "`" + strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '�'
		}
		return c
	}, string(letters)) + "`"
}
