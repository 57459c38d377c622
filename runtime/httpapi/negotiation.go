package httpapi

import (
	"strconv"
	"strings"
)

// negotiate picks the content coding of an answer from what is offered, best first, by the request's
// Accept-Encoding (RFC 9110, section 12.5.3): the heaviest, and among equals the first offered. It is empty
// where the answer goes as it is; plain tells whether it may.
func negotiate(accept, offered []string) (coding string, plain bool) {
	best := 0.0
	for _, name := range offered {
		if q, _ := weigh(accept, name); q > best {
			coding, best = name, q
		}
	}
	identity, listed := weigh(accept, "identity")
	if identity > best {
		coding = ""
	}
	return coding, !listed || identity > 0
}

// weigh gives the weight of a coding, which may be that of `*`; false where nothing is said of it.
func weigh(accept []string, coding string) (q float64, listed bool) {
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(part, ";")
			switch name = strings.TrimSpace(name); {
			case strings.EqualFold(name, coding), coding == "gzip" && strings.EqualFold(name, "x-gzip"): // section 8.4.1.3
				return weight(parameters), true
			case name == "*":
				q, listed = weight(parameters), true
			}
		}
	}
	return q, listed
}

// weight reads `q=0.5` (section 12.4.2). What cannot be read weighs nothing: an answer that is not encoded is
// understood by everybody.
func weight(parameters string) float64 {
	name, value, given := strings.Cut(parameters, "=")
	if !given && strings.TrimSpace(name) == "" {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(name), "q") || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
