package conditions

import (
	"bytes"
	"cmp"
)

// compared says how two values stand to each other.
type compared uint8

const (
	less compared = iota
	equal
	greater
	different // not equal, and without an order
	mismatch  // they are of kinds that cannot be compared
)

func comparedBy(c int) compared { return compared(c + 1) }

// compareValues compares two values of which null equals null and nothing else.
func compareValues(a, b *value) compared {
	switch {
	case a.kind == aNull || b.kind == aNull:
		if a.kind == b.kind {
			return equal
		}
		return different
	case a.kind != b.kind:
		return compareSpecial(a, b)
	case a.kind == aNumber:
		return comparedBy(compareNumbers(a, b))
	case a.kind == aText:
		return comparedBy(bytes.Compare(a.text, b.text))
	case a.kind == aBoolean:
		if a.yes == b.yes {
			return equal
		}
		return different
	default:
		if sameJSON(a.text, b.text) {
			return equal
		}
		return different
	}
}

// compareSpecial compares a number with one that JSON has to write as a text, in the order of PostgreSQL: NaN is greater
// than all.
func compareSpecial(a, b *value) compared {
	rankA, okA := special(a)
	rankB, okB := special(b)
	if !okA || !okB {
		return mismatch
	}
	return comparedBy(cmp.Compare(rankA, rankB))
}

func special(v *value) (rank int, ok bool) {
	switch {
	case v.kind == aNumber:
		return 0, true
	case v.kind != aText:
		return 0, false
	}
	switch string(v.text) {
	case "-Infinity":
		return -1, true
	case "Infinity":
		return 1, true
	case "NaN":
		return 2, true
	}
	return 0, false
}

// compareMoments compares two texts as points in time. A text that is none is different from every other, and has no order.
func compareMoments(a, b *value) compared {
	if a.kind != aText || b.kind != aText {
		return compareValues(a, b)
	}
	x, okX := momentOf(string(a.text))
	y, okY := momentOf(string(b.text))
	switch {
	case okX && okY:
		return comparedBy(x.compare(y))
	case bytes.Equal(a.text, b.text):
		return equal
	default:
		return different
	}
}

// answer is what an operator says of two values; false is: they cannot be compared so. An order with null is false.
func answer(operator string, a, b *value, moments bool) (is, ok bool) {
	order := operator != "==" && operator != "!="
	c := mismatch
	switch {
	case order && (a.kind == aNull || b.kind == aNull):
		return false, true
	case moments:
		c = compareMoments(a, b)
	case !order || (a.kind.bit() | b.kind.bit()).ordered():
		c = compareValues(a, b)
	}
	switch operator {
	case "==":
		is = c == equal
	case "!=":
		is = c != equal
	case "<":
		is = c == less
	case "<=":
		is = c == less || c == equal
	case ">":
		is = c == greater
	default:
		is = c == greater || c == equal
	}
	return is, c != mismatch
}

// ordered tells whether values of a kind have an order.
func (k kinds) ordered() bool { return k&(numbers|texts) != 0 }
