package outbound

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestWait is how long whoever answers can make us wait: a number that is meant to stop us, or is in milliseconds, must not
// park a message for years.
const longestWait = 24 * time.Hour

// retryAfter reads the header in both of its forms (RFC 9110, section 10.2.3); 0 when it says nothing that makes sense. A date is
// set against the answer's own, so that the clocks need not agree.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.Trim(h.Get("Retry-After"), " \t")
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil { // too many digits
			return longestWait
		}
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil {
		now = theirs
	}
	return min(max(at.Sub(now), 0), longestWait)
}
