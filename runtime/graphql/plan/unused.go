package plan

import (
	"strconv"
	"strings"
)

// mention gives a statement that has each of its parameters in it. What is not selected may have left one without a
// place, such as the order of a connection of which only totalCount is asked for, and PostgreSQL takes no parameter
// whose type it cannot tell. A part of WITH that nobody reads is not run.
func mention(sql string, params int) string {
	used := places(sql, params)
	var left []string
	for i, place := range used {
		if !place {
			left = append(left, "$"+strconv.Itoa(i+1)+"::text")
		}
	}
	if len(left) == 0 {
		return sql
	}
	with := "with unused as (select " + strings.Join(left, ", ") + ")"
	if rest, more := strings.CutPrefix(sql, "with "); more {
		return with + ", " + rest
	}
	return with + " " + sql
}

// places tells which of the parameters $1, $2, … have a place in a statement. A name or a text may have a $ in it.
func places(sql string, params int) []bool {
	used := make([]bool, params)
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; c {
		case '"', '\'': // doubled, it ends one and begins the next
			i += 1 + max(0, strings.IndexByte(sql[i+1:], c))
		case '$':
			end := i + 1
			for end < len(sql) && sql[end] >= '0' && sql[end] <= '9' {
				end++
			}
			if n, err := strconv.Atoi(sql[i+1 : end]); err == nil && n <= params {
				used[n-1] = true
			}
			i = end - 1
		}
	}
	return used
}
