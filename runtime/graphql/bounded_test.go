package graphql_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// numbered repeats a text with the number in place of #.
func numbered(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)))
	}
	return b.String()
}

// doubling has fragments each of which spreads the next one twice.
func doubling(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "fragment f%d on Item { name ...f%d ...f%d } ", i, i+1, i+1)
	}
	return b.String() + fmt.Sprintf("fragment f%d on Item { id }", levels)
}

// TestCostIsBounded has documents that are made to be dear. Most are refused; none takes more memory than is said,
// in all that it takes over its time, which is a measure of its work. It is not parallel: the memory of all is counted.
func TestCostIsBounded(t *testing.T) { //nolint:paralleltest // see above
	s, _ := open(t, graphql.DefaultConfig(), sql(t, `
		create table item (id int primary key, up_id int references item, name text);
		insert into item select i, i / 2, 'item ' || i from generate_series(0, 1999) i;`))
	const mb = 1 << 20
	deep := func(n int) string { return strings.Repeat("{ up ", n) + "{ id }" + strings.Repeat(" }", n) }
	for _, c := range []struct {
		name, query, code string
		most              uint64
	}{
		{"nothing", "{ __typename }", "", 1 * mb},
		{"a field many times", "{ item(id: 1) {" + numbered(400, " name") + "} }", "", 4 * mb},
		{"an object many times", "{ item(id: 1) {" + numbered(400, " up { id }") + "} }", "", 4 * mb},
		{"a list many times", "{" + numbered(150, " items(limit: 1) { id }") + "}", "", 4 * mb},
		{"aliases", "{" + numbered(31, " a#: item(id: #) { id }") + "}", "QUERY_TOO_COMPLEX", 1 * mb},
		{"doubling fragments", "{ item(id: 1) { ...f0 } } " + doubling(18), "QUERY_TOO_COMPLEX", 1 * mb},
		{"doubling within bounds", "{ item(id: 1) { ...f0 } } " + doubling(9), "", 2 * mb},
		{"a cycle", "{ item(id: 1) { ...f } } fragment f on Item { id up { ...f } }", "GRAPHQL_VALIDATION_FAILED", 1 * mb},
		{"levels", "{ item(id: 1) " + deep(12) + " }", "QUERY_TOO_COMPLEX", 1 * mb},
		{"very many levels", "{ item(id: 1) " + deep(600) + " }", "QUERY_TOO_COMPLEX", 2 * mb},
		{"rows", "{" + numbered(30, " a#: items(limit: 1000) { id }") + "}", "QUERY_TOO_COMPLEX", 2 * mb},
		{"expanded fields", "{ item(id: 1) {" + numbered(72, " ...f") + "} } fragment f on Item {" + numbered(70, " id") + "}", "QUERY_TOO_COMPLEX", 1 * mb},
		{"expanded within bounds", "{ item(id: 1) {" + numbered(70, " ...f") + "} } fragment f on Item {" + numbered(70, " id") + "}", "", 2 * mb},
		{"directives", "{ item(id: 1) { id" + numbered(1000, " @include(if: true)") + "} }", "QUERY_TOO_COMPLEX", 2 * mb},
		{"directives within tokens", "{ item(id: 1) { id" + numbered(270, " @include(if: true)") + "} }", "GRAPHQL_VALIDATION_FAILED", 2 * mb},
		{"unknown directives", "{ item(id: 1) { id" + numbered(900, " @d#") + "} }", "GRAPHQL_VALIDATION_FAILED", 8 * mb},
		{"unknown fields", "{ item(id: 1) {" + numbered(1900, " x#") + "} }", "GRAPHQL_VALIDATION_FAILED", 8 * mb},
		{"overlapping leaves", "{ item(id: 1) {" + numbered(1900, " id") + "} }", "", 4 * mb},
		{"overlapping objects", "{ item(id: 1) {" + numbered(250, " up { id }") + "} }", "", 4 * mb},
		{"overlapping in a fragment that nobody spreads", "{ item(id: 1) { id } } fragment f on Item {" + numbered(1900, " id") + "}", "GRAPHQL_VALIDATION_FAILED", 1 * mb},
		{"overlapping in many fragments", "{ item(id: 1) {" + numbered(20, " ...f#") + "} }" + numbered(20, " fragment f# on Item {"+strings.Repeat(" id", 88)+"}"), "", 4 * mb},
		{"overlapping in objects", "{ item(id: 1) {" + numbered(60, " up {"+strings.Repeat(" id", 30)+"}") + "} }", "", 4 * mb},
		{"the same in each of many objects", "{ item(id: 1) {" + numbered(16, " a#: up { id name up { id name up { id name up { id name up { id name up { id name __typename } } } } } }") + "} }", "", 4 * mb},
		{"objects beyond the bound", "{ item(id: 1) {" + numbered(17, " a#: up { id name up { id name up { id name up { id name up { id name up { id name __typename } } } } } }") + "} }", "QUERY_TOO_COMPLEX", 4 * mb},
		{"overlapping conflicts", "{ item(id: 1) {" + numbered(14, " x: id x: name x: upId") + "} }", "QUERY_TOO_COMPLEX", 1 * mb},
		{"overlapping arguments", "{" + numbered(200, " items(limit: #) { id }") + "}", "GRAPHQL_VALIDATION_FAILED", 8 * mb},
		{"overlapping fragments", "{ item(id: 1) {" + numbered(150, " ...f#") + "} }" + numbered(150, " fragment f# on Item { id up { id } }"), "", 8 * mb},
		{"overlapping nested fragments", "{ item(id: 1) { ...f0 } }" + chained(150), "", 8 * mb},
		{"overlapping deep objects", "{ item(id: 1) {" + numbered(70, " up { up { up { up { up { up { id } } } } } }") + "} }", "", 8 * mb},
		{"overlapping inline fragments", "{ item(id: 1) {" + numbered(300, " ... on Item { id }") + "} }", "", 4 * mb},
		{"variables", "query(" + numbered(450, " $v#: Int") + ") { item(id: 1) { id } }", "GRAPHQL_VALIDATION_FAILED", 4 * mb},
		{"values", "{ items(where: {id: {in: [" + numbered(1900, " #") + "]}}) { id } }", "", 8 * mb},
		{"wrong values", "{ items(where: {id: {in: [" + numbered(1900, " x#") + "]}}) { id } }", "GRAPHQL_VALIDATION_FAILED", 8 * mb},
		{"deep values", "{ items(where: " + strings.Repeat("{_not: ", 450) + "{}" + strings.Repeat("}", 450) + ") { id } }", "QUERY_TOO_COMPLEX", 4 * mb},
		{"operations", numbered(350, " query q# { __typename }"), "OPERATION_RESOLUTION_FAILURE", 8 * mb},
		{"a long text", `{ items(where: {name: {eq: "` + strings.Repeat("x", 200<<10) + `"}}) { id } }`, "", 4 * mb},
		{"nothing but brackets", strings.Repeat("{", 1900), "GRAPHQL_PARSE_FAILED", 2 * mb},
		{"a list of lists", "{ items(where: " + strings.Repeat("[", 1800) + ") }", "GRAPHQL_PARSE_FAILED", 2 * mb},
	} {
		t.Run(c.name, func(t *testing.T) { //nolint:paralleltest // see above
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := s.Execute(t.Context(), transport.Request{Query: c.query})
			runtime.ReadMemStats(&after)
			if code(got) != c.code {
				t.Errorf("it gave %.100s %.300s, want %q", got.Data, firstError(got), c.code)
			}
			if taken := after.TotalAlloc - before.TotalAlloc; taken > c.most {
				t.Errorf("it took %d KB, at most %d are allowed", taken>>10, c.most>>10)
			} else {
				t.Logf("%d KB", taken>>10)
			}
		})
	}
}

// chained has fragments each of which spreads the next one, beside fields of its own.
func chained(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " fragment f%d on Item { id name ...f%d }", i, i+1)
	}
	return b.String() + fmt.Sprintf(" fragment f%d on Item { id }", n)
}
