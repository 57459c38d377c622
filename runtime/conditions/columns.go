package conditions

import "slices"

// Kind says what the values of a column are in the JSON of an event.
type Kind uint8

// The kinds. Of the zero value nothing is known, and so nothing is judged before there is a row.
const (
	Other  Kind = iota // ranges, composite types and whatever else has no kind of its own
	Number             // integers, numeric, floats; a NaN or an infinity is a text in JSON, and understood
	Text               // texts, and all that is written as one: uuid, enum, time of day, interval, inet, money
	Bool
	JSON // json and jsonb: the kinds are those of what is in it
	Time // date, timestamp, timestamptz: compared as moments, not as texts
	List // arrays
)

func (k Kind) String() string {
	return [...]string{"unknown", "number", "text", "boolean", "JSON", "time", "list"}[min(k, List)]
}

// Column is what is known of a column of the rows that events tell of.
type Column struct {
	Name string
	Kind Kind
	// Type is the type's name in pg_catalog ("int8", "text"), that of the base type for a domain, and "enum" for every enum.
	// It serves [Condition.SQL] alone, which leaves out what it is not sure of; empty is: not known.
	Type string
}

// Columns are all members of an event's rows. A column that events leave out must not be here: a condition over it
// would see null where a trigger sees a value. Nil is: not known, so that no name is judged.
type Columns []Column

func (c Columns) find(name string) (Column, bool) {
	i := slices.IndexFunc(c, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{Name: name}, false
	}
	return c[i], true
}

func (c Columns) names() []string {
	names := make([]string, len(c))
	for i := range c {
		names[i] = c[i].Name
	}
	return names
}
