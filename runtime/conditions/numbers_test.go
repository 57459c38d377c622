package conditions

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// TestNumbersAreExact compares and calculates with random numbers as math/big does.
func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 30_000 {
		a, b := someNumber(r), someNumber(r)
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		var v, w value
		if !decodeNumber([]byte(a), &v) || !decodeNumber([]byte(b), &w) {
			t.Fatalf("%s or %s is no number", a, b)
		}
		if got := compareNumbers(&v, &w); got != x.Cmp(y) {
			t.Fatalf("%s and %s: %d", a, b, got)
		}
		for operator, want := range map[string]func(x, y *big.Rat) *big.Rat{
			"+": new(big.Rat).Add, "-": new(big.Rat).Sub, "*": new(big.Rat).Mul, "/": quotient, "%": remainder,
		} {
			result, problem := calculate(operator, &v, &w)
			expected := want(x, y)
			switch {
			case expected == nil:
				if problem != "division-by-zero" {
					t.Fatalf("%s %s %s: %s", a, operator, b, problem)
				}
			case problem != "":
				t.Fatalf("%s %s %s: %s", a, operator, b, problem)
			default:
				if got, _ := rational(result); got.Cmp(expected) != 0 || result.whole != (expected.IsInt() && expected.Num().IsInt64()) {
					t.Fatalf("%s %s %s: %s, not %s", a, operator, b, got, expected)
				}
				if got := compareNumbers(result, &w); got != expected.Cmp(y) {
					t.Fatalf("(%s %s %s) and %s: %d", a, operator, b, b, got)
				}
			}
		}
		if back, _ := new(big.Rat).SetString(plain(&v)); back.Cmp(x) != 0 {
			t.Fatalf("%s is written %s", a, plain(&v))
		}
	}
}

func quotient(x, y *big.Rat) *big.Rat {
	if y.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(x, y)
}

func remainder(x, y *big.Rat) *big.Rat {
	q := quotient(x, y)
	if q == nil {
		return nil
	}
	whole := new(big.Rat).SetInt(new(big.Int).Quo(q.Num(), q.Denom()))
	return new(big.Rat).Sub(x, whole.Mul(whole, y))
}

// someNumber likes the edges of int64, neighbours, zeros and exponents.
func someNumber(r *rand.Rand) string {
	edges := []string{"0", "-0", "0.0", "1", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9007199254740993", "0.1", "0.10", "100", "1e2", "1E+2", "10000e-2", "999999999999999999", "1000000000000000000"}
	switch r.IntN(5) {
	case 0, 1:
		return edges[r.IntN(len(edges))]
	case 2:
		return fmt.Sprint(r.Int64() - r.Int64())
	case 3:
		return fmt.Sprint(r.IntN(21) - 10)
	default:
		return fmt.Sprintf("%d.%0*de%d", r.IntN(2001)-1000, 1+r.IntN(4), r.IntN(1000), r.IntN(61)-30)
	}
}

// TestExtremeNumbers are compared at once, whatever their exponent and however many their digits.
func TestExtremeNumbers(t *testing.T) {
	t.Parallel()
	ordered := []string{"-1e99999999999999999999", "-1e999999999", "-1e5000", "-7", "-1e-5000", "-1e-99999999999999999999", "0", "1e-99999999999999999999", "1e-999999999", "1e-5000", "0.5", "1e5000", "2e5000", "1e999999999"}
	third, _ := calculate("/", whole(1), whole(3))
	huge, problem := calculate("*", value1(t, "1e900"), value1(t, "1e900"))
	if problem != "" {
		t.Fatal(problem)
	}
	begun := time.Now()
	for i, a := range ordered {
		for j, b := range ordered {
			want := max(-1, min(1, i-j))
			if got := compareNumbers(value1(t, a), value1(t, b)); got != want {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
		wantThird, wantHuge := -1, -1
		if i >= 10 {
			wantThird = 1
		}
		if i >= 11 {
			wantHuge = 1
		}
		if got := compareNumbers(value1(t, a), third); got != wantThird || compareNumbers(third, value1(t, a)) != -wantThird {
			t.Errorf("%s and a third: %d", a, got)
		}
		if got := compareNumbers(value1(t, a), huge); got != wantHuge || compareNumbers(huge, value1(t, a)) != -wantHuge {
			t.Errorf("%s and 1e1800: %d", a, got)
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func value1(t *testing.T, text string) *value {
	t.Helper()
	v := &value{}
	if !decodeNumber([]byte(text), v) {
		t.Fatalf("%s is no number", text)
	}
	return v
}

// TestMoments reads what PostgreSQL writes, and nothing that is near it.
func TestMoments(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"2024-05-01", "2024-05-01T00:00:00Z", "2024-05-01 00:00", "2024-04-30T24:00:00Z", "2024-05-01T05:30:00.000+05:30", "2024-04-30T23:00:00-01"},
		{"0001-01-01", "0001-01-01T00:19:32+00:19:32"},
		{"0001-12-31 BC", "0001-12-31T00:00:00+00:00 BC"},
		{"infinity"},
		{"294276-12-31T23:59:59.999999Z"},
	} {
		first, ok := momentOf(same[0])
		if !ok {
			t.Errorf("%s is none", same[0])
		}
		for _, text := range same[1:] {
			if m, ok := momentOf(text); !ok || m != first {
				t.Errorf("%s is not %s: %+v %+v", text, same[0], m, first)
			}
		}
	}
	ordered := []string{"-infinity", "4713-11-24 BC", "0044-03-15 BC", "0001-12-31 BC", "0001-01-01", "1969-12-31T23:59:59.999999Z", "1970-01-01", "2024-02-29", "2024-02-29T00:00:00.000001", "9999-12-31", "10000-01-01", "infinity"}
	for i, a := range ordered {
		for j, b := range ordered {
			x, _ := momentOf(a)
			y, _ := momentOf(b)
			if got, want := x.compare(y), max(-1, min(1, i-j)); got != want {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
	for _, text := range []string{
		"", " ", "now", "today", "2024", "2024-05", "2024-5-1", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-05-00", "24-05-01", "2024-05-01T", "2024-05-01 ", "2024-05-01T1",
		"2024-05-01T12", "2024-05-01T25:00", "2024-05-01T24:00:01", "2024-05-01T12:60", "2024-05-01T12:00:00.", "2024-05-01T12:00.5", "2024-05-01T12:00:00.1234567890", "2024-05-01T12:00:00z", "2024-05-01T12:00:00Z0",
		"2024-05-01T12:00:00+", "2024-05-01T12:00:00+16", "2024-05-01T12:00:00+1", "2024-05-01T12:00:00 UTC", "2024-05-01T12:00:00+02:00:00:00", "+2024-05-01", "-2024-05-01", "2024-05-01 AD", "Infinity", "1999999-01-01", "２０２４-05-01",
	} {
		if m, ok := momentOf(text); ok {
			t.Errorf("%q is %+v", text, m)
		}
	}
}
