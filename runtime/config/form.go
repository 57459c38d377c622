package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/cron"
)

// form is a shape that a text must have, named by the tag `form`.
type form struct {
	check   func(text string) error
	example string
}

// forms is every shape that a tag may name.
var forms = map[string]form{
	"url":      {checkURL, `"https://example.com/hook"`},
	"urls":     {checkURLs, `"https://example.com/hook/{{row.id}}"`},
	"database": {checkDatabase, `"postgres://user@localhost:5432/mydb"`},
	"cidr":     {checkCIDR, `"10.0.0.0/8"`},
	"rate":     {checkRate, `"100/m" (units: s, m, h, d)`},
	"cron":     {func(text string) error { _, err := cron.Parse(text); return err }, `"0 3 * * *" (minute hour day month weekday)`},
	"route":    {checkRoute, `"/path"`},
	"hostname": {checkHost, `"smtp.example.com" or "127.0.0.1", without a port`},
	"sha256":   {checkDigest, `64 hexadecimal digits, as sha256sum prints them`},
}

// checkURLs judges an address that may be a template; what such a one becomes is judged when it is used.
func checkURLs(text string) error {
	if strings.Contains(text, "{{") {
		return nil
	}
	return checkURL(text)
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("`%s` cannot be read as a URL", text)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("`%s` does not begin with http:// or https://", text)
	case u.Host == "":
		return fmt.Errorf("`%s` names no host", text)
	}
	return nil
}

// ErrUnescaped says that an address may hold a password that ends too early. It does not repeat the address.
var ErrUnescaped = errors.New("it has @, /, ? or # in a place where they divide it: in a password they have to be percent-encoded, as %40, %2F, %3F and %23")

// optionsForm is what is no end of a password.
var optionsForm = regexp.MustCompile(`^[A-Za-z_]+=[^&]*(&[A-Za-z_]+=[^&]*)*$`)

// CheckAddress refuses an address of a server whose name and password are not plainly before the host: of postgres://u:p@ss/w@host/db
// the host would be ss, and errors would tell it. What is no address with :// passes.
func CheckAddress(text string) error {
	_, rest, is := strings.Cut(text, "://")
	if !is {
		return nil
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && strings.Count(rest[:end], "@") == 1 {
		if query := strings.IndexByte(rest[end:], '?'); query >= 0 && optionsForm.MatchString(rest[end+query+1:]) { // may have an @ of its own
			rest = rest[:end+query]
		}
	}
	at := strings.LastIndexByte(rest, '@')
	if at >= 0 && strings.ContainsAny(rest[:at], "@/?#") {
		return ErrUnescaped
	}
	return nil
}

// checkDatabase never repeats an address, which can hold a password.
func checkDatabase(text string) error {
	if !strings.Contains(text, "://") {
		if strings.Contains(text, "=") {
			return nil // the keyword form: host=… dbname=…
		}
		return fmt.Errorf("it is neither a postgres:// address nor keywords such as host=localhost")
	}
	if err := CheckAddress(text); err != nil {
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("it cannot be read as an address; special characters of a password are written as %%40 for @ and so on")
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return fmt.Errorf("it begins with %s://, not postgres://", u.Scheme)
	}
	return nil
}

func checkCIDR(text string) error {
	if _, err := netip.ParsePrefix(text); err == nil {
		return nil
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	return fmt.Errorf("`%s` is no address range", text)
}

var rateForm = regexp.MustCompile(`^[1-9][0-9]{0,8} ?/ ?(s|m|h|d|second|minute|hour|day)$`)

func checkRate(text string) error {
	if !rateForm.MatchString(text) {
		return fmt.Errorf("`%s` is no rate", text)
	}
	return nil
}

// PerSecond reads what has the form `rate`; 0 where it has not.
func PerSecond(rate string) float64 {
	if !rateForm.MatchString(rate) {
		return 0
	}
	count, unit, _ := strings.Cut(rate, "/")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil {
		return 0
	}
	return float64(n) / map[byte]float64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400}[strings.TrimSpace(unit)[0]]
}

func checkRoute(text string) error {
	switch {
	case !strings.HasPrefix(text, "/"):
		return fmt.Errorf("`%s` does not begin with a slash", text)
	case path.Clean(text) != text || strings.ContainsAny(text, "?#{} "):
		return fmt.Errorf("`%s` is no plain path", text)
	}
	return nil
}

var (
	hostForm   = regexp.MustCompile(`^(\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:]*:[0-9a-fA-F:.]*|[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?)$`)
	digestForm = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

func checkHost(text string) error {
	if !hostForm.MatchString(text) {
		return fmt.Errorf("`%s` is no host name or address", text)
	}
	return nil
}

func checkDigest(text string) error {
	if !digestForm.MatchString(text) {
		return fmt.Errorf("it has %d characters that are not a SHA-256 digest", len(text))
	}
	return nil
}
