package transport

import "net/http"

// traceOf gives the header traceparent; empty when it is not what W3C Trace Context, section 3.2, wants of version 00:
// 00-TRACE-PARENT-FLAGS in lower-case hexadecimal digits, neither trace nor parent all zeros.
func traceOf(h http.Header) string {
	values := h["Traceparent"]
	if len(values) != 1 || len(values[0]) != 55 {
		return ""
	}
	text := values[0]
	zeros := [4]bool{true, true, true, true}
	part := 0
	for i := range len(text) {
		c := text[i]
		switch {
		case i == 2, i == 35, i == 52:
			if c != '-' {
				return ""
			}
			part++
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
			zeros[part] = zeros[part] && c == '0'
		default:
			return ""
		}
	}
	if text[:2] != "00" || zeros[1] || zeros[2] {
		return ""
	}
	return text
}
