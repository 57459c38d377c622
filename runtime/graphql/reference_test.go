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
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
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

// newReference gives a reference and a generator over one database.
func newReference(t testing.TB, s *graphql.Service, pool *pgxpool.Pool) (*reference, *generator) {
	t.Helper()
	c, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	book := newCursorBook()
	r := &reference{t: t, conn: c.Conn().PgConn(), asked: map[string][][]*string{}, book: book}
	g := &generator{Rand: random(t), schema: s.Schema().AST, samples: map[string][]string{}, book: book}
	for _, table := range refTables {
		for _, column := range table.columns {
			name := table.typ + "." + column.field
			for _, row := range r.rows(fmt.Sprintf("select distinct %s from %s where %s is not null order by 1", column.name, table.name, column.name)) {
				g.samples[name] = append(g.samples[name], *row[0])
			}
		}
	}
	return r, g
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
	s, pool := openWith(t, unlimited(), graphql.Deps{Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, filepath.Join(testdata, "chinook", "chinook.sql"))
	r, g := newReference(t, s, pool)
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

func shown(text string, variables map[string]any) string {
	b, _ := json.MarshalIndent(variables, "", " ")
	return text + "\n" + string(b)
}
