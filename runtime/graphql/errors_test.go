package graphql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// firstError writes the first error of a response in one line: code, path, place, message.
func firstError(r transport.Response) string {
	if len(r.Errors) == 0 {
		return "none: " + string(r.Data)
	}
	e := r.Errors[0]
	line := fmt.Sprint(e.Extensions["code"])
	if len(e.Path) > 0 {
		line += " at " + e.Path.String()
	}
	for _, l := range e.Locations {
		line += fmt.Sprintf(" %d:%d", l.Line, l.Column)
	}
	return line + " " + e.Message
}

func TestErrorsOfRequests(t *testing.T) {
	t.Parallel()
	s, _ := chinook(t)
	deep := strings.Repeat("{ artist { albums(limit: 1) ", 7) + "{ title }" + strings.Repeat("} }", 7)
	aliases := "{"
	for i := range 31 {
		aliases += fmt.Sprintf(" a%d: albums(limit: 1) { albumId }", i)
	}
	aliases += " }"
	for name, c := range map[string]struct {
		query, variables, operation string
		want                        string
		ran                         bool // there is data beside the error
	}{
		"no document": {query: "", want: "GRAPHQL_PARSE_FAILED the document has no operation"},
		"half a character": {query: `{ #ö
 albums(where: {title: {in: ["\uD83D\uDE00\u{1F600}", "\\uD83D", "a\ud83d"]}}) { title } }`, want: `GRAPHQL_PARSE_FAILED 2:67 the string has \ud83d, half`},
		"the other half":      {query: `{ albums(where: {title: {eq: "\uDE00"}}) { title } }`, want: `GRAPHQL_PARSE_FAILED 1:31 the string has \uDE00, half`},
		"a half and a letter": {query: `{ albums(where: {title: {eq: "\uD83D\u0041"}}) { title } }`, want: `GRAPHQL_PARSE_FAILED 1:31 the string has \uD83D, half`},
		"no half":             {query: `{ albums(where: {title: {in: ["\uD83D\uDE00\u{1F600}", "\\uD83D", """\uD83D"""]}}) { title } }`, want: `none: {"albums":[]}`, ran: true},
		"not closed":          {query: "{ albums {\n  title", want: "GRAPHQL_PARSE_FAILED 2:8 Expected Name, found <EOF>"},
		"unknown field":       {query: "{ albums { titel } }", want: `GRAPHQL_VALIDATION_FAILED 1:12 Cannot query field "titel" on type "Album". Did you mean "title"?`},
		"unknown root":        {query: "{ albumz { title } }", want: "GRAPHQL_VALIDATION_FAILED 1:3 Cannot query field \"albumz\""},
		"unknown argument":    {query: "{ albums(wher: {}) { title } }", want: "GRAPHQL_VALIDATION_FAILED 1:3 Unknown argument \"wher\" on field \"Query.albums\". Did you mean \"where\"?"},
		"unknown operator":    {query: "{ albums(where: {title: {has: \"x\"}}) { title } }", want: "GRAPHQL_VALIDATION_FAILED 1:26"},
		"a leaf with fields":  {query: "{ albums { title { x } } }", want: "GRAPHQL_VALIDATION_FAILED 1:20"},
		"an object without":   {query: "{ albums }", want: "GRAPHQL_VALIDATION_FAILED 1:3"},
		"text for a number":   {query: `{ album(albumId: "1") { title } }`, want: "GRAPHQL_VALIDATION_FAILED 1:19"},
		"a key too few":       {query: "{ album { title } }", want: "GRAPHQL_VALIDATION_FAILED 1:3"},
		"over the cap":        {query: "{ albums(limit: 1001) { title } }", want: "BAD_USER_INPUT at albums 1:3 limit 1001 is over the most that is allowed, 1000"},
		"over it, deep":       {query: "{ artists { albums(limit: 1001) { title } } }", want: "BAD_USER_INPUT at artists.albums 1:13 limit 1001 is over the most"},
		"below nothing":       {query: "{ albums(limit: -1) { title } }", want: "BAD_USER_INPUT at albums 1:3 limit must not be negative"},
		"offset below":        {query: "{ albums(offset: -1) { title } }", want: "BAD_USER_INPUT at albums 1:3 offset must not be negative"},
		"variable's type":     {query: "query($n: Int!) { albums(limit: $n) { title } }", variables: `{"n": "5"}`, want: "BAD_USER_INPUT"},
		"variable missing":    {query: "query($n: Int!) { albums(limit: $n) { title } }", want: "BAD_USER_INPUT"},
		"which operation":     {query: "query A { __typename } query B { __typename }", want: "OPERATION_RESOLUTION_FAILURE"},
		"no such operation":   {query: "query A { __typename }", operation: "C", want: "OPERATION_RESOLUTION_FAILURE"},
		"too deep":            {query: "{ albums(limit: 1) " + deep + " }", want: "QUERY_TOO_COMPLEX 1:1 the operation has 16 levels of fields; at most 12 are allowed ([graphql.limits] depth)"},
		"too many aliases":    {query: aliases, want: "QUERY_TOO_COMPLEX 1:1 the operation has 31 aliases; at most 30 are allowed ([graphql.limits] aliases)"},
		"too many words":      {query: "{ albums { " + strings.Repeat("title ", 2001) + "} }", want: "QUERY_TOO_COMPLEX the document has more than 2000 tokens ([graphql.limits] tokens)"},
		"a broken regex":      {query: `{ ok: albums(limit: 1) { albumId } albums(where: {title: {regex: "("}}) { title } }`, want: "BAD_USER_INPUT at albums 1:36 invalid regular expression", ran: true},
		"which rows, within":  {query: `{ artists(where: {albums: {aggregate: {_not: {where: {title: {eq: "x"}}}}}}) { name } }`, want: "GRAPHQL_VALIDATION_FAILED 1:47 Field \"where\" is not defined by type \"AlbumHaving\"."},
		"which rows, null":    {query: `{ artists(where: {albums: {aggregate: {where: null, count: {gt: 1}}}}) { name } }`, want: "BAD_USER_INPUT at artists 1:3 argument where.albums.aggregate.where: null is no condition"},
		"null for an album":   {query: `{ tracks(where: {album: null}) { name } }`, want: "BAD_USER_INPUT at tracks 1:3 argument where.album: null is no condition: leave it out; rows without one are those with _not: {album: {}}"},
		"null for albums":     {query: `{ artists(where: {albums: null}) { name } }`, want: "BAD_USER_INPUT at artists 1:3 argument where.albums: null is no condition: leave it out; rows without any are those with {albums: {none: {}}}"},
		"null for a column":   {query: `{ artists(where: {name: null}) { name } }`, want: "BAD_USER_INPUT at artists 1:3 argument where.name: null is no condition: leave it out, or use isnull"},
		"neither":             {query: `{ artists(where: {name: {isnull: null}}) { name } }`, want: "BAD_USER_INPUT at artists 1:3 argument where.name.isnull: isnull is true or false"},
		"null for a list":     {query: `{ artists(where: {_or: null}) { name } }`, want: "BAD_USER_INPUT at artists 1:3 argument where._or: null is no condition: leave it out"},
		"an offset":           {query: `{ invoices(where: {invoiceDate: {gt: "2021-01-01T00:00:00+02:00"}}) { total } }`, want: `BAD_USER_INPUT at invoices 1:12 argument where.invoiceDate.gt: "2021-01-01T00:00:00+02:00" is not a value of LocalDateTime, which has no offset: PostgreSQL would overlook one`},
		"another order":       {query: `{ albumsConnection(after: "` + cursorOf(t, s, `{ albumsConnection(first: 1, orderBy: [{title: ASC}]) { pageInfo { endCursor } } }`) + `") { nodes { title } } }`, want: "BAD_USER_INPUT at albumsConnection 1:3 argument after: the cursor is of another order or another field"},
		"no such mutation":    {query: "mutation { createAlbum { title } }", want: "GRAPHQL_VALIDATION_FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := transport.Request{Query: c.query, OperationName: c.operation}
			if c.variables != "" {
				decoder := json.NewDecoder(strings.NewReader(c.variables))
				decoder.UseNumber()
				if err := decoder.Decode(&request.Variables); err != nil {
					t.Fatal(err)
				}
			}
			got := s.Execute(t.Context(), request)
			if text := firstError(got); !strings.HasPrefix(text, c.want) {
				t.Errorf("\n got %s\nwant %s", text, c.want)
			}
			if (got.Data != nil) != c.ran {
				t.Errorf("data: %s", got.Data)
			}
		})
	}
}

// TestWhatTheDatabaseSaysIsMasked has errors that tell of the inside: they go to the log under an id.
func TestWhatTheDatabaseSaysIsMasked(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Log: slog.New(slog.NewTextHandler(&log, nil))}, sql(t, `
		create function boom() returns text language plpgsql stable as $$ begin raise exception 'the canary of row 7'; end $$;
		create view broken as select 1 as id, boom() as text;
		create table gone (id int primary key);`))
	got := s.Execute(t.Context(), transport.Request{Query: "{ brokens { text } }"})
	if text := firstError(got); !strings.HasPrefix(text, "INTERNAL_SERVER_ERROR at brokens 1:3 ") || strings.Contains(text, "canary") {
		t.Errorf("the client learns: %s", text)
	}
	id, _ := got.Errors[0].Extensions["errorId"].(string)
	if id == "" || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "the canary of row 7") {
		t.Errorf("the log has not what the client was told to look for: %q in %s", id, log.String())
	}
	exec(t, pool, "drop table gone")
	if text := firstError(s.Execute(t.Context(), transport.Request{Query: "{ gones { id } }"})); !strings.HasPrefix(text, "INTERNAL_SERVER_ERROR") || strings.Contains(text, "relation") {
		t.Errorf("of a table that has just gone the client learns: %s", text)
	}
}

// TestWithoutIntrospectionNothingIsSuggested asks a server of production for names that it has not.
func TestWithoutIntrospectionNothingIsSuggested(t *testing.T) {
	t.Parallel()
	off, config := false, graphql.DefaultConfig()
	config.Introspection = &off
	s, _ := openWith(t, config, graphql.Deps{}, sql(t, "create table secret_plan (id int primary key, codename text);"))
	for _, query := range []string{
		"{ secretPlan { id } }", "{ secretPlanz { id } }", "{ secretPlans { codenam } }", "{ secretPlans(wher: {}) { id } }",
		"{ secretPlans(where: {codenam: {eq: 1}}) { id } }", "{ secretPlans(orderBy: [{id: ASCE}]) { id } }", "{ ... on SecretPla { id } }",
		"{ secretPlans }", "{ __schema { types { name } } }", `{ __type(name: "SecretPlan") { name } }`, "query($w: SecretPlanWher) { secretPlans(where: $w) { id } }",
	} {
		got := s.Execute(t.Context(), transport.Request{Query: query})
		if code(got) == "" || got.Data != nil {
			t.Errorf("%s: answered %s", query, got.Data)
		}
		for _, e := range got.Errors {
			if strings.Contains(e.Message, "Did you mean") || strings.Contains(e.Message, "codename") {
				t.Errorf("%s: %s", query, e.Message)
			}
		}
	}
}

// TestErrorsOfTheData has values that cannot be read, which is no mistake of the request: the client learns no more
// than that, and the log has all of it. What the request itself asks wrongly is said, and not logged.
func TestErrorsOfTheData(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, _ := openWith(t, graphql.DefaultConfig(), graphql.Deps{Log: slog.New(slog.NewJSONHandler(&log, nil))}, sql(t, `
		create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		create table word (id uuid primary key, said text collate loose, cells int[]);
		insert into word values ('00000000-0000-0000-0000-000000000001', 'Ja', '{{1,2}}');
		create view reading as select 1 as id, said::int as number from word;
		create view total as select 1 as id, 2147483647 + length(said) as number from word;
		create extension hstore;
		create table tagged (id int primary key, tags hstore);
		create view share as select 1 as id, 10 / (length(said) - 2) as part from word;`))
	for _, c := range []struct {
		query, want string
		logged      bool
	}{
		{`{ shares { part } }`, "INTERNAL_SERVER_ERROR at shares 1:3 a value in the database cannot be computed; the log has it under ", true},
		{`{ readings { number } }`, "INTERNAL_SERVER_ERROR at readings 1:3 a value in the database cannot be computed; the log has it under ", true},
		{`{ totals { number } }`, "INTERNAL_SERVER_ERROR at totals 1:3 a value in the database cannot be computed; the log has it under ", true},
		{`{ taggeds(where: {tags: {eq: "q"}}) { id } }`, "BAD_USER_INPUT at taggeds 1:3 argument where.tags.eq: ", false},
		{`{ words { cells } }`, "INTERNAL_SERVER_ERROR at words 1:3 a value in the database is an array of 2 dimensions, declared with 1 (the `dimensions` of its column mend that); the log has it under ", true},
		{`{ words(where: {said: {eq: "JA"}}) { id } }`, `none: {"words":[{"id":"00000000-0000-0000-0000-000000000001"}]}`, false},
		{`{ words(where: {said: {contains: "J"}}) { id } }`, "BAD_USER_INPUT at words 1:3 the database has no way to do this: nondeterministic collations are not supported for ", false},
		{`{ words(where: {_or: [{said: {eq: "x"}}, {_not: {id: {eq: "` + strings.Repeat("z", 900) + `"}}}]}) { id } }`, "BAD_USER_INPUT at words 1:3 argument where._or._not.id.eq: ", false},
		{`query($id: UUID!) { word(id: $id) { id } }`, `BAD_USER_INPUT at word 1:21 argument id: invalid input syntax for type uuid: "2"`, false},
	} {
		log.Reset()
		request := transport.Request{Query: c.query}
		if strings.Contains(c.query, "$id") {
			request.Variables = map[string]any{"id": "2"}
		}
		got := firstError(s.Execute(t.Context(), request))
		if !strings.HasPrefix(got, c.want) || len(got) > 400 {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
		if logged := log.Len() > 0; logged != c.logged {
			t.Errorf("%s\nthe log has %s", c.query, log.String())
		}
	}
}

// cursorOf gives the cursor in the answer to a query.
func cursorOf(t *testing.T, s *graphql.Service, query string) string {
	t.Helper()
	got := s.Execute(t.Context(), transport.Request{Query: query})
	_, after, found := strings.Cut(string(got.Data), `"endCursor":"`)
	cursor, _, closed := strings.Cut(after, `"`)
	if !found || !closed {
		t.Fatalf("there is no cursor in %s %v", got.Data, got.Errors)
	}
	return cursor
}
