package templates

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// parser makes the tree of the tokens, by the grammar of handlebars.js 4.7.
type parser struct {
	lexer
	options Options
	current token
	depth   int
}

func (p *parser) advance() token {
	t := p.current
	p.current = p.next()
	return t
}

func (p *parser) unexpected() *Error {
	t := p.current
	switch t.kind {
	case end, invalid:
		if !strings.Contains(p.text[t.at.from:], "}}") {
			return p.problem(t.at, "syntax", "the template ends within a tag: }} is missing")
		}
	case closeUnescaped:
		return p.problem(t.at, "syntax", "}}} closes {{{ only").try("write a space after }} where a } follows: {{x}} }")
	case openSubexpression, closeSubexpression:
		return p.notYet(t.at, "subexpressions, as in (helper value),")
	case openBlockParams, closeBlockParams:
		return p.notYet(t.at, "block parameters, as in `as |item|`,").try("within the block write this, or the names of its members")
	}
	what := []rune(p.text[t.at.from:t.at.to])
	if len(what) > 20 {
		what = append(what[:20:20], '…')
	}
	return p.problem(t.at, "syntax", "%q has no place here", string(what))
}

func (p *parser) expect(k kind) (token, error) {
	if p.current.kind != k {
		return token{}, p.unexpected()
	}
	return p.advance(), nil
}

// program reads up to what ends a block or divides it.
func (p *parser) program() (*program, error) {
	made := &program{}
	if p.depth > p.options.Nesting {
		return nil, p.problem(p.current.at, "too-large", "blocks are more than %d deep within each other", p.options.Nesting)
	}
	for {
		var n node
		var err error
		switch t := p.current; t.kind {
		case end, openEndBlock, inverse, openInverseChain:
			return made, nil
		case content:
			p.advance()
			n = &text{at: t.at, original: t.value, value: t.value}
		case comment:
			p.advance()
			n = &remark{t.at, strip{p.stripsBefore(t), p.stripsAfter(t)}}
		case open, openUnescaped:
			n, err = p.mustache()
		case openBlock, openInverse:
			n, err = p.block()
		default:
			err = p.unbuilt()
		}
		if err != nil {
			return nil, err
		}
		made.body = append(made.body, n)
	}
}

// unbuilt refuses what Handlebars has and this does not have yet.
func (p *parser) unbuilt() error {
	at := p.current.at
	switch p.current.kind {
	case openPartial:
		return p.notYet(at, "partials")
	case openPartialBlock:
		return p.notYet(at, "partial blocks")
	case openDecorator, openDecoratorBlock:
		return p.notYet(at, "inline partials and decorators")
	case openRawBlock:
		return p.notYet(at, "raw blocks").try(`a backslash before {{ writes it as it is: \{{`)
	}
	return p.unexpected()
}

func (p *parser) mustache() (node, error) {
	opened := p.advance()
	c, err := p.call()
	if err != nil {
		return nil, err
	}
	closes := closing
	if opened.kind == openUnescaped {
		closes = closeUnescaped
	}
	closed, err := p.expect(closes)
	if err != nil {
		return nil, err
	}
	m := &mustache{at: span{opened.at.from, closed.at.to}, strip: strip{p.stripsBefore(opened), p.stripsAfter(closed)}, call: c}
	m.raw = opened.kind == openUnescaped || strings.HasSuffix(p.text[opened.at.from:opened.at.to], "&")
	return m, p.resolve(&m.call)
}

// call reads a name with what follows it up to the end of the tag.
func (p *parser) call() (call, error) {
	e, err := p.expression()
	if err != nil {
		return call{}, err
	}
	c := call{at: e.at, path: e.path}
	if c.path == nil { // a literal in the place of a name is a name
		name := p.text[e.at.from:e.at.to]
		switch literal := e.literal.(type) {
		case string:
			name = literal
		case json.Number:
			name = literal.String()
		}
		if name == "" {
			return call{}, p.problem(e.at, "unknown-name", "a name is empty")
		}
		c.path = &path{at: e.at, original: name, parts: []string{name}}
	}
	for p.startsExpression() {
		if p.current.kind == id && p.peekEquals() {
			break
		}
		e, err := p.expression()
		if err != nil {
			return call{}, err
		}
		c.params = append(c.params, e)
		c.at.to = e.at.to
	}
	for p.current.kind == id && p.peekEquals() {
		key := p.advance()
		p.advance()
		if !p.startsExpression() {
			return call{}, p.unexpected()
		}
		e, err := p.expression()
		if err != nil {
			return call{}, err
		}
		c.hash = append(c.hash, pair{key.at, key.value, e})
		c.at.to = e.at.to
	}
	return c, nil
}

func (p *parser) peekEquals() bool {
	l := p.lexer
	return l.next().kind == equals
}

func (p *parser) startsExpression() bool {
	return slices.Contains([]kind{id, data, stringLiteral, numberLiteral, booleanLiteral, undefinedLiteral, nullLiteral}, p.current.kind)
}

func (p *parser) expression() (expression, error) {
	t := p.current
	e := expression{at: t.at}
	switch t.kind {
	case stringLiteral:
		e.literal = t.value
	case numberLiteral:
		e.literal = json.Number(plain(t.value))
	case booleanLiteral:
		e.literal = t.value == "true"
	case nullLiteral:
	case undefinedLiteral:
		e.absent = true
	case id, data:
		var err error
		e.path, err = p.path()
		if err == nil {
			e.at = e.path.at
		}
		return e, err
	default:
		return e, p.unexpected()
	}
	p.advance()
	return e, nil
}

// loopData are the names that begin with @.
var loopData = []string{"root", "index", "key", "first", "last"}

var mentionsThis = regexp.MustCompile(`^\.|this\b`)

// path reads a.b/c, this.a, ../a, [a b].c and @root.a.
func (p *parser) path() (*path, error) {
	made := &path{at: p.current.at}
	if p.current.kind == data {
		made.data, made.original = true, "@"
		p.advance()
	}
	for {
		t, err := p.expect(id)
		if err != nil {
			return nil, err
		}
		made.at.to = t.at.to
		made.original += t.value
		literal := p.text[t.at.from] == '['
		switch up := t.value == ".."; {
		case !literal && (up || t.value == "." || t.value == "this"):
			if len(made.parts) > 0 {
				return nil, p.problem(t.at, "syntax", "%s can only begin a path", t.value)
			}
			if up {
				made.depth++
			}
		case t.value == "":
			return nil, p.problem(t.at, "unknown-name", "a name is empty")
		default:
			made.parts = append(made.parts, t.value)
		}
		if p.current.kind != separator {
			break
		}
		made.original += p.advance().value
	}
	made.scoped = mentionsThis.MatchString(made.original)
	if made.data && (len(made.parts) == 0 || !slices.Contains(loopData, made.parts[0])) {
		return nil, p.problem(made.at, "unknown-name", "there is no %s", made.original).try("there are @%s", strings.Join(loopData, ", @"))
	}
	return made, nil
}

// name gives the name of a helper that a path may be; "" is: it is a path and nothing else.
func (p *path) name() string {
	if len(p.parts) != 1 || p.scoped || p.depth > 0 || p.data {
		return ""
	}
	return p.parts[0]
}
