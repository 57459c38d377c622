package plan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// conflicts tells what one rule alone says of a document.
func conflicts(s *ast.Schema, doc *ast.QueryDocument, rule core.RuleFunc) (list gqlerror.List) {
	observers := &core.Events{}
	rule(observers, func(options ...core.ErrorOption) {
		e := &gqlerror.Error{}
		for _, option := range options {
			option(e)
		}
		list = append(list, e)
	})
	core.Walk(s, doc, observers)
	return list
}

const mergedSchema = `
	interface Pet { id: ID! name(full: Boolean, like: In): String friend: Pet tags: [String!] size: Int }
	input In { a: Int b: [Int] }
	type Cat implements Pet { id: ID! name(full: Boolean, like: In): String friend: Pet tags: [String!] size: Int cats: [Cat!]! colour: String weight: Int! any: Any }
	type Dog implements Pet { id: ID! name(full: Boolean, like: In): String friend: Pet tags: [String!] size: Int dogs: [Dog!]! colour: Colour weight: Float! any: Any }
	enum Colour { RED }
	union Any = Cat | Dog
	type Query { pet: Pet cat: Cat dog: Dog any: Any pets: [Pet!]! }`

// selections writes documents of fields and fragments as they come, most of them valid but for what is tested.
type selections struct {
	*rand.Rand
	text strings.Builder
}

var mergedFields = map[string][]string{
	"Query": {"pet/Pet", "cat/Cat", "dog/Dog", "any/Any", "pets/Pet"},
	"Pet":   {"id", "name", "name(full: true)", "name(like: {a: 1, b: [2]})", "name(like: {b: [2], a: 1})", "tags", "size", "friend/Pet", "__typename"},
	"Cat":   {"id", "name", "size", "colour", "weight", "cats/Cat", "friend/Pet", "any/Any", "missing"},
	"Dog":   {"id", "name", "size", "colour", "weight", "dogs/Dog", "friend/Pet", "any/Any"},
	"Any":   {"__typename"},
}

func (g *selections) set(of string, level, fragments int) {
	g.text.WriteString("{ ")
	for range 1 + g.IntN(4) {
		switch kind := g.IntN(10); {
		case kind < 6 || level > 4:
			name, inner, object := strings.Cut(mergedFields[of][g.IntN(len(mergedFields[of]))], "/")
			if g.IntN(3) == 0 {
				g.text.WriteString(string(rune('x'+g.IntN(2))) + ": ")
			}
			g.text.WriteString(name + " ")
			if object {
				g.set(inner, level+1, fragments)
			}
		case kind < 8 && of != "Query":
			on := []string{"Pet", "Cat", "Dog"}[g.IntN(3)]
			g.text.WriteString("... on " + on + " ")
			g.set(on, level+1, fragments)
		case kind == 8:
			g.text.WriteString("... ")
			g.set(of, level+1, fragments)
		case fragments > 0 && of != "Query":
			fmt.Fprintf(&g.text, "...f%d ", g.IntN(fragments))
		default:
			g.text.WriteString("__typename ")
		}
	}
	g.text.WriteString("} ")
}

// document has fragments that spread those before them only.
func (g *selections) document() string {
	g.text.Reset()
	fragments := g.IntN(4)
	for i := range fragments {
		on := []string{"Pet", "Cat", "Dog"}[g.IntN(3)]
		fmt.Fprintf(&g.text, "fragment f%d on %s ", i, on)
		g.set(on, 2, i)
	}
	for i := range 1 + g.IntN(2) {
		fmt.Fprintf(&g.text, "query q%d ", i)
		g.set("Query", 0, fragments)
	}
	if fragments > 0 {
		g.text.WriteString("query all { any { ")
		for i := range fragments {
			fmt.Fprintf(&g.text, "...f%d ", i)
		}
		g.text.WriteString("} }")
	}
	return g.text.String()
}

// TestMergingAsTheLibraryDoes compares the two rules, by random documents and by those of graphql-js' tests.
func TestMergingAsTheLibraryDoes(t *testing.T) {
	t.Parallel()
	pairwise, grouped := rules.OverlappingFieldsCanBeMergedRule.RuleFunc, mergeable
	compare := func(s *ast.Schema, text string) (conflict bool) {
		doc, err := parser.ParseQuery(&ast.Source{Input: text})
		if err != nil || len(conflicts(s, doc, usedFragments)) > 0 || len(conflicts(s, doc, rules.NoFragmentCyclesRule.RuleFunc)) > 0 {
			return false // it is invalid in any case
		}
		want, got := conflicts(s, doc, pairwise), conflicts(s, doc, grouped)
		if (len(want) > 0) != (len(got) > 0) {
			t.Errorf("%s\nthe library says %v, and we say %v", text, want, got)
		}
		return len(want) > 0
	}
	s := gqlparser.MustLoadSchema(&ast.Source{Input: mergedSchema})
	g, bad, n := &selections{Rand: rand.New(rand.NewPCG(7, 11))}, 0, 6_000
	for range n {
		if compare(s, g.document()) {
			bad++
		}
	}
	if bad < n/10 || bad > n*9/10 {
		t.Errorf("%d of %d documents have conflicts: that is no sample", bad, n)
	}
	var corpus struct {
		Schemas []string
		Cases   []struct {
			Query  string
			Schema int
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "validation", "corpus.json"))
	if err == nil {
		err = json.Unmarshal(text, &corpus)
	}
	if err != nil {
		t.Fatal(err)
	}
	bad = 0
	for _, c := range corpus.Cases {
		if compare(gqlparser.MustLoadSchema(&ast.Source{Input: corpus.Schemas[c.Schema]}), c.Query) {
			bad++
		}
	}
	if bad < 20 {
		t.Errorf("%d documents of the corpus have conflicts", bad)
	}
}
