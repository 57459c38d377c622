package conditions

import (
	"math"
	"math/big"
	"math/bits"
)

// maxDigits is how many digits, before and after the point, a number may have that is calculated with: all that a float8
// can be are below, and what a condition costs stays small.
const maxDigits = 1000

// rational gives a number for calculations. False is: it has too many digits for that.
func rational(v *value) (*big.Rat, bool) {
	switch {
	case v.rat != nil:
		return v.rat, true
	case v.whole:
		return new(big.Rat).SetInt64(v.int), true
	}
	d := decimalOf(v.text, nil)
	if d.point > maxDigits || d.point < -maxDigits || len(d.digits) > maxDigits {
		return nil, false
	}
	return new(big.Rat).SetString(string(v.text))
}

// calculated makes a value of a result. False is: it is too large.
func calculated(r *big.Rat) (*value, bool) {
	if r.IsInt() && r.Num().IsInt64() {
		return whole(r.Num().Int64()), true
	}
	const most = maxDigits * 10 // bits
	return &value{kind: aNumber, rat: r}, r.Num().BitLen() <= most && r.Denom().BitLen() <= most
}

// calculate does + - * / % exactly: 7 / 2 is 3.5, and % has the sign of what is divided. The problem is "" when there is
// none.
func calculate(operator string, a, b *value) (result *value, problem string) {
	if a.whole && b.whole {
		if r, ok := small(operator, a.int, b.int); ok {
			return whole(r), ""
		}
	}
	x, smallX := rational(a)
	y, smallY := rational(b)
	if !smallX || !smallY {
		return nil, "too-large"
	}
	r := new(big.Rat)
	switch operator {
	case "+":
		r.Add(x, y)
	case "-":
		r.Sub(x, y)
	case "*":
		r.Mul(x, y)
	default:
		if y.Sign() == 0 {
			return nil, "division-by-zero"
		}
		r.Quo(x, y)
		if operator == "%" {
			times := new(big.Int).Quo(r.Num(), r.Denom()) // towards zero
			r.Sub(x, new(big.Rat).Mul(y, new(big.Rat).SetInt(times)))
		}
	}
	result, ok := calculated(r)
	if !ok {
		return nil, "too-large"
	}
	return result, ""
}

// small does what stays within int64.
func small(operator string, a, b int64) (int64, bool) {
	switch operator {
	case "+":
		return a + b, (a+b > a) == (b > 0)
	case "-":
		return a - b, (a-b < a) == (b > 0)
	case "*":
		high, low := bits.Mul64(magnitude(a), magnitude(b))
		return a * b, high == 0 && low <= math.MaxInt64
	case "/":
		if b == 0 || b == -1 || a%b != 0 {
			return 0, false
		}
		return a / b, true
	default:
		if b == 0 || b == -1 {
			return 0, false
		}
		return a % b, true
	}
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}
