package smtp_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	server "github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/notifications/smtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// office is a mail server that answers as it is told, and keeps what it took.
type office struct {
	*server.Server
	provider smtp.Provider

	onMail, onRcpt, onData func(n int, c *server.Conn) error // n counts from 1
	password               string                            // empty: no login is wanted

	mu                  sync.Mutex
	mails, rcpts, datas int
	sessions            int
	logins              []string
	utf8                []bool
	took                []letter
	left                chan struct{} // by each client that is gone
}

type letter struct {
	from, to string
	raw      string
}

// open starts one; change may alter it before.
func open(t *testing.T, change func(o *office)) *office {
	t.Helper()
	o := &office{left: make(chan struct{}, 1000)}
	o.Server = server.NewServer(server.BackendFunc(func(c *server.Conn) (server.Session, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sessions++
		return &session{office: o, conn: c}, nil
	}))
	o.Domain, o.AllowInsecureAuth, o.EnableSMTPUTF8 = "office.test", true, true
	o.ErrorLog = log.New(io.Discard, "", 0)
	o.provider = smtp.Provider{Name: "office", Host: "127.0.0.1", TLS: smtp.None, From: "Shop <shop@example.com>", Timeout: 20 * time.Second}
	if change != nil {
		change(o)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.provider.Port == 0 {
		o.provider.Port = l.Addr().(*net.TCPAddr).Port
	}
	if o.provider.TLS == smtp.Implicit {
		l = tls.NewListener(l, o.TLSConfig)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = o.Serve(l) })
	t.Cleanup(func() { _ = o.Close(); _ = l.Close(); serving.Wait() }) // it may not serve yet, and then closes nothing
	return o
}

func (o *office) letters() []letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]letter(nil), o.took...)
}

type session struct {
	office   *office
	conn     *server.Conn
	from, to string
}

func (s *session) Reset()        {}
func (s *session) Logout() error { s.office.left <- struct{}{}; return nil }

func (s *session) AuthMechanisms() []string {
	if s.office.password == "" {
		return nil
	}
	return []string{"PLAIN"}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.office.mu.Lock()
		defer s.office.mu.Unlock()
		s.office.logins = append(s.office.logins, user)
		if password != s.office.password {
			return &server.SMTPError{Code: 535, EnhancedCode: server.EnhancedCode{5, 7, 8}, Message: "no entry for " + password}
		}
		return nil
	}), nil
}

func (s *session) ask(count *int, answer func(int, *server.Conn) error) error {
	s.office.mu.Lock()
	*count++
	n := *count
	s.office.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(n, s.conn)
}

func (s *session) Mail(from string, o *server.MailOptions) error {
	s.office.mu.Lock()
	s.office.utf8 = append(s.office.utf8, o.UTF8)
	s.office.mu.Unlock()
	s.from = from
	return s.ask(&s.office.mails, s.office.onMail)
}

func (s *session) Rcpt(to string, _ *server.RcptOptions) error {
	s.to = to
	return s.ask(&s.office.rcpts, s.office.onRcpt)
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	err = s.ask(&s.office.datas, s.office.onData)
	var refusal *server.SMTPError
	if !errors.As(err, &refusal) { // one that closes the connection has taken it
		s.office.mu.Lock()
		s.office.took = append(s.office.took, letter{s.from, s.to, string(raw)})
		s.office.mu.Unlock()
	}
	return err
}

func answer(code int) func(int, *server.Conn) error {
	return func(int, *server.Conn) error {
		return &server.SMTPError{Code: code, EnhancedCode: server.EnhancedCode{code / 100, 1, 1}, Message: "as told"}
	}
}

// once answers so the first time alone.
func once(f func(int, *server.Conn) error) func(int, *server.Conn) error {
	return func(n int, c *server.Conn) error {
		if n > 1 {
			return nil
		}
		return f(n, c)
	}
}

func hangUp(_ int, c *server.Conn) error { _ = c.Conn().Close(); return nil }

// certificate makes one for a name, and those who believe it.
func certificate(t *testing.T, name string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if ip := net.ParseIP(name); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// mailer makes one that is closed when the test ends, before its servers are.
func mailer(t *testing.T, offices ...*office) *smtp.Mailer {
	var providers []smtp.Provider
	for _, o := range offices {
		providers = append(providers, o.provider)
	}
	m := smtp.New(providers...)
	t.Cleanup(m.Close)
	return m
}

func message() smtp.Message {
	return smtp.Message{Key: "evt_1_a_welcome_1", To: "ann@example.org", Subject: "Hello", Text: "Hello Ann\n"}
}

func read(t *testing.T, l letter) (*mail.Message, string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader([]byte(l.raw)))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, l.raw)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	return m, string(body)
}
