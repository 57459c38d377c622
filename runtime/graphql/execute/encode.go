package execute

import (
	"bytes"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// appendColumns writes columns, each with what stands before it. values are PostgreSQL's text forms; nil is null.
// estimate is what the planner has said of the statement. It gives how many values it took.
func appendColumns(b []byte, columns []plan.Column, values [][]byte, estimate []byte) ([]byte, int) {
	next := 0
	for i := range columns {
		c := &columns[i]
		b = append(b, c.Before...)
		switch {
		case c.Encoding == schema.Estimated:
			b = appendValue(b, schema.Raw, estimate)
			continue
		case c.Open == "" || values[next] == nil:
			b = appendValue(b, c.Encoding, values[next])
		default:
			b = append(b, c.Open...)
			b = appendValue(b, c.Encoding, values[next])
			b = append(b, c.Close...)
		}
		next++
	}
	return b, next
}

// appendRow writes a row as a JSON object.
func appendRow(b []byte, s *plan.Statement, values [][]byte, estimate []byte) []byte {
	b, _ = appendColumns(b, s.Columns, values, estimate)
	return append(b, s.End...)
}

func appendValue(b []byte, encoding schema.Encoding, text []byte) []byte {
	if text == nil {
		return append(b, "null"...)
	}
	switch encoding {
	case schema.Raw:
		return append(b, text...)
	case schema.Boolean:
		if text[0] == 't' {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case schema.Float:
		if c := text[len(text)-1]; c == 'N' || c == 'y' { // NaN, Infinity, -Infinity: not numbers in JSON
			return appendQuoted(b, text)
		}
		return append(b, text...)
	case schema.Timestamp:
		return appendTimestamp(b, text)
	default:
		return appendQuoted(b, text)
	}
}

// appendTimestamp writes PostgreSQL's "2021-01-31 12:00:00+00" as RFC 3339 wants it, and as its own
// JSON functions write it: "2021-01-31T12:00:00+00:00". A year before our era keeps its " BC" at the end.
func appendTimestamp(b []byte, text []byte) []byte {
	text, before := bytes.CutSuffix(text, []byte(" BC"))
	b = append(b, '"')
	start := len(b)
	b = append(b, text...)
	written := b[start:]
	blank := bytes.IndexByte(written, ' ')
	if blank < 0 {
		return append(b, '"') // infinity
	}
	written[blank] = 'T'
	offset := len(written) - 3
	if offset > blank && (written[offset] == '+' || written[offset] == '-') && digits(written[offset+1:]) {
		b = append(b, ":00"...)
	}
	if before {
		b = append(b, " BC"...)
	}
	return append(b, '"')
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes text as a JSON string (RFC 8259, section 7), escaping only what must be.
func appendQuoted[T []byte | string](b []byte, text T) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue // bytes above ASCII too: the connection's encoding is UTF-8, and PostgreSQL has checked it
		}
		b = append(b, text[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		start = i + 1
	}
	b = append(b, text[start:]...)
	return append(b, '"')
}
