package conditions

import (
	"regexp"
	"strings"
)

// kinds is a set of what a value can be. Null is no member: every value can be null.
type kinds uint8

const (
	booleans kinds = 1 << iota
	numbers
	texts
	lists
	objects
	anything = booleans | numbers | texts | lists | objects
)

// String names the kinds for people.
func (k kinds) String() string {
	names := []string{}
	for i, name := range []string{"a boolean", "a number", "a text", "a list", "an object"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	switch last := len(names) - 1; {
	case last < 0:
		return "null"
	case k == anything:
		return "a value"
	case last == 0:
		return names[0]
	default:
		return strings.Join(names[:last], ", ") + " or " + names[last]
	}
}

var kindsOf = map[Kind]kinds{Other: anything, Number: numbers, Text: texts, Bool: booleans, JSON: anything, Time: texts, List: lists}

// node is a part of a condition that has been judged. The tree is the one meaning of a condition: the program and the SQL
// are both made of it.
type node interface {
	place() span
	can() kinds // what it can be besides null
}

// part is what all nodes have.
type part struct {
	at    span
	kinds kinds
}

func (p part) place() span { return p.at }
func (p part) can() kinds  { return p.kinds }

// source is where a value is read from.
type source uint8

const (
	fromOld source = iota
	fromNew
	fromClaims
)

func (s source) String() string { return [...]string{"old", "new", "claims"}[s] }

// step leads from a value to one within it: a member by its name, or an element by its position.
type step struct {
	name     string
	position int
	list     bool
}

type (
	literal struct {
		part
		value *value
	}
	// reference reads a value of the change. Its path begins with the column; without a path it is the row as a whole.
	reference struct {
		part
		source source
		path   []step
		column Column
		known  bool // that there is such a column
		slot   int  // the same for the same source and path
		member int  // of the columns that are named of its source
	}
	operation struct{ part } // the variable op
	// comparison is == != < <= > >=.
	comparison struct {
		part
		operator    string
		left, right node
		moments     bool // both are points in time
	}
	// logic is && and ||.
	logic struct {
		part
		and         bool
		left, right node
	}
	negation struct {
		part
		of node
	}
	// among is `in`: of a list that stands in the text, or of one that is a value.
	among struct {
		part
		value node
		list  []*value
		in    node
	}
	// textTest is contains, startsWith and endsWith.
	textTest struct {
		part
		operator    string
		left, right node
	}
	pattern struct {
		part
		value node
		re    *regexp.Regexp
	}
	// arithmetic is + - * / %.
	arithmetic struct {
		part
		operator    string
		left, right node
	}
	minus struct {
		part
		of node
	}
	// call is lower, upper, trim and len.
	call struct {
		part
		function string
		argument node
	}
	// fallback is ??.
	fallback struct {
		part
		value, otherwise node
	}
	// changed is old.f != new.f, whatever is in f, so that it is right for every operation: where there is no old or no
	// new row, its values are null.
	changed struct {
		part
		old, new *reference
		moments  bool
	}
)

func isNull(n node) bool {
	l, ok := n.(*literal)
	return ok && l.value.kind == aNull
}

func isTime(n node) bool {
	r, ok := n.(*reference)
	return ok && r.column.Kind == Time && len(r.path) == 1
}
