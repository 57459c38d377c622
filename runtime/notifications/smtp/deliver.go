package smtp

import (
	"context"
	"errors"
	"net/textproto"
	"time"
)

func isAnswer(err error) bool {
	var answer *textproto.Error
	return errors.As(err, &answer)
}

// deliver hands a mail over and gives what the server answered.
func (c *connection) deliver(ctx context.Context, p *Provider, m *composed) (string, *Error) {
	done := c.raw.watch(ctx)
	text, wrong := c.say(p, m)
	if !done() {
		c.mails = lifetime // its deadline may be touched still: it is not used again
	}
	c.mails++
	return text, wrong
}

func (c *connection) say(p *Provider, m *composed) (string, *Error) {
	if able, _ := c.client.Extension("SMTPUTF8"); m.utf8 && !able {
		return "", refused("mail/bad-address", "%s takes no addresses that are not ASCII", p.Name)
	}
	c.client.SkipSMTPUTF8(!m.utf8) // asked for without need, it would keep the mail from servers further on
	if err := c.client.Mail(angle(m.from)); err != nil {
		f := p.judge(sender, err)
		f.early = !isAnswer(err) || isGoodbye(err)
		return "", f
	}
	if err := c.client.Rcpt(angle(m.to)); err != nil {
		return "", p.judge(recipient, err)
	}
	w, err := c.client.Data()
	if err != nil {
		return "", p.judge(begin, err)
	}
	if _, err := w.Write(m.body); err != nil {
		return "", p.judge(content, err) // without its dot it is no mail
	}
	if err := w.Close(); err != nil {
		return "", p.judge(end, err)
	}
	text := ""
	if answered, ok := w.(interface{ ServerResponse() string }); ok {
		text = answered.ServerResponse()
	}
	return p.line("250 " + text), nil
}

// isGoodbye tells whether a server has answered that it closes the connection.
func isGoodbye(err error) bool {
	var answer *textproto.Error
	return errors.As(err, &answer) && answer.Code == 421
}

// drop ends a connection that may be in any state.
func (c *connection) drop() { _ = c.raw.Close() }

// quit ends a connection in order, if that takes no time.
func (c *connection) quit() {
	c.raw.left = answers
	_ = c.raw.SetDeadline(time.Now().Add(time.Second))
	_ = c.client.Quit()
	c.drop()
}
