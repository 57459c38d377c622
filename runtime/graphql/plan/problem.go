package plan

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The codes that an error's extensions.code has; clients rely on them.
const (
	ParseFailed      = "GRAPHQL_PARSE_FAILED"
	ValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	BadUserInput     = "BAD_USER_INPUT"
	OperationUnclear = "OPERATION_RESOLUTION_FAILURE"
	Unauthenticated  = "UNAUTHENTICATED"
	Forbidden        = "FORBIDDEN"
	NotFound         = "NOT_FOUND"
	Conflict         = "CONFLICT"
	Violation        = "CONSTRAINT_VIOLATION"
	RateLimited      = "RATE_LIMITED"
	TooComplex       = "QUERY_TOO_COMPLEX"
	Timeout          = "TIMEOUT"
	InternalError    = "INTERNAL_SERVER_ERROR"

	// UnknownDocument and NoDigests tell Apollo's clients to send the text: with its digest, and without.
	UnknownDocument = "PERSISTED_QUERY_NOT_FOUND"
	NoDigests       = "PERSISTED_QUERY_NOT_SUPPORTED"
)

// Problem makes an error as the specification's section 7.1.2 wants it, with a code and, where it is
// known, the place in the document.
func Problem(code, message string, at *ast.Position) *gqlerror.Error {
	e := &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
	if at != nil && at.Line > 0 {
		e.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return e
}

// withCode gives errors of the parser or validator their code, keeping text and places.
func withCode(code string, list gqlerror.List) gqlerror.List {
	for _, e := range list {
		e.Extensions = map[string]any{"code": code}
	}
	return list
}
