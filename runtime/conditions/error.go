package conditions

import (
	"fmt"
	"unicode/utf8"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Error is a fault with the place in the condition's text that it is about. errors.As finds it in what Compile and
// Matches give, and fault.As finds the fault in it.
type Error struct {
	Fault  *fault.Error
	Offset int // of the culprit's first byte
	Width  int // in bytes; 0 at the end of the text
}

// Error gives the message alone: whoever shows the text has the place.
func (e *Error) Error() string { return e.Fault.Error() }

// Unwrap gives the fault.
func (e *Error) Unwrap() error { return e.Fault }

// span is a part of the condition's text, in bytes.
type span struct{ from, to int }

// to gives the part from the beginning of s to the end of o.
func (s span) through(o span) span { return span{min(s.from, o.from), max(s.to, o.to)} }

// problem makes an error about a part of the text. The code is "conditions/" and what is given.
func (s span) problem(code, format string, args ...any) *Error {
	return &Error{
		Fault:  fault.New(fault.Invalid, "conditions/"+code, fmt.Sprintf(format, args...)),
		Offset: s.from, Width: s.to - s.from,
	}
}

// try adds what to write instead.
func (e *Error) try(format string, args ...any) *Error {
	_ = e.Fault.WithHint(format, args...)
	return e
}

// places turns the positions of the parser, which counts characters, into bytes.
type places []int

func placesOf(text string) places {
	if !hasWide(text) {
		return nil // they are the same
	}
	p := make(places, 0, len(text)+1)
	for i := range text {
		p = append(p, i)
	}
	return append(p, len(text))
}

func hasWide(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

func (p places) span(from, to, size int) span {
	if p != nil {
		from, to = p[min(max(from, 0), len(p)-1)], p[min(max(to, 0), len(p)-1)]
	}
	from = min(max(from, 0), size)
	return span{from, min(max(to, from), size)}
}
