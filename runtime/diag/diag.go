// Package diag is how a file's mistakes are told: what is wrong, where, and what to write in its place.
// Configuration uses it, and so will templates, conditions and scripts.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says whether a problem stops the program.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Span is a place in a file. Lines and columns begin with 1 and columns count characters; a line of 0
// is the file as a whole.
type Span struct {
	File   string
	Line   int
	Column int
	Width  int
}

// Label is a place with a word on its part in the problem.
type Label struct {
	Span
	Text string
}

// Diagnostic is one problem. Its code is stable; Help is one line that can be pasted or run.
type Diagnostic struct {
	Severity  Severity
	Code      string
	Message   string
	Primary   Label
	Secondary []Label
	Help      string
}

// List is all problems of a file.
type List []Diagnostic

// Sort puts problems in the order of the file.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Primary.File, b.Primary.File), cmp.Compare(a.Primary.Line, b.Primary.Line),
			cmp.Compare(a.Primary.Column, b.Primary.Column), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code))
	})
}

// HasErrors tells whether something stops the program.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Summary counts: "3 errors, 1 warning".
func (l List) Summary() string {
	var errors, warnings int
	for _, d := range l {
		if d.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	return count(errors, "error") + ", " + count(warnings, "warning")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
