package templates

import "strings"

// kind is a sort of token; the names are those of the grammar of handlebars.js 4.7.
type kind uint8

const (
	end kind = iota
	content
	comment
	openSubexpression
	closeSubexpression
	openRawBlock
	openPartial
	openPartialBlock
	openBlock
	openDecoratorBlock
	openEndBlock
	inverse // {{^}} and {{else}}, as a whole
	openInverse
	openInverseChain
	openUnescaped
	open
	openDecorator
	closeUnescaped
	closing
	equals
	id
	separator
	stringLiteral
	numberLiteral
	booleanLiteral
	undefinedLiteral
	nullLiteral
	data
	openBlockParams
	closeBlockParams
	invalid
)

// token is one with its text as it stands in the template; value is what it means, for names, texts and content.
type token struct {
	kind  kind
	at    span
	value string
}

// stripsBefore and stripsAfter tell whether a tag has a ~ at its beginning and its end.
func (s source) stripsBefore(t token) bool {
	return t.at.to-t.at.from > 2 && s.text[t.at.from+2] == '~'
}

func (s source) stripsAfter(t token) bool {
	return t.at.to-t.at.from > 2 && s.text[t.at.to-3] == '~'
}

// isSpace is \s of JavaScript.
func isSpace(c rune) bool {
	switch c {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return c >= 0x2000 && c <= 0x200a
}

func skipSpace(text string) string { return strings.TrimLeftFunc(text, isSpace) }

// isName tells whether a character can be one of a name.
func isName(c rune) bool {
	return !isSpace(c) && !strings.ContainsRune("!\"#%&'()*+,./;<=>@[\\]^`{|}~", c)
}

// endsName and endsLiteral tell whether a name or a literal may end before a text.
func endsName(rest string) bool { return endsBy(rest, "=~}/.)|") }

func endsLiteral(rest string) bool { return endsBy(rest, "~})") }

func endsBy(rest, signs string) bool {
	for _, c := range rest {
		return isSpace(c) || strings.ContainsRune(signs, c)
	}
	return false
}
