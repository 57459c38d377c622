package templates

import "slices"

// Path is where a template reads its data.
type Path struct {
	Parts  []string // from the top of the data
	Text   string   // as it is written
	Name   string   // of the template
	Line   int
	Column int
}

// Paths gives the paths that lead from the top of the data, in their order: within #with and #each those that climb out of them,
// and those that begin with @root.
func (t *Template) Paths() []Path {
	var all []Path
	t.paths(t.program, 0, &all)
	return all
}

func (t *Template) paths(p *program, depth int, all *[]Path) {
	if p == nil {
		return
	}
	for _, n := range p.body {
		switch n := n.(type) {
		case *mustache:
			if n.call.helper == nil {
				t.path(n.call.path, depth, all)
			}
			t.given(&n.call, depth, all)
		case *block:
			t.given(&n.call, depth, all)
			within := depth
			if n.name == "with" || n.name == "each" {
				within++
			}
			t.paths(n.program, within, all)
			t.paths(n.inverse, depth, all)
		}
	}
}

// given gives the paths of what a helper is given.
func (t *Template) given(c *call, depth int, all *[]Path) {
	for _, one := range c.params {
		t.path(one.path, depth, all)
	}
	for _, pair := range c.hash {
		t.path(pair.value.path, depth, all)
	}
}

func (t *Template) path(p *path, depth int, all *[]Path) {
	switch {
	case p == nil:
		return
	case p.data && len(p.parts) > 1 && p.parts[0] == "root":
		p = &path{at: p.at, original: p.original, parts: p.parts[1:]}
	case p.data, p.depth != depth, len(p.parts) == 0:
		return
	}
	at := t.problem(p.at, "path", "")
	*all = append(*all, Path{Parts: slices.Clone(p.parts), Text: p.original, Name: t.name, Line: at.Line, Column: at.Column})
}
