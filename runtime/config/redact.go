package config

import (
	"bytes"
	"regexp"
)

var (
	addressPassword = regexp.MustCompile(`(://[^:/@\s"']*):[^@/\s"']*@`)

	// secretValue finds strings that are written where a secret's place should be named: password = "…".
	secretValue = regexp.MustCompile(`(?is)((?:password|passwd|secret|token|authorization|api_?key|access_?key|secret_?key|private_?key|encryption_?key|credentials|webhook_url|redis_url|account_sid)["']?[ \t]*=[ \t]*)` +
		`("""(?:.*?)"""|'''(?:.*?)'''|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?)`)

	// nowhere is a value that tells no secret: a variable's reference alone.
	nowhere = regexp.MustCompile(`^["']+\$\{[A-Za-z_][A-Za-z0-9_]*\}["']+$`)
)

// redact gives a file's text as diagnostics may show it: same lines, no passwords.
func redact(source []byte) []byte {
	source = addressPassword.ReplaceAll(source, []byte("$1:xxxxx@"))
	return secretValue.ReplaceAllFunc(source, func(found []byte) []byte {
		parts := secretValue.FindSubmatch(found)
		if len(parts) < 3 || nowhere.Match(parts[2]) {
			return found
		}
		hidden := append(append([]byte{}, parts[1]...), `"…"`...)
		return append(hidden, bytes.Repeat([]byte("\n"), bytes.Count(parts[2], []byte("\n")))...)
	})
}
