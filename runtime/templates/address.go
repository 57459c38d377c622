package templates

import (
	"net/mail"
	"strings"
)

// inside is what part of an address of mail a place belongs to.
type inside struct {
	quotes, angle bool
	comment       int
	escaped       bool // by a backslash before it
}

// plain tells whether what stands there is read as words or as an address.
func (i inside) plain() bool { return !i.quotes && i.comment == 0 }

// past gives the place behind a character.
func (i inside) past(c byte) inside {
	switch {
	case i.escaped:
		i.escaped = false
	case c == '\\':
		i.escaped = !i.plain()
	case i.quotes:
		i.quotes = c != '"'
	case c == '(':
		i.comment++
	case c == ')':
		i.comment = max(0, i.comment-1)
	case i.comment > 0:
	case c == '"':
		i.quotes = true
	case c == '<', c == '>':
		i.angle = c == '<'
	}
	return i
}

// mailboxes escapes the values in a text of addresses for where they stand. Only what the template itself says divides it.
func mailboxes(made string, values []span) string {
	var b strings.Builder
	var at inside
	done := 0
	for n, v := range values {
		for i := done; i < v.from; i++ {
			at = at.past(made[i])
		}
		b.WriteString(made[done:v.from])
		done = v.to
		switch value := strings.ReplaceAll(made[v.from:v.to], "\t", " "); {
		case at.quotes:
			b.WriteString(inQuotes.Replace(value))
		case at.comment > 0:
			b.WriteString(inComment.Replace(value))
		case isAddress(value) && at.angle, areAddresses(value) && !at.angle && !isNamed(made, at, values[n:]):
			b.WriteString(value)
		default:
			b.WriteString(word(value))
		}
	}
	return b.String() + made[done:]
}

// isNamed tells whether what stands at the first of the values is the name before an address, by what the template says behind it.
func isNamed(made string, at inside, values []span) bool {
	if at.angle {
		return false
	}
	for n, v := range values {
		end := len(made)
		if n+1 < len(values) {
			end = values[n+1].from
		}
		for i := v.to; i < end; i++ {
			if at.plain() && (made[i] == '<' || made[i] == ',') {
				return made[i] == '<'
			}
			at = at.past(made[i])
		}
	}
	return false
}

var (
	inQuotes  = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	inComment = strings.NewReplacer(`\`, `\\`, `(`, `\(`, `)`, `\)`)
)

// quoted makes a quoted-string of RFC 5322, section 3.2.4.
func quoted(value string) string { return `"` + inQuotes.Replace(value) + `"` }

// word leaves what is read as itself, and quotes all else: what divides addresses, dots that divide no words, what would be decoded,
// and spaces that would be lost.
func word(value string) string {
	trimmed := strings.Join(strings.Fields(value), " ")
	switch {
	case trimmed == "":
		return value
	case trimmed != value, strings.ContainsAny(value, "()<>[]:;@\\,\""), strings.Contains(value, "=?"):
		return quoted(value)
	case strings.Contains(value, ".") && (strings.Contains(value, " ") || strings.HasPrefix(value, ".") || strings.HasSuffix(value, ".") || strings.Contains(value, "..")):
		return quoted(value)
	}
	return value
}

// isAddress tells whether a text is one address and nothing besides.
func isAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Name == "" && (&mail.Address{Address: a.Address}).String() == "<"+text+">"
}

// areAddresses tells whether a text is a list of them.
func areAddresses(text string) bool {
	for one := range strings.SplitSeq(text, ",") {
		if !isAddress(strings.TrimSpace(one)) {
			return false
		}
	}
	return true
}
