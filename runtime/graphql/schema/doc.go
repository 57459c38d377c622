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
// Names follow fixed rules (names.go), and those that a person chose come first. A name that is taken gets the schema's
// before it; what can be given neither is left out. Warnings tell of both for tables, and how to name them.
package schema
