package execute

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
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
	switch {
	case pg.Code == "57014":
		return plan.Problem(plan.Timeout, "the request took longer than it may", nil)
	case pg.Code == "42501":
		return plan.Problem(plan.Forbidden, "not allowed: "+pg.Message, nil)
	case strings.HasPrefix(pg.Code, "22"), strings.HasPrefix(pg.Code, "2201"):
		return plan.Problem(plan.BadUserInput, pg.Message, nil)
	case strings.HasPrefix(pg.Code, "54"):
		return plan.Problem(plan.TooComplex, "the query is more than the database can run: "+pg.Message, nil)
	}
	return nil
}

// masked logs an error under an id and tells the client only the id.
func (e *Executor) masked(err error, message string) *gqlerror.Error {
	var b [6]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	id := hex.EncodeToString(b[:])
	e.Log.Error("graphql request failed", slog.String("error_id", id), slog.Any("error", err))
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
	return errors.As(err, &pg) && !isUnavailable(err)
}

// isUnavailable tells whether another try later may well succeed.
func isUnavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		class := pg.Code[:min(2, len(pg.Code))]
		return class == "08" || class == "53" || class == "57" && pg.Code != "57014"
	}
	return !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
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

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
