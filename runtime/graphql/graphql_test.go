package graphql_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

const testdata = "../../testdata"

// open gives a service over a fresh database made from SQL files.
func open(t testing.TB, c graphql.Config, files ...string) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	return openWith(t, c, graphql.Deps{}, files...)
}

// openWith is open with some of the service's surroundings chosen.
func openWith(t testing.TB, c graphql.Config, deps graphql.Deps, files ...string) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	pool, err := postgres.Connect(t.Context(), pgtest.Database(t, files...), postgres.PoolOptions{Size: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c.Regex = true
	deps.Pool, deps.Dev = pool, true
	if deps.Schemas == nil {
		deps.Schemas = []string{"public"}
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	s := graphql.New(c, deps)
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, pool
}

func chinook(t testing.TB) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	return open(t, graphql.DefaultConfig(), filepath.Join(testdata, "chinook", "chinook.sql"))
}

// TestChinook compares answers with what an independent, plain SQL query says the data are.
func TestChinook(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob(filepath.Join(testdata, "graphql", "*"))
	if err != nil || len(cases) < 195 {
		t.Fatalf("found %d cases, want at least 195: %v", len(cases), err)
	}
	s, pool := chinook(t)
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			request := transport.Request{Query: read(t, dir, "query.graphql")}
			if text, err := os.ReadFile(filepath.Join(dir, "variables.json")); err == nil {
				decoder := json.NewDecoder(bytes.NewReader(text))
				decoder.UseNumber()
				if err := decoder.Decode(&request.Variables); err != nil {
					t.Fatal(err)
				}
				if name, ok := request.Variables["__operation"].(string); ok {
					request.OperationName, request.Variables = name, nil
				}
			}
			var expected []byte
			if err := pool.QueryRow(t.Context(), read(t, dir, "expected.sql")).Scan(&expected); err != nil {
				t.Fatalf("expected.sql: %v", err)
			}
			for range 2 { // the second time everything is prepared
				got := s.Execute(t.Context(), request)
				if len(got.Errors) > 0 {
					t.Fatalf("errors: %v", got.Errors)
				}
				if diff := cmp.Diff(tokens(t, expected), tokens(t, got.Data)); diff != "" {
					t.Fatalf("the answer is not what the database holds (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compact writes JSON without white space between its tokens.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatalf("not JSON: %v in %s", err, text)
	}
	return b.String()
}

// tokens reads JSON as its tokens: the order of members counts, white space does not.
func tokens(t *testing.T, text []byte) []string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(compact(t, text)))
	decoder.UseNumber()
	var list []string
	for {
		token, err := decoder.Token()
		if err != nil {
			return list
		}
		b, err := json.Marshal(token)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(b))
	}
}
