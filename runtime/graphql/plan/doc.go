// Package plan turns a GraphQL operation into SQL: one statement for each field of Query.
//
//	text ──parse──> document ──limits──> validate ──> operation + variables ──Compile──> Plan
//
// Limits come before validation, so that a hostile document costs no more than reading it. Values never
// enter a statement's text: each becomes a parameter. A level of the answer is a derived table that
// filters, orders and limits first; children are attached to the rows that are left.
package plan
