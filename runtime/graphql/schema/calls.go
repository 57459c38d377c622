package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// The fields by which functions are called: of rows, of Query and of Mutation.

// addComputed gives a table the field that a function computes of its row.
func (b *builder) addComputed(f *Function) {
	o := b.byTable[f.Of]
	if b.views[f.Of] != nil {
		b.warn("schema/no-function", o.Name, "a schema file says what its fields are, so that of the function "+f.Schema+"."+f.Name+" is left out", hiding(f.Function))
		return
	}
	name := f.name
	if name == "" {
		list, table := words(strings.TrimPrefix(f.Name, "fn_")), words(strings.TrimPrefix(f.Of.Name, "tb_"))
		for _, prefix := range [][]string{table, words(TypeName(f.Of.Name)), words(o.Name)} {
			if len(prefix) > 0 && len(list) > len(prefix) && slices.Equal(list[:len(prefix)], prefix) {
				list = list[len(prefix):]
				break
			}
		}
		name = camel(list)
	}
	for _, shown := range b.calls(f, name, "rows of "+f.Name) {
		added := &Field{Name: shown.definition.Name, Function: f, Form: shown.form, definition: shown.definition}
		if !ValidName(added.Name) || o.Fields[added.Name] != nil {
			b.warn("schema/no-function", o.Name+"."+added.Name, "the name is taken, or is none, so the field of the function "+f.Schema+"."+f.Name+" is left out", naming(f.Function))
			continue
		}
		if f.Codec != nil && !f.Set && f.Codec.Object == nil && !slices.ContainsFunc(f.Arguments, func(a *Argument) bool { return !a.HasDefault }) {
			added.Codec = f.Codec
		}
		o.Fields[added.Name] = added
		o.order = append(o.order, added)
	}
}

// calls gives the fields by which a function is called: one, or one for each form of its rows.
func (b *builder) calls(f *Function, name, rows string) []derived {
	arguments := make([]*ast.ArgumentDefinition, len(f.Arguments))
	for i, a := range f.Arguments {
		needed := f.Strict && !a.HasDefault && !a.Variadic
		arguments[i] = argument(a.Name, "", nonNullIf(needed, b.inputType(a.Codec)))
	}
	doc := describe(f.description, "Calls the function "+f.Schema+"."+f.Name+".")
	list := []derived{{Rows, field(name, doc, f.resultType(), slices.Concat(arguments, b.setArguments(f))...)}}
	if f.declared != nil {
		list[0].definition.Directives = deprecation(f.declared.Directives)
	}
	if f.Set && !f.Volatile && f.Object != nil {
		for _, form := range b.derived(f.Object, name, rows) {
			if form.form == Connection {
				continue // a cursor is a key, and a function may give a row twice, in an order of its own
			}
			form.definition.Arguments = slices.Concat(arguments, form.definition.Arguments)
			list = append(list, form)
		}
	}
	return list
}

// resultType gives the type of a function's field.
func (f *Function) resultType() *ast.Type {
	switch {
	case f.Object != nil && f.Set:
		return nonNull(listOf(nonNull(named(f.Object.Name))))
	case f.Object != nil:
		return named(f.Object.Name)
	case f.Codec == nil:
		return nonNull(named("Boolean"))
	case f.Set:
		return nonNull(listOf(f.Codec.outputType()))
	}
	return f.Codec.outputType()
}

// setArguments choose and order what a set has that is only read.
func (b *builder) setArguments(f *Function) []*ast.ArgumentDefinition {
	switch {
	case !f.Set || f.Volatile:
		return nil
	case f.Object != nil:
		return b.listArguments(f.Object)
	}
	var list []*ast.ArgumentDefinition
	if len(f.Codec.Operators()) > 0 {
		list = append(list, argument("where", "Only values that meet all of these conditions.", named(b.filterType(f.Codec))))
	}
	if f.Codec.sortable() {
		list = append(list, argument("orderBy", "The order of the values; without it, that of the function.", named("OrderDirection")))
	}
	return append(list, b.pageArguments()...)
}

// addQueries adds the functions that only read.
func (b *builder) addQueries(query *ast.Definition) {
	for _, f := range b.functions {
		if f.Volatile {
			continue
		}
		for _, shown := range b.calls(f, f.name, "rows of "+f.name) {
			b.addRoot(query, &Root{Name: shown.definition.Name, Form: shown.form, Object: f.Object, Function: f}, shown.definition)
		}
	}
}

// addCalls adds the functions that may write. They come before what is derived of tables: whoever wrote create_album
// means it to be the way in.
func (b *builder) addCalls(mutation *ast.Definition) {
	for _, f := range b.functions {
		if !f.Volatile {
			continue
		}
		d := b.calls(f, f.name, "")[0].definition
		b.addWriteField(mutation, &Write{Name: d.Name, Action: Call, Many: f.Set, Object: f.Object, Function: f}, d)
	}
}
