package graphql

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// corpus is testdata/validation/corpus.json, which test/clients/corpus.mjs makes of graphql-js' own tests.
type corpus struct {
	Schemas []string
	Cases   []struct {
		Name   string
		Schema int
		Query  string
		Errors []string // what graphql-js says
	}
}

const (
	noSuchOperations = "the edition of 2025 refuses an operation whose kind the schema has no type for; graphql-js 16 looks at its fields only where there is one"
	notExecutable    = "definitions of types are no syntax of a request here, and the parser stops at the first"
	onScalars        = "a field below a scalar is said to be unknown, beside the error that the scalar has none"
	ofNothing        = "two fields of one name are compared although one of them is not there, which is an error of its own"
)

// accepted are the documents of the corpus that are valid for one side only, and why.
var accepted = map[string]string{
	"SingleFieldSubscriptionsRule/skips if not subscription type":    noSuchOperations,
	"KnownRootTypeRule/Valid root type but not in schema":            noSuchOperations,
	"KnownRootTypeRule/Valid root type but schema is entirely empty": noSuchOperations,
}

// worded are the invalid ones for which the two sides say other things, and why.
var worded = map[string]string{
	"ExecutableDefinitionsRule/with type definition":                                                                                notExecutable,
	"ExecutableDefinitionsRule/with schema definition":                                                                              notExecutable,
	"UniqueDirectivesPerLocationRule/unknown directives must be ignored":                                                            notExecutable,
	"KnownDirectivesRule/with well placed directives":                                                                               noSuchOperations,
	"KnownDirectivesRule/with misplaced directives":                                                                                 noSuchOperations,
	"LoneAnonymousOperationRule/anon operation with a mutation":                                                                     noSuchOperations,
	"LoneAnonymousOperationRule/anon operation with a subscription":                                                                 noSuchOperations,
	"UniqueOperationNamesRule/multiple operations of different types":                                                               noSuchOperations,
	"UniqueOperationNamesRule/multiple ops of same name of different types (mutation)":                                              noSuchOperations,
	"UniqueOperationNamesRule/multiple ops of same name of different types (subscription)":                                          noSuchOperations,
	"FragmentsOnCompositeTypesRule/scalar is invalid fragment type":                                                                 onScalars,
	"FragmentsOnCompositeTypesRule/enum is invalid fragment type":                                                                   onScalars,
	"FragmentsOnCompositeTypesRule/scalar is invalid inline fragment type":                                                          onScalars,
	"PossibleFragmentSpreadsRule/ignores incorrect type (caught by FragmentsOnCompositeTypesRule)":                                  onScalars,
	"ScalarLeafsRule/scalar selection not allowed on Boolean":                                                                       onScalars,
	"ScalarLeafsRule/scalar selection not allowed on Enum":                                                                          onScalars,
	"ScalarLeafsRule/scalar selection not allowed with args":                                                                        onScalars,
	"ScalarLeafsRule/Scalar selection not allowed with directives":                                                                  onScalars,
	"ScalarLeafsRule/Scalar selection not allowed with directives and args":                                                         onScalars,
	"OverlappingFieldsCanBeMergedRule/reports deep conflict after nested fragments":                                                 ofNothing,
	"OverlappingFieldsCanBeMergedRule/finds invalid cases even with field named after fragment":                                     ofNothing,
	"OverlappingFieldsCanBeMergedRule/return types must be unambiguous/reports correctly when a non-exclusive follows an exclusive": "what may have been meant is told in another order",
	"UniqueArgumentNamesRule/duplicate field arguments":                                                                             "an unknown argument is told once for a field, whose place it has",
	"UniqueArgumentNamesRule/many duplicate field arguments":                                                                        "an unknown argument is told once for a field, whose place it has",
	"EmptyParens/Empty variables list":                                                                                              "the parsers word the same mistake in their own ways",
	"EmptyParens/Empty arguments list":                                                                                              "the parsers word the same mistake in their own ways",
	"KnownTypeNamesRule/references to standard scalars that are missing in schema":                                                  "the standard scalars are in every schema here",
}

// validated serves a schema that no database has: documents are read and judged as those of clients are, and a valid one
// is answered with nothing.
func validated(t *testing.T, sdl string) http.Handler {
	t.Helper()
	loaded, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	s, limits := &schema.Schema{AST: loaded}, DefaultConfig().planLimits()
	return &transport.Handler{BodyLimit: 256 << 10, Execute: func(_ context.Context, r transport.Request) transport.Response {
		if _, list := plan.Parse(s, r.Query, limits, true); list != nil {
			return transport.Response{Result: execute.Result{Errors: list}}
		}
		return transport.Response{Result: execute.Result{Data: []byte("{}")}}
	}}
}

// verdict sends a document and gives the errors, in the order of their texts.
func verdict(t *testing.T, h http.Handler, query string) []string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var got struct {
		Data   *struct{}
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || (got.Data == nil) != (len(got.Errors) > 0) || (w.Code == http.StatusOK) != (got.Data != nil) {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
	var messages []string
	for _, e := range got.Errors {
		messages = append(messages, e.Message)
	}
	slices.Sort(messages)
	return messages
}

// TestValidationCorpus compares with graphql-js, by the documents of its own tests: what is valid, and what is said of
// those that are not.
func TestValidationCorpus(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "validation", "corpus.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c corpus
	if err := json.Unmarshal(text, &c); err != nil || len(c.Cases) < 450 {
		t.Fatalf("%d documents, %v", len(c.Cases), err)
	}
	handlers := make([]http.Handler, len(c.Schemas))
	for i, sdl := range c.Schemas {
		handlers[i] = validated(t, sdl)
	}
	otherwise, otherWords := 0, 0
	for _, d := range c.Cases {
		slices.Sort(d.Errors)
		got := verdict(t, handlers[d.Schema], d.Query)
		agrees, same := (len(got) == 0) == (len(d.Errors) == 0), slices.Equal(got, d.Errors)
		if !agrees {
			otherwise++
		} else if !same {
			otherWords++
		}
		if agrees != (accepted[d.Name] == "") || agrees && same != (worded[d.Name] == "") {
			t.Errorf("%s: there is a disagreement without a reason, or a reason without one\n%s\ngot  %q\nwant %q", d.Name, d.Query, got, d.Errors)
		}
	}
	t.Logf("of %d documents %d are judged as graphql-js does, %d of those in other words", len(c.Cases), len(c.Cases)-otherwise, otherWords)
	if otherwise*100 > len(c.Cases) || otherwise != len(accepted) || otherWords != len(worded) {
		t.Errorf("%d verdicts and %d texts differ; the lists have %d and %d", otherwise, otherWords, len(accepted), len(worded))
	}
}
