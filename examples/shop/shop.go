// Package shop is the demo: a small shop of a few thousand rows, the same on every machine.
package shop

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:embed shop.sql
var sql string

//go:embed shop.toml
var config string

// Config gives the configuration that the demo runs with where there is none. Its mails go to a port of this machine, its
// webhooks below an address.
func Config(mailPort int, hookURL string) []byte {
	return []byte(strings.NewReplacer("= MAIL_PORT", "= "+strconv.Itoa(mailPort), `"HOOK_URL/`, `"`+hookURL+"/").Replace(config))
}

// SQL gives the statements that make the shop in an empty database.
func SQL() string { return sql }

// Query is a first query, without characters that a shell would take for its own.
const Query = "{ products(limit: 2) { name price category { name } reviews(limit: 2) { rating customer { name } } } }"

// Order is a first order, on which everything reacts.
const Order = `mutation { placeOrder(email: "customer1@example.com", lines: [{sku: "SKU-0001", quantity: 1}]) { id email } }`
