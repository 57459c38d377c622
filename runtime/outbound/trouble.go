package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// failed tells what it means that no answer came. All of it is worth another try but what the guard refuses, and requests that
// cannot be sent: certificates are renewed, names come back, and a job that was given up does not.
func (t *try) failed(ctx context.Context, err error) Result {
	r := Result{Class: Again, Unknown: t.sent.Load()}
	late := ctx.Err() != nil || isTimeout(err)
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch known, isKnown := fault.As(err); {
	case isKnown && known.Kind == fault.Forbidden:
		r.Class, r.Err = Refused, known
	case errors.Is(ctx.Err(), context.Canceled):
		r.Err = fault.Wrap(fault.Interrupted, "outbound/interrupted", "the call of "+t.host+" was broken off", err)
	case late && r.Unknown:
		r.Err = fault.Wrap(fault.Timeout, "outbound/timeout", t.host+" has not answered "+t.within(), err)
	case late:
		r.Err = fault.Wrap(fault.Timeout, "outbound/timeout", "no connection to "+t.host+" could be opened "+t.within(), err)
	case !t.dialled.Load():
		r.Class, r.Err = Refused, fault.Wrap(fault.Invalid, "outbound/bad-request", "the call of "+t.host+" cannot be written", err).
			WithHint("look at the names and values of its headers")
	case isProxy(err):
		r.Err = fault.Wrap(fault.Unavailable, "outbound/proxy", "the proxy opens no way to "+t.host, err)
	case errors.As(err, &lookup):
		r.Err = fault.Wrap(fault.Unavailable, "outbound/unknown-host", "the name in "+t.host+" cannot be resolved", err)
	case errors.As(err, &certificate):
		r.Err = fault.Wrap(fault.Unavailable, "outbound/bad-certificate", "the certificate of "+t.host+" is not to be trusted", err)
	case r.Unknown:
		r.Err = fault.Wrap(fault.Unavailable, "outbound/no-answer", t.host+" gave no answer that can be read", seenError{err})
	default:
		r.Err = fault.Wrap(fault.Unavailable, "outbound/unreachable", "no connection to "+t.host+" could be opened", err)
	}
	return r
}

func isTimeout(err error) bool {
	var timed net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timed) && timed.Timeout()
}

// errProxy is a proxy's refusal to connect.
var errProxy = errors.New("the proxy refuses")

func isProxy(err error) bool {
	var op *net.OpError
	return errors.Is(err, errProxy) || errors.As(err, &op) && op.Op == "proxyconnect"
}

// seenError is an error in whose text may stand what the other side wrote: it is shown as an answer is, and no more of it.
type seenError struct{ err error }

func (e seenError) Error() string { return visible([]byte(e.err.Error())) }
func (e seenError) Unwrap() error { return e.err }

// within says how long it took, which whoever asked may have bounded tighter than the call's own time.
func (t *try) within() string {
	return "within " + time.Since(t.began).Round(time.Millisecond).String()
}

// unwelcome says why an answer is not what was hoped for.
func (t *try) unwelcome(answer *http.Response) error {
	status := statusText(answer.StatusCode)
	switch class := classOf(answer.StatusCode); {
	case answer.StatusCode == http.StatusTooManyRequests:
		return fault.New(fault.RateLimited, "outbound/rate-limited", t.host+" gets too many calls")
	case class == Again:
		return fault.New(fault.Unavailable, "outbound/failing", t.host+" answers "+status)
	case class == Gone:
		return fault.New(fault.NotFound, "outbound/gone", t.host+" answers "+status+": it wants no more calls at this address").
			WithHint("take the address out of the configuration")
	case answer.StatusCode >= 300 && answer.StatusCode <= 399:
		refused := fault.New(fault.Invalid, "outbound/redirect", t.host+" answers "+status+": redirects are not followed")
		if to, err := answer.Location(); err == nil && (to.Scheme == "http" || to.Scheme == "https") && isName(strings.ToLower(to.Hostname())) {
			return refused.WithHint("if it is to be trusted, write the address that it leads to, at %s", hostOf(to))
		}
		return refused
	}
	return fault.New(fault.Invalid, "outbound/refused", t.host+" answers "+status)
}

// rests says that a host is left alone.
func rests(host string, wait time.Duration) error {
	return fault.New(fault.Unavailable, "outbound/host-rests", fmt.Sprintf("%s has failed and is left alone for %s", host, wait.Round(time.Millisecond)))
}

// statusText is ours, not the phrase that the other side wrote.
func statusText(status int) string {
	text := strconv.Itoa(status)
	if phrase := http.StatusText(status); phrase != "" {
		text += " " + phrase
	}
	return text
}
