package execute

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// problem turns an error of the database into what a client may know of it. What says something about
// the request is told; everything else is masked with an id that stands in the log beside the cause.
func (e *Executor) problem(err error) *gqlerror.Error {
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return plan.Problem(plan.Timeout, "the request took longer than it may", nil)
	case errors.Is(err, context.Canceled):
		return plan.Problem(plan.Timeout, "the request was given up before it was answered", nil)
	case errors.Is(err, errTooLarge):
		return plan.Problem(plan.TooComplex, "the answer is larger than it may be: ask for fewer rows or fields ([graphql.limits] response is the bound)", nil)
	case errors.Is(err, errBusy):
		return plan.Problem(plan.InternalError, errBusy.Error()+"; try again soon", nil)
	case errors.As(err, &pg):
		if known := statementProblem(pg); known != nil {
			return known
		}
	}
	if isUnavailable(err) {
		return e.masked(err, "the database cannot be reached now")
	}
	return e.masked(err, "something went wrong inside the server")
}

// statementProblem names the SQLSTATEs (PostgreSQL manual, appendix A) that a request can cause.
func statementProblem(pg *pgconn.PgError) *gqlerror.Error {
	switch pg.Code {
	case "57014":
		return plan.Problem(plan.Timeout, "the request took longer than it may", nil)
	case "42501":
		return plan.Problem(plan.Forbidden, "not allowed: "+pg.Message, nil)
	}
	switch postgres.Class(pg) {
	case "22", "23": // data that a type refuses; a read meets constraints only in domains
		return plan.Problem(plan.BadUserInput, pg.Message, nil)
	case "54":
		return plan.Problem(plan.TooComplex, "the query is more than the database can run: "+pg.Message, nil)
	}
	if isSyntaxOfValue(pg) {
		return plan.Problem(plan.BadUserInput, pg.Message, nil)
	}
	return nil
}

// isSyntaxOfValue tells whether a type could not read a value (lquery, tsquery, hstore): a syntax error of the
// statement itself has a place in it.
func isSyntaxOfValue(pg *pgconn.PgError) bool { return pg.Code == "42601" && pg.Position == 0 }

// masked logs an error under an id and tells the client only the id.
func (e *Executor) masked(err error, message string) *gqlerror.Error {
	var b [6]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	id := hex.EncodeToString(b[:])
	e.log.Error("graphql request failed", slog.String("error_id", id), slog.Any("error", err))
	problem := plan.Problem(plan.InternalError, message+"; the log has it under "+id, nil)
	problem.Extensions["errorId"] = id
	return problem
}

// fieldProblem gives an error the place of its root field.
func (e *Executor) fieldProblem(err error, f *plan.RootField) *gqlerror.Error {
	problem := e.problem(err)
	problem.Path = ast.Path{ast.PathName(f.Key)}
	if at := f.Field.Position; at != nil {
		problem.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return problem
}

// isStatementError tells whether the statement failed, rather than the way to the database.
func isStatementError(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errTooLarge) || errors.As(err, &pg) && !postgres.IsUnavailable(err)
}

// isUnavailable tells whether another try later may well succeed.
func isUnavailable(err error) bool {
	if errors.Is(err, errBusy) {
		return true
	}
	return !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && postgres.IsUnavailable(err)
}

// isLostConnection tells whether a connection ended, so that another one may do. One that could not be made
// is none: the next would wait as long and fail as well.
func isLostConnection(err error) bool {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.SeverityUnlocalized == "FATAL" || pg.SeverityUnlocalized == "PANIC" // it is the end of the session
	}
	return postgres.IsUnavailable(err)
}

// isStalePlan tells whether a prepared statement no longer fits: the schema changed under it, or
// somebody else dropped it.
func isStalePlan(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return pg.Code == "26000" || pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery"
}

// isOutdated tells whether a statement names something that is no longer there: the schema is from before.
func isOutdated(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code == "42501" || isSyntaxOfValue(pg) {
		return false
	}
	class := postgres.Class(pg)
	return class == "42" || class == "3F"
}
