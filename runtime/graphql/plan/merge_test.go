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
	if doc, err := parser.ParseQuery(&ast.Source{Input: "{ cat { x: weight x: name } }"}); err != nil || len(conflicts(s, doc, grouped)) != 1 {
		t.Errorf("other fields of other types are not told once: %v %v", conflicts(s, doc, grouped), err)
	}
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

// TestTheWayToJudge is that of the library for documents that people write, and ours where that would take long: what was
// measured to take seconds is not given to it.
func TestTheWayToJudge(t *testing.T) {
	t.Parallel()
	limits := Limits{Tokens: 2000, Depth: 12, IntrospectionDepth: 20, Aliases: 30, Fields: 5000}
	numbered := func(n int, text string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	within := func(n int, text string) string { return strings.Repeat("... { ", n) + text + strings.Repeat("} ", n) }
	for name, c := range map[string]struct {
		document string
		want     merging
	}{
		"a screen":                       {"query Screen($id: ID!) { node(id: $id) { ... on Order { id lines { id product { id name ...Price } } customer { id name } } } } fragment Price on Product { id price currency { id code } }", pairwise},
		"introspection":                  {introspection, pairwise},
		"equal fields":                   {"{ " + strings.Repeat("a ", 900) + "}", grouped},
		"equal fields, inline fragments": {"{ " + within(60, strings.Repeat("a ", 100)) + "}", grouped},
		"equal fields, operations":       {numbered(60, "query q# { ...f } ") + "fragment f on Q { " + strings.Repeat("a ", 100) + "}", grouped},
		"a circle of them":               {"{ ...f } fragment f on Q { ...f " + strings.Repeat("a ", 900) + "}", unmerged},
		"a small circle":                 {"{ ...f } fragment f on Q { ...f a }", pairwise},
		"the first of two":               {"{ ...f } fragment f on Q { " + strings.Repeat("a ", 900) + "} fragment f on Q { a }", grouped},
		"a circle in the first of two":   {"{ ...f } fragment f on Q { x { ...f } " + strings.Repeat("a ", 900) + "} fragment f on Q { a }", unmerged},
		"spreads":                        {"{ " + within(60, strings.Repeat("...f ", 100)) + "} fragment f on Q { a }", grouped},
		"names, inline fragments":        {"{ " + within(320, numbered(1000, "n# ")) + "}", grouped},
		"arguments":                      {"{ " + within(10, strings.Repeat("a("+numbered(40, "x#: 1 ")+") ", 20)) + "}", grouped},
		"long names":                     {"{ " + within(10, strings.Repeat("x { "+numbered(20, strings.Repeat("n", 5000)+"(a: #) ")+"} ", 2)) + "}", grouped},
		"long arguments":                 {"{ " + within(10, strings.Repeat("x { a("+strings.Repeat("n", 50_000)+": 1) } ", 12)) + "}", grouped},
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: c.document})
		if err != nil {
			t.Fatal(err)
		}
		if got, problem := limits.check(doc); got != c.want || problem != nil {
			t.Errorf("%s: %d, %v; want %d", name, got, problem, c.want)
		}
	}
}

// introspection is what tools ask.
const introspection = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } types { ...FullType } directives { name description locations args { ...InputValue } } } }
	fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
		inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
	fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
	fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }`

// TestMergingIsBounded has documents whose fields, fragments spread out, are more than anybody looks at, or have no end.
func TestMergingIsBounded(t *testing.T) {
	t.Parallel()
	s := gqlparser.MustLoadSchema(&ast.Source{Input: mergedSchema})
	var doubling strings.Builder
	for i := range 30 {
		fmt.Fprintf(&doubling, "fragment f%d on Pet { x: friend { ...f%d } y: friend { ...f%d } } ", i, i+1, i+1)
	}
	for name, text := range map[string]string{
		"doubling fragments":       "{ pet { ...f0 } } " + doubling.String() + "fragment f30 on Pet { id }",
		"a fragment in itself":     "{ pet { ...f } } fragment f on Pet { friend { ...f } }",
		"arguments, over and over": "{ pet { ...f0 } } " + strings.ReplaceAll(doubling.String(), "fragment f13 on", "fragment g on") + "fragment f13 on Pet { " + strings.Repeat("name("+strings.Repeat("full: true ", 100)+") ", 2) + "}",
		"values, over and over":    "{ pet { ...f0 } } " + strings.ReplaceAll(doubling.String(), "fragment f12 on", "fragment g on") + "fragment f12 on Pet { " + strings.Repeat("name(like: {b: ["+strings.Repeat("1 ", 200)+"]}) ", 2) + "}",
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: text})
		if err != nil {
			t.Fatal(err)
		}
		if list := conflicts(s, doc, mergeable); len(list) != 1 || !strings.Contains(list[0].Message, "are too many") {
			t.Errorf("%s: %v", name, list)
		}
	}
}
