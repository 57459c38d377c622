// Package sink is a mail server and a receiver of webhooks that take all, write a line about each and keep none: what the demo
// sends goes nowhere.
package sink

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/mail"
	"sync"
	"time"

	server "github.com/emersion/go-smtp"
)

// Sink is both, on free ports of loopback.
type Sink struct {
	hooks    *hooks
	server   *server.Server
	listener net.Listener
	serving  sync.WaitGroup
}

// Open starts one. Close ends it.
func Open(ctx context.Context, log *slog.Logger) (*Sink, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Sink{listener: l}
	if s.hooks, err = openHooks(ctx, log); err != nil {
		_ = l.Close()
		return nil, err
	}
	s.server = server.NewServer(server.BackendFunc(func(*server.Conn) (server.Session, error) { return &session{log: log}, nil }))
	s.server.Domain, s.server.EnableSMTPUTF8, s.server.MaxMessageBytes = "localhost", true, 16<<20
	s.server.ReadTimeout, s.server.WriteTimeout = time.Minute, time.Minute
	s.server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	s.serving.Go(func() {
		if err := s.server.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) {
			log.Error("the demo's mail server has ended", slog.Any("error", err))
		}
	})
	s.serving.Go(func() { s.hooks.serve(log) })
	return s, nil
}

// HookURL is where webhooks are taken, and below.
func (s *Sink) HookURL() string { return "http://" + s.hooks.listener.Addr().String() }

// MailPort is where mails are taken.
func (s *Sink) MailPort() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Close ends it with all its connections.
func (s *Sink) Close() {
	_ = s.hooks.server.Close()
	_ = s.hooks.listener.Close() // which the server does not know of before it serves
	_ = s.server.Close()
	_ = s.listener.Close() // which the server does not know of before it serves
	s.serving.Wait()
}

// session is one client.
type session struct {
	log      *slog.Logger
	from, to string
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *server.MailOptions) error { s.from = from; return nil }

func (s *session) Rcpt(to string, _ *server.RcptOptions) error {
	if s.to != "" {
		to = s.to + ", " + to
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return &server.SMTPError{Code: 554, EnhancedCode: server.EnhancedCode{5, 6, 0}, Message: "this is no mail"}
	}
	if _, err := io.Copy(io.Discard, m.Body); err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		subject = m.Header.Get("Subject")
	}
	s.log.Info("mail", slog.String("from", s.from), slog.String("to", s.to), slog.String("subject", subject))
	return nil
}
