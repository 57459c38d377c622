package app

import (
	"context"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	server "github.com/emersion/go-smtp"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/config/planned"
	"github.com/fraiseql/fraiseql/runtime/observers"
)

// reception is a mail server that wants the password of the file, and does with the mail what it is told.
type reception struct {
	server.Session
	conn *server.Conn
	data func(c *server.Conn) error
}

func (r *reception) AuthMechanisms() []string { return []string{"PLAIN"} }

func (r *reception) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "shop" || password != "hunter2" {
			return server.ErrAuthFailed
		}
		return nil
	}), nil
}

func (r *reception) Mail(string, *server.MailOptions) error { return nil }
func (r *reception) Rcpt(string, *server.RcptOptions) error { return nil }
func (r *reception) Reset()                                 {}
func (r *reception) Logout() error                          { return nil }

func (r *reception) Data(text io.Reader) error {
	if _, err := io.Copy(io.Discard, text); err != nil {
		return err
	}
	return r.data(r.conn)
}

// TestMailsOfAChannel go by its keys, with secrets of files, and on_unknown says what follows when nobody knows.
func TestMailsOfAChannel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"user": "shop\n", "right": "hunter2\n", "wrong": "swordfish\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	taken := func(*server.Conn) error { return nil }
	refused := func(*server.Conn) error { return &server.SMTPError{Code: 554, Message: "no"} }
	gone := func(c *server.Conn) error { return c.Conn().Close() }
	for name, c := range map[string]struct {
		data                func(*server.Conn) error
		password, onUnknown string
		sent, final         bool
	}{
		"taken":   {taken, "right", "", true, false},
		"login":   {taken, "wrong", "hold", false, false},
		"refused": {refused, "right", "", false, true},
		"unknown": {gone, "right", "", false, false},
		"retry":   {gone, "right", "retry", false, false},
		"hold":    {gone, "right", "hold", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server.NewServer(server.BackendFunc(func(conn *server.Conn) (server.Session, error) { return &reception{conn: conn, data: c.data}, nil }))
			s.AllowInsecureAuth, s.ErrorLog = true, log.New(io.Discard, "", 0)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var serving sync.WaitGroup
			serving.Go(func() { _ = s.Serve(l) })
			defer func() { _ = s.Close(); _ = l.Close(); serving.Wait() }()
			channel := &planned.Channel{Provider: "smtp", OnUnknown: c.onUnknown, ProviderKeys: planned.ProviderKeys{
				Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "none", From: "a@example.com", Timeout: time.Minute,
				Username: config.Secret{File: "user"}, Password: config.Secret{File: c.password},
			}}
			mailer, err := newMailer(channel, dir)
			if err != nil {
				t.Fatal(err)
			}
			defer mailer.Close()
			sent := newPost(channel, mailer).Send(context.Background(), observers.Mail{Key: "k", To: "b@example.com", Subject: "s", Text: "t"})
			if (sent.Err == nil) != c.sent || sent.Final != c.final {
				t.Errorf("it is %+v", sent)
			}
		})
	}
}
