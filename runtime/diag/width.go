package diag

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// tab is how a tab is shown, so that carets stand under what they mean in every terminal.
const tab = "    "

// plainText makes a source line safe to show: tabs become spaces, and other control characters, which
// could move the cursor or colour the terminal, a sign.
func plainText(line string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '\uFFFD'
		}
		return c
	}, strings.ReplaceAll(line, "\t", tab))
}

// columns counts the cells that a text takes in a terminal: two for wide characters, none for marks that
// combine with the one before.
func columns(text string) int {
	n := 0
	for _, c := range text {
		switch {
		case c == '\t':
			n += len(tab)
		case unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf):
		case isWide(c):
			n += 2
		default:
			n++
		}
	}
	return n
}

func isWide(c rune) bool {
	k := width.LookupRune(c).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}
