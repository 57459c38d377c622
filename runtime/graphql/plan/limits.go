package plan

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Limits bound what a document may ask before anything is spent on it.
type Limits struct {
	Tokens  int // words and signs of the text
	Depth   int // levels of fields
	Aliases int // fields that are given another name
	Fields  int // fields after fragments are spread out

	IntrospectionDepth int // levels inside __schema and __type, which standard clients nest deep
}

// measure is what a selection costs. Fragments are measured once and then added wherever they are
// spread, so that doubling fragments cost nothing to judge.
type measure struct{ depth, introspection, aliases, fields int }

func (m *measure) add(other measure) {
	m.depth = max(m.depth, other.depth)
	m.introspection = max(m.introspection, other.introspection)
	m.aliases = saturate(m.aliases + other.aliases)
	m.fields = saturate(m.fields + other.fields)
}

// saturate keeps sums of sums from overflowing.
func saturate(n int) int { return min(n, 1<<30) }

type measurer struct {
	fragments map[string]*ast.FragmentDefinition
	known     map[string]measure
	open      map[string]bool // spread on the way here: a cycle, which validation will refuse
}

func (l Limits) check(doc *ast.QueryDocument) *gqlerror.Error {
	m := measurer{fragments: map[string]*ast.FragmentDefinition{}, known: map[string]measure{}, open: map[string]bool{}}
	for _, f := range doc.Fragments {
		m.fragments[f.Name] = f
	}
	for _, op := range doc.Operations {
		got := m.selection(op.SelectionSet)
		for _, bound := range []struct {
			what       string
			have, most int
		}{
			{"levels of fields", got.depth, l.Depth},
			{"levels of introspection", got.introspection, l.IntrospectionDepth},
			{"aliases", got.aliases, l.Aliases},
			{"fields, fragments spread out", got.fields, l.Fields},
		} {
			if bound.have > bound.most {
				return Problem(TooComplex, fmt.Sprintf("the operation has %d %s; at most %d are allowed", bound.have, bound.what, bound.most), op.Position)
			}
		}
	}
	return nil
}

func (m *measurer) selection(set ast.SelectionSet) measure {
	var total measure
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			total.add(m.field(s))
		case *ast.InlineFragment:
			total.add(m.selection(s.SelectionSet))
		case *ast.FragmentSpread:
			total.add(m.fragment(s.Name))
		}
	}
	return total
}

func (m *measurer) field(f *ast.Field) measure {
	one := m.selection(f.SelectionSet)
	if f.Name == "__schema" || f.Name == "__type" {
		// All inside is introspection: it has a depth of its own, and no rows behind it.
		return measure{depth: 1, introspection: max(one.depth, one.introspection) + 1, aliases: one.aliases, fields: saturate(one.fields + 1)}
	}
	one.depth++
	one.fields = saturate(one.fields + 1)
	if f.Alias != f.Name {
		one.aliases++
	}
	return one
}

func (m *measurer) fragment(name string) measure {
	if got, ok := m.known[name]; ok {
		return got
	}
	f := m.fragments[name]
	if f == nil || m.open[name] {
		return measure{}
	}
	m.open[name] = true
	got := m.selection(f.SelectionSet)
	delete(m.open, name)
	m.known[name] = got
	return got
}

// What filters and orders may ask, literal or by variables, which no limit of the document sees. The time
// PostgreSQL takes to plan a statement grows steeply with the tables in it.
const (
	maxInputDepth = 64   // objects and lists inside each other in one value
	maxConditions = 1000 // conditions and keys of order in a request
	maxRelated    = 30   // relations that these lead through, in a request
	maxParameters = 1<<16 - 1
)

// budget is what the filters and orders of a request have left.
type budget struct{ conditions, related int }

func newBudget() *budget { return &budget{conditions: maxConditions, related: maxRelated} }

func (b *budget) condition() *inputError {
	if b.conditions--; b.conditions < 0 {
		return tooComplex("the filters and orders of the request have more than %d conditions and keys", maxConditions)
	}
	return nil
}

func (b *budget) relation() *inputError {
	if b.related--; b.related < 0 {
		return tooComplex("the filters and orders of the request lead through more than %d relations", maxRelated)
	}
	return nil
}
