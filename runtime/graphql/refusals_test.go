package graphql

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// bomb is a request that is made to cost more than it may, and what it is refused with.
type bomb struct {
	name   string
	body   string
	status int
	says   string // in the answer
}

// asking makes a body of a document and its variables, which are JSON.
func asking(document, variables string) string {
	text, err := json.Marshal(document)
	if err != nil {
		panic(err) // it is text
	}
	if variables == "" {
		return `{"query":` + string(text) + `}`
	}
	return `{"query":` + string(text) + `,"variables":` + variables + `}`
}

// numbered repeats a text with the numbers from 0 on in the place of #.
func numbered(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)))
	}
	return b.String()
}

func nested(n int, before, core, after string) string {
	return strings.Repeat(before, n) + core + strings.Repeat(after, n)
}

// bombs are those that OWASP's sheet on GraphQL names, and what else was thought of, against the schema of library.
func bombs() []bomb {
	const (
		tooComplex = "QUERY_TOO_COMPLEX"
		internal   = "INTERNAL_SERVER_ERROR"
		invalid    = "GRAPHQL_VALIDATION_FAILED"
		bad        = "BAD_USER_INPUT"
		unread     = "GRAPHQL_PARSE_FAILED"
	)
	document := func(name, text, says string) bomb { return bomb{name, asking(text, ""), 400, says} }
	given := func(name, text, variables, says string) bomb { return bomb{name, asking(text, variables), 400, says} }
	long := strings.Repeat("n", 300)
	const where = "query($w: AuthorWhere) { authors(where: $w) { id } }"
	return []bomb{
		document("aliases", "{ "+numbered(31, "a#: authors { id } ")+"}", tooComplex),
		document("aliases, many", "{ "+numbered(450, "a#: __typename ")+"}", tooComplex),
		document("aliases of all names", "{ authors { "+numbered(600, "a#: id ")+"} }", tooComplex),
		document("one field often, another once", "{ authors { "+strings.Repeat("id ", 1980)+"id: name } }", invalid),
		{"one field often", asking("{ authors { "+strings.Repeat("id ", 1980)+"} }", ""), 503, internal}, // there is nothing wrong with it
		{"one field often, in inline fragments", asking("{ "+nested(500, "... { ", strings.Repeat("__typename ", 440), "} ")+"}", ""), 200, `"__typename":"Query"`},
		{"one field often, in a fragment of many operations", asking(numbered(20, "query q# { ...f } ")+"fragment f on Query { "+nested(180, "... { ", strings.Repeat("__typename ", 440), "} ")+"}", ""), 400, "OPERATION_RESOLUTION_FAILURE"},
		document("one field often, in inline fragments, another once", "{ "+nested(500, "... { ", strings.Repeat("authors { id } ", 100)+"authors: books { id } ", "} ")+"}", invalid),
		document("one field often, in a fragment of too many operations", numbered(140, "query q# { ...f } ")+"fragment f on Query { "+strings.Repeat("__typename ", 1000)+"}", tooComplex),
		document("one field often, in a chain of fragments", "{ ...f0 } "+strings.ReplaceAll(doubling(100), "...f100 ...f100", "...f100 ... { ... { "+strings.Repeat("__typename ", 440)+"} }"), tooComplex),
		document("two fragments of one name", "{ ...f } fragment f on Query { "+nested(60, "... { ", strings.Repeat("__typename ", 1200), "} ")+"} fragment f on Query { __typename }", invalid),
		document("two fragments of one name, a circle in the first", numbered(100, "query q# { authors { ...f } } ")+numbered(90, "query r# { authors { id id } } ")+"fragment f on Author { books { author { ...f } } } fragment f on Author { id }", invalid),
		document("a long value, deep, in many operations", numbered(300, "query q# { ...f } ")+"fragment f on Query { authors(where: "+nested(58, "{_not: ", "{id: {eq: 1."+strings.Repeat("7", 200_000)+"}}", "}")+") { id } }", tooComplex),
		document("a long text, in many operations", numbered(300, "query q# { ...f } ")+`fragment f on Query { authors(limit: """`+strings.Repeat("\x7f", 200_000)+`""") { id } }`, tooComplex),
		document("many values, deep, in many operations", numbered(130, "query q# { ...f } ")+"fragment f on Query { authors(where: "+nested(58, "{_not: ", "{id: {in: ["+strings.Repeat("1 ", 700)+"]}}", "}")+") { id } }", tooComplex),
		document("many names, in inline fragments", "{ "+nested(320, "... { ", numbered(1000, "n# "), "} ")+"}", invalid),
		document("many long arguments, in fragments that double", "{ a { ...g0 } } "+doublingArguments(), invalid),
		document("conflicts of long names, nested", "{ "+nested(40, "... { ", strings.Repeat("x { "+numbered(20, strings.Repeat("n", 3000)+"(a: #) ")+"} ", 2), "} ")+"}", invalid),
		document("spreads of one fragment, in inline fragments", "{ "+nested(150, "... { ", strings.Repeat("...f ", 600), "} ")+"x } fragment f on Query { __typename }", invalid),
		document("one field often, arguments", "{ "+numbered(200, "authors(limit: #) { id } ")+"}", invalid),
		document("depth", "{ "+nested(13, "books { author { ", "id", " } }")+" }", tooComplex),
		document("depth, all tokens", "{ "+nested(400, "books { author { ", "id", " } }")+" }", tooComplex),
		document("depth without end", strings.Repeat("{ a ", 60_000), unread),
		document("inline fragments without end", "{ "+strings.Repeat("... { ", 600), unread),
		document("fragments that double", "{ ...f0 } "+numbered(60, "fragment f# on Query { ...g# ...g# } fragment g# on Query { ...h# ...h# } fragment h# on Query { __typename } "), invalid),
		document("fragments, 2^18", "{ ...f0 } "+doubling(18), tooComplex),
		document("a fragment in itself", "{ ...f } fragment f on Query { ...f ...f __typename }", invalid),
		document("fragments in a circle", "{ ...f0 } "+circle(200, "f"), invalid),
		document("fragments in many circles", "{ ...f0 } "+circles(150, "f"), tooComplex),
		document("fragments in many circles, long names", "{ ...f"+long+"0 } "+circles(120, "f"+long), tooComplex),
		document("fragments in some circles, long names", "{ ...f"+long+"0 } "+circle(100, "f"+long)+numbered(9, "fragment g# on Query { ...g# } "), invalid),
		document("fragments that conflict", "{ authors { ...f0 "+"} } "+numbered(150, "fragment f# on Author { x: id x: name } "), invalid),
		document("directives", "{ authors "+strings.Repeat("@include(if: true) ", 250)+"{ id } }", invalid),
		document("directives, unknown", "{ authors "+strings.Repeat("@x ", 990)+"{ id } }", invalid),
		document("directives, unknown, everywhere", "{ authors { "+strings.Repeat("id @x @y ", 390)+"} }", invalid),
		document("fields that are not there", "{ "+numbered(1900, "nothing# ")+"}", invalid),
		document("fields that are nearly there", "{ "+numbered(1900, "author# ")+"}", invalid),
		document("arguments that are not there", "{ authors("+numbered(600, "x#: 1 ")+") { id } }", invalid),
		document("fields in fragments that are not there", "{ ...f0 } "+numbered(180, "fragment f# on Query { no nothing } "), invalid),
		document("a long chain of mistakes", "{ ...f0 } "+chain(170), invalid),
		document("operations", numbered(330, "query q# { no } "), invalid),
		document("operations over one fragment", numbered(150, "query q#($a: Int) { ...f } ")+"fragment f on Query { no no2 no3 a: authors(limit: $b) { id } }", invalid),
		document("lists in lists", "{ authors(where: {id: {in: "+nested(900, "[", "1", "]")+"}}) { id } }", tooComplex),
		document("lists without end", "{ authors(where: "+strings.Repeat("[", 200_000), unread),
		document("objects in objects", "{ authors(where: "+nested(400, "{_not: ", "{}", "}")+") { id } }", tooComplex),
		document("a list of mistakes", "{ authors(where: {_or: ["+strings.Repeat("{no: 1} ", 390)+"]}) { id } }", invalid),
		document("a value with its names twice", "{ authors(where: {"+strings.Repeat("id: {} ", 480)+"}) { id } }", invalid),
		document("variables", "query("+numbered(480, "$v#: Int ")+") { __typename }", invalid),
		document("variables of a type that is not there", "query("+numbered(480, "$v#: Nothing ")+") { __typename }", invalid),
		document("variables that nobody declares", "{ authors(where: {_or: ["+numbered(190, "{id: {eq: $v#}} ")+"]}) { id } }", invalid),
		document("a text without end", `{ authors(where: {name: {eq: "`+strings.Repeat("x", 200_000), unread),
		document("a block of text without end", `{ authors(where: {name: {eq: """`+strings.Repeat("\n  x", 40_000), unread),
		document("a long name", "{ "+strings.Repeat("n", 200_000)+" }", invalid),
		document("a comment", "#"+strings.Repeat("x", 250_000)+"\n{", unread),
		document("comments", strings.Repeat("#x\n", 60_000)+"{", tooComplex),
		document("signs", strings.Repeat("!", 250_000), unread),
		document("commas", strings.Repeat(",", 250_000), unread),
		document("introspection, deep", "{ __schema { types { "+nested(12, "fields { type { ", "name", " } }")+" } } }", tooComplex),
		document("introspection, deeper than a rule knows", "{ __schema { types { "+nested(3, "fields { type { ", "name", " } }")+" } } }", invalid),
		document("introspection, wrapped", `{ __type(name: "Query") { `+nested(30, "ofType { ", "name", " }")+" } }", tooComplex),
		document("introspection, often", "{ "+numbered(31, "a#: __schema { types { name } } ")+"}", tooComplex),
		{"introspection, often and wide", asking("{ "+numbered(28, "a#: __schema { ...s } ")+"} fragment s on __Schema { types { fields { type { ofType { ...f ofType { ofType { ...f } } } } } } } "+
			"fragment f on __Type { fields { args { name description type { ...n ofType { ...n ofType { ...n ofType { ...n } } } } } } } fragment n on __Type { name kind description enumValues { name description } }", ""), 200, tooComplex},
		{"introspection, wide", asking("{ "+"__schema { ...s } a: __schema { ...s } b: __schema { ...s } "+"} fragment s on __Schema { "+numbered(9, "t#: types { fields { type { ofType { ...f ofType { ofType { ...f } } } } } } ")+
			"} fragment f on __Type { fields { args { name description type { ...n ofType { ...n ofType { ...n ofType { ...n } } } } } } } fragment n on __Type { name kind description enumValues { name description } }", ""), 200, tooComplex},
		{"a megabyte", asking("{ authors { id } } #"+strings.Repeat("x", 1<<20), ""), 413, "larger than"},
		{"a megabyte of fields", asking("{ "+strings.Repeat("authors { id } ", 70_000)+"}", ""), 413, "larger than"},
		{"a hundred thousand requests", "[" + strings.TrimSuffix(strings.Repeat("{},", 80_000), ",") + "]", 400, bad},
		{"eleven requests", "[" + strings.TrimSuffix(strings.Repeat(asking("{ authors { id } }", "")+",", 11), ",") + "]", 400, "more than 10"},
		{"a thousand requests", "[" + strings.TrimSuffix(strings.Repeat(asking("{ authors { id } }", "")+",", 1000), ",") + "]", 400, "more than 10"},
		given("undeclared variables", "{ __typename }", "{"+strings.TrimSuffix(numbered(16_000, `"v#":null,`), ",")+"}", bad),
		given("deep variables", where, `{"w":`+nested(9_000, `{"_not":`, "{}", "}")+"}", tooComplex),
		given("variables without end", where, `{"w":`+strings.Repeat(`[`, 200_000), bad),
		given("lists in variables", where, `{"w":`+nested(9_000, `[`, "1", "]")+"}", bad),
		given("empty objects", where, `{"w":[`+strings.TrimSuffix(strings.Repeat("{},", 80_000), ",")+"]}", bad),
		given("many conditions", where, `{"w":{"_or":[`+strings.TrimSuffix(strings.Repeat(`{"id":{"eq":1}},`, 12_000), ",")+"]}}", tooComplex),
		given("conditions without any", where, `{"w":{"_or":[`+strings.TrimSuffix(strings.Repeat("{},", 80_000), ",")+"]}}", tooComplex),
		given("many orders", "query($o: [AuthorOrderBy!]) { authors(orderBy: $o) { id } }", `{"o":[`+strings.TrimSuffix(strings.Repeat(`{"id":"ASC"},`, 18_000), ",")+"]}", tooComplex),
		given("many relations", where, `{"w":{"_or":[`+strings.TrimSuffix(strings.Repeat(`{"books":{"some":{}}},`, 9_000), ",")+"]}}", tooComplex),
		given("a long number", "query($n: Int) { authors(limit: $n) { id } }", `{"n":`+strings.Repeat("9", 200_000)+"}", bad),
		given("a number with a long exponent", "query($n: Int) { authors(limit: $n) { id } }", `{"n":1e`+strings.Repeat("9", 200_000)+"}", bad),
	}
}

// doublingArguments is such a chain below objects, with two equal fields of very many arguments at its end.
func doublingArguments() string {
	var b strings.Builder
	for i := range 5 {
		fmt.Fprintf(&b, "fragment g%d on Author { x { ...g%d } y { ...g%d } } ", i, i+1, i+1)
	}
	field := "n(" + numbered(200, strings.Repeat("a", 400)+"#: 1 ") + ") "
	return b.String() + "fragment g5 on Author { " + field + field + strings.Repeat("n ", 130) + "}"
}

// doubling is a chain of fragments each of which spreads the next one twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment f%d on Query { ...f%d ...f%d } ", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment f%d on Query { __typename }", n)
	return b.String()
}

// circle is a chain of fragments whose last spreads the first.
func circle(n int, name string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment %s%d on Query { ...%s%d } ", name, i, name, (i+1)%n)
	}
	return b.String()
}

// circles is a chain of fragments whose last spreads all of them.
func circles(n int, name string) string {
	var b strings.Builder
	for i := range n - 1 {
		fmt.Fprintf(&b, "fragment %s%d on Query { ...%s%d } ", name, i, name, i+1)
	}
	fmt.Fprintf(&b, "fragment %s%d on Query { %s}", name, n-1, numbered(n, "..."+name+"# "))
	return b.String()
}

// chain is a chain of fragments each of which asks for what is not there.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment f%d on Query { nothing%d ...f%d } ", i, i, i+1)
	}
	fmt.Fprintf(&b, "fragment f%d on Query { __typename }", n)
	return b.String()
}

// defended serves the schema of library without a database: a request that is not refused fails on that.
func defended(t testing.TB) http.Handler {
	t.Helper()
	config := DefaultConfig()
	config.Limits.Batch, config.Limits.Response = 10, 64<<10
	s := New(config, Deps{Dev: true, Pool: idlePool(t), Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(s.Close)
	s.pictures.Store(&pictures{byName: map[string]*picture{"": {schema: library(t), documents: newKept(1)}}})
	mux := http.NewServeMux()
	s.Routes(mux)
	return mux
}

func (b bomb) send(h http.Handler) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(b.body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// What a refusal may take: bodies have at most 256 KiB, and Go's maps are dear.
const (
	refusalBytes  = 16 << 20 // allocated; the race detector has a share of it
	answerBytes   = 2 << 20  // the same, where the answer was begun: it may have 64 KiB
	refusalAnswer = 64 << 10 // to the client
	refusalsKept  = 4 << 20  // by all of them, when they are over
)

// TestRefusals has each bomb refused before a statement is made of it, with little memory, of which nothing is kept. It
// counts bytes, not time, which is BenchmarkRefusals' affair. It has the process to itself.
func TestRefusals(t *testing.T) {
	h := defended(t)
	harmless := bomb{"harmless", asking("{ authors { id } }", ""), 503, "INTERNAL_SERVER_ERROR"}
	var before, after runtime.MemStats
	for round := range 3 {
		if round == 1 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
		for _, b := range append(bombs(), harmless) {
			allocated, answer := b.measure(h)
			switch w := b.send(h); {
			case w.Code != b.status || !strings.Contains(w.Body.String(), b.says):
				t.Errorf("%s: answered %d %.300s", b.name, w.Code, w.Body)
			case round > 0 && b.status == http.StatusOK && allocated > answerBytes:
				t.Errorf("%s: %d bytes of memory were taken by an answer that is none", b.name, allocated)
			case round > 0 && (allocated > refusalBytes || answer > refusalAnswer):
				t.Errorf("%s: %d bytes of a request took %d of memory, and the answer has %d", b.name, len(b.body), allocated, answer)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > refusalsKept {
		t.Errorf("%d bytes are kept of requests that were refused", grown)
	}
}

// measure gives the bytes that a refusal allocates, and those of the answer.
func (b bomb) measure(h http.Handler) (allocated uint64, answer int) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer = b.send(h).Body.Len()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, answer
}

// BenchmarkRefusals tells how long each takes; 50 ms are meant to be the most.
func BenchmarkRefusals(b *testing.B) {
	h := defended(b)
	for _, c := range bombs() {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.send(h)
			}
		})
	}
}
