package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// guard keeps calls from addresses that are not of the public internet, but for those that are allowed.
type guard struct {
	allow    []netip.Prefix
	timeout  time.Duration // of a connection
	resolver *net.Resolver // nil: the system's
}

// errSpecial ends the dialling of one address of a host; the next one may be allowed.
var errSpecial = errors.New("the address is not of the public internet")

// dial opens a connection to a host. Each address is judged between its being resolved and its being connected to: there is no
// later look at the name that could tell another one.
func (g *guard) dial(ctx context.Context, network, target string) (net.Conn, error) {
	var refused atomic.Pointer[netip.Addr]
	var tried atomic.Bool // one that may be reached
	d := net.Dialer{Timeout: g.timeout, Resolver: g.resolver}
	d.ControlContext = func(_ context.Context, network, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" {
			return errSpecial
		}
		if to := a.Addr(); !g.permits(to) {
			refused.Store(&to)
			return errSpecial
		}
		tried.Store(true)
		return nil
	}
	conn, err := d.DialContext(ctx, network, target)
	if err == nil || !errors.Is(err, errSpecial) {
		return conn, err
	}
	if a := refused.Load(); a != nil && !tried.Load() {
		host, _, _ := net.SplitHostPort(target)
		return nil, forbidden(host, *a)
	}
	return nil, fmt.Errorf("those of its addresses that may be reached do not answer: %w", err) // this may pass, and is tried again
}

// permits tells whether an address may be connected to.
func (g *guard) permits(a netip.Addr) bool {
	a = plain(a)
	for _, p := range g.allow {
		if p.Contains(a) {
			return true
		}
	}
	return a.IsValid() && specialOf(a) == ""
}

// judge refuses hosts of which it is known without looking them up: no proxy has to be trusted with them.
func (g *guard) judge(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		if !g.permits(a) {
			return forbidden(host, a)
		}
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if !isName(name) {
		return badAddress()
	}
	if (name == "localhost" || strings.HasSuffix(name, ".localhost")) && !g.permits(loopback4) && !g.permits(loopback6) { // RFC 6761, section 6.3
		return forbidden(host, loopback4)
	}
	return nil
}

// isName tells whether a text is a host's name in letters of ASCII. One whose last part is a number is none: there are
// resolvers that take 127.1, 0x7f.1 and 2130706433 for loopback. Nor is one in other letters: some of these are turned
// into digits and dots on their way.
func isName(text string) bool {
	if text == "" || len(text) > 253 {
		return false
	}
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	last := text[strings.LastIndexByte(text, '.')+1:]
	hex, isHex := strings.CutPrefix(last, "0x")
	return last != "" && strings.Trim(last, "0123456789") != "" && (!isHex || strings.Trim(hex, "0123456789abcdef") != "")
}

func forbidden(host string, a netip.Addr) error {
	a = a.WithZone("")
	what := specialOf(plain(a))
	message := fmt.Sprintf("%s is %s, an address that calls may not reach (%s)", host, a, what)
	if host == a.String() {
		message = fmt.Sprintf("calls may not reach the address %s (%s)", a, what)
	}
	open := netip.PrefixFrom(plain(a), plain(a).BitLen())
	return fault.New(fault.Forbidden, "outbound/forbidden-address", message).
		WithHint("if it is meant, [outbound] allow opens it: allow = [%q]", open)
}

// badAddress never repeats the address, which can hold secrets.
func badAddress() error {
	return fault.New(fault.Invalid, "outbound/bad-url", "the address of a call cannot be read").
		WithHint("write it as https://hooks.example.com/path; a name in letters beyond a to z as xn--…")
}
