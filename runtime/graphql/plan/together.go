package plan

import (
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// together writes several root fields as one statement, whose one row is the response's data: they share a
// snapshot without a transaction and the locks before it. PostgreSQL makes the JSON then, which is dear for
// long lists; those, what asks for an estimate, and more than maxTogether fields stay apart: the result is nil. When the statement fails,
// the fields are run apart, so that each has its own error.
func (c *compiler) together(fields []selected) *Statement {
	if len(fields) > maxTogether {
		return nil
	}
	statement := &Statement{One: true, End: "}"}
	var list []string
	before := "{"
	for i, f := range fields {
		if i > 0 {
			before += ","
		}
		before += quoted(f.key) + ":"
		if f.field.Name == "__typename" {
			before += quoted(c.schema.AST.Query.Name)
			continue
		}
		target := c.schema.Roots[f.field.Name]
		if target == nil {
			return nil
		}
		leave := c.enter(f)
		q, err := c.rootQuery(target, f)
		leave()
		if err != nil || q.nothing || c.estimate != nil || c.most > atOnceUpTo {
			return nil
		}
		sql := q.sub()
		if !q.one {
			sql = q.all()
		}
		list = append(list, sql)
		statement.Columns = append(statement.Columns, Column{Before: before, Encoding: schema.Raw})
		before = ""
	}
	if len(list) < 2 {
		return nil
	}
	statement.End = before + "}"
	statement.Params, statement.Calls, statement.Functions = c.params, c.calls, c.functions
	statement.SQL = mention("select "+strings.Join(list, ", "), len(c.params))
	return statement
}

// Bound is a plan with the values of one request.
type Bound struct {
	*Plan
	Calls    []Call // of the statements of Fields, in their order
	Later    []BoundLater
	Cost     Cost
	Together *Call // one statement in place of all of them; nil where there is none
}

// bind gives a statement with the values of a request.
func (s *Statement) bind(variables map[string]any) (Call, *Param, *inputError) {
	args := make([][]byte, len(s.Params))
	for i := range s.Params {
		param := &s.Params[i]
		if param.source == nil {
			args[i] = param.constant
			continue
		}
		text, err := param.write(resolve(param.source, variables))
		if err != nil {
			return Call{}, param, err
		}
		args[i] = text
	}
	return Call{Statement: s, Args: args}, nil, nil
}
