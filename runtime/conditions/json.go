package conditions

import "bytes"

// The event's JSON is read where it is: of a row of fifty columns a condition names one or two, and the others need only be
// stepped over. What is stepped over is not judged; that it is JSON is PostgreSQL's promise.

// space gives the position of the next byte that is no white space.
func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return i
}

// stringEnd gives the position after the string that begins at i, or -1.
func stringEnd(raw []byte, i int) int {
	i++
	if end := bytes.IndexByte(raw[i:], '"'); end >= 0 && bytes.IndexByte(raw[i:i+end], '\\') < 0 { // most are so, and this is the fast way
		return i + end + 1
	}
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}

// valueEnd gives the position after the value that begins at i, or -1. It takes no more stack for what is deeply nested.
func valueEnd(raw []byte, i int) int {
	for depth := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			if i = stringEnd(raw, i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return -1
			}
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			if i++; depth == 0 {
				return -1
			}
			continue
		default:
			i = scalarEnd(raw, i)
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

func scalarEnd(raw []byte, i int) int {
	for i < len(raw) {
		switch raw[i] {
		case ',', ':', ']', '}', ' ', '\n', '\t', '\r', '"', '[', '{':
			return i
		}
		i++
	}
	return i
}

// eachMember gives the members of an object until it is told to stop. False is: this is no object of JSON.
func eachMember(raw []byte, do func(key, val []byte) bool) bool {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return false
	}
	if i = space(raw, i+1); i < len(raw) && raw[i] == '}' {
		return true
	}
	for i < len(raw) {
		if raw[i] != '"' {
			return false
		}
		end := stringEnd(raw, i)
		if end < 0 {
			return false
		}
		key := raw[i:end]
		if i = space(raw, end); i >= len(raw) || raw[i] != ':' {
			return false
		}
		i = space(raw, i+1)
		if end = valueEnd(raw, i); end < 0 {
			return false
		}
		if !do(key, raw[i:end]) {
			return true
		}
		if i = space(raw, end); i >= len(raw) {
			return false
		}
		switch raw[i] {
		case '}':
			return true
		case ',':
			i = space(raw, i+1)
		default:
			return false
		}
	}
	return false
}

// eachElement gives the elements of a list until it is told to stop. False is: this is no list of JSON.
func eachElement(raw []byte, do func(val []byte) bool) bool {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '[' {
		return false
	}
	if i = space(raw, i+1); i < len(raw) && raw[i] == ']' {
		return true
	}
	for i < len(raw) {
		end := valueEnd(raw, i)
		if end < 0 {
			return false
		}
		if !do(raw[i:end]) {
			return true
		}
		if i = space(raw, end); i >= len(raw) {
			return false
		}
		switch raw[i] {
		case ']':
			return true
		case ',':
			i = space(raw, i+1)
		default:
			return false
		}
	}
	return false
}

// keyIs tells whether a key, with its quotes, is a name.
func keyIs(key []byte, name string) bool {
	if bytes.IndexByte(key, '\\') < 0 {
		return len(key) == len(name)+2 && string(key[1:len(key)-1]) == name
	}
	plain, ok := unquote(key)
	return ok && string(plain) == name
}

// within follows a step. Nil is null: there is no such member, or what is there has none. False is: that is no JSON.
func within(raw []byte, s step) (found []byte, ok bool) {
	switch {
	case len(raw) == 0:
		return nil, true
	case s.list && raw[0] == '[':
		at := 0
		ok = eachElement(raw, func(val []byte) bool {
			if at == s.position {
				found = val
			}
			at++
			return at <= s.position
		})
		return found, ok
	case !s.list && raw[0] == '{':
		ok = eachMember(raw, func(key, val []byte) bool {
			if keyIs(key, s.name) {
				found = val
			}
			return found == nil
		})
		return found, ok
	}
	return nil, true
}
