// Package planned declares the tables of features that are not built yet, so that a file written for
// them is judged today by the rules that will hold: keys, types, ranges and references. A type moves
// into its feature's package when that is built.
package planned
