package graphql_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// scalars is what a client must get for the values of testdata/scalars, written by hand: the first row, the
// second, and null for the third.
var scalars = map[string][2]string{
	"small":                {`-32768`, `0`},
	"whole":                {`2147483647`, `0`},
	"big":                  {`"9223372036854775807"`, `"0"`},
	"exact":                {`"12345678901234567890123456789.123456789"`, `"NaN"`},
	"wide":                 {`"0.0000000001"`, `null`},
	"cash":                 {`"-1234.56"`, `"0.00"`},
	"single":               {`0.1`, `"NaN"`},
	"double":               {`1e+308`, `"-Infinity"`},
	"yes":                  {`true`, `false`},
	"words":                {`"a \"quoted\"\\ text\nwith\ttabs, \u0001 and ünïcode 🙂 </script>"`, `""`},
	"code":                 {`"ab   "`, `"     "`},
	"bits":                 {`"101"`, `"000"`},
	"day":                  {`"0044-03-15 BC"`, `"infinity"`},
	"clock":                {`"23:59:59.999999"`, `"00:00:00"`},
	"zoned":                {`"12:00:00+05:30"`, `"00:00:00-12"`},
	"local":                {`"2024-02-29T12:34:56.789"`, `"-infinity"`},
	"moment":               {`"2024-02-29T10:34:56.789+00:00"`, `"infinity"`},
	"span":                 {`"P1Y2M-3DT4H5M6.7S"`, `"PT0S"`},
	"key":                  {`"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`, `"00000000-0000-0000-0000-000000000000"`},
	"raw":                  {`"3q2+7wD/"`, `""`},
	"plain":                {`{"b": 1, "a": [1.50, null]}`, `"text"`},
	"binaryJson":           {`{"a": [1.50, null], "b": 2}`, `null`},
	"address":              {`"192.168.0.1/24"`, `"::1"`},
	"network":              {`"10.0.0.0/8"`, `"::/0"`},
	"card":                 {`"08:00:2b:01:02:03"`, `"00:00:00:00:00:00"`},
	"feeling":              {`"glad"`, `"sad"`},
	"age":                  {`7`, `1`},
	"numbers":              {`["1",null,"-9223372036854775808"]`, `[]`},
	"matrix":               {`[[1,2],[3,4]]`, `[]`},
	"texts":                {`["a","b\"c",null,"NULL"]`, `[]`},
	"feelings":             {`["sad",null]`, `[]`},
	"moments":              {`["2024-01-01T00:00:00+00:00","infinity"]`, `[]`},
	"during":               {`"[1,5)"`, `"empty"`},
	"days":                 {`"(,2024-01-01)"`, `"empty"`},
	"several":              {`"{[1,3),[7,9)}"`, `"{}"`},
	"wordsVector":          {`"'a':1 'cat':3 'fat':2"`, `""`},
	"addresses":            {`["10.0.0.1","::/0"]`, `[]`},
	"amounts":              {`["1.50",null]`, `[]`},
	"blobs":                {`["AP8=",null]`, `[]`},
	"shape":                {`"(1,2)"`, `"(0,0)"`},
	"place { x y label }":  {`{"x":1.5,"y":"2.50","label":"x"}`, `{"x":null,"y":null,"label":null}`},
	"places { x y label }": {`[{"x":1,"y":"2","label":"y"},null]`, `[]`},
}

// TestScalarsAreExact asks for every value as a field of a root list, which Go writes, and of a relation,
// which PostgreSQL writes: both must be what is expected.
func TestScalarsAreExact(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "scalars", "values.sql"))
	areExact(t, s, scalars)
}

// areExact compares the values of testdata/scalars with what they should be.
func areExact(t *testing.T, s *graphql.Service, scalars map[string][2]string) {
	t.Helper()
	for selection, want := range scalars {
		name, _, _ := strings.Cut(selection, " ")
		for _, path := range []string{"{ items(orderBy: [{id: ASC}]) { " + selection + " } }", "{ parents { items(orderBy: [{id: ASC}]) { " + selection + " } } }"} {
			got := s.Execute(t.Context(), transport.Request{Query: path})
			if len(got.Errors) > 0 {
				t.Errorf("%s: %v", path, got.Errors)
				continue
			}
			rows := dig(t, got.Data)
			for i, wanted := range append(want[:], "null") {
				if text := string(rows[i][name]); spaceless(text) != spaceless(wanted) {
					t.Errorf("%s, row %d\n got %s\nwant %s", path, i+1, text, wanted)
				}
			}
		}
	}
}

// dig finds the rows of items, wherever they stand.
func dig(t *testing.T, data []byte) []map[string]json.RawMessage {
	t.Helper()
	var answer struct {
		Items   []map[string]json.RawMessage
		Parents []struct{ Items []map[string]json.RawMessage }
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if answer.Items != nil {
		return answer.Items
	}
	return answer.Parents[0].Items
}

// spaceless drops the blanks between tokens, which no JSON reader sees.
func spaceless(text string) string {
	return strings.NewReplacer(`": `, `":`, `, "`, `,"`, ", null", ",null").Replace(text)
}

// TestWhatIsReadCanBeAskedFor filters by each value just as it was given out.
func TestWhatIsReadCanBeAskedFor(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), filepath.Join(testdata, "scalars", "values.sql"))
	for _, name := range []string{
		"small", "whole", "big", "exact", "wide", "cash", "single", "double", "yes", "words", "code", "day", "clock", "zoned", "local",
		"moment", "span", "key", "raw", "address", "network", "card", "feeling", "age", "during", "days", "several",
	} {
		for i, literal := range scalars[name] {
			if literal == "null" || literal == `"NaN"` && name == "single" || literal == `"-Infinity"` && name == "double" {
				continue // of GraphQL's Float, which has no such values
			}
			if name == "feeling" {
				literal = strings.Trim(literal, `"`)
			}
			for _, where := range []string{"{eq: " + literal + "}", "{in: [" + literal + "]}"} {
				query := "{ items(where: {" + name + ": " + where + "}) { id } }"
				got := s.Execute(t.Context(), transport.Request{Query: query})
				if want := []string{`{"items":[{"id":1}]}`, `{"items":[{"id":2}]}`}[i]; string(got.Data) != want {
					t.Errorf("%s\n got %s %v\nwant %s", query, got.Data, got.Errors, want)
				}
			}
		}
	}
}
