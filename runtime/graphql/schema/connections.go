package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// NodeType is the interface of rows with a global id (GraphQL Global Object Identification Specification).
const NodeType = "Node"

// defineConnection makes the types of a list by cursors (GraphQL Cursor Connections Specification).
func (b *builder) defineConnection(o *Object) {
	if !o.Ordered() {
		return
	}
	row := nonNull(named(o.Name))
	b.define(&ast.Definition{
		Kind: ast.Object, Name: o.edgeName(), Description: "A row of " + o.Name + " and where it stands.", Position: position,
		Fields: ast.FieldList{
			field("cursor", "Where the row stands, for after and before with the same orderBy.", nonNull(named("String"))),
			field("node", "The row.", row),
		},
	})
	b.define(&ast.Definition{
		Kind: ast.Object, Name: o.connectionName(), Description: "A part of a list of " + o.Name + ".", Position: position,
		Fields: ast.FieldList{
			field("edges", "The rows with their cursors.", nonNull(listOf(nonNull(named(o.edgeName()))))),
			field("nodes", "The rows.", nonNull(listOf(row))),
			field("pageInfo", "Whether there are more.", nonNull(named("PageInfo"))),
			field("totalCount", "How many rows meet the conditions, on all pages.", nonNull(named("Int"))),
			b.member("estimatedCount", "About how many rows there are, by the planner's statistics: much cheaper than totalCount. For fields of Query only.", "Int"),
		},
	})
}

func (b *builder) definePageInfo() {
	yes, text := nonNull(named("Boolean")), named("String")
	b.define(&ast.Definition{
		Kind: ast.Object, Name: "PageInfo", Description: "Whether there are rows before and after a part of a list.", Position: position,
		Fields: ast.FieldList{
			field("hasNextPage", "There are rows after the last one.", yes),
			field("hasPreviousPage", "There are rows before the first one.", yes),
			field("startCursor", "The cursor of the first row; null when there is none.", text),
			field("endCursor", "The cursor of the last row; null when there is none.", text),
		},
	})
}

func (b *builder) connectionArguments(o *Object) []*ast.ArgumentDefinition {
	list := []*ast.ArgumentDefinition{
		argument("first", "At most this many rows, from the beginning or after a cursor. "+b.limits(), named("Int")),
		argument("after", "Only rows after the one with this cursor.", named("String")),
		argument("last", "At most this many rows, from the end or before a cursor.", named("Int")),
		argument("before", "Only rows before the one with this cursor.", named("String")),
	}
	return append(list, b.rowArguments(o)...)
}

// addNodes gives rows with a primary key a global id, and Query the way back from it.
func (b *builder) addNodes(query *ast.Definition) {
	if !b.options.Relay {
		return
	}
	name := b.options.NodeID
	if name == "" {
		name = "id"
		if slices.ContainsFunc(b.objects, func(o *Object) bool { return o.Table != nil && o.Fields["id"] != nil }) {
			name = "nodeId"
		}
	}
	id := field(name, "The row's id among all rows of all types.", nonNull(named("ID")))
	b.define(&ast.Definition{Kind: ast.Interface, Name: NodeType, Description: "A row with an id among all rows of all types.", Fields: ast.FieldList{id}, Position: position})
	for _, o := range b.objects {
		switch {
		case o.Table == nil || o.PrimaryKey() == nil || b.views[o.Table] != nil:
		case o.Fields[name] != nil:
			b.warn("schema/no-node-id", o.Name+"."+name, "the name of the global id is taken by a field, so rows of "+o.Name+" have none",
				`[graphql] node_id = "nodeId"`)
		default:
			f := &Field{Name: name, NodeID: true, nonNull: true}
			o.Fields[name] = f
			o.order = append([]*Field{f}, o.order...)
		}
	}
	b.schema.NodeID = name
	b.schema.Roots["node"] = &Root{Name: "node", Form: Node}
	query.Fields = append(query.Fields, field("node", "The row with a global id, or null.", named(NodeType), argument(name, "The id.", nonNull(named("ID")))))
}
