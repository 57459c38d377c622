package outbound_test

import (
	"math/big"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

// FuzzRetryAfter compares seconds with big numbers, and wants every wait to be between none and a day.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"", "7", "-1", "999999999999999999999", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "1.5"} {
		f.Add(text, "Sun, 06 Nov 1994 08:49:30 GMT")
	}
	f.Fuzz(func(t *testing.T, text, date string) {
		h := http.Header{"Retry-After": {text}, "Date": {date}}
		got := outbound.RetryAfter(h, time.Unix(784111777, 0))
		if got < 0 || got > 24*time.Hour {
			t.Fatalf("%q: %s", text, got)
		}
		digits := strings.Trim(text, " \t")
		if n, ok := new(big.Int).SetString(digits, 10); ok && strings.Trim(digits, "0123456789") == "" {
			if want := min(n.Uint64(), 86400); n.IsUint64() && got != time.Duration(want)*time.Second || !n.IsUint64() && got != 24*time.Hour {
				t.Fatalf("%q: %s", text, got)
			}
		}
	})
}

// FuzzVerify wants only what was signed to be verified, and no errors that repeat a secret.
func FuzzVerify(f *testing.F) {
	f.Add(published, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	f.Add(rawSecret+" "+published, "a.1", "1", "x", "v1,x v1a,y")
	f.Add("whsec_====", "a", "-1", "", "")
	f.Add("whsk_", "a", "99999999999999999999", "", ",")
	f.Fuzz(func(t *testing.T, secret, id, stamp, body, signature string) {
		now := time.Unix(1614265330, 0)
		k, err := outbound.ParseKeys(secret)
		if err != nil {
			e, _ := fault.As(err)
			if len(secret) > 6 && strings.Contains(e.Error(), secret) {
				t.Fatalf("%q: %v", secret, err)
			}
			return
		}
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
		again, signErr := k.Sign(id, now, []byte(body))
		if k.Verify(h, []byte(body), now) == nil {
			// Nobody makes signatures but by the keys: it is one that they make for the time that was given.
			seconds, err := strconv.ParseInt(stamp, 10, 64)
			mine, signErr := k.Sign(id, time.Unix(seconds, 0), []byte(body))
			if err != nil || signErr != nil {
				t.Fatal(err, signErr)
			}
			for own := range strings.FieldsSeq(mine.Get("Webhook-Signature")) {
				if strings.Contains(signature, own) {
					return
				}
			}
			t.Fatalf("%q is verified", signature)
		}
		if signErr != nil {
			return
		}
		if err := k.Verify(again, []byte(body), now); err != nil {
			t.Fatalf("%q %q: what is signed is not verified: %v", id, body, err)
		}
		if k.Verify(again, []byte(body+"x"), now) == nil {
			t.Fatal("another body is verified")
		}
	})
}

// FuzzAddress wants addresses to be judged as whoever connects to them takes them, in every form of 16 bytes.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{"127.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2606:4700::1111", "fe80::1%eth0"} {
		f.Add(text)
	}
	c := open(f, outbound.Config{}, outbound.Deps{})
	f.Fuzz(func(t *testing.T, text string) {
		a, err := netip.ParseAddr(text)
		if err != nil || !c.Permits(a) {
			return
		}
		if b := a.Unmap(); b.IsLoopback() || b.IsPrivate() || b.IsLinkLocalUnicast() || b.IsMulticast() || b.IsUnspecified() || !b.IsGlobalUnicast() {
			t.Fatalf("%s is permitted", a)
		}
		if a.Is4() && !c.Permits(netip.AddrFrom16(a.As16())) {
			t.Fatalf("%s is permitted, and not within IPv6", a)
		}
	})
}
