package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Changed is what a field of Subscription comes to. The statement of the plan's one field reads rows by their keys, which are
// given each time (Bound.For): of those that the role sees and that meet the conditions, a list
//
//	[number of the key, row, row, …]   a row for each time that the selection has it
type Changed struct {
	*schema.Feed
	Payload  []PayloadField
	Ops      []string // only these; nil is all
	Whole    bool     // no condition, and no row security as the schema has it: every row of the table counts
	Personal bool     // what is read may depend on the claims of who asks, not on the role alone
	Keys     *Plan    // lists the keys of the rows that count, as lists of values; nil when Whole
}

// PayloadField is a field of what a subscription gives.
type PayloadField struct {
	Key  string // the response name
	Name string // in the schema, or __typename
	Row  int    // of one that has the row: which of the statement's; else 0
}

// keysVariable is the variable that keys are handed over in: no name of a document is empty.
const keysVariable = ""

func keysText(v any) ([]byte, *inputError) {
	if v == nil {
		return []byte("[]"), nil
	}
	return []byte(textOf(v)), nil
}

// For gives the statement with keys: a list of objects, in JSON, by the names of columns.
func (b Bound) For(keys []byte) Bound {
	call := b.Calls[0]
	call.Args = slices.Clone(call.Args)
	call.Args[0] = keys
	b.Calls = []Call{call}
	return b
}

// changed compiles a field of Subscription. compilerOf gives compilers.
func (o *Operation) changed(f selected, compilerOf func(*budget) *compiler, known int) (*Plan, *gqlerror.Error) {
	target := o.Schema.Feeds[f.field.Name]
	left := newBudget()
	c := compilerOf(left)
	defer c.enter(f)()
	values, err := c.arguments(f.field)
	if err != nil {
		return nil, err
	}
	changed := &Changed{Feed: target}
	if ops, given := values["ops"].([]any); given {
		changed.Ops = []string{}
		for _, op := range ops {
			changed.Ops = append(changed.Ops, op.(string))
		}
	}
	statement, filtered, err := c.rowsByKey(target, f, values, changed)
	if err != nil {
		return nil, err
	}
	t := target.Object.Table
	changed.Whole = !filtered && (!t.RowSecurity || t.Bypassed)
	changed.Personal = statement.Calls || statement.Functions || len(c.laters.list) > 0
	root := RootField{Key: f.key, Field: f.field, Before: beforeOf(f), Statement: statement, Later: c.laters.list}
	if !changed.Whole {
		keys, err := compilerOf(left).keysOf(target, f, values, known)
		if err != nil {
			return nil, err
		}
		changed.Keys = &Plan{Fields: []RootField{{Key: f.key, Field: f.field, Before: beforeOf(f), Statement: keys}}}
	}
	return &Plan{Fields: []RootField{root}, Changed: changed}, nil
}

func beforeOf(f selected) string { return `{"data":{` + quoted(f.key) + ":" }

// rowsByKey writes the statement that reads rows by their keys; filtered tells whether there is a condition beside them.
func (c *compiler) rowsByKey(target *schema.Feed, f selected, values map[string]any, changed *Changed) (_ *Statement, filtered bool, _ *gqlerror.Error) {
	object := target.Object
	c.what = "keys"
	keys, _ := c.param(slot{variable: keysVariable}, keysText) // a slot is judged later
	c.rows = &rows{}
	t := c.alias("t")
	from := source{object: object, alias: t, rows: object.Table, guarded: true}
	relation := c.relation(from)
	condition, err := c.conditionOf(object, t, values)
	if err != nil {
		return nil, false, err
	}
	// One row at a time is what it costs: so many keys are read at once that it stays within what a request may.
	defer c.level(json.Number("1"), from)()
	l := level{}
	var rows []record
	for _, p := range collect(f.selections, c.variables, target.Payload) {
		field := PayloadField{Key: p.key, Name: p.field.Name}
		if field.Name == target.Row {
			l.record = record{}
			leave := c.enter(p)
			err := c.fill(&l, object, t, p.selections)
			leave()
			if err != nil {
				return nil, false, p.blame(err)
			}
			rows = append(rows, l.record)
			field.Row = len(rows)
		}
		changed.Payload = append(changed.Payload, field)
	}
	k := c.alias("k")
	given, equal := []string{"n"}, []string{}
	for i, column := range object.PrimaryKey() {
		name := "c" + strconv.Itoa(i)
		given = append(given, "(v ->> '"+strings.ReplaceAll(column.Name, "'", "''")+"')::"+column.Type.SQL+" "+name)
		equal = append(equal, column.Type.Compared(t+"."+catalog.QuoteIdent(column.Name))+column.Type.Operator("=")+column.Type.Compared(k+"."+name))
	}
	among := "(select " + strings.Join(given, ", ") + " from jsonb_array_elements(" + keys + "::jsonb) with ordinality e (v, n)) " + k
	if condition != "" {
		equal = append(equal, "("+condition+")")
	}
	row := "(select " + strings.Join(append([]string{k + ".n fraiseql_number"}, c.needs(&l, t)...), ", ") + " from "
	inner := row + among + " join " + relation + " " + t + " on " + strings.Join(equal, " and ") + ") " + t
	if sought(object.PrimaryKey()) {
		inner = among + " cross join lateral " + row + relation + " " + t + " where " + strings.Join(equal, " and ") + " offset 0) " + t
	}
	list, columns, end := []string{t + ".fraiseql_number"}, []Column{{Before: "[", Encoding: schema.Raw}}, ""
	for _, r := range rows {
		end = r.flatten(end+",", &list, &columns)
	}
	statement := c.statement()
	statement.Columns, statement.End = columns, end+"]"
	statement.SQL = mention("select "+strings.Join(list, ", ")+" from "+inner+l.joins, len(c.params))
	return statement, condition != "", nil
}

// leakproof are the types of which PostgreSQL trusts that = tells nothing of its arguments, so that an index is asked before a
// policy is.
var leakproof = []string{"int2", "int4", "int8", "oid", "text", "varchar", "bpchar", "uuid", "bool", "bytea", "date", "time", "timestamp", "timestamptz"}

// sought tells whether rows are looked up key by key. PostgreSQL does not know how few keys there are, and would else read the
// table and judge a policy for each row of it. Where a policy comes before the key, it is better to do that once for all keys.
func sought(key []*catalog.Column) bool {
	return !slices.ContainsFunc(key, func(c *catalog.Column) bool {
		base := c.Type.Resolve()
		return base.Schema != "pg_catalog" || !slices.Contains(leakproof, base.Name)
	})
}

// keysOf writes the statement that lists the keys of rows that meet the conditions: so many of them at most.
func (c *compiler) keysOf(target *schema.Feed, f selected, values map[string]any, most int) (*Statement, *gqlerror.Error) {
	defer c.enter(f)()
	c.rows = &rows{}
	t := c.alias("t")
	relation := c.relation(source{object: target.Object, alias: t})
	condition, err := c.conditionOf(target.Object, t, values)
	if err != nil {
		return nil, err
	}
	if condition != "" {
		condition = " where " + condition
	}
	statement := c.statement()
	statement.Columns = []Column{{Encoding: schema.Raw}}
	statement.SQL = mention("select json_build_array("+strings.Join(columns(t, target.Object.PrimaryKey()), ", ")+") from "+relation+" "+t+condition+
		" limit "+strconv.Itoa(most), len(c.params))
	return statement, nil
}

// conditionOf compiles the argument where; empty when every row meets it.
func (c *compiler) conditionOf(object *schema.Object, t string, values map[string]any) (string, *gqlerror.Error) {
	where, given := values["where"].(map[string]any)
	if !given {
		return "", nil
	}
	c.what = "argument where"
	condition, err := c.where(object, t, where)
	if err != nil {
		return "", err.problem(c.what, nil)
	}
	return condition, nil
}

// onlyField wants the one field that a subscription has (specification, section 5.2.3.1): @skip may have left none.
func onlyField(op *ast.OperationDefinition, fields []selected) *gqlerror.Error {
	if len(fields) != 1 {
		return Problem(ValidationFailed, "a subscription has one field, and here it is left out", op.Position)
	}
	return nil
}
