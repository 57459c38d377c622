package schema

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Function is a function of the database as a field calls it.
type Function struct {
	*catalog.Function
	Arguments []*Argument    // of its parameters, but for a row of Of
	Of        *catalog.Table // the table whose row is the first parameter; nil where none is
	Object    *Object        // what its rows are; nil when it gives plain values, or nothing
	Codec     *Codec         // of a plain value; nil when it gives rows, or nothing

	name        string
	description string
	dimensions  int           // of an array that it gives
	declared    *declaredCall // nil for one that schema files say nothing of
}

// ownName gives the name that the function's own makes for a field.
func (f *Function) ownName() string { return FieldName(strings.TrimPrefix(f.Name, "fn_")) }

// Argument is a parameter of a function as an argument of its field.
type Argument struct {
	*catalog.Parameter
	Name  string
	Codec *Codec
}

// addFunctions finds out how each function is shown, and gives tables their computed fields.
func (b *builder) addFunctions() {
	for _, f := range b.catalog.Functions {
		subject := f.Schema + "." + f.Name + "(" + f.Signature + ")"
		a := b.annotationOf(subject, f.Comment)
		if a.Omit {
			continue
		}
		if len(a.Key) > 0 || len(a.References) > 0 {
			b.warn("schema/bad-comment", subject, "of what its comment says only name, omit, dimensions and description are known of functions", naming(f))
		}
		if other := b.mistakable(f); other != nil {
			b.warn("schema/no-function", subject, "when what has a default is left out, PostgreSQL cannot tell it from "+other.Name+"("+other.Signature+"), so the function is left out",
				"rename one of them, or drop the defaults")
			continue
		}
		shown := &Function{Function: f, name: a.Name, description: strings.TrimSpace(a.Description), dimensions: a.Dimensions}
		if call := b.callOf(f); call != nil {
			if !b.sees(call.roles) {
				continue
			}
			shown.declared, shown.name, shown.description = call, call.Name, cmp.Or(call.Description, shown.description)
		}
		if why, hint := b.describeFunction(shown); why != "" {
			b.warn("schema/no-function", subject, why+", so the function is left out", hint)
			continue
		}
		if shown.Of != nil && shown.declared != nil {
			b.warn("schema/no-function", subject, "a schema file has "+shown.name+" in Query or Mutation, and the function is of a row of "+qualified(shown.Of)+", so it is left out",
				"take the field out of the file: the function is a field of the row's type by itself")
			continue
		}
		if shown.Of != nil {
			b.addComputed(shown)
			continue
		}
		if shown.name == "" {
			shown.name = b.options.prefixedField(f.Schema, shown.ownName())
		}
		if !ValidName(shown.name) {
			b.warn("schema/no-function", subject, "no GraphQL name can be derived from its own, so the function is left out", naming(f))
			continue
		}
		if !b.asDeclared(subject, shown) {
			continue
		}
		b.functions = append(b.functions, shown)
	}
}

// mistakable finds another function of the same name that a call may mean as well: one that takes as many values of the
// same types when defaults are left out.
func (b *builder) mistakable(f *catalog.Function) *catalog.Function {
	for _, other := range b.catalog.Functions {
		if other == f || other.Name != f.Name || other.Schema != f.Schema {
			continue
		}
		most := min(len(f.Parameters), len(other.Parameters))
		for n := max(f.Required(), other.Required()); n <= most; n++ {
			if slices.EqualFunc(f.Parameters[:n], other.Parameters[:n], func(p, q *catalog.Parameter) bool { return p.Type == q.Type }) {
				return other
			}
		}
	}
	return nil
}

// callOf finds what schema files say of a function; nil when they say nothing.
func (b *builder) callOf(f *catalog.Function) *declaredCall {
	if b.options.Declared == nil {
		return nil
	}
	i := slices.IndexFunc(b.options.Declared.calls, func(c *declaredCall) bool { return c.means(f) })
	if i < 0 {
		return nil
	}
	return b.options.Declared.calls[i]
}

// asDeclared compares a function with what a schema file says of it. The database decides; a client that was made from
// the file would be wrong.
func (b *builder) asDeclared(subject string, f *Function) bool {
	if f.declared == nil {
		return true
	}
	if f.declared.writes != f.Volatile {
		b.warn("schema/no-function", subject, "a schema file has "+f.declared.Name+" in "+map[bool]string{true: "Mutation, and the function is not volatile", false: "Query, and the function is volatile"}[f.declared.writes]+
			", so it is left out", "move the field, or declare what the function is: alter function "+f.SQL()+"("+f.Signature+") volatile | stable")
		return false
	}
	var given, taken []string
	for _, a := range f.declared.Arguments {
		given = append(given, a.Name+": "+a.Type.Name())
	}
	for _, a := range f.Arguments {
		taken = append(taken, a.Name+": "+b.inputType(a.Codec).Name())
	}
	for _, a := range given {
		if !slices.Contains(taken, a) {
			b.warn("schema/function-differs", subject, "a schema file has an argument `"+a+"`, and the function takes ("+strings.Join(taken, ", ")+")", "correct the file: the arguments are those of the function")
		}
	}
	return true
}

// naming writes the statement that gives a function a name in the API.
func naming(f *catalog.Function) string {
	return "comment on function " + f.SQL() + "(" + f.Signature + `) is '@fraiseql {"name": "…"}'`
}

// describeFunction finds the types of what a function takes and gives, or says why it cannot be shown.
func (b *builder) describeFunction(f *Function) (why, hint string) {
	parameters := f.Parameters
	if len(parameters) > 0 {
		if f.Of = b.tableOf(parameters[0].Type); f.Of != nil {
			if f.Volatile {
				return "it takes a row of " + qualified(f.Of) + " and may write: only a function that is stable or immutable can be a field of rows",
					"let it take the key of the row, or declare it stable if it only reads"
			}
			if b.byTable[f.Of] == nil || !b.wholly(f.Of) {
				return "it takes a row of " + qualified(f.Of) + ", of which the API does not show every column to this role", "grant select on all of its columns, or hide the function: " + hiding(f.Function)
			}
			parameters = parameters[1:]
		}
	}
	if why, hint := b.describeResult(f); why != "" {
		return why, hint
	}
	var reserved []string
	if f.Set && !f.Volatile {
		reserved = listArguments
	}
	// Names such as p_title keep parameters apart from columns, and say nothing.
	prefixed := !slices.ContainsFunc(parameters, func(p *catalog.Parameter) bool { return !strings.HasPrefix(p.Name, "p_") })
	for i, p := range parameters {
		codec, why, hint := b.valueOf(f, p.Type, 0, "take")
		if why != "" {
			return why, hint
		}
		name := FieldName(p.Name)
		if prefixed {
			name = FieldName(strings.TrimPrefix(p.Name, "p_"))
		}
		if !ValidName(name) {
			name = "arg" + strconv.Itoa(i+1)
		}
		if slices.Contains(reserved, name) {
			name += "Argument"
		}
		for slices.ContainsFunc(f.Arguments, func(a *Argument) bool { return a.Name == name }) {
			name += "_"
		}
		f.Arguments = append(f.Arguments, &Argument{Parameter: p, Name: name, Codec: codec})
	}
	return "", ""
}

// listArguments are those that fields have which give rows of functions.
var listArguments = []string{"where", "orderBy", "limit", "offset", "first", "after", "last", "before", "by", "having"}

func hiding(f *catalog.Function) string {
	return "comment on function " + f.SQL() + "(" + f.Signature + `) is '@fraiseql {"omit": true}'`
}

// valueOf gives how a value crosses that a function takes, or gives.
func (b *builder) valueOf(f *Function, t *catalog.Type, dimensions int, does string) (c *Codec, why, hint string) {
	inner := t
	for (inner.Kind == catalog.Domain || inner.Kind == catalog.Array) && inner.Elem != nil {
		inner = inner.Elem
	}
	if inner.Kind == catalog.Pseudo {
		return nil, "the type " + inner.Name + " stands for many, and a field has one",
			"write a function with types of its own that calls it, or hide it: " + hiding(f.Function)
	}
	c = b.codecOf(t, min(dimensions, mostDimensions))
	if inner.Kind == catalog.Composite && c.Innermost().Object == nil {
		return nil, "it " + does + "s a value of " + inner.Schema + "." + inner.Name + ", of which the API has only whole rows", "let it " + does + " keys or a type of its own" +
			map[string]string{"give": ", or return rows (setof)", "take": ""}[does] + ", or hide it: " + hiding(f.Function)
	}
	return c, "", ""
}

// describeResult finds out what a function gives.
func (b *builder) describeResult(f *Function) (why, hint string) {
	result := f.Result
	columns := f.Columns
	if result.Kind == catalog.Composite && b.tableOf(result) == nil {
		columns = result.Fields
	}
	if said := outcomeOf(columns); said != nil && f.Volatile {
		return b.describeOutcome(f, said)
	}
	switch {
	case len(f.Columns) > 0:
		return b.describeRecord(f)
	case result.Kind == catalog.Pseudo && result.Name == "void":
		if !f.Volatile || f.Set {
			return "it gives nothing" + map[bool]string{false: " and may not write", true: ", in any number of rows"}[f.Set], "let it return void and be volatile, or hide it: " + hiding(f.Function)
		}
		return "", ""
	case result.Kind == catalog.Pseudo && result.Name == "record":
		return "nobody knows the columns of its rows", "let it return table (…) or a type of its own, or hide it: " + hiding(f.Function)
	}
	if table := b.tableOf(result); table != nil {
		if f.Object = b.byTable[table]; f.Object == nil {
			return "it gives rows of " + qualified(table) + ", which the API does not show", "show the table, or hide the function: " + hiding(f.Function)
		}
		return "", ""
	}
	codec, why, hint := b.valueOf(f, result, f.dimensions, "give")
	if why != "" {
		return why, hint
	}
	if codec.Object == nil {
		f.Codec = codec
		return "", ""
	}
	f.Object = codec.Object
	f.Object.listed = f.Object.listed || f.Set && !f.Volatile
	return "", ""
}

// describeRecord makes the type of rows that a function makes by its output parameters.
func (b *builder) describeRecord(f *Function) (why, hint string) {
	name := pascal(words(f.name))
	if name == "" {
		name = b.options.prefixed(f.Schema, pascal(words(strings.TrimPrefix(f.Name, "fn_"))))
	}
	for _, c := range f.Columns {
		if _, why, hint := b.valueOf(f, c.Type, 0, "give"); why != "" {
			return why, hint
		}
	}
	typeName := b.claimType(f.Schema, name+"Row", madeNames)
	if typeName == "" {
		return "no GraphQL name can be derived for its rows that is not taken", naming(f.Function)
	}
	o := &Object{
		Name: typeName, attributes: f.Columns, listed: f.Set && !f.Volatile, Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{},
		description: "A row of what the function " + f.Schema + "." + f.Name + " gives.",
	}
	for _, c := range f.Columns {
		o.codecs[c] = b.codecOf(c.Type, 0)
		b.addColumn(o, c, FieldName(c.Name), "")
	}
	if len(o.order) == 0 {
		return "no GraphQL name can be derived for any of its columns", "give its output parameters other names"
	}
	b.objects = append(b.objects, o)
	f.Object = o
	return "", ""
}

// tableOf gives the table whose rows a type is for; nil when it is for none.
func (b *builder) tableOf(t *catalog.Type) *catalog.Table {
	if t.Kind != catalog.Composite {
		return nil
	}
	i := slices.IndexFunc(b.catalog.Tables, func(table *catalog.Table) bool { return table.Schema == t.Schema && table.Name == t.Name })
	if i < 0 {
		return nil
	}
	return b.catalog.Tables[i]
}

// wholly tells whether the role may read every column of a table.
func (b *builder) wholly(t *catalog.Table) bool {
	return !slices.ContainsFunc(b.catalog.Closed, func(c catalog.Closed) bool { return c.Schema == t.Schema && c.Table == t.Name })
}

// listed tells whether a composite type is what the rows of a function are.
func (b *builder) listed(t *catalog.Type) bool {
	return t.Kind == catalog.Composite && slices.ContainsFunc(b.catalog.Functions, func(f *catalog.Function) bool { return f.Set && !f.Volatile && f.Result == t })
}
