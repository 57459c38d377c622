// Package fault is how errors travel from where they happen to the person who has to act.
//
// Every error that can reach a person is an [*Error]: a kind, a stable code, one sentence in that
// person's words, and, where there is one, the next thing to do. Kinds are mapped once each: to an
// HTTP status in httpapi, to a GraphQL code in graphql, to an exit code in commands. An error that is
// not an *Error is a defect of ours: [KindOf] calls it Internal and its text stays in the log.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of trouble an error is, and so who can mend it.
type Kind uint8

// The kinds. The zero value is Internal, so that a forgotten kind is never shown as the user's fault.
const (
	Internal        Kind = iota // a defect of ours, or nothing better is known
	Usage                       // the command line is wrong
	Invalid                     // the configuration or the input is wrong
	Unavailable                 // something we depend on cannot be reached now
	Unauthenticated             // nobody is asking, and somebody has to
	Forbidden                   // the one who asks may not
	NotFound                    // the thing named does not exist
	Conflict                    // it contradicts what is stored
	ActionNeeded                // nothing broke, but a person has to do something first
	RateLimited                 // too many requests
	Timeout                     // it took longer than it may
	NotSupported                // the thing named exists, but takes no such action
	Interrupted                 // the person who asked gave up
)

// Error is one trouble with all that a person needs. Message says what, Cause why, Hint what to do.
// Message and Hint may be shown to anybody who may see the operation; Cause only in logs and on the
// operator's own terminal, because it can carry text of the database or the network.
type Error struct {
	Kind    Kind
	Code    string // stable, "area/problem": "config/unknown-key"
	Message string // a sentence without a full stop: "the database cannot be reached"
	Hint    string // a command or an edit that mends it; may be empty
	Cause   error
}

// New makes an error without a cause.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Wrap makes an error with the cause that led to it.
func Wrap(kind Kind, code, message string, cause error) *Error {
	return &Error{Kind: kind, Code: code, Message: message, Cause: cause}
}

// WithHint sets what to do next and returns e, for use in a return statement.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error gives message and cause in one line, for logs.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap gives the cause, so that errors.Is and errors.As see through.
func (e *Error) Unwrap() error { return e.Cause }

// As finds the outermost *Error in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf gives the kind of the outermost *Error in the chain; Internal when there is none.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// CodeOf gives the code of the outermost *Error in the chain; "internal" when there is none.
func CodeOf(err error) string {
	if e, ok := As(err); ok && e.Code != "" {
		return e.Code
	}
	return "internal"
}
