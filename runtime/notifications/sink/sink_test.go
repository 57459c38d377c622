package sink_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/notifications/sink"
	"github.com/fraiseql/fraiseql/runtime/notifications/smtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEachMailIsALine sends two on one connection.
func TestEachMailIsALine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s, err := sink.Open(t.Context(), slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	m := smtp.New(smtp.Provider{Name: "sink", Host: "127.0.0.1", Port: s.MailPort(), TLS: smtp.None, From: "shop@example.com", Timeout: time.Minute})
	for _, to := range []string{"ann@example.org", "Jürgen <jürgen@example.org>"} {
		if _, err := m.Send(t.Context(), smtp.Message{Key: "k", To: to, Subject: "Grüße", Text: "Hello"}); err != nil {
			t.Error(err)
		}
	}
	m.Close()
	s.Close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "from=shop@example.com to=ann@example.org subject=Grüße") || !strings.Contains(lines[1], "to=jürgen@example.org subject=Grüße") {
		t.Errorf("it wrote:\n%s", out.String())
	}
}

func TestOneThatWasNeverUsedEnds(t *testing.T) {
	t.Parallel()
	s, err := sink.Open(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
