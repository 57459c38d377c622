// Package schema turns a catalog into a GraphQL schema: names, types, relations, arguments and filters.
//
// The result is twofold. The gqlparser schema says what clients may write; validation and introspection
// go by it. Beside it stands our own map from each GraphQL field back to the column, key or relation it
// stands for, which is all that package plan needs to write SQL.
//
//	catalog.Catalog ──> Build ──┬─> Schema.AST      (gqlparser: what may be asked)
//	    Options ─────────┘      ├─> Schema.Roots    (field of Query -> table and key)
//	                            ├─> Schema.Objects  (type -> fields -> columns and relations)
//	                            └─> Schema.Warnings (what was left out, and how to name it)
//
// Names follow fixed rules (names.go, claims.go), and those that a person chose come first. A table or type whose name is
// taken gets the schema's before it, a table else Row after it; what has no GraphQL name at all is left out. Warnings tell
// of both, and how to name them. What a person says of what is not there is told, and refused when it omits
// (misnamed.go).
package schema
