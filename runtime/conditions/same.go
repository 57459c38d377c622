package conditions

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// sameJSON tells whether two values of JSON are the same, as jsonb has it: numbers by what they are, objects whatever the
// order of their members.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return decodeAll(a, &x) && decodeAll(b, &y) && same(x, y)
}

func decodeAll(raw []byte, into *any) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into) == nil
}

func same(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		var x, y value
		return ok && decodeNumber([]byte(a), &x) && decodeNumber([]byte(b), &y) && compareNumbers(&x, &y) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, same)
	default:
		switch b.(type) {
		case json.Number, []any, map[string]any:
			return false
		}
		return a == b
	}
}
