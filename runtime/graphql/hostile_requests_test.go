package graphql_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// canary is in every text that a hostile request has, and must never be in a statement.
const canary = "kAnArY"

var hostilePieces = []string{
	"'", "''", `"`, `\`, `\\`, "%", "_", "$1", "$$", ";", "--", "/*", "*/", "::int", "' or true --", `'); drop table album; --`, "{", "}", ",", "NULL", "null",
	"\x01", "\x1b[31m", "\t", "\r\n", "\u007f", "\u00a0", "\u202e", "\ufeff", "é", "🙂", "\U0010ffff", "(", "[", "*", "?", "^", "a{1,2}", "{{.}}", "%s%n",
}

// hostileText makes texts that whoever writes statements or patterns of them would get wrong.
func hostileText(r *rand.Rand) string {
	text := canary
	for range r.IntN(6) {
		text += hostilePieces[r.IntN(len(hostilePieces))]
	}
	if r.IntN(50) == 0 {
		text += strings.Repeat(hostilePieces[r.IntN(len(hostilePieces))]+"x", 5000)
	}
	return text
}

// hostileQuery is one text for a table, with everything else in variables.
func hostileQuery(t *refTable, connection bool) string {
	text := "query($w: T_Where, $o: [T_OrderBy!], $n: Int, $m: Int) { L_(where: $w, orderBy: $o, limit: $n, offset: $m) { __typename K_ } }"
	if connection {
		text = "query($w: T_Where, $o: [T_OrderBy!], $n: Int, $m: Int, $a: String, $b: String) { L_Connection(where: $w, orderBy: $o, first: $n, last: $m, after: $a, before: $b) { " +
			"totalCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { K_ } } } }"
	}
	return strings.NewReplacer("T_", t.typ, "L_", listName(t), "K_", camelCase(t.key[0])).Replace(text)
}

// shapeOf writes what of a value may decide the text of a statement: all but its scalars.
func shapeOf(name string, v any) string {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			members = append(members, k+":"+shapeOf(k, v[k]))
		}
		return "{" + strings.Join(members, " ") + "}"
	case []any:
		if name == "in" || name == "nin" {
			return "values"
		}
		var items []string
		for _, item := range v {
			items = append(items, shapeOf("", item))
		}
		return "[" + strings.Join(items, " ") + "]"
	case bool:
		return strconv.FormatBool(v)
	case string:
		if slices.Contains(directions, label(v)) {
			return v
		}
	case json.Number:
		if name == "n" { // how many rows: its magnitude counts
			n, _ := strconv.Atoi(v.String())
			return strconv.Itoa(len(strconv.Itoa(max(0, n-1))) - map[bool]int{true: 1}[n <= 1])
		}
	}
	return "value"
}

// asLists writes single values in place of lists as the lists that they stand for.
func asLists(name string, v any) any {
	switch inner := v.(type) {
	case map[string]any:
		object := map[string]any{}
		for k, member := range inner {
			object[k] = asLists(k, member)
		}
		v = object
	case []any:
		list := make([]any, len(inner))
		for i, item := range inner {
			list[i] = asLists("", item)
		}
		return list
	case nil:
		return nil
	}
	if slices.Contains([]string{"_and", "_or", "in", "nin", "o"}, name) {
		return []any{v}
	}
	return v
}

var numeric = regexp.MustCompile(`^[0-9.]+$`)

// shake gives a value of the same shape with other scalars.
func (g *generator) shake(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := map[string]any{}
		for _, k := range sortedKeys(v) {
			object[k] = g.shake(k, v[k])
		}
		return object
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, g.shake("", item))
		}
		if (name == "in" || name == "nin") && len(list) > 0 {
			for range g.IntN(4) {
				list = append(list, g.shake("", v[0]))
			}
		}
		return list
	case string:
		switch {
		case slices.Contains(directions, label(v)):
			return v
		case numeric.MatchString(v):
			return strconv.Itoa(8675309)
		}
		return g.text()
	case json.Number:
		if name == "n" { // of the same magnitude
			n, _ := strconv.Atoi(v.String())
			for power := 10; ; power *= 10 {
				if n <= power && n > 1 {
					return json.Number(strconv.Itoa(max(2, power/10+1) + g.IntN(power-max(1, power/10))))
				} else if n <= 1 {
					return v
				}
			}
		}
		return json.Number("8675309")
	}
	return v
}

// TestHostileValuesAreNoPartOfStatements compiles thousands of random filters and orders: equal shapes have one
// statement, PostgreSQL can read each of them, and no value stands in any.
func TestHostileValuesAreNoPartOfStatements(t *testing.T) {
	t.Parallel()
	s, r, g := openReference(t)
	g.text = func() string { return hostileText(g.Rand) }
	statements, prepared := map[string]string{}, map[string]bool{}
	type input struct {
		query     string
		variables map[string]any
	}
	var before []input
	same := 0
	for i := range times(10000) {
		g.related = 6
		table, connection := refTables[pick(g, refTypes)], g.chance(30)
		variables := map[string]any{"w": asVariable(g.where(table, g.IntN(whereDepth+1)))}
		if g.chance(50) {
			variables["o"] = asVariable(g.orderBy(table))
		}
		if g.chance(50) {
			variables["n"] = json.Number(strconv.Itoa(g.IntN([]int{2, 20, 200, 1001}[g.IntN(4)])))
		}
		if g.chance(30) && !connection {
			variables["m"] = json.Number("8675309")
		}
		query := hostileQuery(table, connection)
		if i%2 == 1 { // one that was there before, with other values
			again := pick(g, before)
			query, variables = again.query, g.shake("", again.variables).(map[string]any)
		} else {
			before = append(before, input{query, variables})
		}
		bound, err := s.Statements(transport.Request{Query: query, Variables: variables})
		if err != nil {
			t.Fatalf("input %d: %v\n%s", i, err, shown(query, variables))
		}
		text := bound.Calls[0].SQL
		if strings.Contains(strings.ToLower(text), strings.ToLower(canary)) || strings.Contains(text, "8675309") {
			t.Fatalf("input %d: a value stands in %s", i, text)
		}
		shape := query + shapeOf("", asLists("", variables))
		if known := statements[shape]; known != "" && known != text {
			t.Fatalf("input %d has the shape of one before, and another statement:\n%s\n%s\n%s", i, known, text, shown(query, variables))
		} else if known != "" {
			same++
		}
		statements[shape] = text
		if prepared[text] {
			continue
		}
		prepared[text] = true
		if _, err := r.conn.Prepare(t.Context(), "", text, nil); err != nil {
			t.Fatalf("input %d: %v\n%s\n%s", i, err, text, shown(query, variables))
		}
	}
	t.Logf("%d shapes, %d statements, %d inputs of a shape that was there before", len(statements), len(prepared), same)
	if same < times(4000) || len(prepared) < times(1000) {
		t.Errorf("the inputs differ too much or too little")
	}
}

// TestHostileValuesAreAnsweredOrRefused runs random filters with hostile values.
func TestHostileValuesAreAnsweredOrRefused(t *testing.T) {
	t.Parallel()
	s, _, g := openReference(t)
	g.text = func() string { return hostileText(g.Rand) + pick(g, []string{"", "", "", "\x00"}) }
	codes := map[string]int{}
	for i := range times(300) {
		g.related = 2
		table := refTables[pick(g, []string{"Genre", "MediaType", "Playlist", "Artist", "Employee"})]
		variables := map[string]any{"w": asVariable(g.where(table, 1)), "o": asVariable(g.orderBy(table))}
		query := hostileQuery(table, g.chance(50))
		got := s.Execute(t.Context(), transport.Request{Query: query, Variables: variables})
		if c := code(got); c != "" && c != "BAD_USER_INPUT" {
			t.Fatalf("input %d: %v\n%s", i, got.Errors, shown(query, variables))
		}
		codes[code(got)]++
	}
	t.Logf("%v", codes)
	if codes[""] < times(100) || codes["BAD_USER_INPUT"] < times(10) {
		t.Errorf("nearly everything ends in the same way: %v", codes)
	}
}

// TestHostileCursorsAreAnsweredOrRefused has cursors that were changed, made up, or taken from elsewhere.
func TestHostileCursorsAreAnsweredOrRefused(t *testing.T) {
	t.Parallel()
	s, _, g := openReference(t)
	var others []string
	codes := map[string]int{}
	for range times(60) {
		g.related = 2
		table := refTables[pick(g, []string{"Genre", "MediaType", "Playlist", "Artist", "Employee", "Customer", "Invoice", "Album"})]
		query, order := hostileQuery(table, true), asVariable(g.orderBy(table))
		ask := func(cursor string) transport.Response {
			variables := map[string]any{"o": order, "n": json.Number("3"), pick(g, []string{"a", "b"}): cursor}
			return s.Execute(t.Context(), transport.Request{Query: query, Variables: variables})
		}
		cursors := firstCursors(t, s, query, map[string]any{"o": order, "n": json.Number("3")})
		for range 30 {
			cursor := g.spoil(pick(g, cursors), others)
			got := ask(cursor)
			if c := code(got); c != "" && c != "BAD_USER_INPUT" {
				t.Fatalf("%s %s\norder %v\ncursor %q %q", query, got.Errors, order, cursor, decoded(cursor))
			}
			codes[code(got)]++
		}
		if got := ask(pick(g, cursors)); len(got.Errors) > 0 {
			t.Fatalf("a good cursor was refused: %v", got.Errors)
		}
		others = append(others, cursors...)
	}
	t.Logf("%v", codes)
	if codes[""] < times(20) || codes["BAD_USER_INPUT"] < times(600) {
		t.Errorf("nearly everything ends in the same way: %v", codes)
	}
}

func firstCursors(t *testing.T, s *graphql.Service, query string, variables map[string]any) []string {
	t.Helper()
	got := s.Execute(t.Context(), transport.Request{Query: query, Variables: variables})
	var answer map[string]struct{ Edges []struct{ Cursor string } }
	if err := json.Unmarshal(got.Data, &answer); err != nil || len(got.Errors) > 0 {
		t.Fatalf("%v %v", got.Errors, err)
	}
	var cursors []string
	for _, page := range answer {
		for _, e := range page.Edges {
			cursors = append(cursors, e.Cursor)
		}
	}
	return cursors
}

// spoil makes a bad cursor of a good one, or one that may still be good.
func (g *generator) spoil(cursor string, others []string) string {
	b := []byte(decoded(cursor))
	switch g.IntN(8) {
	case 0:
		b = make([]byte, g.IntN(60))
		for i := range b {
			b[i] = byte(g.IntN(256))
		}
	case 1:
		return cursor[:g.IntN(len(cursor))]
	case 2:
		if len(others) > 0 {
			return pick(g, others)
		}
	case 3:
		text := []byte(cursor)
		text[g.IntN(len(text))] ^= 1 << g.IntN(7)
		return string(text)
	case 4:
		b[g.IntN(len(b))] ^= 1 << g.IntN(8)
	case 5: // the mark is right, a value is not
		var list []any
		_ = json.Unmarshal(b, &list) // it is a good cursor
		list[1+g.IntN(len(list)-1)] = pick(g, []any{
			nil, "", hostileText(g.Rand), "99999999999999999999", "-1", "NaN", "Infinity", "0044-03-15 BC", "now", "\x00", 7, true, []any{}, map[string]any{"a": nil}, strings.Repeat("9", 100000),
		})
		b, _ = json.Marshal(list)
	case 6:
		var list []any
		_ = json.Unmarshal(b, &list)
		b, _ = json.Marshal(append(list, pick(g, []any{"x", nil})))
	case 7:
		return pick(g, []string{"", " ", "null", cursor + "=", cursor + "\n", " " + cursor, hostileText(g.Rand), fmt.Sprint(time.Duration(g.Int64()))})
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
