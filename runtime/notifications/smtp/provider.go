package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	wire "github.com/wneessen/go-mail/smtp"
)

// How connections are encrypted.
const (
	StartTLS = "starttls" // asked for after the greeting; a server that does not offer it gets no mail
	Implicit = "implicit" // from the first byte
	None     = "none"
)

// Provider is a server that takes mails.
type Provider struct {
	Name     string // how errors call it
	Host     string
	Port     int
	TLS      string
	Username string // empty: without a login
	Password string
	From     string
	ReplyTo  string
	Timeout  time.Duration  // of one try, with all that belongs to it
	Roots    *x509.CertPool // whose certificates are believed; nil: the system's
}

// secrets are the forms in which a server may repeat the password.
func (p *Provider) secrets() []string {
	if p.Password == "" {
		return nil
	}
	code := base64.StdEncoding.EncodeToString
	return []string{p.Password, code([]byte(p.Password)), code([]byte("\x00" + p.Username + "\x00" + p.Password))}
}

// connection is one to a provider. It belongs to one goroutine at a time.
type connection struct {
	raw    *bounded
	client *wire.Client
	mails  int
	idle   *time.Timer // ends it while it is kept
}

// bounded is a connection that reads only so much for each mail, as answers are held in memory.
type bounded struct {
	net.Conn
	left int
}

const answers = 256 << 10

func (b *bounded) Read(into []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the server says too much")
	}
	n, err := b.Conn.Read(into[:min(len(into), b.left)])
	b.left -= n
	return n, err
}

// watch has all that is done on the connection end with ctx. done tells whether the connection is untouched by that.
func (b *bounded) watch(ctx context.Context) (done func() bool) {
	b.left = answers
	return context.AfterFunc(ctx, func() { _ = b.SetDeadline(time.Unix(1, 0)) })
}

// connect opens a connection that is ready for mails, or leaves none.
func (p *Provider) connect(ctx context.Context) (*connection, *Error) {
	opened, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(p.Host, strconv.Itoa(p.Port)))
	if err != nil {
		return nil, failure(Temporary, p.Name+" cannot be reached", err)
	}
	c := &connection{raw: &bounded{Conn: opened}}
	done := c.raw.watch(ctx)
	wrong := p.open(ctx, c)
	if !done() && wrong == nil {
		wrong = failure(Temporary, p.Name+": there was no time left", ctx.Err())
	}
	if wrong != nil {
		_ = opened.Close()
		return nil, wrong
	}
	return c, nil
}

// open greets, encrypts and logs in.
func (p *Provider) open(ctx context.Context, c *connection) *Error {
	trust := &tls.Config{ServerName: p.Host, RootCAs: p.Roots, MinVersion: tls.VersionTLS12}
	var conn net.Conn = c.raw
	if p.TLS == Implicit {
		secured := tls.Client(conn, trust)
		if err := secured.HandshakeContext(ctx); err != nil {
			return p.untrusted(err)
		}
		conn = secured
	}
	var err error
	if c.client, err = wire.NewClient(conn, p.Host); err != nil {
		return p.judge(greeting, err)
	}
	name, err := os.Hostname()
	if err != nil || !isASCII(name) || !isText(name) || strings.Contains(name, " ") {
		name = "localhost"
	}
	if err := c.client.Hello(name); err != nil {
		return p.judge(greeting, err)
	}
	if p.TLS == StartTLS {
		if offered, _ := c.client.Extension("STARTTLS"); !offered {
			f := failure(Account, p.Name+" offers no STARTTLS, and nothing is sent to it unencrypted", nil)
			_ = f.Fault.WithHint(`tls = "implicit" (port 465) if it encrypts from the start`)
			return f
		}
		if err := c.client.StartTLS(trust); err != nil {
			return p.untrusted(err)
		}
	}
	return p.login(c)
}

// untrusted judges what ended a handshake: a certificate, a protocol, or only the line.
func (p *Provider) untrusted(err error) *Error {
	var certificate *tls.CertificateVerificationError
	var network *net.OpError
	away := errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &network) && network.Op != "remote error" // which is what the server says by TLS
	switch {
	case errors.As(err, &certificate):
		f := failure(Account, p.Name+" has a certificate that is not believed", err)
		_ = f.Fault.WithHint("`host` must be the name in its certificate, and this machine must know who issued it")
		return f
	case !away && !isAnswer(err):
		return failure(Account, p.Name+" cannot agree on how to encrypt", err)
	}
	return p.judge(encrypt, err)
}

// mechanisms to log in by, the most common first: the connection is encrypted, or stays on this machine.
var mechanisms = []struct {
	name string
	make func(p *Provider) wire.Auth
}{
	{"PLAIN", func(p *Provider) wire.Auth { return wire.PlainAuth("", p.Username, p.Password, p.Host, true) }},
	{"LOGIN", func(p *Provider) wire.Auth { return wire.LoginAuth(p.Username, p.Password, p.Host, true) }},
	{"SCRAM-SHA-256", func(p *Provider) wire.Auth { return wire.ScramSHA256Auth(p.Username, p.Password) }},
	{"SCRAM-SHA-1", func(p *Provider) wire.Auth { return wire.ScramSHA1Auth(p.Username, p.Password) }},
	{"CRAM-MD5", func(p *Provider) wire.Auth { return wire.CRAMMD5Auth(p.Username, p.Password) }},
}

func (p *Provider) login(c *connection) *Error {
	if p.Username == "" {
		return nil
	}
	if p.TLS == None && !isLoopback(c.raw.RemoteAddr()) {
		f := failure(Account, p.Name+" would get the password unencrypted", nil)
		_ = f.Fault.WithHint(`tls = "starttls", or remove username and password`)
		return f
	}
	_, offered := c.client.Extension("AUTH")
	for _, m := range mechanisms {
		if !slices.Contains(strings.Fields(strings.ToUpper(offered)), m.name) {
			continue
		}
		err := c.client.Auth(m.make(p))
		var network net.Error
		switch {
		case err == nil:
			return nil
		case isAnswer(err) || errors.As(err, &network) || errors.Is(err, io.EOF):
			return p.judge(login, err)
		}
		return failure(Account, p.Name+": the login by "+m.name+" failed", errors.New(p.line(err.Error())))
	}
	return failure(Account, p.Name+" offers no way to log in that is known here: "+first(p.line(offered), "none at all"), nil)
}

func isLoopback(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}
