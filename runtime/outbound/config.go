package outbound

import (
	"cmp"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Config is the table [outbound]: how this program calls others.
type Config struct {
	ConnectTimeout time.Duration `toml:"connect_timeout" default:"5s" min:"10ms" doc:"How long a connection may take to open."`
	Timeout        time.Duration `toml:"timeout" default:"30s" min:"10ms" doc:"How long a call may take, unless its own table says otherwise."`
	Allow          []string      `toml:"allow" form:"cidr" doc:"Loopback, private and link-local ranges that calls may reach; they are refused otherwise."`
	Proxy          string        `toml:"proxy" form:"url" doc:"A proxy for all calls."`
	UserAgent      string        `toml:"user_agent" doc:"What calls say of themselves."`
	BreakAfter     int           `toml:"break_after" default:"5" min:"1" doc:"Failures in a row after which a host is left alone."`
	BreakFor       time.Duration `toml:"break_for" default:"30s" min:"1s" doc:"How long it is left alone."`
}

// Check wants ranges that leave something guarded, and times and names that calls can have.
func (c *Config) Check(r *config.Report) {
	for _, text := range c.Allow {
		if p, err := readRange(text); err == nil && p.Bits() == 0 {
			r.Warn("allow", "config/unguarded", "`allow` has every address in it: whoever chooses where a call goes reaches this machine and its network",
				`name the ranges that are meant: allow = ["10.0.0.0/8"]`)
		}
	}
	if c.ConnectTimeout > c.Timeout && r.Given("connect_timeout") && r.Given("timeout") {
		r.Warn("connect_timeout", "config/out-of-range", "`connect_timeout` is longer than `timeout`, which ends a call before", "make `timeout` at least as long")
	}
	if !isFieldValue(c.UserAgent) {
		r.Error("user_agent", "config/bad-value", "`user_agent` has characters that no header may have", `user_agent = "fraiseql"`)
	}
}

// withDefaults fills in what the tags promise, for whoever has no table.
func (c Config) withDefaults() Config {
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.UserAgent = cmp.Or(c.UserAgent, "fraiseql")
	c.BreakAfter = cmp.Or(c.BreakAfter, 5)
	c.BreakFor = cmp.Or(c.BreakFor, 30*time.Second)
	return c
}

func (c Config) allowed() ([]netip.Prefix, error) {
	var ranges []netip.Prefix
	for _, text := range c.Allow {
		p, err := readRange(text)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "outbound/bad-range", "a range of [outbound] allow cannot be read", err).WithHint(`allow = ["10.0.0.0/8"]`)
		}
		ranges = append(ranges, p)
	}
	return ranges, nil
}

// readRange reads a range, or an address alone, in the form that addresses are judged in: IPv4 within IPv6 is IPv4.
func readRange(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		p = netip.PrefixFrom(a, a.BitLen()) // without a zone
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p, nil
}

// readProxy never repeats the address, which can hold a password.
func readProxy(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fault.New(fault.Invalid, "outbound/bad-proxy", "the address of the proxy cannot be read").WithHint("write it as http://user:password@proxy.example.com:3128")
	}
	return u, nil
}

// isFieldValue tells whether a text can be a header's value (RFC 9110, section 5.5).
func isFieldValue(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
