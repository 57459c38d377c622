// Package catalog reads what a PostgreSQL database holds: tables, views, keys, types, comments and
// what the login may read. It is one consistent picture, taken in one round trip, and it knows
// nothing of GraphQL; package schema makes an API of it.
//
//	[Load] ──> *Catalog (never changed after, but for Count) ──> schema.Build
//	[Fingerprint] ──> a text that differs after any DDL that could change the picture
package catalog
