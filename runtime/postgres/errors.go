package postgres

import (
	"errors"
	"net/url"
	"strings"

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
		if class := pg.Code[:min(2, len(pg.Code))]; class != "08" && class != "53" && class != "57" {
			return fault.Wrap(fault.Invalid, "database/statement", "the database refused a statement", err)
		}
	}
	return fault.Wrap(fault.Unavailable, "database/unreachable", "the database cannot be reached", err).
		WithHint("check that the server runs and that [database] url is right")
}

// Redact gives an address without its password, for logs and messages.
func Redact(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		fields := strings.Fields(address)
		for i, f := range fields {
			if strings.HasPrefix(f, "password=") {
				fields[i] = "password=xxxxx"
			}
		}
		return strings.Join(fields, " ")
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(name, "password") {
			query.Set(name, "xxxxx")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}
