package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// library is a small catalog made by hand: authors and books.
func library(t testing.TB) *schema.Schema {
	t.Helper()
	number := &catalog.Type{OID: 23, Schema: "pg_catalog", Name: "int4", SQL: "integer", Kind: catalog.Base}
	words := &catalog.Type{OID: 25, Schema: "pg_catalog", Name: "text", SQL: "text", Kind: catalog.Base}
	column := func(name string, t *catalog.Type) *catalog.Column {
		return &catalog.Column{Name: name, Type: t, NotNull: true}
	}
	author := &catalog.Table{OID: 1, Schema: "public", Name: "author", Kind: catalog.Ordinary, Columns: []*catalog.Column{column("id", number), column("name", words)}}
	author.Keys = []*catalog.Key{{Primary: true, Columns: author.Columns[:1]}}
	book := &catalog.Table{
		OID: 2, Schema: "public", Name: `od"d`, Kind: catalog.Ordinary,
		Comment: `@fraiseql {"name": "Book"}`, Columns: []*catalog.Column{column("id", number), column("title", words), column("author_id", number)},
	}
	book.Keys = []*catalog.Key{{Primary: true, Columns: book.Columns[:1]}}
	book.ForeignKeys = []*catalog.ForeignKey{{Columns: book.Columns[2:], Target: author, References: author.Columns[:1], Validated: true}}
	s, err := schema.Build(&catalog.Catalog{Schemas: []string{"public"}, Tables: []*catalog.Table{author, book}}, schema.Options{DefaultLimit: 100, MaxLimit: 1000, Regex: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) > 0 {
		t.Fatal(s.Warnings)
	}
	return s
}

var limits = plan.Limits{Tokens: 2000, Depth: 12, IntrospectionDepth: 20, Aliases: 30, Fields: 5000}

// compile gives the statements of a document, or the first error's code and message.
func compile(t testing.TB, s *schema.Schema, text string, given map[string]any) ([]plan.Call, string) {
	t.Helper()
	d, list := plan.Parse(s, text, limits, true)
	if list != nil {
		return nil, list[0].Extensions["code"].(string) + " " + list[0].Message
	}
	op, problem := d.Operation("")
	if problem != nil {
		return nil, problem.Extensions["code"].(string) + " " + problem.Message
	}
	variables, list := plan.Variables(s.AST, op.OperationDefinition, given)
	if len(list) > 0 {
		return nil, list[0].Extensions["code"].(string) + " " + list[0].Message
	}
	p, problem := op.Compile(variables, plan.Paging{Default: 100, Most: 1000})
	if problem != nil {
		return nil, problem.Extensions["code"].(string) + " " + problem.Message
	}
	bound, problem := p.Bind(variables, 0)
	if problem != nil {
		return nil, problem.Extensions["code"].(string) + " " + problem.Message
	}
	return bound.Calls, ""
}

func TestStatements(t *testing.T) {
	t.Parallel()
	s := library(t)
	for name, c := range map[string]struct{ document, sql string }{
		"a flat list is plain columns": {
			"{ authors(where: {name: {startswith: \"A\"}}) { name id } }",
			`select t1."name", t1."id" from "public"."author" t1 where t1."name" like $1::text order by t1."id" limit 100`,
		},
		"a key": {
			"{ author(id: 7) { name } }",
			`select t1."name" from "public"."author" t1 where t1."id" = $1::integer`,
		},
		"children hang on rows that are limited already": {
			"{ authors(limit: 2, offset: 4) { books(limit: 1) { title author { name } } } }",
			`select z5.*, count(*) over () from (select t1."id" from "public"."author" t1 order by t1."id" limit 2 offset $1::int8) t1 cross join lateral (select 1, null, null union all select y4.c0, y4.c1, y4.c2 from (select 2, t2."title", (select t3."name" from "public"."author" t3 where t3."id" = t2."author_id") from (select t2."title", t2."author_id" from "public"."od""d" t2 where t2."author_id" = t1."id" order by t2."id" limit 1) t2) y4(c0, c1, c2)) z5`,
		},
		"an order by a relation": {
			"{ books(orderBy: [{author: {name: DESC}}]) { id } }",
			`select t1."id" from "public"."od""d" t1 order by (select t2."name" from "public"."author" t2 where t2."id" = t1."author_id" limit 1) desc, t1."id" desc limit 100`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problem := compile(t, s, c.document, nil)
			if problem != "" {
				t.Fatal(problem)
			}
			if got := p[0].SQL; got != c.sql {
				t.Errorf("got  %s\nwant %s", got, c.sql)
			}
		})
	}
}

func TestValuesAreParameters(t *testing.T) {
	t.Parallel()
	s := library(t)
	const canary = `ca'na"ry\%_`
	quoted, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, operator := range []string{"eq", "neq", "gt", "lte", "contains", "icontains", "startswith", "iendswith", "like", "ilike", "regex", "iregex", "in", "nin"} {
		p, problem := compile(t, s, "{ authors(where: {name: {"+operator+": "+string(quoted)+"}}) { id } }", nil)
		if problem != "" {
			t.Fatal(problem)
		}
		statement := p[0]
		if strings.Contains(statement.SQL, "ca'na") || strings.Contains(statement.SQL, "ry") {
			t.Errorf("%s writes the value into the statement: %s", operator, statement.SQL)
		}
		if len(statement.Args) != 1 {
			t.Errorf("%s has parameters %q", operator, statement.Args)
		}
		texts = append(texts, statement.SQL)
		again, _ := compile(t, s, "query($v: String!) { authors(where: {name: {"+operator+": $v}}) { id } }", map[string]any{"v": "other"})
		if operator != "in" && operator != "nin" && again[0].SQL != statement.SQL {
			t.Errorf("%s: another value gives another statement:\n%s\n%s", operator, statement.SQL, again[0].SQL)
		}
	}
	if len(texts) == 0 {
		t.Fatal("nothing was compiled")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := library(t)
	var doubling strings.Builder
	doubling.WriteString("query { ...F0 } fragment F12 on Query { authors { id name } authors { id name } }")
	for i := range 12 {
		fmt.Fprintf(&doubling, " fragment F%d on Query { a: __typename ...F%d ...F%d }", i, i+1, i+1)
	}
	for name, c := range map[string]struct {
		document  string
		variables map[string]any
		want      string
	}{
		"syntax":               {"{ authors { id ", nil, plan.ParseFailed},
		"unknown field":        {"{ authors { nam } }", nil, plan.ValidationFailed + ` Cannot query field "nam" on type "Author". Did you mean "name"`},
		"unknown argument":     {"{ authors(wehre: {}) { id } }", nil, plan.ValidationFailed},
		"unknown operator":     {"{ authors(where: {name: {equals: \"x\"}}) { id } }", nil, plan.ValidationFailed},
		"unknown variable":     {"{ authors { id } }", map[string]any{"x": 1}, plan.BadUserInput + " variable $x is not declared"},
		"missing variable":     {"query($id: Int!) { author(id: $id) { id } }", nil, plan.BadUserInput + " variable $id of type Int! is required"},
		"text for a number":    {"query($id: Int!) { author(id: $id) { id } }", map[string]any{"id": "1"}, plan.BadUserInput},
		"33 bits":              {"query($id: Int!) { author(id: $id) { id } }", map[string]any{"id": json.Number("2147483648")}, plan.BadUserInput},
		"a fraction":           {"query($id: Int!) { author(id: $id) { id } }", map[string]any{"id": json.Number("1.5")}, plan.BadUserInput},
		"null operand":         {"query($n: String) { authors(where: {name: {eq: $n}}) { id } }", map[string]any{"n": nil}, plan.BadUserInput + " argument where.name.eq: null equals nothing"},
		"limit over the cap":   {"{ authors(limit: 1001) { id } }", nil, plan.BadUserInput + " limit 1001 is over the most"},
		"negative limit":       {"{ authors(limit: -1) { id } }", nil, plan.BadUserInput},
		"two keys in one":      {"{ authors(orderBy: [{id: ASC, name: ASC}]) { id } }", nil, plan.ValidationFailed},
		"two keys by variable": {"query($o: [AuthorOrderBy!]) { authors(orderBy: $o) { id } }", map[string]any{"o": []any{map[string]any{"id": "ASC", "name": "ASC"}}}, plan.BadUserInput},
		"two operations":       {"query A { authors { id } } query B { authors { id } }", nil, plan.OperationUnclear},
		"a mutation":           {"mutation { createAuthor { id } }", nil, plan.ValidationFailed},
		"depth":                {"{ authors { " + strings.Repeat("books { author { ", 8) + "id" + strings.Repeat(" } }", 8) + " } }", nil, plan.TooComplex},
		"aliases":              {"{ authors { " + strings.Repeat("x: id ", 31) + " } }", nil, plan.TooComplex},
		"tokens":               {"{ authors { " + strings.Repeat("id ", 2000) + " } }", nil, plan.TooComplex},
		"doubling fragments":   {doubling.String(), nil, plan.TooComplex},
		"fragment cycle":       {"{ authors { ...A } } fragment A on Author { ...B } fragment B on Author { ...A }", nil, plan.ValidationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, got := compile(t, s, c.document, c.variables); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzParse feeds documents and variables to the whole front end: it must not panic.
func FuzzParse(f *testing.F) {
	s := library(f)
	f.Add(`query($w: AuthorWhere) { authors(where: $w, orderBy: [{name: ASC}]) { books { title author { ...F } } } } fragment F on Author { id }`, `{"w": {"_or": [{"name": {"in": ["a"]}}, {"books": {"every": {"id": {"gt": 1}}}}]}}`)
	f.Add(`{ author(id: 1) { __typename } __schema { types { name } } }`, `{}`)
	f.Add(`query($o: [BookOrderBy!], $l: Int) { books(orderBy: $o, limit: $l) { id } }`, `{"o": [{"author": {"name": "DESC"}}], "l": 3.0}`)
	f.Fuzz(func(t *testing.T, text, variables string) {
		var given map[string]any
		decoder := json.NewDecoder(strings.NewReader(variables))
		decoder.UseNumber()
		if decoder.Decode(&given) != nil {
			given = nil
		}
		p, problem := compile(t, s, text, given)
		if p == nil && problem == "" {
			t.Error("neither a plan nor a problem")
		}
	})
}

// TestFixed tells operations whose answers are the schema's alone.
func TestFixed(t *testing.T) {
	t.Parallel()
	s := library(t)
	for text, fixed := range map[string]bool{
		"{ __schema { description } }":                                                       true,
		`{ a: __type(name: "Book") { name } __typename }`:                                    true,
		"{ ...F } fragment F on Query { ... @skip(if: false) { __schema { description } } }": true,
		"{ __typename }": false,
		"{ __schema { description } author(id: 1) { id } }":                              false,
		"{ __schema { description } ...F } fragment F on Query { author(id: 1) { id } }": false,
		"query($n: String!) { __type(name: $n) { name } }":                               false,
	} {
		d, list := plan.Parse(s, text, limits, true)
		if list != nil {
			t.Errorf("%s: %v", text, list)
			continue
		}
		if op, _ := d.Operation(""); op.Fixed != fixed {
			t.Errorf("%s: fixed is %t", text, op.Fixed)
		}
	}
}

// TestSuggestions are for a person's mistakes, and for those who may see the schema.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	s := library(t)
	for name, c := range map[string]struct {
		fields          string
		suggest, expect bool
	}{
		"a few mistakes":   {strings.Repeat("bookz { id } ", 10), true, true},
		"many mistakes":    {strings.Repeat("bookz { id } ", 11), true, false},
		"a long name":      {"bookz { id } " + strings.Repeat("x", 800), true, false},
		"no introspection": {"bookz { id }", false, false},
	} {
		_, list := plan.Parse(s, "{ "+c.fields+" }", limits, c.suggest)
		if list == nil || strings.Contains(list[0].Message, `Did you mean "book"`) != c.expect {
			t.Errorf("%s: %.300v", name, list)
		}
	}
}

// TestRunsThatAreDue has a statement that is looked at when it is a usual one, when it first takes long, now and then, and
// again where nobody could look.
func TestRunsThatAreDue(t *testing.T) {
	t.Parallel()
	var p plan.Pace
	var due []int
	for run := 1; run <= 2100; run++ {
		switch run {
		case 20, 30:
			p.Stuck(time.Second)
		case 50:
			p.Again()
		}
		if p.Due() {
			due = append(due, run)
		}
	}
	if diff := cmp.Diff([]int{16, 20, 50, 1000, 2000}, due); diff != "" {
		t.Errorf("the runs differ (-want +got):\n%s", diff)
	}
}
