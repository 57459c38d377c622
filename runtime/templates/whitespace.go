package templates

import "strings"

// whitespace takes away what ~ says, and the lines on which tags of blocks and comments stand alone. It does as
// WhitespaceControl of handlebars.js 4.7.10 does, step by step: the order of the steps is a part of what it does.
type whitespace struct{ rootSeen bool }

// stripped is what a tag says to its neighbourhood.
type stripped struct {
	strip
	openStandalone, closeStandalone, inlineStandalone bool
}

func (w *whitespace) program(p *program) {
	if p == nil {
		return
	}
	root := !w.rootSeen
	w.rootSeen = true
	for i, current := range p.body {
		s, some := w.node(current)
		if !some {
			continue
		}
		before, after := blankBefore(p.body, i, root), blankAfter(p.body, i, root)
		if s.close {
			omitAfter(p.body, i, true)
		}
		if s.open {
			omitBefore(p.body, i, true)
		}
		if s.inlineStandalone && before && after {
			omitAfter(p.body, i, false)
			omitBefore(p.body, i, false)
		}
		b, _ := current.(*block)
		if s.openStandalone && before {
			omitAfter(first(b.program, b.inverse).body, -1, false)
			omitBefore(p.body, i, false)
		}
		if s.closeStandalone && after {
			omitAfter(p.body, i, false)
			last := first(b.inverse, b.program).body
			omitBefore(last, len(last), false)
		}
	}
}

func (w *whitespace) node(n node) (stripped, bool) {
	switch n := n.(type) {
	case *block:
		return w.block(n), true
	case *mustache:
		return stripped{strip: n.strip}, true
	case *remark:
		return stripped{strip: n.strip, inlineStandalone: true}, true
	}
	return stripped{}, false
}

func first(a, b *program) *program {
	if a != nil {
		return a
	}
	return b
}

func (w *whitespace) block(b *block) stripped {
	w.program(b.program)
	w.program(b.inverse)

	p := first(b.program, b.inverse)
	var alternative *program
	if b.program != nil {
		alternative = b.inverse
	}
	firstInverse, lastInverse := alternative, alternative
	if alternative != nil && alternative.chained {
		firstInverse = alternative.body[0].(*block).program
		for lastInverse.chained {
			lastInverse = lastInverse.body[len(lastInverse.body)-1].(*block).program
		}
	}
	closed := first(firstInverse, p).body
	s := stripped{
		strip:           strip{open: b.openStrip.open, close: b.closeStrip.close},
		openStandalone:  blankAfter(p.body, -1, false),
		closeStandalone: blankBefore(closed, len(closed), false),
	}
	if b.openStrip.close {
		omitAfter(p.body, -1, true)
	}
	if alternative == nil {
		if b.closeStrip.open {
			omitBefore(p.body, len(p.body), true)
		}
		return s
	}
	if b.inverseStrip.open {
		omitBefore(p.body, len(p.body), true)
	}
	if b.inverseStrip.close {
		omitAfter(firstInverse.body, -1, true)
	}
	if b.closeStrip.open {
		omitBefore(lastInverse.body, len(lastInverse.body), true)
	}
	if blankBefore(p.body, len(p.body), false) && blankAfter(firstInverse.body, -1, false) { // an else that stands alone
		omitBefore(p.body, len(p.body), false)
		omitAfter(firstInverse.body, -1, false)
	}
	return s
}

// textAt gives the content at a position; there says whether anything is.
func textAt(body []node, i int) (t *text, there bool) {
	if i < 0 || i >= len(body) {
		return nil, false
	}
	t, _ = body[i].(*text)
	return t, true
}

// blankBefore tells whether there is nothing before a position but white space since the line began.
func blankBefore(body []node, i int, root bool) bool {
	t, there := textAt(body, i-1)
	switch {
	case !there:
		return root
	case t == nil:
		return false
	}
	blank := t.original[len(strings.TrimRightFunc(t.original, isSpace)):]
	return strings.Contains(blank, "\n") || root && i < 2 && blank == t.original
}

func blankAfter(body []node, i int, root bool) bool {
	t, there := textAt(body, i+1)
	switch {
	case !there:
		return root
	case t == nil:
		return false
	}
	blank := t.original[:len(t.original)-len(strings.TrimLeftFunc(t.original, isSpace))]
	return strings.Contains(blank, "\n") || root && i+2 >= len(body) && blank == t.original
}

// omitAfter takes white space from what is after a position: all, or the rest of the line.
func omitAfter(body []node, i int, all bool) {
	t, _ := textAt(body, i+1)
	if t == nil || !all && t.strippedLeft {
		return
	}
	before := t.value
	if all {
		t.value = strings.TrimLeftFunc(t.value, isSpace)
	} else {
		t.value = strings.TrimLeft(t.value, " \t")
		if cut, ok := strings.CutPrefix(t.value, "\r\n"); ok {
			t.value = cut
		} else if t.value, ok = strings.CutPrefix(t.value, "\n"); !ok {
			t.value = strings.TrimPrefix(t.value, "\r")
		}
	}
	t.strippedLeft = t.value != before
}

// omitBefore takes white space from what is before a position: all, or that of the line.
func omitBefore(body []node, i int, all bool) {
	t, _ := textAt(body, i-1)
	if t == nil || !all && t.strippedEnd {
		return
	}
	before := t.value
	if all {
		t.value = strings.TrimRightFunc(t.value, isSpace)
	} else {
		t.value = strings.TrimRight(t.value, " \t")
	}
	t.strippedEnd = t.value != before
}
