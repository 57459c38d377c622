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
// Names follow fixed rules (names.go). Nothing is ever renamed silently because another table came
// along: what cannot be given the name that the rules say is left out with a warning that tells how to
// name it.
package schema
