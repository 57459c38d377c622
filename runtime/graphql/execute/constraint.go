package execute

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// writeProblem turns an error of a statement that writes into what a client may know of it; call is nil where it was none
// of them, as at the end of the transaction.
func (e *Executor) writeProblem(s *schema.Schema, err error, call *plan.Statement) *gqlerror.Error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || errors.Is(err, errUnsure) {
		return e.problem(err)
	}
	if call != nil && call.Functions {
		return e.functionProblem(s, err, pg, call)
	}
	if code, text, marked := plan.Marked(pg.Message); marked && pg.Code == "22P02" {
		if call != nil {
			text = call.About(text)
		}
		return plan.Problem(code, text, nil)
	}
	switch {
	case postgres.Class(pg) == "23":
		return constraintProblem(s, pg, call)
	case pg.Code == "22003":
		return plan.Problem(plan.BadUserInput, "a number would be out of its range: "+brief(pg.Message), nil)
	case unreadable[pg.Code] && call != nil && call.Effect != nil && call.Effect.Reads:
		return plan.Problem(plan.BadUserInput, call.About(brief(pg.Message)), nil)
	case postgres.Class(pg) == "54":
		return plan.Problem(plan.BadUserInput, "a value is larger than the database can take", nil)
	case pg.Code == "44000":
		return plan.Problem(plan.Violation, "the row would not be one of the view's: its check option refuses it", nil)
	case pg.Code == "21000":
		return plan.Problem(plan.BadUserInput, "two rows of the input have one key, and one row cannot be changed twice", nil)
	case pg.Code == "42501" && pg.Routine == "ExecWithCheckOptions":
		return plan.Problem(plan.Forbidden, "not allowed: a row security policy refuses the row", nil)
	}
	if problem := contended(pg); problem != nil {
		return problem
	}
	return e.problem(err)
}

// contended is the problem of a statement that met others; nil for all else.
func contended(pg *pgconn.PgError) *gqlerror.Error {
	switch pg.Code {
	case "40001", "40P01":
		return plan.Problem(plan.Conflict, "others are changing the same rows, and nothing was changed; try again", nil)
	case "55P03":
		return plan.Problem(plan.Conflict, "others hold the rows, and nothing was changed; try again", nil)
	}
	return nil
}

// functionProblem is the problem of a function that writes. Of what goes wrong in it only that is told which is about a
// constraint of a table that the API shows, beside what every statement may meet.
func (e *Executor) functionProblem(s *schema.Schema, err error, pg *pgconn.PgError, call *plan.Statement) *gqlerror.Error {
	if problem := refusedValue(err, call); problem != nil {
		return problem
	}
	if problem := contended(pg); problem != nil {
		return problem
	}
	constraint := s.Catalog.Constraint(pg.SchemaName, pg.TableName, pg.ConstraintName)
	table, column := s.Catalog.Named(pg.SchemaName, pg.TableName, pg.ColumnName)
	shown := constraint != nil && s.ObjectOf(constraint.Table) != nil || column != nil && s.ObjectOf(table) != nil
	if postgres.Class(pg) == "23" && (shown || ofDomain(pg)) {
		return constraintProblem(s, pg, call)
	}
	return e.problemOf(err, true)
}

// unreadable are the errors of a text that its type does not take (PostgreSQL manual, appendix A).
var unreadable = map[string]bool{"22007": true, "22008": true, "22P02": true, "22P03": true, "2202E": true, "22023": true}

// constraintProblem says which rule a row breaks, and by which fields.
func constraintProblem(s *schema.Schema, pg *pgconn.PgError, call *plan.Statement) *gqlerror.Error {
	constraint := s.Catalog.Constraint(pg.SchemaName, pg.TableName, pg.ConstraintName)
	var table *catalog.Table
	var columns []*catalog.Column
	if constraint != nil {
		table, columns = constraint.Table, constraint.Columns
		if constraint.Hidden { // what it is about, the role knows nothing of
			columns = nil
		}
	} else if pg.TableName != "" {
		var column *catalog.Column
		if table, column = s.Catalog.Named(pg.SchemaName, pg.TableName, pg.ColumnName); column != nil {
			columns = []*catalog.Column{column}
		}
	}
	object := s.ObjectOf(table)
	fields := s.FieldNames(object, columns)
	which := "the row"
	if len(fields) > 0 {
		which = strings.Join(fields, ", ")
	}
	problem := plan.Problem(plan.Violation, "", nil)
	switch pg.Code {
	case "23505", "23P01":
		problem.Extensions["code"] = plan.Conflict
		problem.Message = "there is a row with the same " + which + " already"
		if len(fields) == 0 {
			problem.Message = "there is a row already that this one must not be beside"
		}
	case "23502":
		problem.Message = which + " must not be null"
	case "23503", "23001":
		problem.Message = which + " names no row that is there"
		if referred(table, columns, call) {
			problem.Message = "other rows still refer to the row"
			if object != nil {
				problem.Message = "rows of " + object.Name + " still refer to the row, by " + which
			}
		}
	default:
		problem.Message = which + " breaks a rule of the database"
	}
	if pg.ConstraintName != "" && (constraint != nil && !constraint.Hidden || pg.TableName == "") { // not that of a table that the role knows nothing of
		problem.Extensions["constraint"] = pg.ConstraintName
	}
	if object != nil {
		problem.Extensions["type"] = object.Name
	}
	if len(fields) > 0 {
		problem.Extensions["field"], problem.Extensions["fields"] = fields[0], fields
	}
	return problem
}

// referred tells whether a foreign key was broken from the side of the row that others refer to: the statement has not
// given the key's own columns a value.
func referred(holder *catalog.Table, columns []*catalog.Column, call *plan.Statement) bool {
	if call == nil || call.Effect == nil {
		return false
	}
	e := call.Effect
	return e.Action == schema.Delete || e.Table != holder && (e.Action == schema.Update || e.Action == schema.Upsert) ||
		e.Action == schema.Update && !slices.ContainsFunc(columns, func(c *catalog.Column) bool { return slices.Contains(e.Columns, c) })
}
