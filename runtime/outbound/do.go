package outbound

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Request is a call to be made.
type Request struct {
	Method  string        // empty: POST
	URL     string        // http or https; user and password in it become basic authentication
	Header  http.Header   // not changed; those of the connection, and Host, are not taken from it
	Body    []byte        // not changed
	Timeout time.Duration // from dialling to the last byte of the answer; empty: [outbound] timeout

	// Repeatable says that the receiver knows the request again, by webhook-id or a key of its own. A connection that was kept
	// and turns out to have been closed by the other side then costs no try: the request is sent again over a new one, at once.
	Repeatable bool
}

// Do makes a call, once, and tells what came of it. Trying again is for the caller, who knows for how long that makes sense.
func (c *Client) Do(ctx context.Context, r Request) (result Result) {
	t := &try{timeout: r.Timeout, began: time.Now()}
	if t.timeout <= 0 {
		t.timeout = c.config.Timeout
	}
	limited, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	request, err := c.request(t.traced(limited), r)
	if err != nil {
		return Result{Class: Refused, Err: err}
	}
	t.host = hostOf(request.URL)
	if c.closed.Load() {
		return Result{Class: Again, Err: fault.New(fault.Unavailable, "outbound/closed", "no calls are made any more: the program ends")}
	}
	probe, wait := c.breaker.enter(t.host)
	if wait > 0 {
		return Result{Class: Again, Wait: wait, Err: rests(t.host, wait)}
	}
	defer func() {
		c.breaker.leave(t.host, probe, result.verdict(), result.Err)
		if c.closed.Load() {
			c.transport.CloseIdleConnections() // this call's may have become one
		}
	}()
	// A transport, unlike a client, follows no redirects and puts no address into its errors.
	answer, err := c.transport.RoundTrip(request)
	if err != nil {
		return t.failed(ctx, err)
	}
	defer func() { _ = answer.Body.Close() }() // which ends the connection when there is more to read
	return t.answered(answer)
}

// request makes what is sent of what was asked for, and judges it. Its errors are permanent.
func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodPost), r.URL, bytes.NewReader(r.Body))
	var unread *url.Error
	switch {
	case errors.As(err, &unread): // which has the address in its text
		return nil, badAddress()
	case err != nil || request.Method == http.MethodConnect:
		return nil, fault.New(fault.Invalid, "outbound/bad-request", "a call has a method that is none").WithHint("use GET, POST, PUT, PATCH or DELETE")
	}
	u := request.URL
	if u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" {
		return nil, badAddress()
	}
	if port, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16); err != nil || port == 0 {
		return nil, badAddress()
	}
	if err := c.guard.judge(u.Hostname()); err != nil {
		return nil, err
	}
	h := make(http.Header, len(r.Header)+2)
	for name, values := range r.Header {
		if !isOurs(http.CanonicalHeaderKey(name)) {
			h[name] = values
		}
	}
	request.Header = h
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", c.config.UserAgent)
	}
	if u.User != nil && h.Get("Authorization") == "" {
		password, _ := u.User.Password()
		request.SetBasicAuth(u.User.Username(), password)
	}
	if _, has := h["Idempotency-Key"]; r.Repeatable && !has {
		h["Idempotency-Key"] = []string{} // not sent: it tells the transport
	}
	return request, nil
}

// isOurs tells whether a header is about the connection (RFC 9110, section 7.6.1) or frames a message. HTTP/2 has none of them,
// and its transport notices when it is too late to tell that from a failure.
func isOurs(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// try is one call on its way.
type try struct {
	host    string
	timeout time.Duration
	began   time.Time
	dialled atomic.Bool // the request was good enough to want a connection
	sent    atomic.Bool // it had one: from then on the other side may have got something
}

func (t *try) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.dialled.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.sent.Store(true) },
	})
}

// answered reads an answer. Its status counts even when its body does not come to an end: the receiver has said it.
func (t *try) answered(answer *http.Response) Result {
	r := Result{Class: classOf(answer.StatusCode), Status: answer.StatusCode, Header: answer.Header}
	if answer.StatusCode != http.StatusSwitchingProtocols { // which has no body, but a connection for whatever comes next
		var err error
		r.Body, err = io.ReadAll(io.LimitReader(answer.Body, answerBytes+1))
		r.Cut = err != nil || len(r.Body) > answerBytes
		r.Body = r.Body[:min(len(r.Body), answerBytes)]
	}
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		r.Wait = retryAfter(answer.Header, time.Now())
	}
	if r.Class != Delivered {
		r.Err = t.unwelcome(answer)
	}
	return r
}

// hostOf names what a circuit breaker is for, and what messages may show of an address.
func hostOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port)
}
