package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// annotation is what a comment may say: `@fraiseql {"name": …}` at its beginning, a description after it.
type annotation struct {
	Name        string      `json:"name"`
	Omit        bool        `json:"omit"`
	Description string      `json:"description"`
	Key         []string    `json:"key"`
	References  []Reference `json:"references"`
	Dimensions  int         `json:"dimensions"`
}

// annotationMark begins a comment that is for us; no letter or digit follows it.
var annotationMark = regexp.MustCompile(`^@fraiseql([^\pL\pN_]|$)`)

// annotationOf splits a comment. What is marked but cannot be read is left out of the API, with a warning:
// the mark may have been meant to do just that.
func (b *builder) annotationOf(subject, comment string) annotation {
	text := strings.TrimSpace(comment)
	if !annotationMark.MatchString(text) {
		return annotation{Description: comment}
	}
	rest := strings.TrimPrefix(text, "@fraiseql")
	var a annotation
	decoder := json.NewDecoder(strings.NewReader(rest))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&a); err != nil {
		b.warn("schema/bad-comment", subject, "the comment's @fraiseql part cannot be read, so "+subject+" is left out: "+unreadable(err),
			`write it as one JSON object: comment on … is '@fraiseql {"name": "…"}'`)
		return annotation{Omit: true}
	}
	if text := strings.TrimSpace(rest[decoder.InputOffset():]); text != "" {
		a.Description = text
	}
	return a
}

// unreadable says why JSON could not be taken, in the words of the comment.
func unreadable(err error) string {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	wanted := map[reflect.Kind]string{reflect.Slice: "a list", reflect.Struct: "an object", reflect.Bool: "true or false", reflect.Int: "a number", reflect.String: "a text"}[kind.Type.Kind()]
	return fmt.Sprintf("%q takes %s, not a %s", kind.Field, wanted, kind.Value)
}

// entity joins what the comment and the configuration say of a table; the configuration wins.
func (b *builder) entity(t *catalog.Table) Entity {
	if e, known := b.entities[t]; known {
		return e
	}
	subject := qualified(t)
	a := b.annotationOf(subject, t.Comment)
	e := Entity{Name: a.Name, Omit: a.Omit, Description: a.Description, Key: a.Key, References: a.References}
	for _, key := range []string{b.options.typeName(t), subject} {
		if c, ok := b.options.Entities[key]; ok {
			e = merge(e, c)
		}
	}
	e = b.declaredEntity(t, b.columnAnnotations(t, e))
	b.entities[t] = e
	return e
}

func merge(e, over Entity) Entity {
	if over.Name != "" {
		e.Name = over.Name
	}
	if over.Description != "" {
		e.Description = over.Description
	}
	if len(over.Key) > 0 {
		e.Key = over.Key
	}
	e.Omit = e.Omit || over.Omit
	e.References = append(e.References, over.References...)
	fields := maps.Clone(e.Fields)
	if fields == nil {
		fields = map[string]EntityField{}
	}
	for name, f := range over.Fields {
		fields[name] = mergeField(fields[name], f)
	}
	e.Fields = fields
	return e
}

func mergeField(f, over EntityField) EntityField {
	if over.Name != "" {
		f.Name = over.Name
	}
	if over.Description != "" {
		f.Description = over.Description
	}
	if over.Dimensions != 0 {
		f.Dimensions = over.Dimensions
	}
	f.Omit = f.Omit || over.Omit
	return f
}

// columnAnnotations puts together what comments and configuration say of each column, by column name.
func (b *builder) columnAnnotations(t *catalog.Table, e Entity) Entity {
	fields := map[string]EntityField{}
	for _, c := range slices.Concat(t.Columns, t.Unread) {
		a := b.annotationOf(qualified(t)+"."+c.Name, c.Comment)
		f := EntityField{Name: a.Name, Omit: a.Omit, Description: a.Description, Dimensions: a.Dimensions}
		// A column may be named as in the database or as its field would be.
		f = mergeField(f, e.Fields[FieldName(c.Name)])
		fields[c.Name] = mergeField(f, e.Fields[c.Name])
	}
	e.Fields = fields
	return e
}

// virtualKeys adds the key and the references that a person says a view (or table) has.
func (b *builder) virtualKeys(o *Object, e Entity) {
	if len(e.Key) > 0 {
		if columns := pick(o.Table, e.Key); columns != nil {
			keys := []*catalog.Key{{Name: "key", Primary: true, Columns: columns}}
			for _, k := range o.Keys { // another primary key of the table's own is a unique one beside it
				if !k.Primary || !slices.Equal(k.Columns, columns) {
					keys = append(keys, &catalog.Key{Name: k.Name, Columns: k.Columns})
				}
			}
			o.Keys = keys
		} else {
			b.badReference(o.Table, "key", e.Key)
		}
	}
	b.addReferences(o, e.References)
}

func (b *builder) badReference(t *catalog.Table, what string, columns []string) {
	b.warn("schema/bad-reference", qualified(t), fmt.Sprintf("the %s by (%s) names a table or column that does not exist or does not fit", what, strings.Join(columns, ", ")),
		commentOn(t, `{"key": ["id"], "references": [{"columns": ["customer_id"], "table": "public.customer"}]}`))
}

func pick(t *catalog.Table, names []string) []*catalog.Column {
	if len(names) == 0 {
		return nil
	}
	columns := make([]*catalog.Column, 0, len(names))
	for _, name := range names {
		c := t.Column(name)
		if c == nil {
			return nil
		}
		columns = append(columns, c)
	}
	return columns
}

func nameError(name, table, other string) *fault.Error {
	e := fault.New(fault.Invalid, "schema/bad-name", fmt.Sprintf("the name `%s` that was chosen for %s is no GraphQL name", name, table)).
		WithHint("use letters, digits and underscores, beginning with a letter")
	switch {
	case other != "":
		e.Message = fmt.Sprintf("the name `%s` is chosen for both %s and %s", name, other, table)
		e.Hint = "choose another one in [graphql.entities] or in the comment of one of the two"
	case ValidName(name):
		e.Message = fmt.Sprintf("the name `%s` that was chosen for %s is one of the API itself", name, table)
		e.Hint = "choose another one in [graphql.entities] or in its comment"
	}
	return e
}
