package httpapi_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// serveTLS runs a server that ends TLS, and gives clients that trust it for one version of HTTP each.
func serveTLS(t *testing.T, flags map[string]string, routes map[string]http.HandlerFunc) (s *site, clients map[string]*http.Client) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name, block := range map[string]*pem.Block{"cert_file": {Type: "CERTIFICATE", Bytes: certificate}, "key_file": {Type: "PRIVATE KEY", Bytes: private}} {
		all["server.tls."+name] = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(all["server.tls."+name], pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range flags {
		all[name] = value
	}
	s = serveRoutes(t, all, routes)
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	clients = map[string]*http.Client{}
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		protocols := &http.Protocols{}
		protocols.SetHTTP1(version == "HTTP/1.1")
		protocols.SetHTTP2(version == "HTTP/2.0")
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, Protocols: protocols}
		t.Cleanup(transport.CloseIdleConnections)
		clients[version] = &http.Client{Transport: transport}
	}
	return s, clients
}

// ask sends a request and tells whether it went over a connection that had carried one before.
func ask(ctx context.Context, client *http.Client, url string) (response *http.Response, body string, reused bool, err error) {
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, url, nil)
	if err != nil {
		return nil, "", false, err
	}
	if response, err = client.Do(r); err != nil {
		return nil, "", reused, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response, string(text), reused, err
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	s, clients := serveTLS(t, compression, map[string]http.HandlerFunc{"/it": answer()})
	for version, client := range clients {
		for i := range 3 {
			response, body, reused, err := ask(t.Context(), client, s.url+"/it")
			if err != nil || response.Proto != version || reused != (i > 0) || body != text || !response.Uncompressed {
				t.Errorf("%s, request %d: %v over a used connection (%t), %v", version, i+1, response, reused, err)
			}
		}
	}
}

// TestAServerThatLeavesPartsFromItsClients has each client's next request go over another connection, and none fail:
// by `Connection: close` in HTTP/1.1, by GOAWAY in HTTP/2 (RFC 9113, section 6.8).
func TestAServerThatLeavesPartsFromItsClients(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const delay = 500 * time.Millisecond
			s, clients := serveTLS(t, map[string]string{"lifecycle.shutdown_delay": delay.String()}, nil)
			begin := s.log.hold("msg=draining") // the delay, which a slow machine may be late for
			t.Cleanup(begin)
			client := clients[version]
			if response, _, _, err := ask(t.Context(), client, s.url+"/ready"); err != nil || response.StatusCode != 200 {
				t.Fatalf("%v %v", response, err)
			}
			atWork := make(chan error, 1)
			go func() {
				_, body, _, err := ask(t.Context(), client, s.url+"/slow")
				if err == nil && body != "done" {
					t.Errorf("the request that was at work got %q", body)
				}
				atWork <- err
			}()
			<-s.entered
			ended := make(chan error, 1)
			go func() { ended <- s.stop() }()
			deadline := time.Now().Add(20 * time.Second)
			for parted := false; !parted; {
				if time.Now().After(deadline) {
					t.Fatal("the client was not told to go")
				}
				response, _, reused, err := ask(t.Context(), client, s.url+"/ready")
				if err != nil {
					t.Fatalf("a request in the delay failed: %v", err)
				}
				if response.Header["Connection"] != nil && version == "HTTP/2.0" {
					t.Fatalf("HTTP/2 knows no Connection: %v", response.Header)
				}
				parted = response.StatusCode == 503 && !reused
			}
			began := time.Now()
			begin()
			close(s.release)
			if err := <-atWork; err != nil {
				t.Errorf("the request that was at work failed: %v", err)
			}
			if err := <-ended; err != nil || time.Since(began) < delay {
				t.Errorf("it ended with %v after %s", err, time.Since(began))
			}
		})
	}
}

func TestAClientThatResetsItsStreamFreesItsPlace(t *testing.T) {
	t.Parallel()
	s, clients := serveTLS(t, map[string]string{"server.limits.max_concurrent_requests": "1"}, nil)
	client := clients["HTTP/2.0"]
	ctx, hangUp := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, _, _, err := ask(ctx, client, s.url+"/slow")
		gone <- err
	}()
	<-s.entered
	hangUp()
	if err := <-gone; err == nil {
		t.Error("the client that has gone got an answer")
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		response, _, reused, err := ask(t.Context(), client, s.url+"/invalid")
		if err != nil || !reused {
			t.Fatalf("the other streams of the connection suffer: %v", err)
		}
		if response.StatusCode == 400 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of the stream that was reset is still taken")
		}
	}
}

// TestACutStreamIsSeenAsCut is the same for HTTP/2, whose frames say it in their own way.
func TestACutStreamIsSeenAsCut(t *testing.T) {
	t.Parallel()
	s, clients := serveTLS(t, compression, map[string]http.HandlerFunc{"/cut": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}})
	for _, coding := range []string{"gzip", "zstd", "br", "identity"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/cut", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", coding)
		response, err := clients["HTTP/2.0"].Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("as %s it looks like a whole answer of %d bytes", coding, len(body))
		}
		_ = response.Body.Close()
	}
}

// TestAnAnswerWithoutEnd goes on for longer than a request may take, over both versions.
func TestAnAnswerWithoutEnd(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	s, clients := serveTLS(t, map[string]string{"server.limits.request_timeout": "100ms"}, map[string]http.HandlerFunc{"/stream": func(w http.ResponseWriter, r *http.Request) {
		ctx, end := httpapi.Outlive(r.Context(), w)
		defer end()
		for {
			if _, err := io.WriteString(w, "still\n"); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-ctx.Done():
				select {
				case goOn <- struct{}{}:
				case <-t.Context().Done(): // it has failed
				}
				return
			case <-goOn:
			}
		}
	}})
	for version, client := range clients {
		ctx, stop := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(r)
		if err != nil || response.Proto != version {
			t.Fatalf("%s: %v %v", version, response, err)
		}
		lines := bufio.NewScanner(response.Body)
		for range 3 {
			if !lines.Scan() || lines.Text() != "still" {
				t.Fatalf("%s: it ended: %v", version, lines.Err())
			}
			time.Sleep(150 * time.Millisecond)
			select {
			case goOn <- struct{}{}:
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: nobody writes any more", version)
			}
		}
		stop() // the client goes, and the handler hears of it
		<-goOn
		_ = response.Body.Close()
	}
}
