package outbound_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

const (
	published = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's libraries
	rawSecret = "sixteen-bytes-ok"
)

func keys(t testing.TB, secret string) outbound.Keys {
	t.Helper()
	k, err := outbound.ParseKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSign has the vector that the specification's libraries publish, and others by Python's hmac.
func TestSign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		secret, id string
		at         int64
		body, want string
	}{
		{published, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		{rawSecret, "evt_1", 1700000000, "", "v1,oA4/zEiFfCuW7qrbLvUuoVLULQ2E0cUhPH+xgULAiwg="},
		{rawSecret, "evt_1", 1700000000, "{\"name\":\"Zoë\"}\r\n", "v1,ClJ8/Rym8zgTsHlUrp9eBy7nBXBPzJtSCBRdUVP6NUw="},
		{published + "," + rawSecret, "evt_1", 1700000000, "", "v1,oBpYuMiV1A+3rHbB1OJfN4Z0ytu+rZe53/sHdi1qKjg= v1,oA4/zEiFfCuW7qrbLvUuoVLULQ2E0cUhPH+xgULAiwg="},
		{rawSecret + " \n" + published + "==", "evt_1", 1700000000, "", "v1,oA4/zEiFfCuW7qrbLvUuoVLULQ2E0cUhPH+xgULAiwg= v1,oBpYuMiV1A+3rHbB1OJfN4Z0ytu+rZe53/sHdi1qKjg="},
	} {
		at := time.Unix(c.at, 999_999_999)
		h, err := keys(t, c.secret).Sign(c.id, at, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if h.Get("webhook-id") != c.id || h.Get("webhook-timestamp") != fmt.Sprint(c.at) || h.Get("webhook-signature") != c.want || len(h) != 3 {
			t.Errorf("%s: %v", c.secret, h)
		}
		for key := range strings.FieldsFuncSeq(c.secret, func(r rune) bool { return strings.ContainsRune(", \n", r) }) {
			if err := keys(t, key).Verify(h, []byte(c.body), at); err != nil {
				t.Errorf("by %s alone: %v", key, err)
			}
		}
	}
	for _, id := range []string{"", "a.1", "a b", "a\r\nB: c", "é", "a\x00"} {
		if h, err := keys(t, rawSecret).Sign(id, time.Now(), nil); fault.CodeOf(err) != "outbound/unsigned" || h != nil {
			t.Errorf("%q: %v %v", id, h, err)
		}
	}
	if _, err := (outbound.Keys{}).Sign("a", time.Now(), nil); fault.CodeOf(err) != "outbound/unsigned" {
		t.Errorf("without keys: %v", err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	body := []byte(`{"a":1}`)
	signed := func(change func(h http.Header)) http.Header {
		h, _ := keys(t, rawSecret).Sign("evt_1", now, body)
		change(h)
		return h
	}
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	mine := signed(func(http.Header) {}).Get("Webhook-Signature")
	for name, c := range map[string]struct {
		change func(h http.Header)
		body   string
		now    time.Time
		good   bool
	}{
		"as it is":            {good: true},
		"almost too old":      {now: now.Add(5 * time.Minute), good: true},
		"almost too new":      {now: now.Add(-5 * time.Minute), good: true},
		"too old":             {now: now.Add(5*time.Minute + time.Second)},
		"too new":             {now: now.Add(-5*time.Minute - time.Second)},
		"one among others":    {change: set("Webhook-Signature", "v1,AAAA v1a,x  "+mine+" v2,y"), good: true},
		"another body":        {body: `{"a":2}`},
		"no body":             {body: "\x00"},
		"another id":          {change: set("Webhook-Id", "evt_2")},
		"another time":        {change: set("Webhook-Timestamp", "1700000001")},
		"the time otherwise":  {change: set("Webhook-Timestamp", "+1700000000")},
		"the time with zeros": {change: set("Webhook-Timestamp", "01700000000")},
		"the time in another": {change: set("Webhook-Timestamp", "1700000000.0")},
		"no time":             {change: set("Webhook-Timestamp", "")},
		"a time without end":  {change: set("Webhook-Timestamp", strings.Repeat("9", 18))},
		"a time too long":     {change: set("Webhook-Timestamp", strings.Repeat("9", 30))},
		"no id":               {change: set("Webhook-Id", "")},
		"no signature":        {change: set("Webhook-Signature", "")},
		"another version":     {change: set("Webhook-Signature", "v2"+mine[2:])},
		"no version":          {change: set("Webhook-Signature", mine[3:])},
		"half a signature":    {change: set("Webhook-Signature", mine[:len(mine)-4])},
		"one bit of it":       {change: set("Webhook-Signature", mine[:10]+string(mine[10]^1)+mine[11:])},
		"nothing":             {change: func(h http.Header) { clear(h) }},
	} {
		if c.change == nil {
			c.change = func(http.Header) {}
		}
		if c.now.IsZero() {
			c.now = now
		}
		given := body
		if c.body != "" {
			given = []byte(c.body)
		}
		err := keys(t, published+","+rawSecret).Verify(signed(c.change), given, c.now)
		if (err == nil) != c.good || err != nil && (fault.CodeOf(err) != "outbound/bad-signature" || fault.KindOf(err) != fault.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is signed for one id must not be taken for another, whose time stands in its body.
	h, _ := keys(t, rawSecret).Sign("evt_1", now, []byte("1700000000.x"))
	h.Set("Webhook-Id", "evt_1.1700000000")
	if err := keys(t, rawSecret).Verify(h, []byte("x"), now); err == nil {
		t.Error("a message passes as two")
	}
	if err := (outbound.Keys{}).Verify(signed(func(http.Header) {}), body, now); err == nil {
		t.Error("without keys anything passes")
	}
	if err := keys(t, published).Verify(signed(func(http.Header) {}), body, now); err == nil {
		t.Error("any key passes")
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"", " ,\n", "short", "hunter2hunter2", "whsec_", "whsec_hunter2", "whsec_hunter2!hunter2!hunter2!hunter2!", published + ",hunter2",
		"correct hunter2 battery staple", "whsk_hunter2hunter2hunter2hunter2hunter2hunter2", "whpk_hunter2hunter2hunter2hunter2hunter2hunter2",
	} {
		k, err := outbound.ParseKeys(secret)
		e, _ := fault.As(err)
		if fault.CodeOf(err) != "outbound/bad-secret" || !strings.Contains(e.Hint, "openssl rand -base64 32") || strings.Contains(e.Error()+e.Hint, "hunter2") {
			t.Errorf("%q: %v", secret, err)
		}
		if k.Verify(http.Header{}, nil, time.Now()) == nil {
			t.Errorf("%q: nothing is verified by it", secret)
		}
	}
	for _, secret := range []string{published, strings.TrimRight("whsec_AAAAAAAAAAAAAAAAAAAAAA==", "="), "whsec_AAAAAAAAAAAAAAAAAAAAAA==", rawSecret, strings.Repeat("x", 200), "пароль-длинный"} {
		keys(t, secret)
	}
	var log strings.Builder
	k := keys(t, "hunter2hunter2hunter2")
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("keys", k))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("keys", k))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&log, verb, k)
		fmt.Fprintf(&log, verb, &k)
		fmt.Fprintf(&log, verb, []any{k})
	}
	if text := log.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74") || strings.Contains(text, "104 117") || strings.Contains(text, "aHVudGVy") {
		t.Error(text)
	}
}
