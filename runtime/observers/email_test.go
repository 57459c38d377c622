package observers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/observers"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// mailbox takes mails and answers as it is told.
type mailbox struct {
	mu     sync.Mutex
	got    []observers.Mail
	answer func(n int, m observers.Mail) observers.Sent
}

func (b *mailbox) Send(_ context.Context, m observers.Mail) observers.Sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, m)
	return b.answer(len(b.got), m)
}

func (b *mailbox) mails() []observers.Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]observers.Mail(nil), b.got...)
}

func queued(int, observers.Mail) observers.Sent { return observers.Sent{Text: "250 queued"} }

// files writes files below a new folder.
func files(t *testing.T, named map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range named {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMails has one of a template, which fails at first, and one that is written in the action.
func TestMails(t *testing.T) {
	t.Parallel()
	box := &mailbox{answer: func(n int, m observers.Mail) observers.Sent {
		if n == 1 {
			return observers.Sent{Err: errors.New("451 later")}
		}
		return queued(n, m)
	}}
	dir := files(t, map[string]string{
		"templates/paid/subject.txt.hbs": "{{row.note}} has paid\n",
		"templates/paid/body.txt.hbs":    "{{row.note}} by {{shop.name}}\n",
		"templates/paid/body.html.hbs":   "<p>{{row.note}} by {{shop.name}}</p>",
	})
	s := serveWith(t, pgtest.System(t, orders), map[string]observers.Rule{"order.paid": rule("INSERT", "Order",
		observers.Action{Type: "email", Template: "paid", To: "status", Data: map[string]any{"shop": map[string]any{"name": "{{entity}} & co", "n": 3}}},
		observers.Action{Type: "email", To: "{{row.note}} <{{row.status}}>", From: "Shop {{row.order_id}} <shop@example.com>", Subject: "Hello {{row.note}}", Body: "Hello {{row.note}}"})},
		observers.Deps{Dir: dir, Mailer: box})
	s.exec(t, `insert into orders values (1, 'ann@example.org', 1, 'A & B')`)
	s.settled(t)
	expect(t, "log", s.logged(t, ""), "1 1 email success 2 250 queued ", "1 2 email success 1 250 queued ")
	got := box.mails()
	if len(got) != 3 || got[0] != got[1] || got[1].Key == got[2].Key || !strings.HasPrefix(got[0].Key, "evt_1_") || !strings.HasSuffix(got[0].Key, "_order~paid_1") {
		t.Fatalf("mails: %+v", got)
	}
	got[1].Key, got[2].Key = "", ""
	if want := (observers.Mail{To: "ann@example.org", Subject: "A & B has paid", Text: "A & B by Order & co\n", HTML: "<p>A &amp; B by Order &amp; co</p>"}); got[1] != want {
		t.Errorf("the first is %+v, want %+v", got[1], want)
	}
	if want := (observers.Mail{To: "A & B <ann@example.org>", From: "Shop 1 <shop@example.com>", Subject: "Hello A & B", Text: "Hello A & B"}); got[2] != want {
		t.Errorf("the second is %+v, want %+v", got[2], want)
	}
}

// TestMailsThatCannotBeSent are dead letters at once: another try would end alike.
func TestMailsThatCannotBeSent(t *testing.T) {
	t.Parallel()
	mailTo := func(to, subject string) observers.Action {
		return observers.Action{Type: "email", To: to, Subject: subject, Body: "Hello"}
	}
	for name, c := range map[string]struct {
		action observers.Action
		says   string
	}{
		"no field":              {mailTo("email", "Hi"), "`to` names email, and the row of Order has no such field"},
		"null":                  {mailTo("note", "Hi"), "the field note, which `to` names, is empty"},
		"empty":                 {mailTo("status", "Hi"), "the field status, which `to` names, is empty"},
		"a number":              {mailTo("order_id", "Hi"), "the field order_id, which `to` names, holds no address"},
		"a value that is not":   {mailTo("{{row.email}}", "Hi"), "row.email is not there"},
		"in the subject":        {mailTo("a@example.org", "Hi {{row.name}}"), "row.name is not there"},
		"a line in the subject": {mailTo("a@example.org", "Hi {{row.total}}{{old}}{{claims}}{{json new indent=2}}"), "must not be in a header"},
		"refused":               {mailTo("no@example.org", "Hi"), "550 no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := &mailbox{answer: func(_ int, m observers.Mail) observers.Sent {
				return observers.Sent{Err: fmt.Errorf("550 no %s", m.To), Final: true}
			}}
			s := serveWith(t, pgtest.System(t, orders), map[string]observers.Rule{"x": rule("INSERT", "Order", c.action)}, observers.Deps{Mailer: box})
			s.exec(t, "insert into orders values (1, '')")
			s.settled(t)
			dead, err := s.Dead(t.Context(), "", 0, 10)
			if err != nil || len(dead) != 1 || dead[0].Attempts != 1 || !strings.Contains(dead[0].Error, c.says) {
				t.Errorf("dead letters: %+v %v, want %q", dead, err, c.says)
			}
			if sent := len(box.mails()) > 0; sent != (name == "refused") {
				t.Errorf("it was sent: %v", sent)
			}
		})
	}
}

// TestMailsAreTried shows what would be sent, and sends nothing.
func TestMailsAreTried(t *testing.T) {
	t.Parallel()
	box := &mailbox{answer: queued}
	dir := files(t, map[string]string{"templates/paid/subject.txt.hbs": "Order {{row.order_id}}", "templates/paid/body.html.hbs": "<b>{{row.note}}</b>"})
	address := pgtest.System(t, orders)
	s := serveWith(t, address, map[string]observers.Rule{
		"hears":  rule("INSERT", "Order", observers.Action{Type: "log"}),
		"writes": rule("UPDATE", "Order", observers.Action{Type: "email", Template: "paid", To: "status"}, observers.Action{Type: "email", To: "note", Subject: "x", Body: "y"}),
	}, observers.Deps{Dir: dir, Mailer: box})
	s.exec(t, "insert into orders values (1, 'ann@example.org', 1, '<>')")
	s.settled(t)
	tried, err := s.Test(t.Context(), "writes", 1)
	if err != nil {
		t.Fatal(err)
	}
	if a := tried.Actions[0]; a.To != "ann@example.org" || a.Subject != "Order 1" || a.HTML != "<b>&lt;&gt;</b>" || a.Error != "" {
		t.Errorf("the first is %+v", a)
	}
	if a := tried.Actions[1]; a.To != "<>" {
		t.Errorf("the second is %+v", a)
	}
	if len(box.mails()) > 0 {
		t.Error("it was sent")
	}
}

// TestMailsNeedAChannelAndTheirFiles at the start, not at the first change.
func TestMailsNeedAChannelAndTheirFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mailer observers.Mailer
		files  map[string]string
		says   string
	}{
		"channel": {nil, map[string]string{"templates/a/subject.txt.hbs": "x", "templates/a/body.txt.hbs": "x"}, "there is no [notifications.email]"},
		"folder":  {&mailbox{}, nil, "there is no template `a`"},
		"subject": {&mailbox{}, map[string]string{"templates/a/body.txt.hbs": "x"}, "the template `a` has no subject"},
		"body":    {&mailbox{}, map[string]string{"templates/a/subject.txt.hbs": "x"}, "the template `a` has no body"},
		"syntax":  {&mailbox{}, map[string]string{"templates/a/subject.txt.hbs": "x", "templates/a/body.html.hbs": "{{#if}}"}, "a/body.html.hbs:1:4"},
	} {
		s := serveWith(t, pgtest.System(t, orders), nil, observers.Deps{})
		service := observers.New(observers.Config{Named: map[string]observers.Rule{"x": rule("INSERT", "public.orders", observers.Action{Type: "email", To: "a@b.c", Template: "a"})}},
			observers.Deps{Pool: s.pool, Dir: files(t, c.files), Mailer: c.mailer, Know: func([]string) {}, Relation: anything})
		if err := service.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func anything(string) (events.Relation, bool) {
	return events.Relation{Schema: "public", Table: "orders"}, true
}
