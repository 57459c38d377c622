// Package shop is the demo: a small shop of a few thousand rows, the same on every machine.
package shop

import _ "embed"

//go:embed shop.sql
var sql string

//go:embed shop.toml
var config []byte

// Config gives the configuration that the demo runs with where there is none.
func Config() []byte { return config }

// SQL gives the statements that make the shop in an empty database.
func SQL() string { return sql }

// Query is a first query, without characters that a shell would take for its own.
const Query = "{ products(limit: 2) { name price category { name } reviews(limit: 2) { rating customer { name } } } }"
