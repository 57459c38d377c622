package graphql_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// filters are conditions on the books of testdata/filters and the ids of those that meet them, by hand.
var filters = map[string]string{
	// Equality and order, wherever PostgreSQL has them.
	`{size: {gt: small}}`:            "2 3",
	`{size: {lte: medium}}`:          "1 3",
	`{odd: {gte: "null"}}`:           "2",
	`{flags: {eq: "101"}}`:           "1",
	`{flags: {lt: "1"}}`:             "3",
	`{revision: {in: ["5", "7"]}}`:   "1 3",
	`{placeInLog: {gt: "0/20"}}`:     "2 3",
	`{traits: {eq: "\"a\"=>\"1\""}}`: "1",
	`{code: {eq: "ABC"}}`:            "1",
	`{code: {in: ["ABD"]}}`:          "2",
	`{code: {gt: "ABC"}}`:            "2",
	`{code: {contains: "BC"}}`:       "1",
	`{code: {startswith: "AB"}}`:     "1 2",
	`{code: {regex: "^AB"}}`:         "1 2",
	`{code: {like: "_B_"}}`:          "1 2",
	`{place: {isnull: true}}`:        "3 4 5",
	`{place: {isnull: false}}`:       "1 2",
	`{tags: {}}`:                     "1 2 3 4 5",

	// Arrays.
	`{tags: {eq: ["red", "green"]}}`:                          "1",
	`{tags: {eq: []}}`:                                        "2",
	`{tags: {eq: ["blue", null]}}`:                            "3",
	`{tags: {neq: ["red", "green"]}}`:                         "2 3",
	`{tags: {array_contains: ["red"]}}`:                       "1",
	`{tags: {array_contains: []}}`:                            "1 2 3",
	`{tags: {array_contains: [null]}}`:                        "",
	`{tags: {array_contained: ["red", "green", "x"]}}`:        "1 2",
	`{tags: {array_overlaps: ["blue", "red", null]}}`:         "1 3",
	`{tags: {array_overlaps: []}}`:                            "",
	`{tags: {len_eq: 0}}`:                                     "2",
	`{tags: {len_neq: 0}}`:                                    "1 3",
	`{tags: {len_gt: 1}}`:                                     "1 3",
	`{tags: {len_gte: 2, len_lt: 3}}`:                         "1 3",
	`{tags: {len_lte: 1}}`:                                    "2",
	`{tags: {isnull: true}}`:                                  "4 5",
	`{sizes: {array_contains: [small]}}`:                      "1",
	`{sizes: {array_overlaps: [medium, large]}}`:              "1",
	`{copies: {array_contains: ["AP8="]}}`:                    "1",
	`{copies: {eq: ["AP8=", null]}}`:                          "1",
	`{seen: {array_contains: ["2024-01-01T01:00:00+01:00"]}}`: "1",
	`{places: {len_eq: 2}}`:                                   "1",
	`{places: {isnull: false, len_eq: 0}}`:                    "2",

	// JSON.
	`{details: {eq: [1.0, "pages", {x: true}]}}`:                      "3",
	`{details: {neq: [1, "pages", {x: true}]}}`:                       "1 2 4",
	`{details: {in: [[1, "pages", {x: true}], "null"]}}`:              "3",
	`{details: {json_contains: {author: {born: 1950}}}}`:              "1",
	`{details: {json_contains: {langs: ["de"]}}}`:                     "1",
	`{details: {json_contained: [1, 2, "pages", {x: true, y: 1}]}}`:   "3",
	`{details: {has_key: "pages"}}`:                                   "1 2 3",
	`{details: {has_any_key: ["gone", "nowhere"]}}`:                   "1",
	`{details: {has_all_keys: ["pages", "author"]}}`:                  "1 2",
	`{details: {isnull: true}}`:                                       "5",
	`{details: {path: {at: []}}}`:                                     "1 2 3 4 5",
	`{details: {path: {at: ["pages"], eq: 100}}}`:                     "1",
	`{details: {path: {at: ["pages"], neq: 100}}}`:                    "2",
	`{details: {path: {at: ["pages"], gte: 100, lt: 200}}}`:           "1",
	`{details: {path: {at: ["pages"], in: [100, 200, "x"]}}}`:         "1 2",
	`{details: {path: {at: ["pages"], nin: [100]}}}`:                  "2",
	`{details: {path: {at: ["langs", "1"], eq: "de"}}}`:               "1",
	`{details: {path: {at: ["langs"], eq: ["en", "de"]}}}`:            "1",
	`{details: {path: {at: ["gone"], isnull: true}}}`:                 "1 2 3 4 5",
	`{details: {path: {at: ["author", "born"], isnull: false}}}`:      "1",
	`{_not: {details: {path: {at: ["pages"], isnull: true}}}}`:        "1 2",
	`{details: {path: {at: [], isnull: true}}}`:                       "4 5",
	`{details: {path: {at: ["author", "name"], contains: "n B"}}}`:    "1",
	`{details: {path: {at: ["author", "name"], icontains: "BEE"}}}`:   "1",
	`{details: {path: {at: ["author", "name"], startswith: "50%_"}}}`: "2",
	`{details: {path: {at: ["author", "name"], endswith: "_off"}}}`:   "2",
	`{details: {path: {at: ["author", "name"], like: "Ann%"}}}`:       "1",
	`{details: {path: {at: ["author", "name"], ilike: "ANN%"}}}`:      "1",
	`{notes: {json_contains: {pages: 100}}}`:                          "1",
	`{notes: {has_key: "z"}}`:                                         "1",
	`{notes: {path: {at: ["pages"], gt: 150}}}`:                       "2",

	// Documents.
	`{body: {matches: "foxes quick"}}`:             "1",
	`{body: {websearch: "\"brown fox\" or dogs"}}`: "1 2",
	`{body: {websearch: "dog -lazy"}}`:             "",
	`{body: {matches: "& | ( ! : '"}}`:             "",
	`{body: {websearch: "\"unclosed - or or (("}}`: "",
	`{body: {isnull: true}}`:                       "4 5",

	// Ranges and multiranges.
	`{lent: {range_contains: "2024-01-15"}}`:                    "1",
	`{lent: {range_contains_range: "[2024-01-02,2024-01-03)"}}`: "1",
	`{lent: {range_contained: "[2023-01-01,2025-01-01)"}}`:      "1 2",
	`{lent: {range_overlaps: "[2024-01-31,2024-03-01)"}}`:       "1 3",
	`{lent: {range_before: "[2024-02-01,2024-03-01)"}}`:         "1",
	`{lent: {range_after: "[2023-01-01,2024-01-01)"}}`:          "1 3",
	`{lent: {range_adjacent: "[2023-01-01,2024-01-01)"}}`:       "1",
	`{lent: {is_empty: true}}`:                                  "2",
	`{lent: {is_empty: false}}`:                                 "1 3",
	`{lent: {eq: "[2024-01-01,2024-01-31]"}}`:                   "1",
	`{lent: {nin: ["empty"]}}`:                                  "1 3",
	`{price: {range_contains: "10"}}`:                           "2",
	`{names: {range_contains: "k"}}`:                            "1",
	`{shelves: {range_contains: 7}}`:                            "1 3",
	`{shelves: {range_overlaps: "{[1,2)}"}}`:                    "1",
	`{shelves: {range_before: "{[9,10)}"}}`:                     "1 3",
	`{shelves: {is_empty: true}}`:                               "2",

	// Networks.
	`{network: {subnet_contains: "192.168.1.77"}}`:    "1",
	`{host: {subnet_contained: "10.0.0.0/8"}}`:        "2",
	`{host: {subnet_overlaps: "10.1.0.0/16"}}`:        "2",
	`{network: {subnet_contained: "192.168.1.5/16"}}`: "1",
	`{host: {gt: "11.0.0.0"}}`:                        "1 3",

	// Paths of labels.
	`{topic: {eq: "Top.Hobbies"}}`:                        "2",
	`{topic: {ancestor_of: "Top.Hobbies.Amateurs"}}`:      "2 3",
	`{topic: {descendant_of: "Top.Science"}}`:             "1",
	`{topic: {matches_lquery: "Top.*{2}"}}`:               "1",
	`{topic: {matches_ltxtquery: "Astro* & !pictures@"}}`: "1",
	`{topic: {in: ["Top"]}}`:                              "3",
	`{topic: {gt: "Top"}}`:                                "1 2",
}

func TestFilters(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "filters", "tables.sql"))
	for where, want := range filters {
		got := s.Execute(t.Context(), transport.Request{Query: "{ books(where: " + where + ") { id } }"})
		if ids := ids(t, got); ids != want {
			t.Errorf("%s\n got %s\nwant %s", where, ids, want)
		}
	}
}

// ids writes the ids of the books of an answer, or its first error.
func ids(t *testing.T, got transport.Response) string {
	t.Helper()
	if len(got.Errors) > 0 {
		return firstError(got)
	}
	var answer struct{ Books []struct{ ID int } }
	if err := json.Unmarshal(got.Data, &answer); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, book := range answer.Books {
		list = append(list, fmt.Sprint(book.ID))
	}
	return strings.Join(list, " ")
}

// TestFiltersByVariables gives operands as variables, whole and in part.
func TestFiltersByVariables(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "filters", "tables.sql"))
	for name, c := range map[string]struct{ declared, where, variables, want string }{
		"a list":                 {`$v: [String]`, `{tags: {array_contains: $v}}`, `{"v": ["red"]}`, "1"},
		"one element":            {`$v: String`, `{tags: {array_overlaps: ["red", $v]}}`, `{"v": "blue"}`, "1 3"},
		"a null element":         {`$v: String`, `{tags: {eq: ["blue", $v]}}`, `{"v": null}`, "3"},
		"JSON":                   {`$v: JSON`, `{details: {json_contains: $v}}`, `{"v": {"author": {"born": 1950}}}`, "1"},
		"a part of JSON":         {`$v: JSON`, `{details: {json_contains: {author: {born: $v}}}}`, `{"v": 1950}`, "1"},
		"a list within a list":   {`$v: JSON`, `{details: {in: [[1, $v, {x: true}]]}}`, `{"v": "pages"}`, "3"},
		"JSON that is a list":    {`$v: [JSON!]`, `{details: {in: $v}}`, `{"v": [[1, "pages", {"x": true}], 7]}`, "3"},
		"a path":                 {`$at: [String!]!, $v: JSON`, `{details: {path: {at: $at, eq: $v}}}`, `{"at": ["author", "born"], "v": 1950}`, "1"},
		"conditions on a path":   {`$p: JSONPathFilter`, `{details: {path: $p}}`, `{"p": {"at": ["pages"], "in": [200], "isnull": false}}`, "2"},
		"a condition as a whole": {`$w: BookWhere`, `$w`, `{"w": {"lent": {"is_empty": true}, "tags": {"len_eq": 0}}}`, "2"},
	} {
		request := transport.Request{Query: "query(" + c.declared + ") { books(where: " + c.where + ") { id } }"}
		decoder := json.NewDecoder(strings.NewReader(c.variables))
		decoder.UseNumber()
		if err := decoder.Decode(&request.Variables); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, s.Execute(t.Context(), request)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestWrongOperandsOfFilters has operands that no type or operator takes: each is the caller's mistake, and said so.
func TestWrongOperandsOfFilters(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "filters", "tables.sql"))
	for where, want := range map[string]string{
		`{tags: {eq: null}}`:                       "BAD_USER_INPUT at books 1:3 argument where.tags.eq: null equals nothing",
		`{details: {json_contains: null}}`:         "BAD_USER_INPUT at books 1:3 argument where.details.json_contains: null",
		`{details: {path: {at: ["a"], eq: null}}}`: "BAD_USER_INPUT at books 1:3 argument where.details.path.eq: null equals nothing",
		`{details: {path: {eq: 1}}}`:               "GRAPHQL_VALIDATION_FAILED",
		`{notes: {eq: {}}}`:                        "GRAPHQL_VALIDATION_FAILED",
		`{lent: {range_contains: "soon"}}`:         "BAD_USER_INPUT at books 1:3 argument where.lent.range_contains: invalid input syntax for type date",
		`{lent: {range_overlaps: "[2,1"}}`:         "BAD_USER_INPUT at books 1:3 argument where.lent.range_overlaps: malformed range literal",
		`{host: {subnet_contains: "everywhere"}}`:  "BAD_USER_INPUT at books 1:3 argument where.host.subnet_contains: invalid input syntax for type inet",
		`{topic: {matches_lquery: "Top.{"}}`:       "BAD_USER_INPUT at books 1:3 argument where.topic.matches_lquery: lquery syntax error",
		`{topic: {matches_ltxtquery: "a &"}}`:      "BAD_USER_INPUT at books 1:3",
		`{code: {regex: "("}}`:                     "BAD_USER_INPUT at books 1:3 invalid regular expression",
		`{copies: {array_contains: ["*"]}}`:        "BAD_USER_INPUT at books 1:9 argument where.copies.array_contains[0]: \"*\" is not a value of Bytes: it is no base64",
		`{flags: {eq: "2"}}`:                       "BAD_USER_INPUT at books 1:3 argument where.flags.eq: \"2\" is not a valid binary digit",
	} {
		got := s.Execute(t.Context(), transport.Request{Query: "{ books(where: " + where + ") { id } }"})
		if text := firstError(got); !strings.HasPrefix(text, want) {
			t.Errorf("%s\n got %s\nwant %s", where, text, want)
		}
	}
}

// TestFiltersUseIndexes has PostgreSQL plan conditions that an index is for.
func TestFiltersUseIndexes(t *testing.T) {
	t.Parallel()
	s, pool := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "filters", "tables.sql"))
	var name string
	if err := pool.QueryRow(t.Context(), "select current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, "alter database "+name+" set enable_seqscan = off")
	exec(t, pool, "alter database "+name+" set enable_indexscan = off") // by the primary key, in order
	pool.Reset()
	for where, index := range map[string]string{
		`{tags: {array_contains: ["red"]}}`:         "book_tags_idx",
		`{tags: {array_overlaps: ["red"]}}`:         "book_tags_idx",
		`{details: {json_contains: {pages: 1}}}`:    "book_details_idx",
		`{details: {has_key: "pages"}}`:             "book_details_idx",
		`{details: {has_any_key: ["pages"]}}`:       "book_details_idx",
		`{details: {has_all_keys: ["pages"]}}`:      "book_details_idx",
		`{body: {matches: "fox"}}`:                  "book_body_idx",
		`{body: {websearch: "fox"}}`:                "book_body_idx",
		`{lent: {range_contains: "2024-01-01"}}`:    "book_lent_idx",
		`{lent: {range_overlaps: "[2024-01-01,)"}}`: "book_lent_idx",
		`{topic: {descendant_of: "Top"}}`:           "book_topic_idx",
		`{topic: {matches_lquery: "Top.*"}}`:        "book_topic_idx",
	} {
		_, lines, _, err := s.Explain(t.Context(), transport.Request{Query: "{ books(where: " + where + ") { id } }"}, false)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(lines[0], "\n"); !strings.Contains(text, "Bitmap Index Scan on "+index) {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
	}
}

// TestKeysOfAnExtensionsType looks a row up and joins by citext, whose operators search_path does not reach.
func TestKeysOfAnExtensionsType(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "filters", "tables.sql"))
	got := s.Execute(t.Context(), transport.Request{Query: `{ reader(code: "abc") { name books { id readerByCode { name } } } books(where: {readerByCode: {name: {eq: "Cy"}}}) { id } }`})
	if want := `{"reader":{"name":"Cy","books":[{"id":1,"readerByCode":{"name":"Cy"}}]},"books":[{"id":1}]}`; spaceless(string(got.Data)) != want {
		t.Errorf("got %s %v\nwant %s", got.Data, got.Errors, want)
	}
}
