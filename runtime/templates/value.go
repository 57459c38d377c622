package templates

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Values are nil, bool, string, json.Number, []any, map[string]any, and json.RawMessage, which is decoded when it is met.
// Nothing else is looked into: no struct, no method, and nothing that a language has beyond its data.

// undefined is a value that is not there.
type undefined struct{}

// plain writes a number of a template or an index as JavaScript does: 1.50 is 1.5.
func plain(digits string) string {
	f, err := strconv.ParseFloat(digits, 64)
	switch {
	case err != nil && math.IsInf(f, 1):
		return "Infinity"
	case err != nil && math.IsInf(f, -1):
		return "-Infinity"
	case err != nil:
		return digits
	case f == 0:
		return "0"
	case math.Abs(f) >= 1e21 || math.Abs(f) < 1e-6:
		s := strconv.FormatFloat(f, 'e', -1, 64)
		return strings.Replace(strings.Replace(s, "e-0", "e-", 1), "e+0", "e+", 1)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// member gives what is called name within a value: a member of an object, an element or the length of a list, a character
// or the length of a text.
func member(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		if found, ok := v[name]; ok {
			return found
		}
	case []any:
		if name == "length" {
			return json.Number(strconv.Itoa(len(v)))
		}
		if i, ok := position(name, len(v)); ok {
			return v[i]
		}
	case string:
		units := utf16.Encode([]rune(v)) // as JavaScript counts
		if name == "length" {
			return json.Number(strconv.Itoa(len(units)))
		}
		if i, ok := position(name, len(units)); ok {
			return string(utf16.Decode(units[i : i+1]))
		}
	}
	return undefined{}
}

func position(name string, length int) (int, bool) {
	i, err := strconv.Atoi(name)
	return i, err == nil && i >= 0 && i < length && strconv.Itoa(i) == name
}

// isZero tells whether a number is.
func isZero(n json.Number) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(n.String()), "e")
	return !strings.ContainsAny(mantissa, "123456789")
}

// isFalse is what is no truth to JavaScript. isEmpty is what #if and #with pass by: zero is a value, an empty list is none.
func isFalse(v any) bool {
	n, ok := v.(json.Number)
	return ok && isZero(n) || !ok && isEmpty(v) && !isList(v)
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}

// same tells whether a value is the context that there is already, as == of JavaScript does: then it is no new one for ../
// to come back from. Empty lists cannot be told apart, and are taken for one.
func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			return reflect.ValueOf(x).Pointer() == reflect.ValueOf(y).Pointer()
		}
	case []any:
		if y, ok := b.([]any); ok {
			return len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
		}
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, textX := primitive(a)
	y, textY := primitive(b)
	if textX && textY {
		return x == y
	}
	return numeric(x) == numeric(y) // what is no number is the same as nothing
}

// primitive gives a value as a text; or as the digits of a number, then text is false.
func primitive(v any) (s string, isText bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return "1", false
		}
		return "0", false
	case json.Number:
		return v.String(), false
	case []any:
		return joined(v, 0), true
	case string:
		return v, true
	}
	return objectText, true
}

func numeric(s string) float64 {
	if s = strings.TrimFunc(s, isSpace); s == "" {
		return 0
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

const objectText = "[object Object]"

// textOf gives a value as it is written. Numbers keep their digits.
func textOf(v any) string {
	switch v := v.(type) {
	case nil, undefined:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		return joined(v, 0)
	}
	return objectText
}

// joined is a list with commas, and the lists in it likewise.
func joined(list []any, depth int) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		if inner, ok := v.([]any); ok {
			if depth < maxJoined {
				b.WriteString(joined(inner, depth+1))
			}
		} else {
			b.WriteString(textOf(v))
		}
	}
	return b.String()
}

const maxJoined = 1000
