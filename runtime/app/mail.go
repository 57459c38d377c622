package app

import (
	"context"
	"os"

	"github.com/fraiseql/fraiseql/runtime/config/planned"
	"github.com/fraiseql/fraiseql/runtime/notifications/smtp"
	"github.com/fraiseql/fraiseql/runtime/observers"
)

// email gives the channel that mails leave by; nil where there is none.
func (c *RuntimeConfig) email() *planned.Channel {
	if c.Notifications == nil || !c.Notifications.On() {
		return nil
	}
	return c.Notifications.Channels()["email"]
}

// newMailer makes what sends mails by the providers of a channel.
func newMailer(c *planned.Channel, dir string) (*smtp.Mailer, error) {
	var all []smtp.Provider
	for _, p := range c.Ordered() {
		one := smtp.Provider{
			Name: p.ConfigName, Host: p.Host, Port: p.Port, TLS: p.TLS, From: p.From, ReplyTo: p.ReplyTo, Timeout: p.Timeout,
		}
		var err error
		if one.Username, err = p.Username.Resolve(os.LookupEnv, dir); err != nil {
			return nil, err
		}
		if one.Password, err = p.Password.Resolve(os.LookupEnv, dir); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return smtp.New(all...), nil
}

// post is a mailer as observers know one.
type post struct {
	mailer *smtp.Mailer
	hold   bool // on_unknown: what may have been sent is not sent again
}

func newPost(c *planned.Channel, m *smtp.Mailer) post { return post{m, c.OnUnknown == "hold"} }

// Send hands a mail over.
func (p post) Send(ctx context.Context, m observers.Mail) observers.Sent {
	text, err := p.mailer.Send(ctx, smtp.Message{Key: m.Key, To: m.To, From: m.From, Subject: m.Subject, Text: m.Text, HTML: m.HTML})
	if err != nil {
		class := smtp.ClassOf(err)
		return observers.Sent{Err: err, Final: class == smtp.Permanent || class == smtp.Unknown && p.hold}
	}
	return observers.Sent{Text: text}
}
