package outbound

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Trust makes a client trust further certificates.
func (c *Client) Trust(certificates *x509.CertPool) {
	c.transport.TLSClientConfig.RootCAs = certificates
}

// Resolve makes a client look names up elsewhere.
func (c *Client) Resolve(r *net.Resolver) { c.guard.resolver = r }

// Over makes a client connect by something else than the network; nothing is judged then.
func (c *Client) Over(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.transport.DialContext = dial
}

// Unwell tells how many hosts are remembered.
func (c *Client) Unwell() int {
	c.breaker.mu.Lock()
	defer c.breaker.mu.Unlock()
	return len(c.breaker.hosts)
}

// Permits tells whether a client may connect to an address.
func (c *Client) Permits(a netip.Addr) bool { return c.guard.permits(a) }

// MostHosts is how many are remembered at most.
const MostHosts = mostHosts

// RetryAfter reads the header.
func RetryAfter(h http.Header, now time.Time) time.Duration { return retryAfter(h, now) }

// ClassOf classifies a status.
func ClassOf(status int) Class { return classOf(status) }

// WithDefaults fills in what is empty.
func WithDefaults(c Config) Config { return c.withDefaults() }
