package schema

import (
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

// describeOutcome makes the payload of a function.
func (b *builder) describeOutcome(f *Function, said *outcome) (why, hint string) {
	name := f.name
	if name == "" {
		name = FieldName(strings.TrimPrefix(f.Name, "fn_"))
	}
	typeName := b.claimType(f.Schema, upperFirst(name)+"Payload", nil)
	if typeName == "" {
		return "no GraphQL name can be derived for its payload that is not taken", naming(f.Function)
	}
	if !b.defined(errorClassName) {
		b.define(enumDefinition(errorClassName, "Why a function has not done what it was asked to.", errorClasses))
	}
	o := &Object{
		Name: typeName, Fields: map[string]*Field{}, codecs: map[*catalog.Column]*Codec{},
		description: "What has come of " + name + ".",
	}
	add := func(name, doc string, codec *Codec, nonNull bool, of *catalog.Column, sql string) {
		c := &catalog.Column{Name: name, Type: codec.Type, Within: &catalog.Within{Column: of, SQL: sql}}
		o.codecs[c] = codec
		o.Fields[name] = &Field{Name: name, Column: c, Codec: codec, nonNull: nonNull, description: doc}
		o.order = append(o.order, o.Fields[name])
	}
	some := said.entity // any column, for what is said of none
	column := func(c *catalog.Column, sql string) (*catalog.Column, string) {
		if c == nil {
			return some, "null"
		}
		return c, sql
	}
	scalar := func(of, typeName string) *Codec {
		codec := scalarCodecs[of]
		codec.Type, codec.GraphQL = builtin(of, of), typeName
		b.useScalar(typeName)
		return &codec
	}
	yes, text, document := scalar("bool", "Boolean"), scalar("text", "String"), scalar("jsonb", "JSON")

	succeeded, well := said.succeeded, "coalesce(%s, false)"
	if succeeded == nil {
		succeeded, well = said.status, "coalesce(lower(%s) ~ '^("+wellDone+")(:|$)', false)"
	}
	changed, did := said.changed, "coalesce(%s, false)"
	if changed == nil {
		changed, did = said.status, "coalesce(lower(%s) ~ '^("+wellDone+")(:|$)' and lower(%s) !~ '^("+undone+")(:|$)', false)"
	}
	if changed == nil {
		changed, did = succeeded, well
	}
	add("succeeded", "It was done, or there was nothing to do.", yes, true, succeeded, well)
	add("changed", "Something was changed.", yes, true, changed, did)
	at, sql := column(said.status, "%s")
	add("status", "In the words of the function.", text, false, at, sql)
	class, which := said.class, "upper(%s::text)"
	if class == nil {
		class, which = said.status, "case when lower(%s) ~ '^("+wellDone+")(:|$)' then null else upper(coalesce(substring(%s from '^failed:([^:]+)'), substring(%s from '^[^:]+'))) end"
	}
	if class == nil {
		class, which = some, "null"
	}
	known := "'" + strings.Join(errorClasses, "', '") + "'"
	add("errorClass", "Why not; null when it succeeded.", &Codec{GraphQL: errorClassName, Type: builtin("text", "text"), class: ordered}, false, class,
		"(select case when c is null or c in ("+known+") then c else 'INTERNAL' end from (select "+which+") s(c))")
	at, sql = column(said.message, "%s")
	add("message", "What a person may be told.", text, false, at, sql)
	at, sql = column(said.id, "%s::text")
	add("entityId", "Which row it is about.", scalar("text", "ID"), false, at, sql)
	entity := document
	if d := b.documents[b.entityOf(name)]; d != nil {
		entity = &Codec{GraphQL: d.Name, Type: JSON.Type, Object: d, JSON: true}
	}
	add("entity", "The row as it is now.", entity, false, said.entity, "%s::jsonb")
	at, sql = column(said.fields, "to_jsonb(%s)")
	add("updatedFields", "The fields that were changed, in the words of the function.", &Codec{GraphQL: "JSON", Type: JSON.Type, Encoding: Raw, operators: jsonOperators}, false, at, sql)
	o.Fields["updatedFields"].definition = field("updatedFields", "The fields that were changed, in the words of the function.", listOf(nonNull(named("String"))))
	for _, document := range []struct {
		name, doc string
		of        *catalog.Column
	}{{"cascade", "What else was changed.", said.cascade}, {"errorDetail", "More of the error.", said.detail}, {"metadata", "What else the function says.", said.metadata}} {
		at, sql := column(document.of, "%s::jsonb")
		add(document.name, document.doc, scalar("jsonb", "JSON"), false, at, sql)
	}
	b.objects = append(b.objects, o)
	f.Object = o
	return "", ""
}

// entityOf finds the declared type that a function's name ends in: "createBook" is about a Book.
func (b *builder) entityOf(name string) string {
	best := ""
	for typeName := range b.documents {
		if strings.HasSuffix(name, typeName) && len(typeName) > len(best) {
			best = typeName
		}
	}
	return best
}
