package outbound_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/outbound"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text, date string
		want       time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"7", "", 7 * time.Second},
		{" 120\t", "", 2 * time.Minute},
		{"0007", "", 7 * time.Second},
		{"86400", "", 24 * time.Hour},
		{"86401", "", 24 * time.Hour},
		{"99999999999999999999999999", "", 24 * time.Hour},
		{"9223372036854775807", "", 24 * time.Hour},
		{"-1", "", 0},
		{"+7", "", 0},
		{"1.5", "", 0},
		{"1e9", "", 0},
		{"0x10", "", 0},
		{"７", "", 0},
		{"7s", "", 0},
		{"soon", "", 0},
		{"7, 8", "", 0},
		{"Sun, 01 Mar 2026 12:00:30 GMT", "", 30 * time.Second},
		{"Sunday, 01-Mar-26 12:00:30 GMT", "", 30 * time.Second},
		{"Sun Mar  1 12:00:30 2026", "", 30 * time.Second},
		{"Sun, 01 Mar 2026 11:59:59 GMT", "", 0},
		{"Thu, 01 Jan 1970 00:00:00 GMT", "", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", "", 24 * time.Hour},
		{"Sun, 01 Mar 2026 25:00:00 GMT", "", 0},
		{"Sun, 01 Mar 2026 15:00:30 GMT", "Sun, 01 Mar 2026 15:00:00 GMT", 30 * time.Second}, // their clock is three hours off
		{"Sun, 01 Mar 2026 12:00:30 GMT", "nonsense", 30 * time.Second},
		{"7", "Thu, 01 Jan 1970 00:00:00 GMT", 7 * time.Second},
		{"Sun, 01 Mar 2026 12:00:30 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", 24 * time.Hour},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.text)
		if c.date != "" {
			h.Set("Date", c.date)
		}
		if got := outbound.RetryAfter(h, now); got != c.want {
			t.Errorf("%q of %q: %s, want %s", c.text, c.date, got, c.want)
		}
	}
}
