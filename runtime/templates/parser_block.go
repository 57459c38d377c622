package templates

import (
	"slices"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

var blocks = []string{"if", "unless", "each", "with"}

// block reads from {{#if x}}, or from {{^if x}} whose content is for the other case, to {{/if}}.
func (p *parser) block() (node, error) {
	inverted := p.current.kind == openInverse
	b, err := p.opened()
	if err != nil {
		return nil, err
	}
	if b.program, err = p.inner(); err != nil {
		return nil, err
	}
	var rest *alternative
	if p.current.kind == inverse || p.current.kind == openInverseChain && !inverted {
		if rest, err = p.alternative(); err != nil {
			return nil, err
		}
	}
	if p.current.kind == end {
		return nil, p.problem(b.at, "syntax", "this block is not closed").try("write {{/%s}} where it ends", b.name)
	}
	opened, err := p.expect(openEndBlock)
	if err != nil {
		return nil, err
	}
	name, err := p.expression()
	if err != nil {
		return nil, err
	}
	closed, err := p.expect(closing)
	if err != nil {
		return nil, err
	}
	if said := p.said(name); said != b.name {
		return nil, p.problem(name.at, "syntax", "{{/%s}} closes {{#%s}}", said, b.name).try("write {{/%s}}", b.name)
	}
	b.at.to = closed.at.to
	b.closeStrip = strip{p.stripsBefore(opened), p.stripsAfter(closed)}
	p.join(b, rest)
	if rest != nil && rest.chain {
		rest.program.body[0].(*block).closeStrip = b.closeStrip
	}
	if inverted {
		b.program, b.inverse = b.inverse, b.program
	}
	return b, nil
}

// said is how the name of a block is written, which has to be the same at both of its ends.
func (p *parser) said(e expression) string {
	if e.path != nil {
		return e.path.original
	}
	if s, ok := e.literal.(string); ok {
		return s
	}
	return p.text[e.at.from:e.at.to]
}

func (p *parser) inner() (*program, error) {
	p.depth++
	defer func() { p.depth-- }()
	return p.program()
}

// alternative is what an {{else}} or an {{else if x}} begins.
type alternative struct {
	strip   strip
	program *program
	chain   bool
}

func (p *parser) alternative() (*alternative, error) {
	if t := p.current; t.kind == inverse {
		p.advance()
		made, err := p.inner()
		return &alternative{strip: strip{p.stripsBefore(t), p.stripsAfter(t)}, program: made}, err
	}
	p.depth++
	defer func() { p.depth-- }()
	b, err := p.opened()
	if err != nil {
		return nil, err
	}
	if b.program, err = p.inner(); err != nil {
		return nil, err
	}
	if p.current.kind == inverse || p.current.kind == openInverseChain {
		rest, err := p.alternative()
		if err != nil {
			return nil, err
		}
		p.join(b, rest)
		b.closeStrip = rest.strip
		if rest.chain {
			rest.program.body[0].(*block).closeStrip = rest.strip
		}
	}
	return &alternative{strip: b.openStrip, program: &program{body: []node{b}, chained: true}, chain: true}, nil
}

func (p *parser) join(b *block, rest *alternative) {
	if rest != nil {
		b.inverse, b.inverseStrip = rest.program, rest.strip
	}
}

// opened reads the tag that begins a block.
func (p *parser) opened() (*block, error) {
	begun := p.advance()
	c, err := p.call()
	if err != nil {
		return nil, err
	}
	closed, err := p.expect(closing)
	if err != nil {
		return nil, err
	}
	b := &block{at: span{begun.at.from, closed.at.to}, name: c.path.original, call: c}
	b.openStrip = strip{p.stripsBefore(begun), p.stripsAfter(closed)}
	name := c.path.name()
	switch {
	case !slices.Contains(blocks, name):
		return nil, p.problem(c.at, "not-yet", "{{#%s}} is none of the blocks that there are; others are not built yet", b.name).
			try("%s", diag.DidYouMean(name, blocks, "there are #if, #unless, #each and #with; to go into a list or an object write #each or #with"))
	case len(c.params) != 1:
		return nil, p.problem(c.at, "arguments", "#%s takes one value", name)
	}
	for _, pair := range c.hash {
		if pair.key != "includeZero" || name == "each" || name == "with" {
			return nil, p.problem(pair.at, "arguments", "#%s takes no %s", name, pair.key)
		}
	}
	return b, nil
}

// resolve finds the helper that a tag calls, and judges what it gives it.
func (p *parser) resolve(c *call) error {
	name := c.path.name()
	if len(c.params) == 0 && len(c.hash) == 0 {
		if slices.Contains(blocks, name) || name == "lookup" || name == "log" {
			return p.problem(c.at, "arguments", "%s is a helper, and is given nothing", name).try("for a member of that name write {{this.%s}}", name)
		}
		return nil
	}
	h, known := helpers[name]
	switch {
	case slices.Contains(blocks, name):
		return p.problem(c.at, "syntax", "%s is a block", name).try("write {{#%s …}} … {{/%s}}", name, name)
	case !known:
		return p.problem(c.at, "not-yet", "there is no helper %q, and helpers of one's own are not built yet", c.path.original).try("%s", diag.DidYouMean(name, helperNames(), "a name with a space in it is written [in brackets]"))
	case len(c.params) < h.least || len(c.params) > h.most:
		return p.problem(c.at, "arguments", "%s is %s", name, h.usage)
	}
	for _, pair := range c.hash {
		if !slices.Contains(h.keys, pair.key) {
			return p.problem(pair.at, "arguments", "%s takes no %s", name, pair.key).try("%s is %s", name, h.usage)
		}
	}
	c.helper = h
	if h.judge != nil {
		return h.judge(p, c)
	}
	return nil
}
