package plan

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// TestLeafValues has values that no input object takes, in each place where a document may have one; what is wanted is what
// graphql-js says.
func TestLeafValues(t *testing.T) {
	t.Parallel()
	s := gqlparser.MustLoadSchema(&ast.Source{Input: `
		scalar JSON
		enum Colour { RED }
		input In { n: Int colours: [Colour] json: JSON inner: In }
		type Query { of(n: Int, ns: [Int!], f: Float, s: String, b: Boolean, id: ID, colour: Colour, json: JSON, in: In): Int }`})
	for query, want := range map[string]string{
		`{ of(n: {}) }`:       "Int cannot represent non-integer value: {}",
		`{ of(ns: [1, {}]) }`: "Int cannot represent non-integer value: {}",
		`{ of(ns: {}) }`:      "Int cannot represent non-integer value: {}",
		`{ of(f: {}) }`:       "Float cannot represent non numeric value: {}",
		`{ of(s: {}) }`:       "String cannot represent a non string value: {}",
		`{ of(b: {}) }`:       "Boolean cannot represent a non boolean value: {}",
		`{ of(id: {}) }`:      "ID cannot represent a non-string and non-integer value: {}",
		`{ of(colour: {}) }`:  `Enum "Colour" cannot represent non-enum value: {}.`,
		`{ of(in: {n: {}}) }`: "Int cannot represent non-integer value: {}",
		`{ of(in: {inner: {colours: [RED, {}]}}) }`:                                     `Enum "Colour" cannot represent non-enum value: {}.`,
		`{ of @include(if: {}) }`:                                                       "Boolean cannot represent a non boolean value: {}",
		`{ of ... @skip(if: {}) { of } }`:                                               "Boolean cannot represent a non boolean value: {}",
		`{ __type(name: {}) { name } }`:                                                 "String cannot represent a non string value: {}",
		`{ __type(name: "In") { fields(includeDeprecated: {}) { name } } }`:             "Boolean cannot represent a non boolean value: {}",
		`query($n: Int = {}) { of(n: $n) }`:                                             "Int cannot represent non-integer value: {}",
		`{ of(n: 2147483648) }`:                                                         "Int cannot represent non 32-bit signed integer value: 2147483648",
		`{ of(n: -2147483649) }`:                                                        "Int cannot represent non 32-bit signed integer value: -2147483649",
		`{ of(n: 99999999999999999999) }`:                                               "Int cannot represent non 32-bit signed integer value: 99999999999999999999",
		`{ of(n: 2147483647, f: 99999999999, id: 9999999999, json: {n: 99999999999}) }`: "",
		`{ of(in: {json: {}, inner: {}}, json: {}, n: null, ns: 1) }`:                   "",
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: query})
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range []merging{pairwise, grouped} {
			list := validate(s, doc, way, true)
			if want == "" && len(list) == 0 || len(list) == 1 && list[0].Message == want && len(list[0].Locations) == 1 {
				continue
			}
			t.Errorf("%s\ngot  %v\nwant %q", query, list, want)
		}
	}
}

// TestValuesThatAreTooDeep has one in each place where a document may have a value.
func TestValuesThatAreTooDeep(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", maxInputDepth+2) + strings.Repeat("]", maxInputDepth+2)
	limits := Limits{Tokens: 2000, Depth: 12, IntrospectionDepth: 20, Aliases: 30, Fields: 5000}
	for _, text := range []string{
		`{ a(x: #) }`,
		`{ a { b(x: {y: #}) } }`,
		`{ a @x(y: #) }`,
		`query @x(y: #) { a }`,
		`query($v: Int = #) { a }`,
		`query($v: Int @x(y: #)) { a }`,
		`{ ... @x(y: #) { a } }`,
		`{ ...f @x(y: #) } fragment f on Q { a }`,
		`{ ...f } fragment f on Q @x(y: #) { a }`,
		`{ ...f } fragment f on Q { a(x: #) }`,
	} {
		for value, want := range map[string]bool{deep: true, deep[2 : len(deep)-2]: false} {
			doc, err := parser.ParseQuery(&ast.Source{Input: strings.ReplaceAll(text, "#", value)})
			if err != nil {
				t.Fatal(err)
			}
			if _, problem := limits.check(doc); (problem != nil) != want || want && !strings.Contains(problem.Message, "levels") {
				t.Errorf("%s: %d levels: %v", text, len(value)/2, problem)
			}
		}
	}
}
