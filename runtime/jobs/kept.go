package jobs

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain makes a text one that PostgreSQL can keep.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "")
}

// kept makes a result JSON that PostgreSQL can keep: what it would refuse becomes a text.
func kept(result []byte) []byte {
	if len(result) == 0 || keepable(result) {
		return result
	}
	text, err := json.Marshal(plain(string(result)))
	if err != nil {
		return nil
	}
	return text
}

// keepable tells whether jsonb takes a text: JSON in UTF-8 without NUL, without halves of pairs, and with numbers that numeric
// can hold.
func keepable(text []byte) bool {
	if !utf8.Valid(text) || !json.Valid(text) {
		return false
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			end, fine := endOfString(text, i+1)
			if !fine {
				return false
			}
			i = end
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(text) && bytes.IndexByte([]byte("0123456789.eE+-"), text[end]) >= 0 {
				end++
			}
			if !numeric(string(text[i:end])) {
				return false
			}
			i = end - 1
		}
	}
	return true
}

// endOfString finds the quote that ends a string, and tells whether what stands before can be kept.
func endOfString(text []byte, from int) (end int, fine bool) {
	unit := func(at int) int { // of an escape such as \u0041; -1 where there is none
		if at+6 > len(text) || text[at] != '\\' || text[at+1] != 'u' {
			return -1
		}
		n, err := strconv.ParseUint(string(text[at+2:at+6]), 16, 16)
		if err != nil {
			return -1
		}
		return int(n)
	}
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return i, true
		case text[i] != '\\':
			continue
		}
		switch n := unit(i); {
		case n < 0:
			i++ // another escape
		case n == 0, n >= 0xdc00 && n <= 0xdfff:
			return 0, false
		case n >= 0xd800 && n <= 0xdbff:
			if low := unit(i + 6); low < 0xdc00 || low > 0xdfff {
				return 0, false
			}
			i += 11
		default:
			i += 5
		}
	}
	return 0, false
}

// numeric tells whether a number is of a size that PostgreSQL's numeric surely holds.
func numeric(number string) bool {
	digits, exponent, has := strings.Cut(strings.ToLower(number), "e")
	if len(digits) > 10_000 {
		return false
	}
	if !has {
		return true
	}
	n, err := strconv.Atoi(exponent)
	return err == nil && n > -5_000 && n < 50_000
}
