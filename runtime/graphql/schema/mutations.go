package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Action is what a field of Mutation does.
type Action uint8

// The actions.
const (
	Create Action = iota
	Update
	Delete
	Upsert
	Call // of a function
)

// Write is a field of Mutation.
type Write struct {
	Name     string
	Action   Action
	Many     bool      // it gives a list
	Object   *Object   // nil for a function that gives plain values, or nothing
	Key      []*Field  // the arguments that name the row to update or delete
	Function *Function // to call
}

// addMutation makes the fields of Mutation for what the login may write. There is no such type when it may write nothing.
func (b *builder) addMutation() {
	mutation := &ast.Definition{
		Kind: ast.Object, Name: "Mutation", Position: position,
		Description: "Everything that can be written. The fields of a request are done one after the other in one transaction: all of them, or none.",
	}
	for _, o := range b.objects {
		if o.Table != nil && len(o.Fields) > 0 {
			b.addInputs(o)
		}
	}
	for _, o := range b.objects {
		b.defineInputs(o)
	}
	b.addCalls(mutation)
	for _, o := range b.objects {
		if o.Table != nil && len(o.Fields) > 0 {
			b.addCreate(mutation, o)
			b.addUpdate(mutation, o)
			b.addDelete(mutation, o)
		}
	}
	if len(mutation.Fields) > 0 {
		b.define(mutation)
	}
}

func (b *builder) addWrite(mutation *ast.Definition, w *Write, doc string, t *ast.Type, arguments ...*ast.ArgumentDefinition) {
	b.addWriteField(mutation, w, field(w.Name, doc, t, arguments...))
}

func (b *builder) addWriteField(mutation *ast.Definition, w *Write, d *ast.FieldDefinition) {
	if taken := b.schema.Writes[w.Name]; taken != nil {
		b.warn("schema/no-root-name", "Mutation."+w.Name, "the name is taken by "+whose(taken.Function, taken.Object)+", so this field for "+whose(w.Function, w.Object)+" is left out", renaming(w.Function))
		return
	}
	b.schema.Writes[w.Name] = w
	mutation.Fields = append(mutation.Fields, d)
}

func (b *builder) addCreate(mutation *ast.Definition, o *Object) {
	if !o.insertable() {
		return
	}
	row, rows := nonNull(named(o.Name)), nonNull(listOf(nonNull(named(o.Name))))
	one := argument("input", "The row to be.", nonNull(named(o.inputName())))
	several := argument("input", "The rows to be.", nonNull(listOf(nonNull(named(o.inputName())))))
	b.addWrite(mutation, &Write{Name: "create" + o.Name, Action: Create, Object: o}, "Adds a row to "+o.Name+" and gives it.", row, one)
	b.addWrite(mutation, &Write{Name: "create" + upperFirst(o.Plural), Action: Create, Many: true, Object: o}, "Adds rows to "+o.Name+" and gives them, in the order of the input.", rows, several)
	if !b.defineConflict(o) {
		return
	}
	conflict := argument("onConflict", "What to do with a row that is there already. Without it, the fields of the input are put into the row with its key.", named(o.conflictName()))
	b.addWrite(mutation, &Write{Name: "upsert" + o.Name, Action: Upsert, Object: o}, "Adds a row to "+o.Name+", or changes the one that has its key, and gives it.", row, one, conflict)
	b.addWrite(mutation, &Write{Name: "upsert" + upperFirst(o.Plural), Action: Upsert, Many: true, Object: o},
		"Adds rows to "+o.Name+", or changes those that have their keys, and gives them, in the order of the input.", rows, several, conflict)
}

func (b *builder) addUpdate(mutation *ast.Definition, o *Object) {
	if !o.updatable() {
		return
	}
	set := argument("set", "What to change.", nonNull(named(o.setName())))
	if key, arguments := b.keyArguments(o, "set"); key != nil {
		b.addWrite(mutation, &Write{Name: "update" + o.Name, Action: Update, Object: o, Key: key},
			"Changes the row of "+o.Name+" with this key and gives it; null when there is none.", named(o.Name), append(arguments, set)...)
	}
	where := argument("where", "Which rows; an empty object means all of them.", nonNull(named(o.whereName())))
	b.addWrite(mutation, &Write{Name: "update" + upperFirst(o.Plural), Action: Update, Many: true, Object: o},
		"Changes the rows of "+o.Name+" that meet conditions and gives them, ordered by their key.", nonNull(listOf(nonNull(named(o.Name)))), where, set)
}

func (b *builder) addDelete(mutation *ast.Definition, o *Object) {
	if !o.Table.Writes.Delete || o.made {
		return
	}
	if key, arguments := b.keyArguments(o, ""); key != nil {
		b.addWrite(mutation, &Write{Name: "delete" + o.Name, Action: Delete, Object: o, Key: key},
			"Removes the row of "+o.Name+" with this key and gives it as it was; null when there is none.", named(o.Name), arguments...)
	}
	where := argument("where", "Which rows; an empty object means all of them.", nonNull(named(o.whereName())))
	b.addWrite(mutation, &Write{Name: "delete" + upperFirst(o.Plural), Action: Delete, Many: true, Object: o},
		"Removes the rows of "+o.Name+" that meet conditions and gives them as they were, ordered by their key.", nonNull(listOf(nonNull(named(o.Name)))), where)
}

// keyArguments gives the arguments that name a row by its primary key; nil when there is none that can be given, or when
// a column of it is called as another argument is.
func (b *builder) keyArguments(o *Object, taken string) ([]*Field, []*ast.ArgumentDefinition) {
	primary := o.PrimaryKey()
	if primary == nil {
		return nil, nil
	}
	fields := o.fieldsOf(primary)
	if fields == nil {
		return nil, nil
	}
	arguments := make([]*ast.ArgumentDefinition, 0, len(fields))
	for _, f := range fields {
		if f.Name == taken {
			b.warn("schema/no-root-name", "Mutation.update"+o.Name, "the key has a field `"+taken+"`, which is the name of another argument, so the field is left out",
				"choose another name for the column")
			return nil, nil
		}
		arguments = append(arguments, argument(f.Name, f.description, nonNull(named(f.Codec.GraphQL))))
	}
	return fields, arguments
}

// fieldsOf gives the fields of a key's columns; nil when one of them is not shown, or has no single value.
func (o *Object) fieldsOf(columns []*catalog.Column) []*Field {
	fields := make([]*Field, 0, len(columns))
	for _, c := range columns {
		f := o.FieldOf(c.Name)
		if f == nil || f.Codec.Elem != nil || f.Codec.Object != nil {
			return nil
		}
		fields = append(fields, f)
	}
	return fields
}

func (o *Object) insertable() bool {
	return o.Table != nil && o.Table.Writes.Insert && slices.ContainsFunc(o.Inputs(), func(in *Input) bool { return in.Column != nil && in.Column.Insert })
}

func (o *Object) updatable() bool {
	return o.Table != nil && o.Table.Writes.Update && slices.ContainsFunc(o.Inputs(), func(in *Input) bool { return in.Column != nil && in.Column.Update })
}

// UniqueKeys gives the keys by which a row can be named, those first that the database guards, with their fields.
func (o *Object) UniqueKeys() [][]*Field {
	var keys [][]*Field
	for _, key := range o.Keys {
		fields := o.fieldsOf(key.Columns)
		if fields != nil && !slices.ContainsFunc(keys, func(k []*Field) bool { return keyName(k) == keyName(fields) }) {
			keys = append(keys, fields)
		}
	}
	return keys
}

// ConflictKeys gives the keys on which a new row can meet one that is there.
func (o *Object) ConflictKeys() [][]*Field {
	if o.Table.Kind != catalog.Ordinary && o.Table.Kind != catalog.Partitioned {
		return nil
	}
	return slices.DeleteFunc(o.UniqueKeys(), func(key []*Field) bool {
		return !validLabel(keyName(key)) || !slices.ContainsFunc(o.Table.Keys, func(k *catalog.Key) bool {
			return !k.Deferrable && slices.EqualFunc(k.Columns, key, func(c *catalog.Column, f *Field) bool { return c == f.Column })
		})
	})
}

// ConflictKey finds a key by its name in the API.
func (o *Object) ConflictKey(name string) []*Field {
	for _, key := range o.ConflictKeys() {
		if keyName(key) == name {
			return key
		}
	}
	return nil
}

// keyName is how a key is called: by its fields.
func keyName(key []*Field) string {
	names := make([]string, len(key))
	for i, f := range key {
		names[i] = f.Name
	}
	return strings.Join(names, "_")
}
