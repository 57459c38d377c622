package schema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// A function that says by its row what has come of it, as FraiseQL's do, gives one type of payload, whichever of the
// forms the row has: with succeeded (13 columns), with status and object_data (6), or with status and entity or data.

// errorClasses are the classes of errors of such functions.
var errorClasses = []string{
	"VALIDATION", "CONFLICT", "NOT_FOUND", "UNAUTHORIZED", "FORBIDDEN", "INTERNAL", "TRANSACTION_FAILED", "TIMEOUT", "RATE_LIMITED", "SERVICE_UNAVAILABLE",
}

const errorClassName = "MutationErrorClass"

// The words by which a status says that all is well, alone or before a colon, and that there was nothing to do.
const (
	wellDone = "success|ok|done|completed|new|existing|created|inserted|updated|deleted|synced|noop"
	undone   = "noop"
)

// outcome are the columns of a row that says what has come of a function.
type outcome struct {
	succeeded, changed, status, class, message, id, entity, fields, cascade, detail, metadata *catalog.Column
}

// outcomeOf reads the columns of a row; nil when it says no such thing.
func outcomeOf(columns []*catalog.Column) *outcome {
	find := func(types string, names ...string) *catalog.Column {
		for _, name := range names {
			i := slices.IndexFunc(columns, func(c *catalog.Column) bool {
				base := c.Type.Resolve()
				return c.Name == name && (types == "" || slices.Contains(strings.Fields(types), base.Name))
			})
			if i >= 0 {
				return columns[i]
			}
		}
		return nil
	}
	const text, document = "text varchar", "jsonb json"
	o := &outcome{
		succeeded: find("bool", "succeeded"), changed: find("bool", "state_changed"), status: find(text, "status_detail", "status"),
		class: find("", "error_class", "error_code"), message: find(text, "message"), id: find("", "entity_id", "id"),
		entity: find(document, "entity", "object_data", "data"), fields: find("_text _varchar", "updated_fields"),
		cascade: find(document, "cascade"), detail: find(document, "error_detail"), metadata: find(document, "metadata", "extra_metadata"),
	}
	if o.entity == nil || o.succeeded == nil && o.status == nil {
		return nil
	}
	return o
}

// payloadField is one of a payload: made of a column, or null where the row has none for it.
type payloadField struct {
	name, doc string
	codec     *Codec
	nonNull   bool
	of        *catalog.Column
	sql       string // with %s for the column
}

// describeOutcome makes the payload of a function.
func (b *builder) describeOutcome(f *Function, said *outcome) (why, hint string) {
	name, about := f.name, b.entityOf(cmp.Or(f.name, f.ownName()))
	if name == "" {
		name = b.options.prefixedField(f.Schema, f.ownName())
	}
	typeName := b.claimType(f.Schema, upperFirst(name)+"Payload", nil)
	if typeName == "" {
		return "no GraphQL name can be derived for its payload that is not taken", naming(f.Function)
	}
	if !b.defined(errorClassName) {
		b.define(enumDefinition(errorClassName, "Why a function has not done what it was asked to.", errorClasses))
	}
	o := &Object{Name: typeName, Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{}, description: "What has come of " + name + "."}
	if f.declared != nil {
		about = f.declared.Type.Name()
	}
	_, declared := b.visible[about]
	for _, p := range b.payload(said, about) {
		if p.name == "entity" && declared && !b.visible[about] {
			continue // it is for others
		}
		if p.of == nil {
			p.of, p.sql = said.entity, "null" // any column: it is not looked at
		}
		b.useScalar(p.codec.GraphQL)
		c := &catalog.Column{Name: p.name, Type: p.codec.Type, Within: &catalog.Within{Column: p.of, SQL: p.sql}}
		o.codecs[c] = p.codec
		o.Fields[p.name] = &Field{Name: p.name, Column: c, Codec: p.codec, nonNull: p.nonNull, description: p.doc}
		o.order = append(o.order, o.Fields[p.name])
	}
	fields := o.Fields["updatedFields"]
	fields.definition = field(fields.Name, fields.description, listOf(nonNull(named("String"))))
	b.objects = append(b.objects, o)
	f.Object = o
	return "", ""
}

// payload gives the fields of a payload that is about a declared type, or about nothing that is known.
func (b *builder) payload(said *outcome, about string) []payloadField {
	scalar := func(of, typeName string) *Codec {
		codec := scalarCodecs[of]
		codec.Type, codec.GraphQL = builtin(of, of), typeName
		return &codec
	}
	yes, text, document := scalar("bool", "Boolean"), scalar("text", "String"), scalar("jsonb", "JSON")
	entity := document
	if d := b.documents[about]; d != nil {
		entity = &Codec{GraphQL: d.Name, Type: JSON.Type, Object: d, JSON: true}
	}
	succeeded, well := said.well()
	changed, did := said.did()
	class, which := said.why()
	return []payloadField{
		{"succeeded", "It was done, or there was nothing to do.", yes, true, succeeded, well},
		{"changed", "Something was changed.", yes, true, changed, did},
		{"status", "In the words of the function.", text, false, said.status, "%s"},
		{"errorClass", "Why not; null when it succeeded.", &Codec{GraphQL: errorClassName, Type: text.Type, class: ordered}, false, class, which},
		{"message", "What a person may be told.", text, false, said.message, "%s"},
		{"entityId", "Which row it is about.", scalar("text", "ID"), false, said.id, "%s::text"},
		{"entity", "The row as it is now.", entity, false, said.entity, "%s::jsonb"},
		{"updatedFields", "The fields that were changed, in the words of the function.", document, false, said.fields, "to_jsonb(array_remove(%s, null))"},
		{"cascade", "What else was changed.", document, false, said.cascade, "%s::jsonb"},
		{"errorDetail", "More of the error.", document, false, said.detail, "%s::jsonb"},
		{"metadata", "What else the function says.", document, false, said.metadata, "%s::jsonb"},
	}
}

// well says whether the function has done what it was asked to.
func (o *outcome) well() (of *catalog.Column, sql string) {
	if o.succeeded != nil {
		return o.succeeded, "coalesce(%s, false)"
	}
	return o.status, "coalesce(lower(%s) ~ '^(" + wellDone + ")(:|$)', false)"
}

// did says whether anything was changed.
func (o *outcome) did() (of *catalog.Column, sql string) {
	switch {
	case o.changed != nil:
		return o.changed, "coalesce(%s, false)"
	case o.status != nil && o.succeeded == nil:
		return o.status, "coalesce(lower(%s) ~ '^(" + wellDone + ")(:|$)' and lower(%s) !~ '^(" + undone + ")(:|$)', false)"
	}
	return o.well()
}

// why says what class an error is of: by the column for it, else by the status; INTERNAL when neither says one that is
// known.
func (o *outcome) why() (of *catalog.Column, sql string) {
	_, well := o.well()
	judged, of := o.succeeded, o.class
	if judged == nil {
		judged = o.status
	}
	var classes []string
	known := " in ('" + strings.Join(errorClasses, "', '") + "')"
	for _, c := range []*catalog.Column{o.class, o.status} {
		if c == nil {
			continue
		}
		name := "upper(" + sibling(c) + "::text)"
		if c == o.status {
			name = "upper(regexp_replace(lower(" + sibling(c) + "), '^(failed: *)?([^:]*?) *(:.*)?$', '\\2'))"
		}
		classes = append(classes, "(select c from (select "+name+") s(c) where c"+known+")")
		if of == nil {
			of = c
		}
	}
	classes = append(classes, "'INTERNAL'")
	if of == nil {
		of = judged
	}
	return of, "case when not " + strings.ReplaceAll(well, "%s", sibling(judged)) + " then coalesce(" + strings.Join(classes, ", ") + ") end"
}

// sibling writes another column of the row that a payload is made of.
func sibling(c *catalog.Column) string { return "%a." + catalog.QuoteIdent(c.Name) }

// entityOf finds the declared type that a function's name has after a verb: "createBook" is about a Book.
func (b *builder) entityOf(name string) string {
	list := words(name)
	for typeName := range b.visible {
		if len(list) > 1 && slices.Equal(list[1:], words(typeName)) {
			return typeName
		}
	}
	return ""
}
