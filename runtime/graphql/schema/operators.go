package schema

import (
	"slices"
	"strings"
)

// Operand tells what an operator takes.
type Operand uint8

// The operands.
const (
	One     Operand = iota // a value of the type
	Several                // a list of such values
	Truth                  // a Boolean that chooses between a condition and its contrary; it is no value
	Whole                  // a whole number
	Text                   // a text
	Texts                  // a list of texts
	Inside                 // a text that the value has in it, begins with, or ends with
	Start
	End
	Element  // a value of what ranges are made of
	Elements // a list of what arrays are made of
	Address  // an Inet
	Query    // a query of a type beside the type
	Path     // conditions on what is at a path within JSON
	Near     // a place, and how far from it
)

// Operator is one condition that a filter offers.
type Operator struct {
	Name    string
	Operand Operand

	doc  string
	sign string // the operator of PostgreSQL
	sql  string // {v} is the value, {s} the sign, {o} the operand; empty: {v}{s}{o}
	not  string // the contrary, of Truth
	cast string // of Query: the type of the operand, which stands in the schema of the value's type
}

// regular tells whether the operand is a regular expression.
func (o *Operator) regular() bool { return o.Name == "regex" || o.Name == "iregex" }

// SQL writes the condition; operand is a parameter, or of Truth "true" or "false".
func (o *Operator) SQL(c *Codec, value, operand string) string {
	sql := o.sql
	switch {
	case o.Operand == Truth && operand == "false":
		sql = o.not
	case sql == "":
		sql = "{v}{s}{o}"
	}
	if o.Operand != Truth {
		value = c.ComparedSQL(value)
	}
	return strings.NewReplacer("{v}", value, "{s}", c.Type.Operator(o.sign), "{o}", c.operandSQL(o, operand)).Replace(sql)
}

// Operator gives the operator that a filter on values of the codec has under a name.
func (c *Codec) Operator(name string) *Operator {
	for _, o := range c.Operators() {
		if o.Name == name {
			return o
		}
	}
	panic("the filter " + c.filterName() + " has no operator " + name)
}

var (
	isNull  = &Operator{Name: "isnull", Operand: Truth, doc: "Null, or with false: not null.", sql: "{v} is null", not: "{v} is not null"}
	equal   = &Operator{Name: "eq", doc: "Equal.", sign: "="}
	unequal = &Operator{Name: "neq", doc: "Not equal; null is neither.", sign: "<>"}
	members = []*Operator{
		{Name: "in", Operand: Several, doc: "Equal to one of these; of none when the list is empty.", sign: "=", sql: "{v}{s}any({o})"},
		{Name: "nin", Operand: Several, doc: "Equal to none of these; null is neither.", sign: "<>", sql: "{v}{s}all({o})"},
	}
	comparisons = []*Operator{
		{Name: "gt", doc: "Greater.", sign: ">"},
		{Name: "gte", doc: "Greater or equal.", sign: ">="},
		{Name: "lt", doc: "Less.", sign: "<"},
		{Name: "lte", doc: "Less or equal.", sign: "<="},
	}
	patterns = []*Operator{
		{Name: "contains", Operand: Inside, doc: "Has this text in it, taken literally.", sign: "like"},
		{Name: "icontains", Operand: Inside, doc: "Has this text in it, in capitals or not.", sign: "ilike"},
		{Name: "startswith", Operand: Start, doc: "Begins with this text, taken literally.", sign: "like"},
		{Name: "istartswith", Operand: Start, doc: "Begins with this text, in capitals or not.", sign: "ilike"},
		{Name: "endswith", Operand: End, doc: "Ends with this text, taken literally.", sign: "like"},
		{Name: "iendswith", Operand: End, doc: "Ends with this text, in capitals or not.", sign: "ilike"},
		{Name: "like", Operand: Text, doc: "Matches this pattern: % is any text, _ any one character.", sign: "like"},
		{Name: "ilike", Operand: Text, doc: "Matches this pattern, in capitals or not.", sign: "ilike"},
		{Name: "regex", Operand: Text, doc: "Matches this POSIX regular expression somewhere.", sign: "~"},
		{Name: "iregex", Operand: Text, doc: "Matches this POSIX regular expression, in capitals or not.", sign: "~*"},
	}
)

// The sets of operators that types have.
var (
	presenceOperators = []*Operator{isNull}
	equalityOperators = slices.Concat([]*Operator{equal, unequal}, members, presenceOperators)
	orderOperators    = slices.Concat([]*Operator{equal, unequal}, comparisons, members, presenceOperators)
	textOperators     = slices.Concat(orderOperators, patterns)

	// Types that have no order may have no <> either.
	unorderedOperators = slices.Concat([]*Operator{
		equal,
		{Name: "neq", doc: unequal.doc, sign: "=", sql: "not ({v}{s}{o})"},
		members[0],
		{Name: "nin", Operand: Several, doc: members[1].doc, sign: "=", sql: "not ({v}{s}any({o}))"},
	}, presenceOperators)

	// A composite value whose attributes are all null is a value all the same; IS NULL would hold for it.
	compositeOperators = []*Operator{{Name: "isnull", Operand: Truth, doc: isNull.doc, sql: "{v} is not distinct from null", not: "{v} is distinct from null"}}

	plainJSONOperators = slices.Concat([]*Operator{
		{Name: "json_contains", doc: "Has this in it: every member and element of it, at the same places.", sign: "@>"},
		{Name: "json_contained", doc: "Is in this: every member and element is there, at the same place.", sign: "<@"},
		{Name: "has_key", Operand: Text, doc: "Has this member, or is a list with this text.", sign: "?"},
		{Name: "has_any_key", Operand: Texts, doc: "Has at least one of these members.", sign: "?|"},
		{Name: "has_all_keys", Operand: Texts, doc: "Has all of these members.", sign: "?&"},
		{Name: "path", Operand: Path, doc: "What is at a path within the value meets these conditions."},
	}, presenceOperators)
	jsonOperators = slices.Concat([]*Operator{equal, unequal}, members, plainJSONOperators)

	// What is at a path may be missing; JSON's null is taken for that, too.
	atPathOperators = slices.Concat([]*Operator{equal, unequal}, comparisons, members, []*Operator{
		{
			Name: "isnull", Operand: Truth, doc: "The path leads nowhere or to JSON's null, or with false: to a value.",
			sql: "coalesce(jsonb_typeof({v}), 'null') = 'null'", not: "coalesce(jsonb_typeof({v}), 'null') <> 'null'",
		},
	}, withinText("contains", "icontains", "startswith", "endswith", "like", "ilike"))

	documentOperators = slices.Concat([]*Operator{
		{Name: "matches", Operand: Text, doc: "Has all words of this text, in the database's default configuration.", sign: "@@", sql: "{v}{s}plainto_tsquery({o})"},
		{Name: "websearch", Operand: Text, doc: `Matches this query, as search engines take them: words, "phrases", or, -not.`, sign: "@@", sql: "{v}{s}websearch_to_tsquery({o})"},
	}, presenceOperators)

	rangeOperators = slices.Concat(equalityOperators, []*Operator{
		{Name: "range_contains", Operand: Element, doc: "Has this value in it.", sign: "@>"},
		{Name: "range_contains_range", doc: "Has all of this in it.", sign: "@>"},
		{Name: "range_contained", doc: "Is all in this.", sign: "<@"},
		{Name: "range_overlaps", doc: "Has a value in common with this.", sign: "&&"},
		{Name: "range_before", doc: "Ends before this begins.", sign: "<<"},
		{Name: "range_after", doc: "Begins after this ends.", sign: ">>"},
		{Name: "range_adjacent", doc: "Ends where this begins, or begins where it ends.", sign: "-|-"},
		{Name: "is_empty", Operand: Truth, doc: "Has no value in it, or with false: has some.", sql: "isempty({v})", not: "not isempty({v})"},
	})

	networkOperators = slices.Concat(orderOperators, []*Operator{
		{Name: "subnet_contains", Operand: Address, doc: "Is this network or one that has it in it.", sign: ">>="},
		{Name: "subnet_contained", Operand: Address, doc: "Is this network or in it.", sign: "<<="},
		{Name: "subnet_overlaps", Operand: Address, doc: "Has an address in common with this.", sign: "&&"},
	})

	treeOperators = slices.Concat(orderOperators, []*Operator{
		{Name: "ancestor_of", doc: "Is this path or above it.", sign: "@>"},
		{Name: "descendant_of", doc: "Is this path or below it.", sign: "<@"},
		{Name: "matches_lquery", Operand: Query, doc: "Matches this pattern of labels, such as Top.*.Europe.", sign: "~", cast: "lquery"},
		{Name: "matches_ltxtquery", Operand: Query, doc: "Has labels that match this query, such as Europe & !Asia.", sign: "@", cast: "ltxtquery"},
	})

	vectorOperators = slices.Concat([]*Operator{{Name: "near", Operand: Near, doc: "Is at most so far from this vector."}}, presenceOperators)

	listOperators = slices.Concat(lengths("eq", "=", "neq", "<>", "gt", ">", "gte", ">=", "lt", "<", "lte", "<="), presenceOperators)
	setOperators  = slices.Concat([]*Operator{
		{Name: "array_contains", Operand: Elements, doc: "Has all of these elements; null is none of any list.", sign: "@>"},
		{Name: "array_contained", Operand: Elements, doc: "All of its elements are among these.", sign: "<@"},
		{Name: "array_overlaps", Operand: Elements, doc: "Has at least one of these elements.", sign: "&&"},
	}, listOperators)

	// A slice begins at 1. Arrays that differ in where they begin only are the same list to a client.
	arrayOperators = slices.Concat([]*Operator{
		{Name: "eq", doc: equal.doc, sign: "=", sql: "({v})[:]{s}{o}"}, {Name: "neq", doc: unequal.doc, sign: "<>", sql: "({v})[:]{s}{o}"},
	}, setOperators)
)

// lengths makes the conditions on the length of a list. That of an empty array is null to array_length, and
// that of more than one dimension is more than cardinality tells.
func lengths(pairs ...string) []*Operator {
	var list []*Operator
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, &Operator{
			Name: "len_" + pairs[i], Operand: Whole, doc: "How many elements there are, compared with this: " + pairs[i] + ".",
			sql: "coalesce(array_length({v}, 1), cardinality({v})) " + pairs[i+1] + " {o}",
		})
	}
	return list
}

// withinText makes operators on text those on the text of a JSON value.
func withinText(names ...string) []*Operator {
	var list []*Operator
	for _, pattern := range patterns {
		if slices.Contains(names, pattern.Name) {
			o := *pattern
			o.sql = "({v} #>> '{}'){s}{o}"
			list = append(list, &o)
		}
	}
	return list
}
