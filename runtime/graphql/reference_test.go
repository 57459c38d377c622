package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

var (
	seed = flag.Uint64("seed", 0, "what random tests begin with; 0 is another one each time")
	long = flag.Bool("long", false, "ten times as much of what is random")
)

// random gives a source whose seed is in the log of a test that fails.
func random(t testing.TB) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64N(1_000_000) + 1
	}
	t.Logf("again: go test -run %s -args -seed %d", t.Name(), s)
	return rand.New(rand.NewPCG(s, 0))
}

func times(n int) int {
	if *long {
		return 10 * n
	}
	return n
}

// unlimited is a configuration that refuses nothing that is merely large.
func unlimited() graphql.Config {
	c := graphql.DefaultConfig()
	c.Limits.Tokens, c.Limits.Depth, c.Limits.Aliases, c.Limits.ExpandedFields, c.Limits.Rows = 1e6, 100, 1e4, 1e6, 1e9
	return c
}

// oddRows are names that a pattern, a quote or a change of case could get wrong, in tables small enough for them
// to be met often.
const oddRows = `
	insert into genre select 100 + n, name from odd;
	insert into media_type select 100 + n, name from odd;
	insert into playlist select 100 + n, name from odd;
	insert into playlist_track select 100 + n, n from odd;
	update track set genre_id = 100 + track_id where track_id <= 12;
	update track set composer = null, bytes = null where track_id % 7 = 0;
	drop table odd;`

const odd = `create table odd (n serial, name text);
	insert into odd (name) values ('100% sure'), ('100 sure'), ('a_b'), ('axb'), ('a\b'), ('it''s "so"'), ('ÉTÉ'), ('été'), (''), (null), (E'two\nlines\t🙂'), ('ROCK');`

// openReference gives a service, a reference and a generator over one database.
func openReference(t testing.TB) (*graphql.Service, *reference, *generator) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, pool := openWith(t, unlimited(), graphql.Deps{Log: log}, filepath.Join(testdata, "chinook", "chinook.sql"), sql(t, odd+oddRows))
	c, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	book := newCursorBook()
	r := &reference{t: t, conn: c.Conn().PgConn(), asked: map[string][][]*string{}, book: book}
	g := &generator{Rand: random(t), schema: s.Schema("").AST, samples: map[string][]string{}, book: book}
	for _, table := range refTables {
		for _, column := range table.columns {
			name := table.typ + "." + column.field
			for _, row := range r.rows(fmt.Sprintf("select distinct %s from %s where %s is not null order by 1", column.name, table.name, column.name)) {
				g.samples[name] = append(g.samples[name], *row[0])
			}
		}
	}
	return s, r, g
}

// answer answers a document in the reference's way.
func (r *reference) answer(schema *ast.Schema, text string, variables map[string]any) string {
	r.t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		r.t.Fatalf("the generator made no GraphQL: %v\n%s", err, text)
	}
	if list := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(list) > 0 {
		r.t.Fatalf("the generator made something invalid: %v\n%s", list, text)
	}
	r.variables = variables
	return r.operation(doc.Operations[0])
}

// TestAnswersAreThoseOfAReference asks random questions of the service and of the reference.
func TestAnswersAreThoseOfAReference(t *testing.T) {
	t.Parallel()
	s, r, g := openReference(t)
	size := 0
	for i := range times(300) {
		text, variables := g.operation()
		want := r.answer(g.schema, text, variables)
		got := s.Execute(context.Background(), transport.Request{Query: text, Variables: variables})
		var compact bytes.Buffer
		if err := json.Compact(&compact, got.Data); err != nil || len(got.Errors) > 0 {
			t.Fatalf("operation %d: %v %v\n%s", i, got.Errors, err, shown(text, variables))
		}
		if err := r.book.agree(want, compact.String()); err != nil {
			t.Fatalf("operation %d: %v\n%s", i, err, shown(text, variables))
		}
		size += compact.Len()
	}
	t.Logf("%d statements, %d bytes, %d cursors", len(r.asked), size, len(r.book.rows))
	if size < times(300)*40 || len(r.book.rows) < 20 {
		t.Errorf("the questions ask for too little")
	}
}

// TestFiltersAreThoseOfAReference asks which rows meet random conditions, many times.
func TestFiltersAreThoseOfAReference(t *testing.T) {
	t.Parallel()
	s, r, g := openReference(t)
	met, unmet := 0, 0
	for i := range times(1500) {
		g.related = 6
		table := refTables[pick(g, []string{"Genre", "MediaType", "Playlist", "Genre", "Artist", "Album", "Employee", "Customer", "Invoice", "Track"})]
		where := g.where(table, whereDepth)
		want := r.ordered(table, (&translator{}).where(table, "a", asVariable(where).(map[string]any)), nil, " limit 1000")
		key := camelCase(table.key[0])
		query := fmt.Sprintf("{ rows: %s(where: %s, limit: 1000) { %s } }", listName(table), literal(where), key)
		got := s.Execute(context.Background(), transport.Request{Query: query})
		var answer struct{ Rows []map[string]json.Number }
		if err := json.Unmarshal(got.Data, &answer); err != nil || len(got.Errors) > 0 {
			t.Fatalf("filter %d: %v %v\n%s", i, got.Errors, err, query)
		}
		same := len(answer.Rows) == len(want)
		for j := range want {
			same = same && answer.Rows[j][key].String() == want[j].String()
		}
		if !same {
			t.Fatalf("filter %d finds %d rows, want %d\n%s\n got %v\nwant %s", i, len(answer.Rows), len(want), query, answer.Rows, want)
		}
		met, unmet = met+min(1, len(want)), unmet+1-min(1, len(want))
	}
	t.Logf("%d filters are met by some rows, %d by none", met, unmet)
	if met < times(500) {
		t.Errorf("the filters are too narrow")
	}
}

// listName is the field of Query with the rows of a table.
func listName(t *refTable) string { return strings.ToLower(t.typ[:1]) + t.typ[1:] + "s" }

func shown(text string, variables map[string]any) string {
	b, _ := json.MarshalIndent(variables, "", " ")
	return text + "\n" + string(b)
}
