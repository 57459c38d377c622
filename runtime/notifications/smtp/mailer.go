package smtp

import (
	"context"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Mailer sends mails by the first of its providers that takes them. It is safe for use by many goroutines.
type Mailer struct{ lanes []*lane }

// New makes a Mailer of providers, in the order in which they are tried. It connects to none.
func New(providers ...Provider) *Mailer {
	m := &Mailer{}
	for _, p := range providers {
		m.lanes = append(m.lanes, newLane(p))
	}
	return m
}

// Close ends the connections that are kept for further mails.
func (m *Mailer) Close() {
	for _, l := range m.lanes {
		l.close()
	}
}

// Send hands a mail over and gives what the server answered, such as "250 2.0.0 queued as 4F2". Its error is a *Error.
// Another provider is tried at once where the one before surely did not take it, for a reason that is not the mail's.
func (m *Mailer) Send(ctx context.Context, message Message) (string, error) {
	text, wrong := m.send(ctx, &message)
	if wrong != nil {
		return "", wrong
	}
	return text, nil
}

func (m *Mailer) send(ctx context.Context, message *Message) (string, *Error) {
	if len(m.lanes) == 0 {
		return "", failure(Account, "there is no provider of mail", nil)
	}
	if wrong := message.check(); wrong != nil {
		return "", wrong
	}
	now, id := time.Now(), ""
	var failed []*Error
	for _, l := range m.lanes {
		if id == "" { // of the first one's sender: with another provider it is the same mail
			from, wrong := parseAddress("sender", first(message.From, l.From))
			if wrong != nil {
				_ = wrong.Fault.WithHint(`from = "Shop <shop@example.com>" in [notifications.email]`)
				return "", wrong
			}
			id = messageID(message.Key, domainOf(from))
		}
		mail, wrong := message.compose(&l.Provider, id, now)
		if wrong != nil {
			return "", wrong
		}
		text, wrong := l.send(ctx, mail)
		if wrong == nil {
			return text, nil
		}
		failed = append(failed, wrong)
		if wrong.Class == Permanent || wrong.Class == Unknown || ctx.Err() != nil {
			break
		}
	}
	return "", together(failed)
}

// together makes one failure of those of all providers that were tried. What follows is what the last one says, but where
// only one of them has to be waited for, waiting helps.
func together(failed []*Error) *Error {
	last := failed[len(failed)-1]
	if len(failed) == 1 {
		return last
	}
	class, texts := last.Class, make([]string, 0, len(failed))
	for _, f := range failed {
		texts = append(texts, f.Error())
		if f.Class == Temporary && class == Account {
			class = Temporary
		}
	}
	return &Error{Class: class, Fault: &fault.Error{
		Kind: kinds[class].kind, Code: kinds[class].code, Message: strings.Join(texts, "; then "), Hint: last.Fault.Hint,
	}}
}
