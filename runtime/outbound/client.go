package outbound

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	answerBytes = 1 << 20  // of an answer's body, at most
	headerBytes = 64 << 10 // of its headers
	idlePerHost = 100      // connections kept for the next call: as many as calls to one host are at work at once
	idleAtAll   = 1000
	idleTime    = 90 * time.Second
)

// Deps is what a client has from others.
type Deps struct {
	Log      *slog.Logger // nil: nothing is said
	Loopback bool         // loopback may be reached without [outbound] allow: for development
}

// Client calls others. It is safe for use by many goroutines, and has none of its own but those of open connections.
type Client struct {
	config    Config
	guard     *guard
	breaker   *breaker
	transport *http.Transport
	closed    atomic.Bool
}

// New makes a client; no connection is made yet. Fields of the table that are empty have the defaults that they document.
func New(c Config, d Deps) (*Client, error) {
	c = c.withDefaults()
	allow, err := c.allowed()
	if err != nil {
		return nil, err
	}
	if d.Loopback {
		for _, text := range []string{"127.0.0.0/8", "::1"} {
			p, _ := readRange(text)
			allow = append(allow, p)
		}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	g := &guard{allow: allow, timeout: c.ConnectTimeout}
	transport := &http.Transport{
		DialContext:            g.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    c.ConnectTimeout,
		ForceAttemptHTTP2:      true, // a dialer of one's own would switch it off
		MaxIdleConns:           idleAtAll,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: headerBytes,
		DisableCompression:     true, // what is read is what was sent: no bombs
		// A connection of HTTP/2 that is dead without a word would fail every call until somebody closes it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
	if c.Proxy != "" {
		proxy, err := readProxy(c.Proxy)
		if err != nil {
			return nil, err
		}
		transport.Proxy = http.ProxyURL(proxy)
		transport.DialContext = (&net.Dialer{Timeout: c.ConnectTimeout}).DialContext // the proxy may be anywhere
		transport.OnProxyConnectResponse = proxied
	}
	return &Client{config: c, guard: g, breaker: newBreaker(c.BreakAfter, c.BreakFor, d.Log), transport: transport}, nil
}

// Close ends the connections that no call uses, and the others when their calls end. Calls after it are not sent.
func (c *Client) Close() {
	c.closed.Store(true)
	c.transport.CloseIdleConnections()
}

// proxied gives a refusal of the proxy as an error: it is not the answer of whom the call was for.
func proxied(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return fmt.Errorf("%w: %s", errProxy, statusText(answer.StatusCode))
}
