package plan

import (
	"cmp"
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
	Rows    int // that a request may be estimated to read in all; 0 is no bound
	Known   int // rows that a subscription knows of from the start
}

// compiler writes one statement. Its aliases t1, t2, … are unique in the statement, so that no level
// can be confused with another.
type compiler struct {
	schema     *schema.Schema
	variables  map[string]any // with slots
	magnitudes map[string]int // of the variables that say how many rows
	paging     Paging
	budget     *budget
	params     []Param
	locks      map[string]bool
	read       map[*catalog.Table]bool
	calls      bool
	functions  bool
	estimate   *Estimate
	aliases    int
	wide       map[string]bool // aliases that have more columns than their table
	loose      map[string]bool // aliases of rows that functions give
	rows       *rows           // of the level at work
	depth      int             // of the branches at work
	nested     bool            // rows of the root field's list have children
	most       int             // rows of it at most
	writing    *writing

	// Where the compiler is, for the errors of values that come later.
	path  ast.Path
	types []*ast.Type // of the fields of path
	at    *ast.Position
	what  string

	laters *laters
}

func (c *compiler) rootField(f selected) (RootField, *gqlerror.Error) {
	root := RootField{Key: f.key, Field: f.field, Before: `{"data":{` + quoted(f.key) + ":"}
	defer c.enter(f)()
	switch f.field.Name {
	case "__typename":
		root.Typename = c.schema.AST.Query.Name
		return root, nil
	case "__schema", "__type":
		values, err := c.arguments(f.field)
		if err != nil {
			return root, err
		}
		name, _ := values["name"].(string)
		root.Introspection = &Introspection{Field: f.field, Selections: f.selections, TypeName: name, Variables: c.variables}
		return root, nil
	}
	target := c.schema.Roots[f.field.Name]
	if target == nil {
		// An empty database has one field that is always null.
		return root, nil
	}
	statement, err := c.root(target, f)
	root.Statement, root.ByKey = statement, target.Form == schema.ByKey
	return root, err
}

// enter notes the field at work; the function that it gives goes back.
func (c *compiler) enter(f selected) (leave func()) {
	path, types, at := c.path, c.types, c.at
	c.path, c.types, c.at = append(c.path, ast.PathName(f.key)), append(c.types, f.field.Definition.Type), f.field.Position
	return func() { c.path, c.types, c.at = path, types, at }
}

// table writes a table's name and notes what reading it takes.
func (c *compiler) table(t *catalog.Table) string {
	name := t.SQL()
	c.read[t] = true
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

func (c *compiler) arguments(f *ast.Field) (map[string]any, *gqlerror.Error) {
	return arguments(c.schema.AST, f, c.variables)
}

// root writes the statement of a field of Query.
func (c *compiler) root(target *schema.Root, f selected) (*Statement, *gqlerror.Error) {
	before, budget := *c, *c.budget
	q, err := c.rootQuery(target, f)
	if err != nil || q.nothing {
		return nil, err
	}
	statement := c.statement()
	if !q.one && c.nested {
		wide, spent := *c, *c.budget
		*c, *c.budget = before, budget // what was compiled counts once
		if unrolled, err := c.unrolled(target, f); unrolled != nil || err != nil {
			return unrolled, err
		}
		*c, *c.budget = wide, spent
	}
	var list []string
	list, statement.Columns, statement.End = q.columns()
	statement.SQL, statement.One = mention(q.with+"select "+strings.Join(list, ", ")+q.tail, len(c.params)), q.one
	return statement, nil
}

// statement is what all statements of a root field have.
func (c *compiler) statement() *Statement {
	return &Statement{Params: c.params, Locks: slices.Sorted(maps.Keys(c.locks)), Calls: c.calls, Functions: c.functions, Estimate: c.estimate, rows: *c.rows}
}

// rootQuery is the query of a field of Query.
type rootQuery struct {
	query
	one     bool // it gives one row, or none
	nothing bool // it is known already that there is no row
}

func (c *compiler) rootQuery(target *schema.Root, f selected) (q rootQuery, err *gqlerror.Error) {
	values, err := c.arguments(f.field)
	if err != nil {
		return q, err
	}
	if target.Function != nil {
		c.rows, c.nested, c.most = &rows{}, false, 0
		q.query, q.one, err = c.called(target.Function, target.Form, "", f, values)
		return q, err
	}
	c.rows, c.nested, c.most = &rows{}, false, 0
	from := source{object: target.Object, alias: c.alias("t")}
	if target.Object != nil {
		from.rows = target.Object.Table
	}
	q.one = true
	switch target.Form {
	case schema.ByKey:
		q.query, err = c.byKey(target.Key, from, f, values, "")
	case schema.Node:
		var known bool
		q.query, known, err = c.node(f, values)
		q.nothing = !known
	case schema.Connection:
		q.query, err = c.connection(from, f, values)
	case schema.Aggregate:
		q.query, err = c.aggregate(from, f, values)
	case schema.Groups:
		q.one = false
		q.query, err = c.groups(from, f, values)
	default:
		q.one = false
		q.query, err = c.list(from, f, values)
	}
	return q, err
}

// byKey reads the row that has a key; argument is the one that all of it is in, empty when each column has its own.
func (c *compiler) byKey(key []*schema.Field, from source, f selected, values map[string]any, argument string) (query, *gqlerror.Error) {
	conditions := make([]string, 0, len(key))
	for _, k := range key {
		c.what = "argument " + cmp.Or(argument, k.Name)
		parameter, err := c.param(values[k.Name], scalarText)
		if err != nil {
			return query{}, err.problem(c.what, nil)
		}
		conditions = append(conditions, k.Codec.EqualSQL(column(from.alias, k.Column), parameter))
	}
	return c.oneRow(from, f, strings.Join(conditions, " and "), unique(from.object.Table, columnsOf(key)))
}

// oneRow reads the row that meets a condition. Without a guard of the database there may be several.
func (c *compiler) oneRow(from source, f selected, condition string, guarded bool) (query, *gqlerror.Error) {
	l, err := c.children(from.object, from.alias, f.selections)
	from.condition, from.guarded = condition, guarded
	return query{record: l.record, tail: c.single(&l, from)}, err
}

// single writes where the one row of a level comes from.
func (c *compiler) single(l *level, from source) string {
	rows, limit := " from "+c.relation(from)+" "+from.alias, " limit 1"
	if from.guarded {
		limit = ""
	}
	if slices.ContainsFunc(l.needed, func(n *catalog.Column) bool { return n.Name == rowName }) {
		return " from (select " + strings.Join(c.needs(l, from.alias), ", ") + rows + " where " + from.condition + limit + ") " + from.alias + l.joins
	}
	return rows + l.joins + " where " + from.condition + limit
}
