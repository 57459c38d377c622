package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Input is a member of the inputs of a table: a column, or a relation along which rows are written as well.
type Input struct {
	Name     string
	Column   *catalog.Column
	Codec    *Codec
	Relation *Relation
	Required bool // of a column: a new row cannot do without, unless a relation gives it

	description string
}

// Input finds a member of the table's inputs.
func (o *Object) Input(name string) *Input {
	for _, in := range o.Inputs() {
		if in.Name == name {
			return in
		}
	}
	return nil
}

// Inputs gives the members of the table's inputs, in order: its columns, and its relations to what can be written. They are
// made anew each time, as measures are.
func (o *Object) Inputs() []*Input {
	if o.Table == nil || o.made {
		return nil
	}
	var list []*Input
	for _, f := range o.order {
		switch {
		case f.NodeID || f.Form != Rows || f.Relation == nil && f.Column == nil:
		case f.Relation != nil:
			if writable(f.Relation) {
				list = append(list, &Input{Name: f.Name, Relation: f.Relation, description: f.description})
			}
		case f.Column.Insert || f.Column.Update:
			list = append(list, &Input{Name: f.Name, Column: f.Column, Codec: f.Codec, Required: required(o.Table, f.Column), description: f.description})
		}
	}
	return append(list, o.unread...)
}

// The names of the types that writing takes.
func (o *Object) inputName() string         { return inputName(o.Name) }
func (o *Object) setName() string           { return o.Name + "Set" }
func (o *Object) toOneInputName() string    { return o.Name + "ToOneInput" }
func (o *Object) toManyInputName() string   { return o.Name + "ToManyInput" }
func (o *Object) uniqueName() string        { return o.Name + "UniqueWhere" }
func (o *Object) conflictName() string      { return o.Name + "OnConflict" }
func (o *Object) conflictKeyName() string   { return o.Name + "ConflictKey" }
func (o *Object) conflictFieldName() string { return o.Name + "ConflictField" }

func inputName(typeName string) string { return typeName + "Input" }

// addInputs adds what can be written of a table, but not read.
func (b *builder) addInputs(o *Object) {
	if o.made {
		return
	}
	entity := b.entity(o.Table)
	for _, c := range o.Table.Unread {
		override := entity.Fields[c.Name]
		name := override.Name
		if name == "" {
			name = FieldName(c.Name)
		}
		if override.Omit || !ValidName(name) || o.Fields[name] != nil || o.Input(name) != nil {
			continue
		}
		o.codecs[c] = b.codecOf(c.Type, c.Dimensions)
		o.unread = append(o.unread, &Input{Name: name, Column: c, Codec: o.codecs[c], Required: required(o.Table, c), description: override.Description})
	}
}

// required tells whether a new row must have a value in a column. A trigger that looks at rows first may give it one.
func required(t *catalog.Table, c *catalog.Column) bool {
	return c.NotNull && !c.HasDefault && !c.Identity && !c.Generated && !t.IsView() && !t.Writes.Fills
}

// writable tells whether rows can be written along a relation: its foreign key can be given a value.
func writable(r *Relation) bool {
	may := func(columns []*catalog.Column) bool {
		return !slices.ContainsFunc(columns, func(c *catalog.Column) bool { return !c.Insert && !c.Update })
	}
	switch {
	case r.Join != nil:
		return r.Join.Table.Writes.Insert && may(r.Join.Local) && may(r.Join.Remote)
	case r.Holds:
		return may(r.Local)
	}
	return may(r.Remote) && (r.Target.Table.Writes.Insert || r.Target.Table.Writes.Update)
}

// linked tells whether a column may get its value from a relation.
func (o *Object) linked(c *catalog.Column) bool {
	return slices.ContainsFunc(o.foreignKeys, func(k *catalog.ForeignKey) bool { return slices.Contains(k.Columns, c) })
}

// defineInputs makes the types of rows to be and of changes, where there may be any.
func (b *builder) defineInputs(o *Object) {
	if o.insertable() {
		d := inputDefinition(o.inputName(), "A new row of "+o.Name+". What is left out gets its default.")
		for _, in := range o.Inputs() {
			switch {
			case in.Relation != nil && (!in.Relation.Holds || canInsert(in.Relation.Local)):
				b.addRelated(d, in)
			case in.Relation == nil && in.Column.Insert:
				t := nonNullIf(in.Required && !o.linked(in.Column), b.inputType(in.Codec))
				d.Fields = append(d.Fields, b.memberOf(in.Name, in.description, t))
			}
		}
		b.schema.NewRows[d.Name] = true
		b.defineData(d)
	}
	if o.updatable() {
		b.defineSet(o)
	}
}

// addRelated adds the member by which rows along a relation are written with a row.
func (b *builder) addRelated(d *ast.Definition, in *Input) {
	name := b.relatedType(in.Relation)
	if name != "" {
		d.Fields = append(d.Fields, b.memberOf(in.Name, in.description, named(name)))
	}
}

// relatedType makes the input of a relation; empty when nothing can be written along it.
func (b *builder) relatedType(r *Relation) string {
	target := r.Target
	name, doc := target.toOneInputName(), "The row of "+target.Name+": a new one, or one that is there."
	if r.Many {
		name, doc = target.toManyInputName(), "Rows of "+target.Name+": new ones, and ones that are there."
	}
	if b.defined(name) {
		return name
	}
	var fields ast.FieldList
	kind := func(t *ast.Type) *ast.Type {
		if r.Many {
			return listOf(nonNull(t))
		}
		return t
	}
	if target.insertable() {
		fields = append(fields, field("create", "Added.", kind(named(target.inputName()))))
	}
	if len(target.UniqueKeys()) > 0 {
		b.defineUnique(target)
		fields = append(fields, field("connect", "There already: named by one of its keys.", kind(named(target.uniqueName()))))
	}
	if len(fields) == 0 {
		return ""
	}
	d := inputDefinition(name, doc, fields...)
	if !r.Many {
		oneOf(d)
	}
	b.define(d)
	return name
}

// defineUnique makes the input that names a row by one of its keys.
func (b *builder) defineUnique(o *Object) {
	if b.defined(o.uniqueName()) {
		return
	}
	d := inputDefinition(o.uniqueName(), "Names a row of "+o.Name+": all fields of one of its keys, and no others.")
	for _, key := range o.UniqueKeys() {
		for _, f := range key {
			if d.Fields.ForName(f.Name) == nil {
				d.Fields = append(d.Fields, b.member(f.Name, "", f.Codec.GraphQL))
			}
		}
	}
	b.define(d)
}

// defineConflict makes the types that say what becomes of a row that is there already; false when none can be.
func (b *builder) defineConflict(o *Object) bool {
	keys := o.ConflictKeys()
	if len(keys) == 0 || !o.updatable() {
		return false
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = keyName(key)
	}
	b.defineChoice(enumDefinition(o.conflictKeyName(), "The keys of "+o.Name+".", names))
	var fields []string
	for _, in := range o.Inputs() {
		if in.Relation == nil && in.Column.Insert && in.Column.Update && validLabel(in.Name) {
			fields = append(fields, in.Name)
		}
	}
	list := ast.FieldList{
		field("key", "The key by which a row is known to be there. Default: the one whose fields the input has, the primary one first.", named(o.conflictKeyName())),
	}
	if len(fields) > 0 {
		b.defineChoice(enumDefinition(o.conflictFieldName(), "The fields of an input that can be put into a row that is there.", fields))
		list = append(list, field("update", "The fields of the input to put into the row that is there; an empty list changes nothing. Default: all that the input has, but for the key.",
			listOf(nonNull(named(o.conflictFieldName())))))
	}
	list = append(list, field("set", "What else to change in the row that is there.", named(o.setName())))
	b.define(inputDefinition(o.conflictName(), "What to do with a row that is there already.", list...))
	return true
}

func canInsert(columns []*catalog.Column) bool {
	return !slices.ContainsFunc(columns, func(c *catalog.Column) bool { return !c.Insert })
}

func canUpdate(columns []*catalog.Column) bool {
	return !slices.ContainsFunc(columns, func(c *catalog.Column) bool { return !c.Update })
}

// inputType gives the GraphQL type of a value as it is written.
func (b *builder) inputType(c *Codec) *ast.Type {
	switch {
	case c.Elem != nil:
		t := b.inputType(c.Elem)
		for range c.Dimensions {
			t = listOf(t)
		}
		return t
	case c.Object != nil:
		return named(b.compositeInput(c.Object))
	}
	return named(c.GraphQL)
}

// compositeInput makes the input of a composite type.
func (b *builder) compositeInput(o *Object) string {
	if !b.defined(o.inputName()) {
		d := inputDefinition(o.inputName(), "A value of the composite type "+o.Name+"; what is left out is null.")
		b.defineData(d)
		for _, f := range o.order {
			d.Fields = append(d.Fields, b.memberOf(f.Name, f.description, b.inputType(f.Codec)))
		}
	}
	return o.inputName()
}
