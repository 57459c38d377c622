package conditions

import (
	"errors"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// What a condition may cost is bounded: its text, its parts, the size of its patterns, the digits that are calculated
// with, and the text that a pattern is tried on.
const (
	maxText  = 4 << 10
	maxNodes = 1000
)

// Condition is a condition that has been judged and can be asked by many goroutines at once.
type Condition struct {
	text       string
	root       node
	references []*reference
	named      [3][]string // the columns of each source, in the order of their first mention
	program    *vm.Program
	machines   sync.Pool
}

// Compile reads a condition. With columns, names and kinds are judged; without, only what is wrong whatever the table. An
// error is an *Error of kind Invalid with a code "conditions/…" and the place in the text.
func Compile(text string, columns Columns) (*Condition, error) {
	switch {
	case len(text) > maxText:
		return nil, span{maxText, len(text)}.problem("too-large", "the condition is longer than %d bytes", maxText)
	case !utf8.ValidString(text):
		return nil, span{0, len(text)}.problem("syntax", "the condition is not UTF-8")
	}
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := &Condition{text: text}
	check := checker{text: text, places: placesOf(text), columns: columns, condition: c}
	if c.root, err = check.boolean(tree); err != nil {
		return nil, err
	}
	if c.program, err = build(text, c.root); err != nil {
		return nil, fault.Wrap(fault.Internal, "conditions/program", "the condition cannot be made into a program", err)
	}
	c.machines.New = func() any { return new(machine) }
	return c, nil
}

// String gives the text.
func (c *Condition) String() string { return c.text }

// Columns gives the columns that are read of each row, sorted. What changed() asks for is read of both.
func (c *Condition) Columns() (old, new []string) {
	old, new = slices.Clone(c.named[fromOld]), slices.Clone(c.named[fromNew])
	slices.Sort(old)
	slices.Sort(new)
	return old, new
}

// Matches tells whether a change is one that the condition means. With an error it is always false: what is compared is of
// kinds that cannot be compared (conditions/kinds), divided by zero (conditions/division-by-zero), too large to calculate
// with (conditions/too-large), or no JSON (conditions/bad-row).
func (c *Condition) Matches(change Change) (bool, error) {
	m, _ := c.machines.Get().(*machine)
	m.start(c, change)
	result, err := m.vm.Run(c.program, m)
	m.end()
	c.machines.Put(m)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			return false, e
		}
		return false, fault.Wrap(fault.Internal, "conditions/program", "the condition cannot be judged", err)
	}
	matches, _ := result.(bool)
	return matches, nil
}
