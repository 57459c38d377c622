package postgres

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Explain turns an error of a connection or statement into what a person can act on. Its cause keeps
// the text of the server; the password of an address is never in it.
func Explain(err error) *fault.Error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "28P01", "28000":
			return fault.Wrap(fault.Unavailable, "database/login", "the database refuses the login", err).
				WithHint("check user and password of [database] url")
		case "3D000":
			return fault.Wrap(fault.Unavailable, "database/missing", "the database does not exist on that server", err).
				WithHint("create it, or correct the name in [database] url")
		case "42501":
			return fault.Wrap(fault.Forbidden, "database/not-allowed", "the database login may not do that", err)
		}
		if !IsUnavailable(err) {
			return fault.Wrap(fault.Invalid, "database/statement", "the database refused a statement", err)
		}
	}
	var scan pgx.ScanArgError
	if errors.As(err, &scan) {
		return fault.Wrap(fault.Internal, "database/answer", "an answer of the database has another shape than expected", err)
	}
	return fault.Wrap(fault.Unavailable, "database/unreachable", "the database cannot be reached", attempts{err}).
		WithHint("check that the server runs and that [database] url is right")
}

// attempts is the error of several attempts to connect, which the driver tells in a line each: with and
// without TLS, for one. Those that failed alike are told once.
type attempts struct{ error }

func (a attempts) Error() string {
	var lines []string
	for line := range strings.Lines(a.error.Error()) {
		if line = strings.TrimSpace(line); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}

func (a attempts) Unwrap() error { return a.error }

// IsUnavailable tells whether an error says that the database cannot be reached or takes no work now, so
// that another try later may well succeed. Errors that it does not know are none of these.
func IsUnavailable(err error) bool {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch Class(pg) {
		case "08":
			return true
		case "57": // operator intervention, but for a statement that was cancelled
			return pg.Code != "57014"
		}
		return pg.Code == "53300" // too many connections
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Class gives the first two characters of an error's SQLSTATE (PostgreSQL manual, appendix A).
func Class(err *pgconn.PgError) string { return err.Code[:min(2, len(err.Code))] }

// IsData tells whether a value was refused that no column of its type can hold, such as a NUL in JSON (class 22).
func IsData(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && Class(pg) == "22"
}

// IsMissing tells whether a statement named a schema, a table, a column or a function that is not there.
func IsMissing(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "3F000", "42P01", "42703", "42883":
		return true
	}
	return false
}

// IsValue tells whether a value was refused, such as a text that is no JSON.
func IsValue(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && Class(pg) == "22"
}
