package smtp_test

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	server "github.com/emersion/go-smtp"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/notifications/smtp"
)

func TestWhatFailuresMean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(o *office)
		class  smtp.Class
		says   string
	}{
		"4xx to MAIL":      {func(o *office) { o.onMail = answer(450) }, smtp.Temporary, "office answers MAIL with 450"},
		"5xx to MAIL":      {func(o *office) { o.onMail = answer(550) }, smtp.Account, "office answers MAIL with 550"},
		"4xx to RCPT":      {func(o *office) { o.onRcpt = answer(451) }, smtp.Temporary, "office answers RCPT with 451"},
		"5xx to RCPT":      {func(o *office) { o.onRcpt = answer(550) }, smtp.Permanent, "office answers RCPT with 550"},
		"login first":      {func(o *office) { o.onRcpt = answer(530) }, smtp.Account, "office answers RCPT with 530"},
		"4xx to the text":  {func(o *office) { o.onData = answer(452) }, smtp.Temporary, "office answers the end of the text with 452"},
		"5xx to the text":  {func(o *office) { o.onData = answer(554) }, smtp.Permanent, "office answers the end of the text with 554"},
		"gone at MAIL":     {func(o *office) { o.onMail = hangUp }, smtp.Temporary, "no answer to MAIL"},
		"gone at RCPT":     {func(o *office) { o.onRcpt = hangUp }, smtp.Temporary, "no answer to RCPT"},
		"gone at the end":  {func(o *office) { o.onData = hangUp }, smtp.Unknown, "no answer to the end of the text"},
		"nobody is there":  {func(o *office) { o.provider.Port = 1 }, smtp.Temporary, "cannot be reached"},
		"login by no name": {func(o *office) { o.provider.Username = "shop" }, smtp.Account, "offers no way to log in that is known here: none at all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, c.change)
			_, err := mailer(t, o).Send(t.Context(), message())
			if err == nil || smtp.ClassOf(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the class is %d and the error %v, want %d and %q", smtp.ClassOf(err), err, c.class, c.says)
			}
			if told, ok := fault.As(err); !ok || !strings.HasPrefix(told.Code, "mail/") {
				t.Errorf("%v is no fault", err)
			}
		})
	}
}

func TestAServerThatSaysNothingIsLeftInTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at    func(o *office, hang func(int, *server.Conn) error)
		class smtp.Class
	}{
		"before the text": {func(o *office, hang func(int, *server.Conn) error) { o.onRcpt = hang }, smtp.Temporary},
		"after the dot":   {func(o *office, hang func(int, *server.Conn) error) { o.onData = hang }, smtp.Unknown},
	} {
		for _, by := range []string{"timeout", "caller"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				release := make(chan struct{})
				o := open(t, func(o *office) {
					if by == "timeout" {
						o.provider.Timeout = 2 * time.Second
					}
					c.at(o, func(int, *server.Conn) error {
						if by == "caller" {
							cancel()
						}
						<-release
						return nil
					})
				})
				_, err := mailer(t, o).Send(ctx, message())
				close(release)
				if err == nil || smtp.ClassOf(err) != c.class {
					t.Errorf("the class is %d, want %d: %v", smtp.ClassOf(err), c.class, err)
				}
			})
		}
	}
}

func TestAServerThatTalksWithoutEnd(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		c, err := l.Accept()
		for err == nil {
			_, err = c.Write([]byte("220-" + strings.Repeat("x", 4000) + "\r\n"))
		}
		_ = c.Close()
	})
	defer serving.Wait()
	defer func() { _ = l.Close() }()
	m := smtp.New(smtp.Provider{Name: "chatter", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: smtp.None, From: "a@example.com", Timeout: time.Minute})
	defer m.Close()
	if _, err := m.Send(t.Context(), message()); err == nil || !strings.Contains(err.Error(), "says too much") {
		t.Errorf("it ends with %v", err)
	}
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode, certified string
		trusted, offers bool
		says            string // empty: it is sent
	}{
		"starttls":                  {smtp.StartTLS, "127.0.0.1", true, true, ""},
		"implicit":                  {smtp.Implicit, "127.0.0.1", true, true, ""},
		"starttls is not offered":   {smtp.StartTLS, "127.0.0.1", true, false, "offers no STARTTLS"},
		"starttls, unknown issuer":  {smtp.StartTLS, "127.0.0.1", false, true, "certificate that is not believed"},
		"implicit, unknown issuer":  {smtp.Implicit, "127.0.0.1", false, true, "certificate that is not believed"},
		"starttls, of another name": {smtp.StartTLS, "mail.example.com", true, true, "certificate that is not believed"},
		"implicit, of another name": {smtp.Implicit, "mail.example.com", true, true, "certificate that is not believed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, func(o *office) {
				config, roots := certificate(t, c.certified)
				o.password, o.provider.Username, o.provider.Password = "hunter2", "shop", "hunter2"
				o.provider.TLS, o.AllowInsecureAuth = c.mode, false
				if c.trusted {
					o.provider.Roots = roots
				}
				if c.offers {
					o.TLSConfig = config
				}
			})
			_, err := mailer(t, o).Send(t.Context(), message())
			switch {
			case c.says == "":
				if err != nil || len(o.letters()) != 1 || len(o.logins) != 1 {
					t.Errorf("%v; %d mails, logins %v", err, len(o.letters()), o.logins)
				}
			case err == nil || smtp.ClassOf(err) != smtp.Account || !strings.Contains(err.Error(), c.says):
				t.Errorf("the class is %d and the error %v, want %q", smtp.ClassOf(err), err, c.says)
			case len(o.letters()) > 0 || len(o.logins) > 0 || o.mails > 0:
				t.Errorf("something was said in spite of it: %v, %d", o.logins, o.mails)
			}
		})
	}
}

func TestAServerThatSpeaksNoTLS(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.provider.TLS = smtp.Implicit
	_, err := mailer(t, o).Send(t.Context(), message())
	if err == nil || smtp.ClassOf(err) != smtp.Account || !strings.Contains(err.Error(), "cannot agree on how to encrypt") {
		t.Errorf("the class is %d and the error %v", smtp.ClassOf(err), err)
	}
}

// TestPasswords lets a server repeat the password in its refusal.
func TestPasswords(t *testing.T) {
	t.Parallel()
	o := open(t, func(o *office) {
		o.password, o.provider.Username, o.provider.Password = "swordfish", "shop", "hunter2"
	})
	_, err := mailer(t, o).Send(t.Context(), message())
	if err == nil || smtp.ClassOf(err) != smtp.Account || !strings.Contains(err.Error(), "AUTH with 535") {
		t.Errorf("the class is %d and the error %v", smtp.ClassOf(err), err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is in it: %v", err)
	}
}

// TestPasswordsStayHere reaches a server of this machine by an address of its network.
func TestPasswordsStayHere(t *testing.T) {
	t.Parallel()
	here := ""
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			here = n.IP.String()
		}
	}
	if here == "" {
		t.Skip("NOT TESTED: this machine has no address but loopback")
	}
	l, err := net.Listen("tcp", here+":0")
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, func(o *office) { o.password, o.provider.Username, o.provider.Password = "hunter2", "shop", "hunter2" })
	var serving sync.WaitGroup
	serving.Go(func() { _ = o.Serve(l) })
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	if _, err := mailer(t, o).Send(t.Context(), message()); err != nil {
		t.Fatalf("to this machine it is sent: %v", err)
	}
	o.provider.Host, o.provider.Port = here, l.Addr().(*net.TCPAddr).Port
	logins := len(o.logins)
	_, err = mailer(t, o).Send(t.Context(), message())
	if err == nil || smtp.ClassOf(err) != smtp.Account || !strings.Contains(err.Error(), "unencrypted") || len(o.logins) != logins {
		t.Errorf("the class is %d and the error %v; logins %v", smtp.ClassOf(err), err, o.logins)
	}
}

func TestTLSVersionIsNoneOfTheOldOnes(t *testing.T) {
	t.Parallel()
	o := open(t, func(o *office) {
		o.TLSConfig, o.provider.Roots = certificate(t, "127.0.0.1")
		o.TLSConfig.MinVersion, o.TLSConfig.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		o.provider.TLS = smtp.StartTLS
	})
	if _, err := mailer(t, o).Send(t.Context(), message()); err == nil || smtp.ClassOf(err) != smtp.Account {
		t.Errorf("the class is %d and the error %v", smtp.ClassOf(err), err)
	}
}
