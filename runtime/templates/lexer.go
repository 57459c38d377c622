package templates

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// lexer takes a template apart as handlebars.js does: the rules are tried in its order, and the first that fits is taken.
type lexer struct {
	source
	at     int
	tag    bool // within {{ }}
	quoted bool // after a backslash: the next {{ is content
}

// next gives the next token.
func (l *lexer) next() token {
	for {
		var t token
		switch {
		case l.tag:
			t = l.inTag()
		case l.quoted:
			t = l.afterBackslash()
		case l.at == len(l.text):
			return token{kind: end, at: span{l.at, l.at}}
		default:
			t = l.outside()
		}
		l.at = t.at.to
		if t.kind != content || t.value != "" { // before a tag there may be nothing
			return t
		}
	}
}

// outside is all before the next tag. A backslash before it makes it content; two are one, and the tag is a tag.
func (l *lexer) outside() token {
	rest := l.text[l.at:]
	i := strings.Index(rest, "{{")
	if i < 0 {
		return token{content, span{l.at, len(l.text)}, rest}
	}
	value := rest[:i]
	switch {
	case strings.HasSuffix(value, `\\`):
		value, l.tag = value[:len(value)-1], true
	case strings.HasSuffix(value, `\`):
		value, l.quoted = value[:len(value)-1], true
	default:
		l.tag = true
	}
	return token{content, span{l.at, l.at + i}, value}
}

// afterBackslash is a tag that is content, with all up to the next tag, escaped or not.
func (l *lexer) afterBackslash() token {
	l.quoted = false
	rest := l.text[l.at:]
	n := strings.Index(rest[2:], "{{") // it begins with one
	if n < 0 {
		return token{content, span{l.at, len(l.text)}, rest}
	}
	n += 2
	for range 2 { // the backslashes before it belong to it
		if n > 2 && rest[n-1] == '\\' {
			n--
		}
	}
	return token{content, span{l.at, l.at + n}, rest[:n]}
}

// opening are the tags by their beginning, in the order in which they are tried.
var opening = []struct {
	kind    kind
	ends    bool // it is a whole tag
	pattern *regexp.Regexp
}{
	{openSubexpression, false, regexp.MustCompile(`^\(`)},
	{closeSubexpression, false, regexp.MustCompile(`^\)`)},
	{openRawBlock, false, regexp.MustCompile(`^\{\{\{\{`)},
	{openPartial, false, regexp.MustCompile(`^\{\{~?>`)},
	{openPartialBlock, false, regexp.MustCompile(`^\{\{~?#>`)},
	{openDecoratorBlock, false, regexp.MustCompile(`^\{\{~?#\*`)},
	{openBlock, false, regexp.MustCompile(`^\{\{~?#`)},
	{openEndBlock, false, regexp.MustCompile(`^\{\{~?/`)},
	{inverse, true, regexp.MustCompile(`^\{\{~?\^` + space + `*~?\}\}`)},
	{inverse, true, regexp.MustCompile(`^\{\{~?` + space + `*else` + space + `*~?\}\}`)},
	{openInverse, false, regexp.MustCompile(`^\{\{~?\^`)},
	{openInverseChain, false, regexp.MustCompile(`^\{\{~?` + space + `*else\b`)},
	{openUnescaped, false, regexp.MustCompile(`^\{\{~?\{`)},
	{open, false, regexp.MustCompile(`^\{\{~?&`)},
	{comment, true, regexp.MustCompile(`^\{\{~?!`)},
	{openDecorator, false, regexp.MustCompile(`^\{\{~?\*`)},
	{open, false, regexp.MustCompile(`^\{\{~?`)},
}

const space = `[\s\v\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]`

func (l *lexer) inTag() token {
	l.at = len(l.text) - len(skipSpace(l.text[l.at:]))
	rest := l.text[l.at:]
	if rest == "" {
		return token{kind: end, at: span{l.at, l.at}}
	}
	if rest[0] == '{' || rest[0] == '(' || rest[0] == ')' {
		for _, o := range opening {
			if found := o.pattern.FindString(rest); found != "" {
				if o.kind == comment {
					return l.comment(rest, len(found))
				}
				l.tag = !o.ends
				return l.token(o.kind, len(found))
			}
		}
	}
	switch {
	case strings.HasPrefix(rest, "}}}}"): // which ends a raw block
		return l.token(invalid, 4)
	case strings.HasPrefix(rest, "}}}"):
		return l.closed(closeUnescaped, 3)
	case strings.HasPrefix(rest, "}~}}"):
		return l.closed(closeUnescaped, 4)
	case strings.HasPrefix(rest, "}}"):
		return l.closed(closing, 2)
	case strings.HasPrefix(rest, "~}}"):
		return l.closed(closing, 3)
	}
	return l.word(rest)
}

var (
	closesComment = regexp.MustCompile(`\}\}`)
	closesDashed  = regexp.MustCompile(`--~?\}\}`)
)

// comment is up to the next }}, or up to the next --}} where two dashes begin it; they may be the same ones.
func (l *lexer) comment(rest string, begun int) token {
	closes := closesComment
	if strings.HasPrefix(rest[begun:], "--") {
		closes = closesDashed
	}
	found := closes.FindStringIndex(rest[begun:])
	if found == nil {
		return l.token(invalid, begun)
	}
	return l.closed(comment, begun+found[1])
}

func (l *lexer) token(k kind, width int) token {
	return token{k, span{l.at, l.at + width}, l.text[l.at : l.at+width]}
}

func (l *lexer) closed(k kind, width int) token {
	l.tag = false
	return l.token(k, width)
}

var (
	number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?`)
	params = regexp.MustCompile(`^as` + space + `+\|`)
	words  = []struct {
		word string
		kind kind
	}{{"true", booleanLiteral}, {"false", booleanLiteral}, {"undefined", undefinedLiteral}, {"null", nullLiteral}}
)

// word is what stands within a tag: names, literals, and the signs between them.
func (l *lexer) word(rest string) token {
	switch {
	case rest[0] == '=':
		return l.token(equals, 1)
	case strings.HasPrefix(rest, ".."):
		return l.token(id, 2)
	case rest[0] == '.' && endsName(rest[1:]):
		return l.token(id, 1)
	case rest[0] == '.' || rest[0] == '/':
		return l.token(separator, 1)
	case rest[0] == '"' || rest[0] == '\'':
		return l.delimited(stringLiteral, rest[0])
	case rest[0] == '@':
		return l.token(data, 1)
	case rest[0] == '|':
		return l.token(closeBlockParams, 1)
	case rest[0] == '[':
		return l.delimited(id, ']')
	}
	for _, w := range words {
		if strings.HasPrefix(rest, w.word) && endsLiteral(rest[len(w.word):]) {
			return l.token(w.kind, len(w.word))
		}
	}
	if found := number.FindString(rest); found != "" && endsLiteral(rest[len(found):]) {
		return l.token(numberLiteral, len(found))
	}
	if found := params.FindString(rest); found != "" {
		return l.token(openBlockParams, len(found))
	}
	n := strings.IndexFunc(rest, func(c rune) bool { return !isName(c) })
	if n > 0 && endsName(rest[n:]) {
		return l.token(id, n)
	}
	_, width := utf8.DecodeRuneInString(rest)
	return l.token(invalid, width)
}

// delimited is a text in quotes, or a name in brackets. A backslash before the delimiter makes it a part; where it is never
// closed otherwise, the last of those closes.
func (l *lexer) delimited(k kind, delimiter byte) token {
	rest, last := l.text[l.at:], 0
	for i := 1; i < len(rest); i++ {
		if rest[i] != delimiter {
			continue
		}
		last = i
		if rest[i-1] != '\\' {
			break
		}
	}
	if last == 0 {
		return l.token(invalid, 1)
	}
	t := l.token(k, last+1)
	t.value = rest[1:last]
	if k == stringLiteral {
		t.value = strings.ReplaceAll(t.value, `\`+string(delimiter), string(delimiter))
	} else {
		t.value = strings.NewReplacer(`\\`, `\`, `\]`, `]`).Replace(t.value)
	}
	return t
}
