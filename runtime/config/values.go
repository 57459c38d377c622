package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size, written "64KB" or "10MB"; a KB is 1024 bytes.
type Bytes int64

// String writes a size in the largest unit that holds it without a rest.
func (b Bytes) String() string {
	n, unit := int64(b), 0
	for n != 0 && n%1024 == 0 && unit < 3 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + [...]string{"B", "KB", "MB", "GB"}[unit]
}

var durationPart = regexp.MustCompile(`^([0-9]+)(ms|s|m|h|d)`)

// ParseDuration reads 500ms, 30s, 5m, 1h, 7d and sequences of them, such as 1h30m.
func ParseDuration(s string) (time.Duration, error) {
	units := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	var total time.Duration
	rest := s
	for rest != "" {
		m := durationPart.FindStringSubmatch(rest)
		if m == nil {
			return 0, fmt.Errorf("`%s` is not a duration", s)
		}
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || n > int64(100*365*24*time.Hour/units[m[2]]) {
			return 0, fmt.Errorf("`%s` is longer than a hundred years", s)
		}
		total += time.Duration(n) * units[m[2]]
		rest = rest[len(m[0]):]
	}
	if s == "" {
		return 0, fmt.Errorf("an empty text is not a duration")
	}
	return total, nil
}

// ParseSpan reads a time span that a person types at the command line or in a request: as the configuration has it (2d), or as Go
// writes it (1.5h), which must not be negative.
func ParseSpan(s string) (time.Duration, error) {
	d, err := ParseDuration(s)
	if err == nil {
		return d, nil
	}
	if other, wrong := time.ParseDuration(s); wrong == nil && other >= 0 {
		return other, nil
	}
	return 0, err
}

// ParseMoment reads a time that a person types: in RFC 3339, or how long ago it was. The zero time when the text is empty.
func ParseMoment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	ago, err := ParseSpan(s)
	if err != nil {
		return time.Time{}, err
	}
	return time.Now().Add(-ago), nil
}

var sizeForm = regexp.MustCompile(`^([0-9]+) ?(B|KB|MB|GB|KiB|MiB|GiB)?$`)

func parseBytes(s string) (Bytes, error) {
	m := sizeForm.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("`%s` is not a size", s)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	shift := map[byte]int{'K': 10, 'M': 20, 'G': 30}
	by := 0
	if m[2] != "" {
		by = shift[m[2][0]]
	}
	if err != nil || n > (1<<62)>>by {
		return 0, fmt.Errorf("`%s` is too large", s)
	}
	return Bytes(n << by), nil
}

// expand replaces ${VAR}, ${VAR:-default} and ${VAR:?message} in a string; "$$" stands for one "$".
// missing names the variables that are not set and have no default.
func expand(s string, env func(string) (string, bool)) (result string, missing []missingVariable, err error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			b.WriteString(s)
			return b.String(), missing, nil
		}
		b.WriteString(s[:i])
		switch s[i+1] {
		case '$':
			b.WriteByte('$')
			s = s[i+2:]
		case '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return "", nil, fmt.Errorf("`${` has no closing `}`")
			}
			value, lost, err := reference(s[i+2:i+end], env)
			if err != nil {
				return "", nil, err
			}
			if lost != nil {
				missing = append(missing, *lost)
			}
			b.WriteString(value)
			s = s[i+end+1:]
		default:
			b.WriteByte('$')
			s = s[i+1:]
		}
	}
}

type missingVariable struct{ name, message string }

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func reference(inner string, env func(string) (string, bool)) (string, *missingVariable, error) {
	name, rest, _ := strings.Cut(inner, ":")
	if !variableName.MatchString(name) {
		return "", nil, fmt.Errorf("`${%s}` names no environment variable", inner)
	}
	value, set := env(name)
	switch {
	case set && value != "":
		return value, nil, nil
	case strings.HasPrefix(rest, "-"):
		return rest[1:], nil, nil
	case strings.HasPrefix(rest, "?"):
		return "", &missingVariable{name: name, message: rest[1:]}, nil
	case rest != "":
		return "", nil, fmt.Errorf("`${%s}`: after the colon comes -default or ?message", inner)
	case set:
		return "", nil, nil
	}
	return "", &missingVariable{name: name}, nil
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// quoteKey writes a key as TOML wants it.
func quoteKey(name string) string {
	if bareKey.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}
