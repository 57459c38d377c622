package outbound_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	closed := `0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.255 168.63.129.16
		169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255
		198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
		:: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8
		64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8 64:ff9b:0:1::8.8.8.8 100::1 2001::1 2001:0:7f00:1::
		2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254
		fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ::ffff:127.0.0.1%eth0`
	opened := `1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.17 169.253.255.255 169.255.0.0
		172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
		::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:4860:4860::8888 2606:4700::1111 2a00:1450::1 2001:200::1`
	c := open(t, outbound.Config{}, outbound.Deps{})
	for want, all := range map[bool]string{false: closed, true: opened} {
		for text := range strings.FieldsSeq(all) {
			if c.Permits(netip.MustParseAddr(text)) != want {
				t.Errorf("%s is permitted: %t", text, !want)
			}
		}
	}
	if c.Permits(netip.Addr{}) {
		t.Error("no address is permitted")
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		allow, address string
		want           bool
	}{
		{"10.0.0.0/8", "10.1.2.3", true},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true},
		{"10.0.0.0/8", "64:ff9b::10.1.2.3", true},
		{"10.0.0.0/8", "2002:a01:203::1", false}, // where the tunnel ends is not what is reached
		{"10.0.0.0/8", "::10.1.2.3", false},
		{"10.0.0.0/8", "11.0.0.1", true}, // public as ever
		{"10.0.0.0/8", "127.0.0.1", false},
		{"10.1.2.3/8", "10.9.9.9", true},
		{"10.1.2.3", "10.1.2.3", true},
		{"10.1.2.3", "10.1.2.4", false},
		{"::ffff:10.0.0.0/104", "10.1.2.3", true},
		{"::ffff:10.1.2.3", "10.1.2.3", true},
		{"::/0", "127.0.0.1", false}, // IPv6 alone
		{"::/0", "::1", true},
		{"0.0.0.0/0", "169.254.169.254", true},
		{"fe80::/10", "fe80::1%eth0", true},
		{"fe80::1%eth0", "fe80::1%eth1", true},
		{"fc00::/7", "fd00::1", true},
		{"fc00::/7", "fe80::1", false},
	} {
		if got := open(t, outbound.Config{Allow: []string{c.allow}}, outbound.Deps{}).Permits(netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("with %s, %s is permitted: %t", c.allow, c.address, got)
		}
	}
	dev := open(t, outbound.Config{}, outbound.Deps{Loopback: true})
	for text, want := range map[string]bool{"127.0.0.1": true, "::1": true, "127.9.9.9": true, "10.0.0.1": false, "0.0.0.0": false, "169.254.169.254": false} {
		if dev.Permits(netip.MustParseAddr(text)) != want {
			t.Errorf("in development %s is permitted: %t", text, !want)
		}
	}
}

// TestRefusedUnseen has addresses that are refused without looking anything up: straight, and by a proxy, which never hears of
// them.
func TestRefusedUnseen(t *testing.T) {
	t.Parallel()
	proxy := listen(t, "127.0.0.1:0")
	straight := open(t, outbound.Config{}, outbound.Deps{})
	straight.Resolve(names(t, func(name string, _ int) []string { t.Error("looked up", name); return nil }))
	by := open(t, outbound.Config{Proxy: "http://" + proxy.Addr().String()}, outbound.Deps{})
	for address, code := range map[string]string{
		"http://127.0.0.1/":                      "outbound/forbidden-address",
		"http://127.0.0.1:8080/":                 "outbound/forbidden-address",
		"https://10.1.2.3/":                      "outbound/forbidden-address",
		"http://169.254.169.254/latest/":         "outbound/forbidden-address",
		"http://[::1]/":                          "outbound/forbidden-address",
		"http://[::ffff:127.0.0.1]/":             "outbound/forbidden-address",
		"http://[::ffff:7f00:1]:80/":             "outbound/forbidden-address",
		"http://[64:ff9b::7f00:1]/":              "outbound/forbidden-address",
		"http://[fe80::1%25eth0]/":               "outbound/forbidden-address",
		"http://localhost/":                      "outbound/forbidden-address",
		"http://LocalHost.:80/":                  "outbound/forbidden-address",
		"http://a.localhost/":                    "outbound/forbidden-address",
		"HTTP://user:hunter2@127.0.0.1/?hunter2": "outbound/forbidden-address",
		"http://127.1/":                          "outbound/bad-url",
		"http://127.0.0.1./":                     "outbound/bad-url",
		"http://0x7f000001/":                     "outbound/bad-url",
		"http://0x7F.1/":                         "outbound/bad-url",
		"http://a.0x/":                           "outbound/bad-url",
		"http://2130706433/":                     "outbound/bad-url",
		"http://0177.0.0.1/":                     "outbound/bad-url",
		"http://①②⑦.⓪.⓪.①/":                      "outbound/bad-url",
		"http://127。0。0。1/":                      "outbound/bad-url",
		"http://loc\u00adalhost/":                "outbound/bad-url",
		"http://%6c%6f%63alhost/":                "outbound/bad-url",
		"http://exa mple.com/":                   "outbound/bad-url",
		"http://example.com:0/":                  "outbound/bad-url",
		"http://example.com:65536/":              "outbound/bad-url",
		"http://example.com:-1/":                 "outbound/bad-url",
		"http://" + strings.Repeat("a", 254):     "outbound/bad-url",
		"http:///":                               "outbound/bad-url",
		"http://:80/":                            "outbound/bad-url",
		"http:127.0.0.1":                         "outbound/bad-url",
		"//127.0.0.1/":                           "outbound/bad-url",
		"file:///etc/passwd":                     "outbound/bad-url",
		"gopher://127.0.0.1/":                    "outbound/bad-url",
		"unix:///run/docker.sock":                "outbound/bad-url",
		"":                                       "outbound/bad-url",
		"\x00":                                   "outbound/bad-url",
		"http://hunter2\n/":                      "outbound/bad-url",
	} {
		for name, c := range map[string]*outbound.Client{"straight": straight, "by a proxy": by} {
			r := c.Do(t.Context(), outbound.Request{URL: address})
			if r.Class != outbound.Refused || fault.CodeOf(r.Err) != code || r.Unknown || r.Status != 0 {
				t.Errorf("%s %q: %s %v", name, address, r.Class, r.Err)
				continue
			}
			if e, _ := fault.As(r.Err); strings.Contains(e.Error()+e.Hint, "hunter2") {
				t.Errorf("%q is told: %v", address, e)
			}
		}
	}
	if n := proxy.count(); n != 0 {
		t.Errorf("the proxy has seen %d connections", n)
	}
	if straight.Unwell() != 0 {
		t.Error("what was never called counts as unwell")
	}
}

// TestNamesThatLeadInside resolve to addresses that nobody may reach: nothing arrives there.
func TestNamesThatLeadInside(t *testing.T) {
	t.Parallel()
	inside := listen(t, "127.0.0.1:0")
	for _, address := range []string{"127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0", "::", "10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"} {
		c := open(t, outbound.Config{}, outbound.Deps{})
		c.Resolve(names(t, func(string, int) []string { return []string{address} }))
		r := c.Do(t.Context(), outbound.Request{URL: "http://hook.test:" + inside.port() + "/secret"})
		e, _ := fault.As(r.Err)
		if r.Class != outbound.Refused || fault.KindOf(r.Err) != fault.Forbidden || r.Unknown || !strings.HasPrefix(e.Message, "hook.test is ") || !strings.Contains(e.Hint, "[outbound] allow opens it: allow = [") {
			t.Errorf("%s: %s %v", address, r.Class, r.Err)
			continue
		}
		// What the hint says mends it.
		_, text, _ := strings.Cut(e.Hint, `["`)
		again := open(t, outbound.Config{Allow: []string{text[:strings.IndexByte(text, '"')]}}, outbound.Deps{})
		if !again.Permits(netip.MustParseAddr(address)) && address != "::" { // which is 0.0.0.0 to whoever connects to it
			t.Errorf("%s is not opened by %s", address, e.Hint)
		}
	}
	if n := inside.count(); n != 0 {
		t.Errorf("%d connections arrived", n)
	}
}

// TestNamesThatChange has a name that leads where calls may go when it is looked up first, and elsewhere after.
func TestNamesThatChange(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: only Linux has more than one address of loopback from the start")
	}
	inside := listen(t, "127.0.0.1:0")
	twin, err := net.Listen("tcp", "127.0.0.2:"+inside.port())
	for tries := 0; err != nil && tries < 100; tries++ { // until a port is free on both
		inside = listen(t, "127.0.0.1:0")
		twin, err = net.Listen("tcp", "127.0.0.2:"+inside.port())
	}
	if err != nil {
		t.Fatal(err)
	}
	port := inside.port()
	allowed := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	_ = allowed.Listener.Close()
	allowed.Listener = twin
	allowed.Config.SetKeepAlivesEnabled(false) // so that each call looks the name up
	allowed.Start()
	t.Cleanup(allowed.Close)
	c := open(t, outbound.Config{Allow: []string{"127.0.0.2/32"}}, outbound.Deps{})
	c.Resolve(names(t, func(name string, n int) []string {
		if name == "both.test." {
			return []string{"127.0.0.1", "::1", "127.0.0.2"}
		}
		return []string{[]string{"127.0.0.2", "127.0.0.1"}[min(n, 1)]}
	}))
	one := outbound.Request{URL: "http://changes.test:" + port}
	if r := c.Do(t.Context(), one); r.Class != outbound.Delivered {
		t.Errorf("at first: %v", r.Err)
	}
	for range 3 {
		if r := c.Do(t.Context(), one); r.Class != outbound.Refused || fault.KindOf(r.Err) != fault.Forbidden {
			t.Errorf("then: %s %v", r.Class, r.Err)
		}
	}
	both := outbound.Request{URL: "http://both.test:" + port}
	if r := c.Do(t.Context(), both); r.Class != outbound.Delivered {
		t.Errorf("of several addresses one is allowed: %v", r.Err)
	}
	if n := inside.count(); n != 0 {
		t.Errorf("%d connections arrived", n)
	}
	allowed.Close() // now the allowed one is away, which may pass
	if r := c.Do(t.Context(), both); r.Class != outbound.Again || r.Unknown {
		t.Errorf("when the allowed one is away: %s %v", r.Class, r.Err)
	}
}

// TestProxy sends all by a proxy on loopback, which need not be allowed.
func TestProxy(t *testing.T) {
	t.Parallel()
	var said atomic.Pointer[http.Request]
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said.Store(r)
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		_, _ = io.WriteString(w, "by the proxy")
	}))
	t.Cleanup(proxy.Close)
	address, _ := url.Parse(proxy.URL)
	address.User = url.UserPassword("me", "hunter2")
	c := open(t, outbound.Config{Proxy: address.String()}, outbound.Deps{})
	r := c.Do(t.Context(), outbound.Request{URL: "http://hook.test/in"})
	if r.Class != outbound.Delivered || string(r.Body) != "by the proxy" || said.Load().RequestURI != "http://hook.test/in" || said.Load().Header.Get("Proxy-Authorization") == "" {
		t.Errorf("%v %s", r.Err, r.Body)
	}
	r = c.Do(t.Context(), outbound.Request{URL: "https://hook.test/in?hunter2"})
	if r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/proxy" || r.Unknown || !strings.Contains(r.Err.Error(), "407") || strings.Contains(r.Err.Error(), "hunter2") {
		t.Errorf("a proxy that refuses: %s %v", r.Class, r.Err)
	}
	proxy.Close()
	c = open(t, outbound.Config{Proxy: address.String()}, outbound.Deps{}) // without the connection that was kept
	if r = c.Do(t.Context(), outbound.Request{URL: "http://hook.test/in"}); r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/proxy" || r.Unknown {
		t.Errorf("a proxy that is away: %s %v", r.Class, r.Err)
	}
}

// TestEnvironmentIsNotAsked has a proxy that only the environment names.
func TestEnvironmentIsNotAsked(t *testing.T) {
	proxy := listen(t, "127.0.0.1:0")
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://"+proxy.Addr().String())
	}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	c := open(t, outbound.Config{}, outbound.Deps{Loopback: true})
	c.Resolve(names(t, func(string, int) []string { return []string{"127.0.0.1"} }))
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	if r := c.Do(t.Context(), outbound.Request{URL: "http://hook.test:" + port}); r.Class != outbound.Delivered || proxy.count() != 0 {
		t.Errorf("%v, and the proxy has seen %d connections", r.Err, proxy.count())
	}
}

// TestNoName has one that does not exist.
func TestNoName(t *testing.T) {
	t.Parallel()
	c := open(t, outbound.Config{}, outbound.Deps{})
	c.Resolve(&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no name server") }})
	if r := c.Do(t.Context(), outbound.Request{URL: "http://hook.test/hunter2"}); r.Class != outbound.Again || fault.CodeOf(r.Err) != "outbound/unknown-host" || r.Unknown || strings.Contains(r.Err.Error(), "hunter2") {
		t.Errorf("%s %v", r.Class, r.Err)
	}
}
