package conditions

import (
	"bytes"
	"unicode/utf8"
)

// What the operators and functions of a condition answer. Null gives false, or null; what is of another kind than is needed
// ends the judgement.

func (n *comparison) decide(a, b *value) bool {
	is, ok := answer(n.operator, a, b, n.moments)
	if !ok {
		panic(n.at.problem("kinds", "%s and %s cannot be compared by %s", a.kind, b.kind, n.operator))
	}
	return is
}

// decide tells whether a value is in the list of the text; one of another kind is not.
func (n *among) decide(v *value) bool {
	for _, e := range n.list {
		if compareValues(v, e) == equal {
			return true
		}
	}
	return false
}

func (n *among) decideIn(v, in *value) (found bool) {
	switch in.kind {
	case aNull:
		return false
	case aList:
	default:
		panic(n.at.problem("kinds", "this looks into %s, where a list is needed", in.kind))
	}
	var element value
	sound := true
	ok := eachElement(in.text, func(raw []byte) bool {
		sound = decode(raw, &element)
		found = sound && compareValues(v, &element) == equal
		return sound && !found
	})
	if !ok || !sound {
		panic(n.at.problem("bad-row", "the list cannot be read: it is no JSON"))
	}
	return found
}

func (n *textTest) decide(a, b *value) bool {
	if a.kind == aNull || b.kind == aNull {
		return false
	}
	if a.kind != aText || b.kind != aText {
		panic(n.at.problem("kinds", "%s is between %s and %s, and needs texts", n.operator, a.kind, b.kind))
	}
	switch n.operator {
	case "contains":
		return bytes.Contains(a.text, b.text)
	case "startsWith":
		return bytes.HasPrefix(a.text, b.text)
	default:
		return bytes.HasSuffix(a.text, b.text)
	}
}

func (n *pattern) decide(v *value) bool {
	switch {
	case v.kind == aNull:
		return false
	case v.kind != aText:
		panic(n.at.problem("kinds", "matches is after %s, and needs a text", v.kind))
	case len(v.text) > maxMatched:
		panic(n.at.problem("too-large", "the text is longer than the %d bytes that a pattern is tried on", maxMatched))
	}
	return n.re.Match(v.text)
}

func (n *arithmetic) result(a, b *value) *value {
	if a.kind == aNull || b.kind == aNull {
		return nothing
	}
	if a.kind != aNumber || b.kind != aNumber {
		panic(n.at.problem("kinds", "%s is between %s and %s, and needs numbers", n.operator, a.kind, b.kind))
	}
	result, problem := calculate(n.operator, a, b)
	switch problem {
	case "division-by-zero":
		panic(n.at.problem(problem, "this divides by zero"))
	case "too-large":
		panic(n.at.problem(problem, "these numbers have too many digits to calculate with"))
	}
	return result
}

var zero = whole(0)

func (n *minus) result(v *value) *value {
	return (&arithmetic{part: n.part, operator: "-"}).result(zero, v)
}

func (n *call) result(v *value) *value {
	switch {
	case v.kind == aNull:
		return nothing
	case n.function == "len" && v.kind == aList:
		return whole(n.elements(v))
	case v.kind != aText:
		panic(n.at.problem("kinds", "%s is of %s, and needs a text", n.function, v.kind))
	}
	switch n.function {
	case "len":
		return whole(int64(utf8.RuneCount(v.text)))
	case "lower":
		return &value{kind: aText, text: bytes.ToLower(v.text)}
	case "upper":
		return &value{kind: aText, text: bytes.ToUpper(v.text)}
	default:
		return &value{kind: aText, text: bytes.TrimSpace(v.text)}
	}
}

func (n *call) elements(v *value) (count int64) {
	if !eachElement(v.text, func([]byte) bool { count++; return true }) {
		panic(n.at.problem("bad-row", "the list cannot be read: it is no JSON"))
	}
	return count
}
