package outbound_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
)

func load(t *testing.T, table string) (outbound.Config, diag.List) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fraiseql.toml")
	if err := os.WriteFile(path, []byte("[outbound]\n"+table), 0o600); err != nil {
		t.Fatal(err)
	}
	var c struct {
		Outbound outbound.Config `toml:"outbound"`
	}
	_, problems := config.Load(&c, config.Options{Path: path, Env: func(string) (string, bool) { return "", false }})
	return c.Outbound, problems
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for table, want := range map[string]string{
		"":                                           "",
		`allow = ["10.0.0.0/8", "::1"]`:              "",
		`allow = "0.0.0.0/0"`:                        "config/unguarded",
		`allow = ["10.0.0.0/8", "::/0"]`:             "config/unguarded",
		`allow = "::ffff:0.0.0.0/96"`:                "config/unguarded", // all of IPv4
		`allow = "localhost"`:                        "config/bad-value",
		`user_agent = "shop/1 (+https://x)"`:         "",
		`user_agent = "shop\nX: y"`:                  "config/bad-value",
		`timeout = "2s"`:                             "", // shorter than the default of connect_timeout, which nobody wrote
		"timeout = \"2s\"\nconnect_timeout = \"3s\"": "config/out-of-range",
		`proxy = "socks5://x"`:                       "config/bad-value",
	} {
		var codes []string
		_, problems := load(t, table)
		for _, p := range problems {
			codes = append(codes, p.Code)
		}
		if got := strings.Join(codes, " "); got != want {
			t.Errorf("%s: %q, want %q", table, got, want)
		}
	}
}

// TestDefaults are the same whether a table is written or not.
func TestDefaults(t *testing.T) {
	t.Parallel()
	c, _ := load(t, "")
	if c.ConnectTimeout != 5*time.Second || c.Timeout != 30*time.Second || c.BreakAfter != 5 || c.BreakFor != 30*time.Second {
		t.Errorf("%+v", c)
	}
	c.UserAgent = "fraiseql"
	if got := outbound.WithDefaults(outbound.Config{}); got.ConnectTimeout != c.ConnectTimeout || got.Timeout != c.Timeout || got.BreakAfter != c.BreakAfter || got.BreakFor != c.BreakFor || got.UserAgent != c.UserAgent {
		t.Errorf("%+v is not %+v", got, c)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]outbound.Config{
		"outbound/bad-range": {Allow: []string{"localhost"}},
		"outbound/bad-proxy": {Proxy: "http://me:hunter2@%zz"},
	} {
		if _, err := outbound.New(c, outbound.Deps{}); fault.CodeOf(err) != code || fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", code, err)
		}
	}
	for _, proxy := range []string{"socks5://x", "x:3128", "http://", "://"} {
		if _, err := outbound.New(outbound.Config{Proxy: proxy}, outbound.Deps{}); fault.CodeOf(err) != "outbound/bad-proxy" {
			t.Errorf("%s: %v", proxy, err)
		}
	}
}
