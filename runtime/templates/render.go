package templates

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// renderer is one rendering.
type renderer struct {
	*Template
	out   strings.Builder
	steps int
	root  any

	values []span // of an Address: where values are in out

	raw map[*byte]any // what has been decoded, so that a value stays the same one
}

// scope is where a part is rendered: this, and the contexts around it that ../ leads to.
type scope struct {
	this   any
	depths *chain
}

// chain are contexts from the innermost on. The innermost is this, or what this was made of.
type chain struct {
	value any
	outer *chain
}

// frame is what a loop says of itself: @index and the others.
type frame struct {
	key         any
	index       int
	first, last bool
	outer       *frame
}

// nobody is this where a context is null and a block has been entered, which JavaScript needs and so prints.
var nobody = map[string]any{}

// Render makes the text of a template with data: nil, bool, string, json.Number, json.RawMessage, and []any and
// map[string]any of those. Of what can go wrong an *Error tells the place.
func (t *Template) Render(data any) (string, error) {
	r := &renderer{Template: t}
	root, err := r.settle(span{}, data)
	if err != nil {
		return "", err
	}
	r.root = root
	if err := r.run(t.program, scope{root, &chain{value: root}}, nil); err != nil {
		return "", err
	}
	made := r.out.String()
	if t.options.Escape == Address {
		made = mailboxes(made, r.values)
	}
	return made, t.finished(made)
}

func (r *renderer) step(at span) error {
	if r.steps++; r.steps > r.options.Steps {
		return r.problem(at, "too-large", "rendering takes more than %d steps", r.options.Steps)
	}
	return nil
}

// settle decodes a value if it is JSON, and refuses what is no data.
func (r *renderer) settle(at span, v any) (any, error) {
	switch v := v.(type) {
	case nil, undefined, bool, string, json.Number, []any, map[string]any:
		return v, nil
	case json.RawMessage:
		if len(v) == 0 {
			return nil, nil
		}
		if known, ok := r.raw[&v[0]]; ok {
			return known, nil
		}
		var decoded any
		d := json.NewDecoder(bytes.NewReader(v))
		d.UseNumber()
		if err := d.Decode(&decoded); err != nil || d.More() {
			return nil, r.problem(at, "data", "a value that is said to be JSON is none")
		}
		if r.raw == nil {
			r.raw = map[*byte]any{}
		}
		r.raw[&v[0]] = decoded
		return decoded, nil
	}
	return nil, r.problem(at, "data", "a value is of a type that templates do not look into: %T", v)
}

func (r *renderer) run(p *program, s scope, f *frame) error {
	if p == nil {
		return nil
	}
	for _, n := range p.body {
		if err := r.step(n.place()); err != nil {
			return err
		}
		var err error
		switch n := n.(type) {
		case *text:
			err = r.write(n.at, n.value)
		case *mustache:
			err = r.mustache(n, s, f)
		case *block:
			err = r.block(n, s, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *renderer) write(at span, s string) error {
	if r.out.Len()+len(s) > r.options.Output {
		return r.problem(at, "too-large", "the text has more than %d bytes", r.options.Output)
	}
	r.out.WriteString(s)
	return nil
}

// find follows a path.
func (r *renderer) find(p *path, s scope, f *frame) (any, error) {
	v, parts := s.this, p.parts
	switch {
	case p.data:
		for range p.depth {
			if f != nil {
				f = f.outer
			}
		}
		v, parts = r.loop(f, parts[0]), parts[1:]
	case p.depth > 0:
		c := s.depths
		for range p.depth {
			if c != nil {
				c = c.outer
			}
		}
		if c == nil {
			return undefined{}, nil
		}
		v = c.value
	}
	for _, name := range parts {
		var err error
		if v, err = r.settle(p.at, member(v, name)); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (r *renderer) loop(f *frame, name string) any {
	switch {
	case name == "root":
		return r.root
	case f == nil:
		return undefined{}
	case name == "index":
		return json.Number(strconv.Itoa(f.index))
	case name == "key":
		return f.key
	case name == "first":
		return f.first
	default:
		return f.last
	}
}

func (r *renderer) evaluate(e expression, s scope, f *frame) (any, error) {
	switch {
	case e.path != nil:
		return r.find(e.path, s, f)
	case e.absent:
		return undefined{}, nil
	}
	return e.literal, nil
}

// enter makes a value the context.
func (s scope) enter(v any) scope {
	if same(v, s.depths.value) {
		return scope{v, s.depths}
	}
	return scope{v, &chain{v, s.depths}}
}

// stay is the scope of a block that does not change the context.
func (s scope) stay() scope {
	if s.this != nil {
		return s
	}
	if s.depths.value == nil {
		return scope{nobody, s.depths}
	}
	return scope{nobody, &chain{nobody, s.depths}}
}

func (r *renderer) block(b *block, s scope, f *frame) error {
	v, err := r.evaluate(b.call.params[0], s, f)
	if err != nil {
		return err
	}
	switch b.name {
	case "each":
		return r.each(b, v, s, f)
	case "with":
		if isEmpty(v) {
			return r.run(b.inverse, s.stay(), f)
		}
		return r.run(b.program, s.enter(v), f)
	}
	zero := false // includeZero
	for _, pair := range b.call.hash {
		given, err := r.evaluate(pair.value, s, f)
		if err != nil {
			return err
		}
		zero = !isFalse(given)
	}
	chosen, otherwise := b.program, b.inverse
	if b.name == "unless" {
		chosen, otherwise = otherwise, chosen
	}
	if !zero && isFalse(v) || isEmpty(v) {
		chosen = otherwise
	}
	return r.run(chosen, s.stay(), f)
}

// each goes through a list, or through the members of an object in the order of their names: a map has none of its own.
func (r *renderer) each(b *block, v any, s scope, outer *frame) error {
	f := &frame{outer: outer}
	do := func(key any, index, count int, element any) error {
		if err := r.step(b.at); err != nil {
			return err
		}
		element, err := r.settle(b.at, element)
		if err != nil {
			return err
		}
		f.key, f.index, f.first, f.last = key, index, index == 0, index == count-1
		return r.run(b.program, s.enter(element), f)
	}
	count := 0
	switch v := v.(type) {
	case []any:
		count = len(v)
		for i, element := range v {
			if err := do(json.Number(strconv.Itoa(i)), i, count, element); err != nil {
				return err
			}
		}
	case map[string]any:
		count = len(v)
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if err := do(key, i, count, v[key]); err != nil {
				return err
			}
		}
	}
	if count == 0 {
		return r.run(b.inverse, s.stay(), outer)
	}
	return nil
}
