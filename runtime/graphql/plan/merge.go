package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// merging is how a document is judged by section 5.3.2 of the specification, "Field Selection Merging".
type merging uint8

const (
	// pairwise is the library's rule, which compares each two fields of a name, as graphql-js does: again for each inline
	// fragment around them, and for each operation and fragment that leads to them. What it says is exact to the field.
	pairwise merging = iota
	// grouped is ours, whose time grows with the fields that there are when fragments are spread out.
	grouped
	// unmerged is for fragments that spread themselves, which another rule refuses: their fields have no end.
	unmerged
)

const (
	// fewPairs is how many comparisons the library's rule may make: some ten milliseconds of them.
	fewPairs = 100_000
	// mostMerged is how many selections are looked at in all, fragments spread out.
	mostMerged = 500_000
)

// mergeable is the rule of documents that are too large to compare each field with each. Of the fields that have one
// name in an answer, each is compared with the first, for being the same field with the same arguments is of the kind
// that a third shares with both; then what is below all of them is looked at as one. Fragments are looked at where they
// are spread: those that are spread nowhere are refused because of that.
func mergeable(observers *core.Events, add core.AddErrFunc) {
	m := &merger{add: add, left: mostMerged}
	observers.OnOperation(func(w *core.Walker, op *ast.OperationDefinition) { // the walk has found the types of its fields
		if m.left < 0 {
			return
		}
		m.schema, m.found = w.Schema, false
		m.same([]ast.SelectionSet{op.SelectionSet})
		if !m.found {
			m.alike([]ast.SelectionSet{op.SelectionSet})
		}
		if m.left < 0 {
			add(core.Message("The fields of the document, fragments spread out, are too many to tell whether they can be merged."), core.At(op.Position))
		}
	})
}

type merger struct {
	schema *ast.Schema
	add    core.AddErrFunc
	left   int // selections that may still be looked at
	depth  int
	found  bool
}

// mostLevels is how many levels of fields there may be: far more than operations have, which were measured.
const mostLevels = 500

// same is what fields that may be of one object must be: the same field with the same arguments (FieldsInSetCanMerge).
func (m *merger) same(sets []ast.SelectionSet) {
	for _, fields := range m.collect(sets) {
		for _, of := range ofOneObject(fields) {
			first := of[0]
			for _, f := range of[1:] {
				switch {
				case f.Name != first.Name:
					m.conflict(f, fmt.Sprintf(`"%s" and "%s" are different fields`, first.Name, f.Name))
				case !m.sameArguments(first.Arguments, f.Arguments):
					m.conflict(f, "they have differing arguments")
				}
			}
			m.below(of, m.same)
		}
	}
}

// alike is what all fields of a name must be, also those of different objects: of one shape (SameResponseShape).
func (m *merger) alike(sets []ast.SelectionSet) {
	for _, fields := range m.collect(sets) {
		known := slices.IndexFunc(fields, func(f *ast.Field) bool { return f.Definition != nil })
		for i := known + 1; known >= 0 && i < len(fields); i++ {
			if a, b := fields[known].Definition, fields[i].Definition; b != nil && !m.oneShape(a.Type, b.Type) {
				m.conflict(fields[i], fmt.Sprintf(`they return conflicting types "%s" and "%s"`, a.Type, b.Type))
			}
		}
		m.below(fields, m.alike)
	}
}

// below goes on with what is selected of fields.
func (m *merger) below(fields []*ast.Field, judge func([]ast.SelectionSet)) {
	var sets []ast.SelectionSet
	for _, f := range fields {
		if len(f.SelectionSet) > 0 {
			sets = append(sets, f.SelectionSet)
		}
	}
	if sets == nil {
		return
	}
	if m.depth++; m.depth > mostLevels {
		m.left = -1
	}
	judge(sets)
	m.depth--
}

func (m *merger) conflict(at *ast.Field, why string) {
	m.found = true
	m.add(core.Message(`Fields "%s" conflict because %s. Use different aliases on the fields to fetch both if this was intentional.`, at.Alias, why), core.At(at.Position))
}

// collect gives the fields of selection sets by their names in the answer, in the order of the text (CollectFields). What
// is on no type has an error of its own.
func (m *merger) collect(sets []ast.SelectionSet) [][]*ast.Field {
	var named [][]*ast.Field
	at := map[string]int{}
	spread := map[*ast.FragmentDefinition]bool{}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			if m.left--; m.left < 0 {
				return
			}
			switch s := s.(type) {
			case *ast.Field:
				if s.ObjectDefinition == nil {
					continue
				}
				i, known := at[s.Alias]
				if !known {
					i = len(named)
					at[s.Alias] = i
					named = append(named, nil)
				}
				named[i] = append(named[i], s)
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				if s.Definition != nil && !spread[s.Definition] {
					spread[s.Definition] = true
					walk(s.Definition.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		walk(set)
	}
	return named
}

// ofOneObject gives those of fields that may be selected of one object: what is on an object type with what is on it
// or on no object type, for each of these types. A field that its type does not have has an error of its own, and may be of any.
func ofOneObject(fields []*ast.Field) [][]*ast.Field {
	var anywhere []*ast.Field
	var objects []string
	of := map[string][]*ast.Field{}
	for _, f := range fields {
		parent := f.ObjectDefinition
		if parent.Kind != ast.Object || f.Definition == nil {
			anywhere = append(anywhere, f)
			continue
		}
		if of[parent.Name] == nil {
			objects = append(objects, parent.Name)
		}
		of[parent.Name] = append(of[parent.Name], f)
	}
	if objects == nil {
		return [][]*ast.Field{anywhere}
	}
	var all [][]*ast.Field
	for _, name := range objects {
		all = append(all, append(of[name], anywhere...))
	}
	return all
}

// oneShape tells whether values of two types look alike in an answer; what is below objects is looked at apart.
func (m *merger) oneShape(a, b *ast.Type) bool {
	for ; a.Elem != nil && b.Elem != nil; a, b = a.Elem, b.Elem {
		if a.NonNull != b.NonNull {
			return false
		}
	}
	if a.Elem != nil || b.Elem != nil || a.NonNull != b.NonNull {
		return false
	}
	x, y := m.schema.Types[a.NamedType], m.schema.Types[b.NamedType]
	return x == y || x.IsCompositeType() && y.IsCompositeType()
}

func (m *merger) sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	m.left -= len(a)
	named := make(map[string]*ast.Value, len(b))
	for _, y := range b {
		named[y.Name] = y.Value
	}
	for _, x := range a {
		if y := named[x.Name]; y == nil || !m.sameValue(x.Value, y) {
			return false
		}
	}
	return true
}

// sameValue compares as they are written; members of an object may be in any order.
func (m *merger) sameValue(a, b *ast.Value) bool {
	if m.left -= len(a.Children); m.left < 0 {
		return true // which is told of in any case
	}
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Children) != len(b.Children) {
		return false
	}
	one, other := a.Children, b.Children
	if a.Kind == ast.ObjectValue {
		one, other = byName(one), byName(other)
	}
	for i := range one {
		if one[i].Name != other[i].Name || !m.sameValue(one[i].Value, other[i].Value) {
			return false
		}
	}
	return true
}

func byName(members ast.ChildValueList) ast.ChildValueList {
	sorted := slices.Clone(members)
	slices.SortStableFunc(sorted, func(a, b *ast.ChildValue) int { return strings.Compare(a.Name, b.Name) })
	return sorted
}
