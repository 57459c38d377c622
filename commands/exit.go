package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Exit codes, the same for every command; scripts rely on them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInvalid     = 3
	exitUnavailable = 4
	exitForbidden   = 5
	exitNotFound    = 6
	exitAction      = 7
	exitInterrupted = 130
)

// exitOf is the one place where kinds of faults become exit codes.
var exitOf = map[fault.Kind]int{
	fault.Internal: exitFailed, fault.Usage: exitUsage, fault.Invalid: exitInvalid, fault.Unavailable: exitUnavailable,
	fault.Unauthenticated: exitForbidden, fault.Forbidden: exitForbidden, fault.NotFound: exitNotFound, fault.Conflict: exitFailed,
	fault.ActionNeeded: exitAction, fault.RateLimited: exitUnavailable, fault.Timeout: exitUnavailable, fault.Interrupted: exitInterrupted,
	fault.NotSupported: exitUsage,
}

// silentError ends a command whose trouble has been told already, with the code of its kind.
type silentError struct{ kind fault.Kind }

func (silentError) Error() string { return "told already" }

// fail prints an error as what, because and try, and gives the exit code.
func fail(w io.Writer, err error) int {
	var silent silentError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return exitOf[silent.kind]
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	e, ok := fault.As(err)
	if !ok {
		fmt.Fprintln(w, "error:", err)
		return exitFailed
	}
	fmt.Fprintln(w, "error:", e.Message)
	if e.Cause != nil {
		fmt.Fprintln(w, "because:", strings.ReplaceAll(e.Cause.Error(), "\n", "\n         "))
	}
	if e.Hint != "" {
		fmt.Fprintln(w, "try:", e.Hint)
	}
	return exitOf[e.Kind]
}
