package smtp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail to one person.
type Message struct {
	Key     string // names the mail: the Message-ID derives from it
	To      string // one address, with or without a name
	From    string // empty: the provider's
	ReplyTo string // empty: the provider's
	Subject string
	Text    string // of Text and HTML one may be empty
	HTML    string
	Headers map[string]string // further ones
}

// composed is a mail as it is sent.
type composed struct {
	from, to *mail.Address
	body     []byte
	utf8     bool // an address is not ASCII: the server must take such (RFC 6531)
}

// longest is how many bytes a line of a header may have: RFC 5322 allows 998 with its name.
const longest = 900

// plainKey is what can stand in a Message-ID as it is. There is no dot in it, and so it is no digest.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_~-]{1,120}$`)

// messageID derives from the key, and from nothing that changes between tries.
func messageID(key, domain string) string {
	if !plainKey.MatchString(key) {
		sum := sha256.Sum256([]byte(key))
		key = "sha256." + hex.EncodeToString(sum[:])
	}
	return key + "@" + domain
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]{1,76}$`)

// own are the headers that are made of a message's other fields, or by servers.
var own = regexp.MustCompile(`(?i)^(from|to|cc|bcc|sender|reply-to|subject|date|message-id|mime-version|content-.*|return-path|received|resent-.*|dkim-signature)$`)

// check refuses what would become another mail than its author wrote.
func (m *Message) check() *Error {
	switch {
	case !isText(m.Subject):
		return refused("mail/bad-header", "the subject has a line break, or another character that none may have")
	case len(m.Subject) > longest:
		return refused("mail/bad-header", "the subject is longer than %d bytes", longest)
	case m.Text == "" && m.HTML == "":
		return refused("mail/no-body", "the mail says nothing: it has no text and no HTML")
	case !utf8.ValidString(m.Text) || !utf8.ValidString(m.HTML):
		return refused("mail/bad-body", "the text of the mail is not UTF-8")
	}
	for name, value := range m.Headers {
		switch {
		case !headerName.MatchString(name):
			return refused("mail/bad-header", "%s is no name of a header", quote(name))
		case own.MatchString(name):
			return refused("mail/bad-header", "the header %s is made by the program itself", name)
		case !isText(value) || len(value) > longest:
			return refused("mail/bad-header", "the header %s has a line break, or is too long", name)
		}
	}
	return nil
}

// compose makes the mail for a provider.
func (m *Message) compose(p *Provider, id string, now time.Time) (*composed, *Error) {
	c := &composed{}
	var wrong *Error
	if c.from, wrong = parseAddress("sender", first(m.From, p.From)); wrong != nil {
		_ = wrong.Fault.WithHint(`from = "Shop <shop@example.com>" in [notifications.email]`)
		return nil, wrong
	}
	if c.to, wrong = parseAddress("recipient", m.To); wrong != nil {
		return nil, wrong
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(c.from)
	msg.ToMailAddress(c.to)
	c.utf8 = !isASCII(c.from.Address) || !isASCII(c.to.Address)
	if reply := first(m.ReplyTo, p.ReplyTo); reply != "" {
		a, wrong := parseAddress("address of `reply_to`", reply)
		if wrong != nil {
			return nil, wrong
		}
		msg.ReplyToMailAddress(a)
		c.utf8 = c.utf8 || !isASCII(a.Address)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(now)
	msg.SetMessageIDWithValue(id)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no machine is to answer
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		msg.SetGenHeader(gomail.Header(name), m.Headers[name])
	}
	switch {
	case m.Text == "":
		msg.SetBodyString(gomail.TypeTextHTML, m.HTML)
	case m.HTML == "":
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	default:
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML) // what is best comes last: RFC 2046, section 5.1.4
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, failure(Permanent, "the mail could not be composed", err)
	}
	c.body = b.Bytes()
	return c, nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}
