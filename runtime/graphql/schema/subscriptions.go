package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// changeOp is the enum of what happened to a row.
const changeOp = "ChangeOp"

// ChangeOps are its labels.
var ChangeOps = []string{"INSERT", "UPDATE", "DELETE", "TRUNCATE"}

// The fields of what a subscription gives, beside the row itself.
const (
	PayloadOp      = "op"
	PayloadKey     = "key"
	PayloadChanged = "changed"
	PayloadAt      = "at"
	PayloadID      = "id"
)

// Feed is a field of Subscription: it tells of changes of the rows of a type.
type Feed struct {
	Name    string
	Object  *Object
	Payload string // the type of what it gives
	Row     string // the field of that which has the row as it is now
}

// listens tells whether changes of a type can be, and are to be, heard of: it shows a table whose rows have a primary key,
// and [graphql.subscriptions] names it.
func (b *builder) listens(o *Object) bool {
	return Heard(o) && (slices.Contains(b.options.Subscribed, "*") || slices.Contains(b.options.Subscribed, o.Name) ||
		slices.Contains(b.options.Subscribed, o.Table.Schema+"."+o.Table.Name))
}

// Heard tells whether changes of the rows of a type can be heard of.
func Heard(o *Object) bool {
	t := o.Table
	return t != nil && len(o.Fields) > 0 && (t.Kind == catalog.Ordinary || t.Kind == catalog.Partitioned) && t.PrimaryKey() != nil && o.PrimaryKey() != nil &&
		!slices.ContainsFunc(o.PrimaryKey(), func(c *catalog.Column) bool { return !readBack(c.Type) })
}

// readBack tells whether a value that events have as JSON can be cast to its type again, which is how rows are found: not what JSON
// has as an array or an object.
func readBack(t *catalog.Type) bool {
	switch base := t.Resolve(); base.Kind {
	case catalog.Array, catalog.Composite, catalog.Pseudo:
		return false
	default:
		return !slices.Contains([]string{"json", "jsonb", "hstore", "geometry", "geography"}, base.Name)
	}
}

// addSubscription makes the fields of Subscription. There is no such type where nothing is listened to.
func (b *builder) addSubscription() {
	if len(b.options.Subscribed) == 0 {
		return
	}
	subscription := &ast.Definition{Kind: ast.Object, Name: "Subscription", Description: "Changes of rows, as they are committed.", Position: position}
	for _, o := range b.objects {
		if b.listens(o) {
			b.addChange(subscription, o)
		}
	}
	if len(subscription.Fields) == 0 {
		return
	}
	b.defineChoice(enumDefinition(changeOp, "What happened to a row. TRUNCATE: all rows of the table are gone.", ChangeOps))
	b.useScalar("JSON")
	b.useScalar("DateTime")
	b.define(subscription)
}

func (b *builder) addChange(subscription *ast.Definition, o *Object) {
	c := &Feed{Name: lowerFirst(o.Name) + "Changed", Object: o, Row: lowerFirst(o.Name)}
	if slices.Contains([]string{PayloadOp, PayloadKey, PayloadChanged, PayloadAt, PayloadID}, c.Row) {
		c.Row += "Row"
	}
	if c.Payload = b.claimType(o.Table.Schema, o.Name+"Changed", nil); c.Payload == "" || b.schema.Feeds[c.Name] != nil {
		b.warn("schema/no-root-name", "Subscription."+c.Name, "the name is taken, so this field for "+o.Name+" is left out", renaming(nil))
		return
	}
	text := nonNull(named("String"))
	b.define(&ast.Definition{
		Kind: ast.Object, Name: c.Payload, Description: "A change of a row of " + o.Name + ".", Position: position,
		Fields: ast.FieldList{
			field(PayloadOp, "What happened.", nonNull(named(changeOp))),
			field(PayloadKey, "The primary key of the row, by the names of its fields; null for TRUNCATE.", named("JSON")),
			field(PayloadChanged, "The fields that an UPDATE changed, of those that you may read; null where nobody knows.", listOf(text)),
			field(PayloadAt, "When it was changed; the commit came later.", nonNull(named("DateTime"))),
			field(PayloadID, "The number of the event.", nonNull(named("ID"))),
			field(c.Row, "The row as it is now. Null: it is gone, or is no more one of those that you subscribe to or may see.", named(o.Name)),
		},
	})
	b.schema.Feeds[c.Name] = c
	subscription.Fields = append(subscription.Fields, field(c.Name, "Changes of rows of "+o.Name+".", nonNull(named(c.Payload)),
		argument("where", "Only rows that meet these conditions, as they are when the change is told.", named(o.whereName())),
		argument("ops", "Only these; without it all.", listOf(nonNull(named(changeOp))))))
}
