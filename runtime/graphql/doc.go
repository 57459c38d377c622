// Package graphql gives a PostgreSQL database a GraphQL API: each field of Query is one SQL statement.
//
//	catalog ──> schema ──> plan ──> execute ──> transport
//	tables      types      SQL      bytes       HTTP
//
// A Service holds the picture of the database and replaces it, whole and between two requests, when
// the schema changes. States:
//
//	waiting ──first picture──> serving ──schema changed──> serving (with a new picture)
//	   │  the database cannot be reached: it tries again, waiting longer each time
//
// A request keeps the picture that it began with.
package graphql
