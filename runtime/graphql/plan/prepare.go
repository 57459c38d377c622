package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Document is a request's text, parsed, within limits and valid for a schema.
type Document struct {
	operations []*Operation
}

// Parse reads and checks a document. On failure the list says what the validator found; with suggest
// also what may have been meant.
func Parse(s *schema.Schema, text string, limits Limits, suggest bool) (*Document, gqlerror.List) {
	source := &ast.Source{Input: text}
	doc, err := parser.ParseQueryWithTokenLimit(source, limits.Tokens)
	if err != nil {
		return nil, parseProblem(err, limits)
	}
	if list := loneSurrogate(source, limits); list != nil {
		return nil, list
	}
	if len(doc.Operations) == 0 {
		return nil, gqlerror.List{Problem(ParseFailed, "the document has no operation", nil)}
	}
	way, problem := limits.check(doc)
	if problem != nil {
		return nil, gqlerror.List{problem}
	}
	if list := validate(s.AST, doc, way, suggest); len(list) > 0 {
		return nil, withCode(ValidationFailed, list)
	}
	d := &Document{}
	for _, op := range doc.Operations {
		d.operations = append(d.operations, newOperation(s, op))
	}
	return d, nil
}

func parseProblem(err error, limits Limits) gqlerror.List {
	var e *gqlerror.Error
	if !errors.As(err, &e) {
		e = &gqlerror.Error{Message: err.Error()}
	}
	if strings.Contains(e.Message, "exceeded token limit") {
		// The parser has no typed error for its limit; the text is its own and pinned by a test.
		return gqlerror.List{Problem(TooComplex, fmt.Sprintf("the document has more than %d tokens ([graphql.limits] tokens)", limits.Tokens), nil)}
	}
	e.Message = Shorten(e.Message, longProblem)
	return withCode(ParseFailed, gqlerror.List{e})
}

// Introspects is where the first operation that asks for the schema itself does so; nil when none does.
func (d *Document) Introspects() *ast.Position {
	for _, op := range d.operations {
		if op.Introspects != nil {
			return op.Introspects
		}
	}
	return nil
}

// Operation picks the operation to run, as section 6.1 of the specification says (GetOperation).
func (d *Document) Operation(name string) (*Operation, *gqlerror.Error) {
	if name != "" {
		for _, op := range d.operations {
			if op.Name == name {
				return op, nil
			}
		}
		return nil, Problem(OperationUnclear, fmt.Sprintf("there is no operation named %q in the document", name), nil)
	}
	if len(d.operations) > 1 {
		return nil, Problem(OperationUnclear, "the document has several operations: say which one to run by operationName", nil)
	}
	return d.operations[0], nil
}
