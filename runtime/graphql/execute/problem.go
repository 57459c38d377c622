package execute

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// problem turns an error of the database into what a client may know of it. What says something about
// the request is told; everything else is masked with an id that stands in the log beside the cause.
func (e *Executor) problem(err error) *gqlerror.Error { return e.problemOf(err, false) }

// problemOf is problem of a statement that may call functions of a person's making by name. What goes wrong in those says
// nothing about the request, whatever its SQLSTATE: they may have looked at what the role must not see.
func (e *Executor) problemOf(err error, calls bool) *gqlerror.Error {
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return tooLong()
	case errors.Is(err, context.Canceled):
		return plan.Problem(plan.Timeout, "the request was given up before it was answered", nil)
	case errors.Is(err, errDone), errors.Is(err, errTooLarge), errors.Is(err, errUnsure):
		return e.unanswered(err)
	case errors.Is(err, errSession):
		return e.masked(err, errSession.Error())
	case errors.Is(err, errKeepless):
		return plan.Problem(plan.InternalError, "this server cannot keep answers for an Idempotency-Key yet, and nothing was changed: `fraiseql migrate up` makes the table", nil)
	case errors.Is(err, errBusy):
		return plan.Problem(plan.InternalError, errBusy.Error()+"; try again soon", nil)
	case errors.As(err, &pg) && pg.Code == "42501":
		problem := e.masked(err, "the role may not do this") // what it may not, it may not know of either
		problem.Extensions["code"] = plan.Forbidden
		return problem
	case pg != nil && raised[pg.Code] != "":
		return plan.Problem(raised[pg.Code], brief(pg.Message), nil)
	case pg != nil:
		if known := statementProblem(pg); known != nil && (!calls || known.Extensions["code"] == plan.Timeout || ofDomain(pg)) {
			return known
		}
	}
	return e.unknown(err, pg)
}

// Problem is problem for what went wrong with a request beside the database.
func (e *Executor) Problem(err error) *gqlerror.Error { return e.problem(err) }

// Masked is the problem of what says nothing about a request, with an id under which the log has it.
func (e *Executor) Masked(err error) *gqlerror.Error {
	return e.masked(err, "something went wrong inside the server")
}

// TooLarge tells whether the answer to a request is larger than it may be.
func (e *Executor) TooLarge(r Request, size int) bool { return size > e.room(r) }

// TooLargeProblem says that an answer is larger than it may be: what was written, was.
func TooLargeProblem(writes bool) *gqlerror.Error {
	if writes {
		return plan.Problem(plan.TooComplex, "the change was made, but its answer is larger than it may be: read it by a query, in parts ([graphql.limits] response is the bound)", nil)
	}
	return plan.Problem(plan.TooComplex, "the answer is larger than it may be: ask for fewer rows or fields ([graphql.limits] response is the bound)", nil)
}

// unanswered is the problem of what may have been done, and has no answer.
func (e *Executor) unanswered(err error) *gqlerror.Error {
	done, unsure := errors.Is(err, errDone), errors.Is(err, errUnsure)
	switch {
	case done && errors.Is(err, errTooLarge):
		return TooLargeProblem(true)
	case done:
		return e.masked(err, "the change was made, but its answer cannot be given: read it by a query")
	case unsure && tooLarge(err): // the driver has given the connection up with it
		return plan.Problem(plan.TooComplex, "a value of the answer is larger than an answer may be ([graphql.limits] response), and nobody knows whether the change was made: look by a query without that value", nil)
	case unsure:
		return e.masked(err, "the connection to the database was lost before it said whether the change was made: look before you send it again, or send it with an Idempotency-Key")
	}
	return TooLargeProblem(false)
}

// unknown is the problem of an error that says nothing about the request.
func (e *Executor) unknown(err error, pg *pgconn.PgError) *gqlerror.Error {
	switch {
	case isUnavailable(err):
		return e.masked(err, "the database cannot be reached now")
	case isOutdated(err):
		return e.masked(err, "a statement does not fit the database, which may have changed just now; try again")
	case pg != nil && dimensions.MatchString(pg.Message):
		return e.masked(err, "a value in the database is "+dimensions.FindString(pg.Message)+" (the `dimensions` of its column mend that)")
	case pg != nil && computations[pg.Code]:
		return e.masked(err, "a value in the database cannot be computed")
	}
	return e.masked(err, "something went wrong inside the server")
}

// dimensions finds what the schema's casts say of an array that is not as its column was declared.
var dimensions = regexp.MustCompile(`an array of \d+ dimensions, declared with \d+`)

// computations are the data exceptions (PostgreSQL manual, appendix A) that the data make, and what a view computes of
// them: a value of a request is refused as the parameter that it is.
var computations = map[string]bool{
	"22003": true, // a number out of range
	"22007": true, // the form of a date
	"22008": true, // a date out of range
	"22023": true, // a parameter of a function
	"22P02": true, // the text of a value
	"22012": true, // division by zero
	"2201E": true, // logarithm
	"2201F": true, // power
	"2201G": true, // width_bucket
	"22011": true, // substring
	"22014": true, // ntile
	"22016": true, // nth_value
	"22013": true, // a window's frame
	"22004": true, // null, where a function takes none
}

// ofDomain tells whether a value is none of a domain's: the message then has no value in it.
func ofDomain(pg *pgconn.PgError) bool {
	return postgres.Class(pg) == "23" && pg.DataTypeName != "" && pg.ConstraintName != "" && strings.HasPrefix(pg.Routine, "ExecEvalConstraint")
}

// raised are the SQLSTATEs by which a function of a person's making speaks to clients: `raise … using errcode = 'FQ409'`.
// Their messages are told as they are; those of all other errors of its making are not.
var raised = map[string]string{
	"FQ400": plan.BadUserInput,
	"FQ401": plan.Unauthenticated,
	"FQ403": plan.Forbidden,
	"FQ404": plan.NotFound,
	"FQ409": plan.Conflict,
	"FQ422": plan.Violation,
}

func tooLong() *gqlerror.Error {
	return plan.Problem(plan.Timeout, "the request took longer than it may ([database] statement_timeout)", nil)
}

// statementProblem names the SQLSTATEs (PostgreSQL manual, appendix A) that a request can cause.
func statementProblem(pg *pgconn.PgError) *gqlerror.Error {
	switch pg.Code {
	case "57014":
		return tooLong()
	}
	switch class := postgres.Class(pg); {
	case computations[pg.Code] || dimensions.MatchString(pg.Message):
		return nil
	case class == "22" || class == "23": // data that a type refuses; a read meets constraints only in domains
		return plan.Problem(plan.BadUserInput, brief(pg.Message), nil)
	case pg.Code == "0A000" && !isStalePlan(pg): // such as LIKE, where a collation takes texts for equal that differ
		return plan.Problem(plan.BadUserInput, "the database has no way to do this: "+brief(pg.Message), nil)
	case class == "54":
		return plan.Problem(plan.TooComplex, "the query is more than the database can run", nil)
	}
	if isSyntaxOfValue(pg) {
		return plan.Problem(plan.BadUserInput, brief(pg.Message), nil)
	}
	return nil
}

// parameterAt finds the parameter that could not be read in the context of an error, whatever the language.
var parameterAt = regexp.MustCompile(`^[^\n$]*\$(\d+)( = '|$)`)

// refusedValue is the problem of a parameter that its type does not take, by the name of its argument.
func refusedValue(err error, s *plan.Statement) *gqlerror.Error {
	var pg *pgconn.PgError
	if s == nil || !errors.As(err, &pg) {
		return nil
	}
	switch postgres.Class(pg) {
	case "53", "54", "57", "58": // resources, limits, whoever stops it, the system
		return nil
	}
	at := parameterAt.FindStringSubmatch(pg.Where)
	if at == nil {
		return nil
	}
	number, _ := strconv.Atoi(at[1]) // digits
	return s.Refused(number, brief(pg.Message))
}

// brief cuts a message that has a whole value in it.
func brief(message string) string { return plan.Shorten(message, 300) }

// isSyntaxOfValue tells whether a type could not read a value (lquery, tsquery): a syntax error of the
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
	if problem := refusedValue(err, f.Statement); problem != nil {
		return problem
	}
	problem := e.problemOf(err, f.Statement != nil && f.Statement.Functions)
	problem.Path = ast.Path{ast.PathName(f.Key)}
	if at := f.Field.Position; at != nil {
		problem.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return problem
}

// isStatementError tells whether the statement failed, rather than the way to the database.
func isStatementError(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errMisfit) || errors.Is(err, errTooLarge) || !errors.Is(err, errSession) && !errors.Is(err, errKeepless) && errors.As(err, &pg) && !postgres.IsUnavailable(err)
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
	if errors.Is(err, errMisfit) {
		return true
	}
	if !errors.As(err, &pg) || pg.Code == "42501" || isSyntaxOfValue(pg) {
		return false
	}
	class := postgres.Class(pg)
	return class == "42" || class == "3F"
}
