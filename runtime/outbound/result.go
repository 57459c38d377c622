package outbound

import (
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Class says what is to be done about a call.
type Class uint8

// The classes. The zero value loses nothing.
const (
	Again     Class = iota // it may go well another time
	Delivered              // the receiver has it: a status of 2xx
	Refused                // the receiver, or this package, does not want this request, and will not want it later
	Gone                   // the receiver wants no more requests at this address, ever: 410
)

// String names a class in one word, for logs and metrics.
func (c Class) String() string {
	switch c {
	case Delivered:
		return "delivered"
	case Refused:
		return "refused"
	case Gone:
		return "gone"
	}
	return "again"
}

// Result is what came of a call.
type Result struct {
	Class  Class
	Status int         // of the answer; 0 when there is none
	Header http.Header // of the answer
	Body   []byte      // of the answer, 1 MiB at most
	Cut    bool        // the body is not whole: it is longer, came too slowly, or broke off

	// Wait is how long to wait at least before another try, by Retry-After or because the host rests; 0 when nobody says. It is a
	// time from now, not one of a clock, because the receiver's clock, ours and a database's differ.
	Wait time.Duration

	// Unknown says that the request, or some of it, may have reached the receiver, and no answer came: whether it has acted
	// cannot be told. When in doubt it is true. An answer's status speaks for itself: that of a gateway (502, 504) may hide
	// that the receiver has acted, too.
	Unknown bool

	// Err says for people why the call was not delivered, as a fault.Error; nil when it was.
	Err error
}

// classOf classifies an answer by its status.
//
//   - 407 is the word of a proxy on the way, which says nothing of the receiver.
//   - 408, 425 and 429 are about the moment, not about the request.
//   - What is no status at all counts as 500 (RFC 9110, section 15).
//   - 3xx: where a redirect leads is for a person to judge; to follow it would send what is signed for one to another.
func classOf(status int) Class {
	switch {
	case status >= 200 && status <= 299:
		return Delivered
	case status == http.StatusGone:
		return Gone
	case status == http.StatusProxyAuthRequired, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests,
		status >= 500, status < 100:
		return Again
	}
	return Refused
}

// verdict tells what a result says of the host's health. Of 429 it says that the host is well: whom it is told to waits, and
// others may be welcome, because such limits are most often per account or per path.
func (r Result) verdict() verdict {
	switch {
	case fault.KindOf(r.Err) == fault.Interrupted:
		return unsaid
	case r.Class == Again && r.Status != http.StatusTooManyRequests:
		return ill
	case r.Status != 0:
		return well
	}
	return unsaid
}

// Snippet gives the beginning of the answer's body as a log or a terminal may show it: 1 KiB at most, valid UTF-8 in one line,
// without control characters or others that cannot be seen.
func (r Result) Snippet() string { return visible(r.Body) }

const visibleBytes = 1 << 10

func visible(text []byte) string {
	if len(text) > visibleBytes {
		end := visibleBytes
		for end > visibleBytes-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, strings.ToValidUTF8(string(text), "\uFFFD")))
}
