// Package plan turns a GraphQL operation into SQL: one statement for each field of Query.
//
//	text ──Parse──> Document ──Operation──┬─Shape(variables)──> the name of a plan
//	      limits, then validation         └─Compile──> Plan ──Bind(variables)──> Bound: statements and values
//
// Limits come before validation, so that a hostile document costs no more than reading it. A plan holds for all
// requests whose variables have one shape (slot.go). Values never enter a statement's text, but for limits that stand in
// the document: each becomes a parameter, known already or filled in by Bind. A level of the answer filters, orders and
// limits first, in a derived table where it has children; these are attached to the rows that are left.
package plan
