package outbound_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

// pool is the certificates that vouch for a server.
func pool(server *httptest.Server) *x509.CertPool {
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	return known
}

func TestTLSAndHTTP2(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = discard
	server.StartTLS()
	t.Cleanup(server.Close)
	c := open(t, outbound.Config{}, outbound.Deps{Loopback: true})
	r := c.Do(t.Context(), outbound.Request{URL: server.URL})
	if r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/bad-certificate" || r.Unknown || r.Status != 0 {
		t.Errorf("a certificate that nobody vouches for: %s %v", r.Class, r.Err)
	}
	c = open(t, outbound.Config{}, outbound.Deps{Loopback: true})
	c.Trust(pool(server))
	for range 2 {
		if r := c.Do(t.Context(), outbound.Request{URL: server.URL, Header: http.Header{"Upgrade": {"x"}}}); r.Class != outbound.Delivered || string(r.Body) != "HTTP/2.0" {
			t.Errorf("%s %s %v", r.Class, r.Body, r.Err)
		}
	}
	c.Resolve(names(t, func(string, int) []string { return []string{"127.0.0.1"} }))
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	if r := c.Do(t.Context(), outbound.Request{URL: "https://other.test:" + port}); fault.CodeOf(r.Err) != "outbound/bad-certificate" {
		t.Errorf("a certificate for another name: %s %v", r.Class, r.Err)
	}
	plain, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	plain.Config.ErrorLog = discard
	if r := c.Do(t.Context(), outbound.Request{URL: strings.Replace(plain.URL, "http", "https", 1)}); r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/unreachable" || r.Unknown {
		t.Errorf("no TLS: %s %v", r.Class, r.Err)
	}
	old := httptest.NewUnstartedServer(nil)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // what an old server has
	old.Config.ErrorLog = discard
	old.StartTLS()
	t.Cleanup(old.Close)
	if r := c.Do(t.Context(), outbound.Request{URL: old.URL}); r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/unreachable" || r.Unknown {
		t.Errorf("an old TLS: %s %v", r.Class, r.Err)
	}
}
