package plan

import (
	"fmt"
	"slices"
	"strings"

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
type measure struct {
	depth, introspection, aliases, fields int

	values int // bytes of values, each as often as there are levels of its own around it
}

func (m *measure) add(other measure) {
	m.depth = max(m.depth, other.depth)
	m.introspection = max(m.introspection, other.introspection)
	m.aliases = saturate(m.aliases + other.aliases)
	m.fields = saturate(m.fields + other.fields)
	m.values = saturate(m.values + other.values)
}

// saturate keeps sums of sums from overflowing.
func saturate(n int) int { return min(n, 1<<30) }

type measurer struct {
	fragments map[string]*ast.FragmentDefinition // the first one of each name, as validation has it
	known     map[*ast.FragmentDefinition]measure
	open      map[*ast.FragmentDefinition]bool // spread on the way here: a cycle, which validation will refuse
	names     map[string]int                   // how many fields have it in the text
	spreads   int                              // in the text
	inline    int                              // fragments without a name in the text
	arguments int                              // of the field that has the most
	longest   int                              // bytes of a field's name, or of one of an argument
	circles   int                              // spreads that led back to where they are
	problem   *gqlerror.Error                  // the first one of what has a fixed bound
}

// check refuses what is over a limit, and says how to judge whether the fields of the others can be merged.
func (l Limits) check(doc *ast.QueryDocument) (merging, *gqlerror.Error) {
	m := measurer{
		fragments: map[string]*ast.FragmentDefinition{}, known: map[*ast.FragmentDefinition]measure{},
		open: map[*ast.FragmentDefinition]bool{}, names: map[string]int{},
	}
	for _, f := range doc.Fragments {
		if m.fragments[f.Name] == nil {
			m.fragments[f.Name] = f
		}
	}
	var together, alone measure
	for _, f := range doc.Fragments {
		alone.add(m.fragment(f)) // validation reads each by itself, also those that nobody spreads
	}
	for _, op := range doc.Operations {
		got := m.selection(op.SelectionSet)
		got.values = saturate(got.values + m.directives(op.Directives))
		for _, v := range op.VariableDefinitions {
			got.values = saturate(got.values + m.value(v.DefaultValue, 0) + m.directives(v.Directives))
		}
		together.add(got)
		for _, bound := range []struct {
			what, key  string
			have, most int
		}{
			{"levels of fields", "depth", got.depth, l.Depth},
			{"levels of introspection", "introspection_depth", got.introspection, l.IntrospectionDepth},
			{"aliases", "aliases", got.aliases, l.Aliases},
			{"fields, fragments spread out", "expanded_fields", got.fields, l.Fields},
		} {
			if bound.have > bound.most {
				return unmerged, Problem(TooComplex, fmt.Sprintf("the operation has %d %s; at most %d are allowed ([graphql.limits] %s)", bound.have, bound.what, bound.most, bound.key), op.Position)
			}
		}
	}
	first := doc.Operations[0].Position
	if most := operationsTogether * l.Fields; together.fields > most {
		m.refuse(first, "the operations of the document have %d fields in all, fragments spread out; at most %d are allowed: send it without those that are not run", together.fields, most)
	}
	if text := len(first.Src.Input); together.values+alone.values > valuesTimes*text+valuesBeside {
		m.refuse(first, "the values in the document are too large to be judged as often as they are used: send them as variables")
	}
	return m.merging(len(doc.Operations) + len(doc.Fragments)), m.problem
}

// operationsTogether is how many times as many fields the operations of a document may have in all as one may: each is
// validated, with the fragments that it spreads.
const operationsTogether = 5

// The library judges a value once for each level of it, and again for each operation and fragment that leads to it.
const (
	valuesTimes  = 8       // times the text, whatever its size
	valuesBeside = 500_000 // bytes
)

// maxCircles is how many spreads may lead back to the fragment that they are in. One is invalid; validation tells each with
// the names of all fragments on the way.
const maxCircles = 10

// maxInputDepth is how many objects and lists may be inside each other in one value.
const maxInputDepth = 64

func (m *measurer) refuse(at *ast.Position, format string, args ...any) {
	if m.problem == nil {
		m.problem = Problem(TooComplex, fmt.Sprintf(format, args...), at)
	}
}

// merging chooses the way by what comparing each two fields, and each two spreads, could cost at most: all pairs that
// there are in the text, with all of their arguments, for each operation and fragment that may lead to them and each inline
// fragment around them, for which all fields are gathered as well.
func (m *measurer) merging(definitions int) merging {
	pairs, fields := m.spreads*m.spreads/2, 0
	for _, n := range m.names {
		pairs, fields = pairs+n*n/2, fields+n
	}
	cost := saturate(saturate(pairs)*(1+m.arguments*m.arguments)*(1+m.longest/64) + fields)
	switch {
	case cost*definitions*(1+m.inline) <= fewPairs:
		return pairwise
	case m.circles > 0:
		return unmerged
	}
	return grouped
}

// value looks for a value that is too deep, and gives what judging it takes.
func (m *measurer) value(v *ast.Value, depth int) (bytes int) {
	switch {
	case v == nil:
		return 0
	case depth > maxInputDepth:
		m.refuse(v.Position, "a value of the request has more than %d levels", maxInputDepth)
		return 0
	}
	bytes = (1 + len(v.Raw)) * (1 + depth)
	for _, child := range v.Children {
		bytes = saturate(bytes + len(child.Name)*(1+depth) + m.value(child.Value, depth+1))
	}
	return bytes
}

// directives looks at the values of directives.
func (m *measurer) directives(list ast.DirectiveList) (bytes int) {
	for _, d := range list {
		for _, a := range d.Arguments {
			bytes = saturate(bytes + m.value(a.Value, 0))
		}
	}
	return bytes
}

func (m *measurer) selection(set ast.SelectionSet) measure {
	var total measure
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			total.add(m.field(s))
		case *ast.InlineFragment:
			m.inline++
			total.add(measure{values: m.directives(s.Directives)})
			total.add(m.selection(s.SelectionSet))
		case *ast.FragmentSpread:
			m.spreads++
			total.add(measure{values: m.directives(s.Directives)})
			if f := m.fragments[s.Name]; f != nil {
				total.add(m.fragment(f))
			}
		}
	}
	return total
}

func (m *measurer) field(f *ast.Field) measure {
	m.names[f.Alias]++
	m.arguments, m.longest = max(m.arguments, len(f.Arguments)), max(m.longest, len(f.Alias), len(f.Name))
	one := m.selection(f.SelectionSet)
	for _, a := range f.Arguments {
		m.longest = max(m.longest, len(a.Name))
		one.values = saturate(one.values + m.value(a.Value, 0))
	}
	one.values = saturate(one.values + m.directives(f.Directives))
	if f.Alias != f.Name {
		one.aliases++
	}
	if f.Name == "__schema" || f.Name == "__type" {
		// All inside is introspection: it has a depth of its own, and no rows behind it.
		return measure{depth: 1, introspection: max(one.depth, one.introspection) + 1, aliases: one.aliases, fields: saturate(one.fields + 1), values: one.values}
	}
	one.depth++
	one.fields = saturate(one.fields + 1)
	return one
}

func (m *measurer) fragment(f *ast.FragmentDefinition) measure {
	if got, ok := m.known[f]; ok {
		return got
	}
	if m.open[f] {
		if m.circles++; m.circles > maxCircles {
			m.refuse(f.Position, "fragments of the document spread themselves in more than %d ways", maxCircles)
		}
		return measure{}
	}
	m.open[f] = true
	got := m.selection(f.SelectionSet)
	got.values = saturate(got.values + m.directives(f.Directives))
	delete(m.open, f)
	m.known[f] = got
	return got
}

// What filters and orders may ask, literal or by variables, which no limit of the document sees. The time
// PostgreSQL takes to plan a statement grows steeply with the tables in it. Together these bounds keep a statement
// far below the 65,535 parameters that PostgreSQL takes.
const (
	maxConditions = 1000 // conditions and keys of order in a request
	maxRelated    = 30   // relations that these lead through, in a request
	maxRelatives  = 100  // fields of a request that lead to other tables: each is a select inside another
	maxTogether   = 100  // root fields in one statement
)

// maxInputs is how many objects there may be in the filters and orders of variables. A condition may take several, and
// those that are too many are to be known as such before they are copied.
const maxInputs = 4 * maxConditions

// crowdedInput tells whether a value of a type has too many such objects; left is how many it may still have.
func crowdedInput(s *ast.Schema, t *ast.Type, value any, left *int) bool {
	switch value := value.(type) {
	case []any:
		if t.Elem == nil || s.Types[t.Name()].Kind != ast.InputObject {
			return false
		}
		return slices.ContainsFunc(value, func(item any) bool { return crowdedInput(s, t.Elem, item, left) })
	case map[string]any:
		definition := s.Types[t.Name()]
		if definition.Kind != ast.InputObject {
			return false
		}
		if definition.Fields.ForName("_or") != nil || strings.HasSuffix(definition.Name, "OrderBy") {
			*left--
		}
		for name, member := range value {
			if f := definition.Fields.ForName(name); f != nil && crowdedInput(s, f.Type, member, left) {
				return true
			}
		}
	}
	return *left < 0
}

// budget is what a request has left.
type budget struct{ conditions, related, relatives int }

func newBudget() *budget {
	return &budget{conditions: maxConditions, related: maxRelated, relatives: maxRelatives}
}

// relative is for a field that leads to another table.
func (b *budget) relative() *inputError {
	if b.relatives--; b.relatives < 0 {
		return tooComplex("the operation has more than %d fields that lead to other tables", maxRelatives)
	}
	return nil
}

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
