// Package shop is the demo: a small shop of a few thousand rows, the same on every machine.
package shop

import _ "embed"

//go:embed shop.sql
var sql string

// SQL gives the statements that make the shop in an empty database.
func SQL() string { return sql }

// Query is a first query, without characters that a shell would take for its own.
const Query = "{ products(limit: 2) { name price category { name } reviews(limit: 2) { rating customer { name } } } }"
