package smtp_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/notifications/smtp"
)

// TestNothingIsInjected tries to make another mail of a mail.
func TestNothingIsInjected(t *testing.T) {
	t.Parallel()
	const evil = "\r\nBcc: eve@example.com"
	for name, c := range map[string]struct {
		change func(m *smtp.Message)
		code   string
	}{
		"subject":               {func(m *smtp.Message) { m.Subject += evil }, "mail/bad-header"},
		"subject, bare LF":      {func(m *smtp.Message) { m.Subject += "\nBcc: eve@example.com" }, "mail/bad-header"},
		"subject, bare CR":      {func(m *smtp.Message) { m.Subject += "\rBcc: eve@example.com" }, "mail/bad-header"},
		"subject, NEL":          {func(m *smtp.Message) { m.Subject += "\u0085Bcc: eve@example.com" }, "mail/bad-header"},
		"subject, no UTF-8":     {func(m *smtp.Message) { m.Subject = "\xff" }, "mail/bad-header"},
		"subject without end":   {func(m *smtp.Message) { m.Subject = strings.Repeat("x", 2000) }, "mail/bad-header"},
		"value of a header":     {func(m *smtp.Message) { m.Headers = map[string]string{"X-A": "b" + evil} }, "mail/bad-header"},
		"name of a header":      {func(m *smtp.Message) { m.Headers = map[string]string{"X-A: b" + evil + "\r\nX-B": "c"} }, "mail/bad-header"},
		"header of the program": {func(m *smtp.Message) { m.Headers = map[string]string{"bCC": "eve@example.com"} }, "mail/bad-header"},
		"sender":                {func(m *smtp.Message) { m.From = "a@example.com" + evil }, "mail/bad-address"},
		"reply-to":              {func(m *smtp.Message) { m.ReplyTo = "a@example.com" + evil }, "mail/bad-address"},
		"recipient":             {func(m *smtp.Message) { m.To += evil }, "mail/bad-address"},
		"name of the recipient": {func(m *smtp.Message) { m.To = "Ann" + evil + " <ann@example.org>" }, "mail/bad-address"},
		"an encoded name":       {func(m *smtp.Message) { m.To = "=?utf-8?b?QW5uDQpCY2M6IGV2ZQ==?= <ann@example.org>" }, "mail/bad-address"},
		"two recipients":        {func(m *smtp.Message) { m.To = "ann@example.org, eve@example.com" }, "mail/bad-address"},
		"a group":               {func(m *smtp.Message) { m.To = "all: ann@example.org, eve@example.com;" }, "mail/bad-address"},
		"a command":             {func(m *smtp.Message) { m.To = "ann@example.org>\r\nRCPT TO:<eve@example.com" }, "mail/bad-address"},
		"no recipient":          {func(m *smtp.Message) { m.To = " " }, "mail/no-address"},
		"no address":            {func(m *smtp.Message) { m.To = "ann" }, "mail/bad-address"},
		"no domain":             {func(m *smtp.Message) { m.To = "ann@" }, "mail/bad-address"},
		"long before the @":     {func(m *smtp.Message) { m.To = strings.Repeat("a", 65) + "@example.org" }, "mail/bad-address"},
		"nothing to say":        {func(m *smtp.Message) { m.Text = "" }, "mail/no-body"},
		"a text that is none":   {func(m *smtp.Message) { m.Text = "\xff" }, "mail/bad-body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, nil)
			m := message()
			c.change(&m)
			_, err := mailer(t, o).Send(t.Context(), m)
			if err == nil || smtp.ClassOf(err) != smtp.Permanent || fault.CodeOf(err) != c.code {
				t.Errorf("the class is %d and the error %v (%s), want %s", smtp.ClassOf(err), err, fault.CodeOf(err), c.code)
			}
			if len(o.letters()) > 0 || o.sessions > 0 {
				t.Error("the server was asked in spite of it")
			}
		})
	}
}

func TestNoSender(t *testing.T) {
	t.Parallel()
	o := open(t, func(o *office) { o.provider.From = "" })
	_, err := mailer(t, o).Send(t.Context(), message())
	if told, _ := fault.As(err); told == nil || told.Code != "mail/no-address" || !strings.Contains(told.Hint, "from =") {
		t.Errorf("it is %v", err)
	}
}

// TestOddAddresses wants them quoted, so that none becomes a command.
func TestOddAddresses(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		`"a b"@example.org`:                     `a b@example.org`,
		`"a> NOTIFY=NEVER <b"@example.org`:      `a> NOTIFY=NEVER <b@example.org`,
		`Ann <ann@example.org>`:                 `ann@example.org`,
		`"Doe, John" <john@example.org>`:        `john@example.org`,
		`Jürgen <jurgen@münchen.example>`:       `jurgen@xn--mnchen-3ya.example`,
		`jürgen@example.org`:                    `jürgen@example.org`,
		`=?utf-8?q?J=C3=BCrgen?= <j@x.example>`: `j@x.example`,
	} {
		o := open(t, nil)
		m := message()
		m.To = to
		if _, err := mailer(t, o).Send(t.Context(), m); err != nil {
			t.Errorf("%s: %v", to, err)
			continue
		}
		l := o.letters()[0]
		if strings.Trim(strings.ReplaceAll(l.to, `"`, ""), "<>") != want {
			t.Errorf("%s went to %s, want %s", to, l.to, want)
		}
		if wants := strings.HasPrefix(want, "jü"); o.utf8[0] != wants {
			t.Errorf("%s: SMTPUTF8 was asked for: %v, want %v", to, o.utf8[0], wants)
		}
		parsed, _ := read(t, l)
		if all, err := parsed.Header.AddressList("To"); err != nil || len(all) != 1 {
			t.Errorf("%s is written as %q: %v", to, parsed.Header["To"], err)
		}
	}
}

func TestAServerWithoutSMTPUTF8(t *testing.T) {
	t.Parallel()
	o := open(t, func(o *office) { o.EnableSMTPUTF8 = false })
	m := message()
	m.To = "jürgen@example.org"
	if _, err := mailer(t, o).Send(t.Context(), m); err == nil || smtp.ClassOf(err) != smtp.Permanent || !strings.Contains(err.Error(), "not ASCII") {
		t.Errorf("the class is %d and the error %v", smtp.ClassOf(err), err)
	}
}

// TestTexts sends what is hard to send, and wants it back as it was.
func TestTexts(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"plain":       "Hello Ann\n",
		"dots":        ".\n..\n.hidden\n\n.\nend\n",
		"long lines":  strings.Repeat("0123456789", 1000) + "\n",
		"languages":   "Grüße, Ánn — 你好 🎉\n",
		"a signature": "From here on\n-- \nfrom the shop\n",
		"spaces":      "trailing  \ttab\t\nend",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, nil)
			m := message()
			m.Subject = "Grüße 🎉 " + strings.Repeat("très ", 30)
			m.Text, m.HTML = text, "<p>"+text+"</p>"
			m.Headers = map[string]string{"X-Order": "42 für Ann"}
			reply, err := mailer(t, o).Send(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(reply, "250 ") || !strings.Contains(reply, "queued") {
				t.Errorf("the answer is %q", reply)
			}
			l := o.letters()[0]
			for line := range strings.SplitSeq(l.raw, "\r\n") {
				if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
					t.Errorf("a line is no line of a mail: %q", line)
				}
			}
			parsed, _ := read(t, l)
			words := mime.WordDecoder{}
			if subject, err := words.DecodeHeader(parsed.Header.Get("Subject")); err != nil || subject != m.Subject {
				t.Errorf("the subject is %q: %v", subject, err)
			}
			if order, err := words.DecodeHeader(parsed.Header.Get("X-Order")); err != nil || order != "42 für Ann" {
				t.Errorf("the header is %q: %v", order, err)
			}
			if parsed.Header.Get("Date") == "" || parsed.Header.Get("Auto-Submitted") != "auto-generated" || parsed.Header.Get("From") != `"Shop" <shop@example.com>` {
				t.Errorf("the headers are %v", parsed.Header)
			}
			parts := partsOf(t, l)
			if parts["text/plain"] != text || parts["text/html"] != "<p>"+text+"</p>" {
				t.Errorf("the parts are %q", parts)
			}
		})
	}
}

func TestOneBodyIsEnough(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	m := message()
	m.Text, m.HTML = "", "<p>Hello</p>"
	if _, err := mailer(t, o).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	parsed, body := read(t, o.letters()[0])
	if !strings.HasPrefix(parsed.Header.Get("Content-Type"), "text/html") || strings.TrimSpace(body) != "<p>Hello</p>" {
		t.Errorf("it is %v with %q", parsed.Header, body)
	}
}

func partsOf(t *testing.T, l letter) map[string]string {
	t.Helper()
	parsed, body := read(t, l)
	_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	r := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		parts[kind] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}
