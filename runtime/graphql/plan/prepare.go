package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Document is a request's text, parsed, within limits and valid for a schema.
type Document struct {
	Query  *ast.QueryDocument
	Schema *schema.Schema
}

// Parse reads and checks a document. On failure the list says all that the validator found.
func Parse(s *schema.Schema, text string, limits Limits) (*Document, gqlerror.List) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, limits.Tokens)
	if err != nil {
		return nil, parseProblem(err, limits)
	}
	if len(doc.Operations) == 0 {
		return nil, gqlerror.List{Problem(ParseFailed, "the document has no operation", nil)}
	}
	if problem := limits.check(doc); problem != nil {
		return nil, gqlerror.List{problem}
	}
	if list := validator.ValidateWithRules(s.AST, doc, nil); len(list) > 0 {
		return nil, withCode(ValidationFailed, list)
	}
	return &Document{Query: doc, Schema: s}, nil
}

func parseProblem(err error, limits Limits) gqlerror.List {
	var e *gqlerror.Error
	if !errors.As(err, &e) {
		e = &gqlerror.Error{Message: err.Error()}
	}
	if strings.Contains(e.Message, "exceeded token limit") {
		// The parser has no typed error for its limit; the text is its own and pinned by a test.
		return gqlerror.List{Problem(TooComplex, fmt.Sprintf("the document has more than %d tokens", limits.Tokens), nil)}
	}
	return withCode(ParseFailed, gqlerror.List{e})
}

// Operation picks the operation to run, as section 6.1 of the specification says (GetOperation).
func (d *Document) Operation(name string) (*ast.OperationDefinition, *gqlerror.Error) {
	operations := d.Query.Operations
	if name != "" {
		if op := operations.ForName(name); op != nil {
			return op, nil
		}
		return nil, Problem(OperationUnclear, fmt.Sprintf("there is no operation named %q in the document", name), nil)
	}
	if len(operations) > 1 {
		return nil, Problem(OperationUnclear, "the document has several operations: say which one to run by operationName", nil)
	}
	return operations[0], nil
}
