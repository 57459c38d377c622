package config

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
)

// literal is a string of TOML, ended or not, or without its quotes.
const literal = `("""(?:.*?)"""|'''(?:.*?)'''|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^"'\[{\s#][^\n]*)`

var (
	// addressPassword reaches to the last @ of a line: what a broken address means by its password nobody
	// can tell.
	addressPassword = regexp.MustCompile(`(://[^:@\s"']*):[^\n]*@`)

	// parameterPassword is one of an address's parameters, or of "host=… password=…".
	parameterPassword = regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token)=)[^"&\s][^"&\n]*`)

	// secretValue finds strings that are written where a secret's place should be named: password = "…".
	secretValue = regexp.MustCompile(`(?is)((?:password|passwd|secret|token|authorization|api_?key|access_?key|secret_?key|private_?key|encryption_?key|credentials|webhook_url|redis_url|account_sid)["']?[ \t]*=[ \t]*\[?[ \t]*)` +
		literal)

	// addressValue finds the addresses of databases and the like.
	addressValue = regexp.MustCompile(`(?is)(\burl["']?[ \t]*=[ \t]*\[?[ \t]*)` + literal)

	// hostPath is an address without its beginning, such as hooks.example.com/in.
	hostPath = regexp.MustCompile(`^["'][a-z0-9-]+(\.[a-z0-9-]+)+(/[a-z0-9/_-]*)?["']$`)

	// nowhere is a value that tells no secret: a variable's reference alone, or no string.
	nowhere = regexp.MustCompile(`^["']+\$\{[A-Za-z_][A-Za-z0-9_]*\}["']+$|^(true|false|[0-9]+)\s*(#.*)?$`)
)

// redact gives a file's text as diagnostics may show it: same lines, no passwords.
func redact(source []byte) []byte {
	source = hide(source, addressValue, func(value []byte) bool { return !nowhere.Match(value) && !isAddress(value) })
	source = addressPassword.ReplaceAll(source, []byte("$1:xxxxx@"))
	source = parameterPassword.ReplaceAll(source, []byte("${1}xxxxx"))
	return hide(source, secretValue, func(value []byte) bool { return !nowhere.Match(value) })
}

// isAddress tells whether a literal is an address, of which what must be hidden can be told from the rest.
func isAddress(value []byte) bool {
	if hostPath.Match(value) {
		return true
	}
	u, err := url.Parse(strings.ReplaceAll(strings.Trim(string(value), `"'`), "$", ""))
	return err == nil && u.Scheme != "" && u.Host != ""
}

// hide replaces the values, the pattern's second group, for which secret holds.
func hide(source []byte, pattern *regexp.Regexp, secret func(value []byte) bool) []byte {
	return pattern.ReplaceAllFunc(source, func(found []byte) []byte {
		parts := pattern.FindSubmatch(found)
		if len(parts) < 3 || !secret(parts[2]) {
			return found
		}
		hidden := append(append([]byte{}, parts[1]...), `"…"`...)
		return append(hidden, bytes.Repeat([]byte("\n"), bytes.Count(parts[2], []byte("\n")))...)
	})
}
