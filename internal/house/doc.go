// Package house guards how the code is laid out: floors, the one home of each heavy dependency, and
// sizes. It has tests only.
package house
