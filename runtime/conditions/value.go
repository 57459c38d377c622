package conditions

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strconv"
)

// kind is what a value is.
type kind uint8

const (
	aNull kind = iota
	aBoolean
	aNumber
	aText
	aList
	anObject
)

// bit gives the kind as a set of one; null is none.
func (k kind) bit() kinds { return kinds(1) << k >> 1 }

func (k kind) String() string { return k.bit().String() }

// value is one of JSON. It may point into the event's bytes, and so lives no longer than they are looked at.
type value struct {
	kind  kind
	yes   bool     // of a boolean
	whole bool     // a number that is in int
	int   int64    // of a whole number
	text  []byte   // of a text; the digits of a number that is not whole; the JSON of a list or an object
	rat   *big.Rat // of a number that was calculated and is not whole
}

var (
	nothing = &value{kind: aNull}
	yes     = &value{kind: aBoolean, yes: true}
	no      = &value{kind: aBoolean}
)

func truth(b bool) *value {
	if b {
		return yes
	}
	return no
}

func whole(i int64) *value { return &value{kind: aNumber, whole: true, int: i} }

// decode reads a value of JSON; lists and objects stay as they are. False is: that is no JSON.
func decode(raw []byte, into *value) bool {
	if len(raw) == 0 {
		return false
	}
	switch raw[0] {
	case 'n':
		*into = value{kind: aNull}
		return string(raw) == "null"
	case 't':
		*into = value{kind: aBoolean, yes: true}
		return string(raw) == "true"
	case 'f':
		*into = value{kind: aBoolean}
		return string(raw) == "false"
	case '"':
		s, ok := unquote(raw)
		*into = value{kind: aText, text: s}
		return ok
	case '[':
		*into = value{kind: aList, text: raw}
	case '{':
		*into = value{kind: anObject, text: raw}
	default:
		return decodeNumber(raw, into)
	}
	return true
}

// unquote gives what a string of JSON says: the bytes between the quotes where nothing is escaped.
func unquote(raw []byte) ([]byte, bool) {
	if len(raw) < 2 || raw[len(raw)-1] != '"' {
		return nil, false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}

// decodeNumber reads a number: as an int64 if it is written as one and fits, otherwise its digits are kept.
func decodeNumber(raw []byte, into *value) bool {
	if i, ok := smallInt(raw); ok {
		*into = value{kind: aNumber, whole: true, int: i}
		return true
	}
	if !isNumber(raw) {
		return false
	}
	if !bytes.ContainsAny(raw, ".eE") {
		if i, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			*into = value{kind: aNumber, whole: true, int: i}
			return true
		}
	}
	*into = value{kind: aNumber, text: raw}
	return true
}

// smallInt reads an integer of at most 18 digits, which cannot overflow.
func smallInt(raw []byte) (int64, bool) {
	digits := raw
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(raw) {
		n = -n
	}
	return n, true
}
