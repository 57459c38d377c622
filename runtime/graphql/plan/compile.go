package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Paging is how many rows a list gives.
type Paging struct {
	Default int // without a limit argument
	Most    int // a limit above it is an error
}

// Compile makes the plan of a query operation with variables that Variables has coerced.
func Compile(d *Document, op *ast.OperationDefinition, variables map[string]any, paging Paging) (*Plan, *gqlerror.Error) {
	if op.Operation != ast.Query {
		return nil, Problem(ValidationFailed, "the schema has no "+string(op.Operation)+" type", op.Position)
	}
	if hasNull(variables) {
		if problem := unsure(op.SelectionSet, variables); problem != nil {
			return nil, problem
		}
	}
	plan := &Plan{}
	left := newBudget()
	for _, f := range collect(op.SelectionSet, variables) {
		root, err := compileRoot(d.Schema, f, variables, paging, left)
		if err != nil {
			return nil, f.blame(err)
		}
		plan.Fields = append(plan.Fields, root)
	}
	return plan, nil
}

func compileRoot(s *schema.Schema, f selected, variables map[string]any, paging Paging, left *budget) (RootField, *gqlerror.Error) {
	root := RootField{Key: f.key, Field: f.field}
	switch f.field.Name {
	case "__typename":
		root.Typename = s.AST.Query.Name
		return root, nil
	case "__schema", "__type":
		values, err := arguments(s.AST, f.field, variables)
		if err != nil {
			return root, err
		}
		name, _ := values["name"].(string)
		root.Introspection = &Introspection{Field: f.field, Selections: f.selections, TypeName: name, Variables: variables}
		return root, nil
	}
	target := s.Roots[f.field.Name]
	if target == nil {
		// An empty database has one field that is always null.
		return root, nil
	}
	c := &compiler{schema: s, variables: variables, paging: paging, budget: left, locks: map[string]bool{}}
	statement, err := c.root(target, f)
	root.Statement = statement
	return root, err
}

// compiler writes one statement. Its aliases t1, t2, … are unique in the statement, so that no level
// can be confused with another.
type compiler struct {
	schema    *schema.Schema
	variables map[string]any
	paging    Paging
	budget    *budget
	args      []string
	locks     map[string]bool
	calls     bool
	aliases   int
}

// table writes a table's name and notes what reading it takes.
func (c *compiler) table(t *catalog.Table) string {
	name := t.SQL()
	if t.Lockable {
		c.locks[name] = true
	}
	c.calls = c.calls || t.Calls()
	return name
}

func (c *compiler) alias(prefix string) string {
	c.aliases++
	return prefix + strconv.Itoa(c.aliases)
}

// param adds a value and gives its place in the statement.
func (c *compiler) param(text string) string {
	c.args = append(c.args, text)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *compiler) arguments(f *ast.Field) (map[string]any, *gqlerror.Error) {
	return arguments(c.schema.AST, f, c.variables)
}

// root writes a statement whose rows have one column for each scalar and one JSON column for each
// relation; package execute joins them to objects. For lists of plain columns this is several times
// cheaper than any JSON function of PostgreSQL.
func (c *compiler) root(target *schema.Root, f selected) (*Statement, *gqlerror.Error) {
	values, err := c.arguments(f.field)
	if err != nil {
		return nil, err
	}
	statement := &Statement{One: target.Key != nil}
	t := c.alias("t")
	fields := collect(f.selections, c.variables)
	l, err := c.children(target.Object, t, fields)
	if err != nil {
		return nil, err
	}
	var list []string
	for i, child := range l.values {
		column := Column{Key: quoted(fields[i].key) + ":"}
		if child.constant != "" {
			column.Constant = quoted(child.constant)
		} else {
			column.Encoding = child.encoding
			list = append(list, child.row)
		}
		statement.Columns = append(statement.Columns, column)
	}
	if target.Key != nil {
		statement.SQL = c.byKey(target, t, list, l, values)
	} else if statement.SQL, err = c.list(source{object: target.Object, alias: t}, list, l, values); err != nil {
		return nil, err
	}
	if len(c.args) > maxParameters {
		return nil, Problem(TooComplex, fmt.Sprintf("the field needs %d parameters; PostgreSQL takes %d", len(c.args), maxParameters), nil)
	}
	statement.Args, statement.Calls = c.args, c.calls
	statement.Locks = slices.Sorted(maps.Keys(c.locks))
	return statement, nil
}

func (c *compiler) byKey(target *schema.Root, t string, list []string, l level, values map[string]any) string {
	conditions := make([]string, 0, len(target.Key))
	for _, key := range target.Key {
		conditions = append(conditions, column(t, key.Column)+" = "+key.Codec.ParameterSQL(c.param(textOf(values[key.Name]))))
	}
	sql := "select " + strings.Join(list, ", ") + " from " + c.table(target.Object.Table) + " " + t + l.joins + " where " + strings.Join(conditions, " and ")
	if !unique(target.Object.Table, columnsOf(target.Key)) {
		sql += " limit 1" // a key that a person declared and no index guards
	}
	return sql
}

// source is the table of a level and how it hangs on the level above it.
type source struct {
	object    *schema.Object
	alias     string
	join      string // "join table m2": a join table, when there is one
	condition string // correlation with the level above; empty at the root
}

// list writes a level: rows that meet the conditions, ordered and limited first; then, only for the
// rows that are left, its children.
func (c *compiler) list(from source, list []string, l level, values map[string]any) (string, *gqlerror.Error) {
	var conditions []string
	if from.condition != "" {
		conditions = append(conditions, from.condition)
	}
	if where, given := values["where"].(map[string]any); given {
		sql, err := c.where(from.object, from.alias, where)
		if err != nil {
			return "", err.problem("argument where", nil)
		}
		if sql != "" {
			conditions = append(conditions, sql)
		}
	}
	order, wrongOrder := c.orderBy(from.object, from.alias, values["orderBy"])
	if wrongOrder != nil {
		return "", wrongOrder.problem("argument orderBy", nil)
	}
	page, problem := c.page(values)
	if problem != nil {
		return "", problem
	}
	tail := " from " + c.table(from.object.Table) + " " + from.alias + from.join
	if len(conditions) > 0 {
		tail += " where " + strings.Join(conditions, " and ")
	}
	tail += order + page
	if l.joins == "" && !l.attached {
		return "select " + strings.Join(list, ", ") + tail, nil
	}
	inner := make([]string, 0, len(l.needed))
	for _, needed := range l.needed {
		inner = append(inner, column(from.alias, needed))
	}
	return "select " + strings.Join(list, ", ") + " from (select " + strings.Join(inner, ", ") + tail + ") " + from.alias + l.joins, nil
}

func (c *compiler) page(values map[string]any) (string, *gqlerror.Error) {
	limit := c.paging.Default
	if given, ok := values["limit"]; ok && given != nil {
		limit = intOf(given)
		if limit < 0 {
			return "", Problem(BadUserInput, "limit must not be negative", nil)
		}
		if limit > c.paging.Most {
			return "", Problem(BadUserInput, "limit "+strconv.Itoa(limit)+" is over the most that is allowed, "+strconv.Itoa(c.paging.Most)+": ask for pages by limit and offset", nil)
		}
	}
	sql := " limit " + c.param(strconv.Itoa(limit)) + "::int8"
	if given, ok := values["offset"]; ok && given != nil {
		offset := intOf(given)
		if offset < 0 {
			return "", Problem(BadUserInput, "offset must not be negative", nil)
		}
		sql += " offset " + c.param(strconv.Itoa(offset)) + "::int8"
	}
	return sql, nil
}

// quoted writes a GraphQL name as JSON: there is nothing in one to escape.
func quoted(name string) string { return `"` + name + `"` }

// column writes a column of an alias.
func column(alias string, c *catalog.Column) string { return alias + "." + catalog.QuoteIdent(c.Name) }
