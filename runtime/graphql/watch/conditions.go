package watch

import (
	"regexp"
	"slices"
	"strings"
)

// conditions gives what of a table an index would be on to serve a condition, as PostgreSQL writes it in a plan: what is
// compared for being equal, then one that is compared for its order. Of a condition that no index serves as a whole,
// such as one of alternatives, there is nothing. texts tells which columns are stored as the text that they are compared
// as: an index on another one serves no cast of it.
func conditions(filter, alias string, texts func(column string) bool) (columns []string, equal int) {
	var ranges []string
	for _, part := range parts(filter) {
		left, operator, right := comparison(part)
		column, value := indexable(left, alias, texts), right
		if column == "" {
			column, value = indexable(right, alias, texts), left
		}
		if mentions(value, alias) { // what is compared with the row itself is to be found by nothing
			column = ""
		}
		switch {
		case column == "" || slices.Contains(columns, column) || slices.Contains(ranges, column):
		case operator == "=":
			columns = append(columns, column)
		case slices.Contains([]string{"<", ">", "<=", ">="}, operator):
			ranges = append(ranges, column)
		}
	}
	if equal = len(columns); equal == 0 {
		return nil, 0 // how much a range takes, no plan without its value tells
	}
	return append(columns, ranges[:min(1, len(ranges))]...), equal
}

// parts gives what a condition is made of by AND: "((a = 1) AND (b = 2))".
func parts(text string) []string {
	text = strings.TrimSpace(text)
	if !enclosed(text) {
		return []string{text}
	}
	inner := text[1 : len(text)-1]
	var list []string
	from := 0
	scan(inner, func(i int) bool {
		if strings.HasPrefix(inner[i:], " OR ") {
			list = []string{}
			from = len(inner)
			return false
		}
		if i >= from && strings.HasPrefix(inner[i:], " AND ") { // two of them share no space
			list = append(list, parts(inner[from:i])...)
			from = i + len(" AND ")
		}
		return true
	})
	if list == nil {
		return []string{inner}
	}
	if from < len(inner) {
		list = append(list, parts(inner[from:])...)
	}
	return list
}

// enclosed tells whether one pair of parentheses is around the whole of a text.
func enclosed(text string) bool {
	if !strings.HasPrefix(text, "(") || !strings.HasSuffix(text, ")") {
		return false
	}
	end := -1
	scan(text, func(i int) bool {
		if i > 0 && text[i] == ')' {
			end = i
			return false
		}
		return true
	})
	return end == len(text)-1
}

// scan visits the bytes of a text that are within no quotes and no inner parentheses, and the parentheses that close
// those, until visit says no.
func scan(text string, visit func(i int) bool) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\'', '"':
			end := strings.IndexByte(text[i+1:], c) // a doubled one ends one text and begins the next
			if end < 0 {
				return
			}
			i += end + 1
			continue
		case '(', '[':
			depth++
			continue
		case ')', ']':
			depth--
			if depth > 0 {
				continue
			}
		}
		if depth == 0 && !visit(i) {
			return
		}
	}
}

// comparison splits one comparison.
func comparison(text string) (left, operator, right string) {
	scan(text, func(i int) bool {
		for _, sign := range []string{" = ANY ", " = ", " <= ", " >= ", " < ", " > "} {
			if strings.HasPrefix(text[i:], sign) {
				left, operator, right = text[:i], strings.TrimSpace(strings.TrimSuffix(sign, "ANY ")), text[i+len(sign):]
				return false
			}
		}
		return true
	})
	return left, operator, right
}

const (
	identifier = `(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")`
	ofAlias    = `(?:` + identifier + `\.)`
)

var (
	cast       = regexp.MustCompile(`^\((` + ofAlias + identifier + `)\)::text$`)
	plain      = regexp.MustCompile(`^(` + identifier + `)\.(` + identifier + `)$`)
	called     = regexp.MustCompile(`^(lower|upper)\((?:\((` + ofAlias + identifier + `)\)::text|(` + ofAlias + identifier + `))\)$`)
	inJSON     = regexp.MustCompile(`^\((` + ofAlias + identifier + `) ->> ('(?:[^']|'')+')::text\)$`)
	quotedText = regexp.MustCompile(`'(?:[^']|'')*'`)
	ordering   = regexp.MustCompile(`^(.+?)( DESC)?( NULLS (?:FIRST|LAST))?$`)
)

// indexable gives what an index can be on of a side of a comparison: a column of the alias, or one of the expressions that
// the API itself writes. It is empty for all else, as for values.
func indexable(side, alias string, texts func(column string) bool) string {
	if m := cast.FindStringSubmatch(side); m != nil {
		if of := plain.FindStringSubmatch(m[1]); of != nil && texts(unquoted(of[2])) {
			side = m[1]
		}
	}
	if m := plain.FindStringSubmatch(side); m != nil && unquoted(m[1]) == alias {
		return m[2]
	}
	of := func(qualified string) string {
		m := plain.FindStringSubmatch(qualified)
		if m == nil || unquoted(m[1]) != alias {
			return ""
		}
		return m[2]
	}
	if m := called.FindStringSubmatch(side); m != nil {
		if column := of(m[2]); column != "" {
			return m[1] + "((" + column + ")::text)"
		}
		if column := of(m[3]); column != "" {
			return m[1] + "(" + column + ")"
		}
	}
	if m := inJSON.FindStringSubmatch(side); m != nil {
		if column := of(m[1]); column != "" {
			return "((" + column + " ->> " + m[2] + "::text))"
		}
	}
	return ""
}

// orderKey gives a key of an order as an index has it.
func orderKey(key, alias string, texts func(column string) bool) string {
	m := ordering.FindStringSubmatch(key)
	if m == nil {
		return ""
	}
	column := indexable(m[1], alias, texts)
	if column == "" && enclosed(m[1]) {
		column = indexable(m[1][1:len(m[1])-1], alias, texts)
	}
	if column == "" {
		return ""
	}
	return column + m[2] + m[3]
}

// mentions tells whether a side of a comparison has a column of an alias in it.
func mentions(side, alias string) bool {
	side = quotedText.ReplaceAllString(side, "")
	return strings.Contains(side, alias+".") || strings.Contains(side, `"`+strings.ReplaceAll(alias, `"`, `""`)+`".`)
}

func unquoted(name string) string {
	if inner, quoted := strings.CutPrefix(name, `"`); quoted {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
	}
	return name
}
