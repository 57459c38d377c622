package conditions

import (
	"bytes"
	"cmp"
	"math/big"
	"strconv"
)

// decimal is a number as its digits: sign × 0.digits × 10^point. The digits have no zeros at either end, so that two
// decimals are the same number only if they are the same. Exact for whatever PostgreSQL and JSON can write, and linear in
// its length, also where the exponent is absurd.
type decimal struct {
	sign   int // 0 is zero
	digits []byte
	point  int64
}

// farPoint is where exponents end: one that is larger is taken for it. No text of a row can be as long.
const farPoint = 1 << 40

// isNumber tells whether a text is a number as JSON and conditions write one.
func isNumber(raw []byte) bool {
	i, digits := 0, 0
	if i < len(raw) && raw[i] == '-' {
		i++
	}
	run := func() {
		for i < len(raw) && raw[i] >= '0' && raw[i] <= '9' {
			i++
			digits++
		}
	}
	run()
	if i < len(raw) && raw[i] == '.' {
		i++
		run()
	}
	if digits == 0 {
		return false
	}
	if i < len(raw) && (raw[i] == 'e' || raw[i] == 'E') {
		i++
		if i < len(raw) && (raw[i] == '+' || raw[i] == '-') {
			i++
		}
		digits = 0
		run()
		if digits == 0 {
			return false
		}
	}
	return i == len(raw)
}

// decimalOf reads a number of which isNumber is true; buffer takes the digits.
func decimalOf(raw, buffer []byte) decimal {
	d := decimal{sign: 1}
	if raw[0] == '-' {
		d.sign, raw = -1, raw[1:]
	}
	if e := bytes.IndexAny(raw, "eE"); e >= 0 {
		exponent, _ := strconv.ParseInt(string(raw[e+1:]), 10, 64) // of one that is out of range the nearest is given
		d.point, raw = max(min(exponent, farPoint), -farPoint), raw[:e]
	}
	whole, fraction, _ := bytes.Cut(raw, []byte("."))
	digits := append(append(buffer[:0], whole...), fraction...)
	d.point += int64(len(whole))
	all := len(digits)
	digits = bytes.TrimLeft(digits, "0")
	d.point -= int64(all - len(digits))
	d.digits = bytes.TrimRight(digits, "0")
	if len(d.digits) == 0 {
		return decimal{}
	}
	return d
}

func (d decimal) compare(o decimal) int {
	if d.sign != o.sign {
		return cmp.Compare(d.sign, o.sign)
	}
	return d.sign * cmp.Or(cmp.Compare(d.point, o.point), bytes.Compare(d.digits, o.digits))
}

// digitsOf gives the text of a number that was not calculated.
func (v *value) digitsOf(buffer []byte) []byte {
	if v.whole {
		return strconv.AppendInt(buffer[:0], v.int, 10)
	}
	return v.text
}

// compareNumbers is exact.
func compareNumbers(a, b *value) int {
	if a.whole && b.whole {
		return cmp.Compare(a.int, b.int)
	}
	if a.rat != nil || b.rat != nil {
		return compareCalculated(a, b)
	}
	var textA, textB [24]byte
	var digitsA, digitsB [64]byte
	x := decimalOf(a.digitsOf(textA[:]), digitsA[:])
	return x.compare(decimalOf(b.digitsOf(textB[:]), digitsB[:]))
}

// compareCalculated compares where at least one is a fraction: one that no calculation can give is compared by its size.
func compareCalculated(a, b *value) int {
	x, smallX := rational(a)
	y, smallY := rational(b)
	switch {
	case smallX && smallY:
		return x.Cmp(y)
	case smallX: // b is beyond everything that can be calculated, or next to nothing
		return -beyond(b, x)
	default:
		return beyond(a, y)
	}
}

// beyond compares a number that cannot be calculated with and a fraction that was calculated.
func beyond(v *value, with *big.Rat) int {
	const farthest = 4 * maxDigits // no fraction is larger, or nearer to zero
	d := decimalOf(v.text, nil)
	switch {
	case d.sign != with.Sign():
		return cmp.Compare(d.sign, with.Sign())
	case d.point > farthest:
		return d.sign
	case d.point < -farthest:
		return -d.sign
	}
	r, _ := new(big.Rat).SetString(string(v.text)) // only its digits are many, and those are there
	return r.Cmp(with)
}
