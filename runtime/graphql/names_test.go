package graphql_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

var update = flag.Bool("update", false, "write what the tests got as what they expect")

// TestNames builds the schemas of databases whose names need decisions, and compares types, fields and
// warnings with what is expected of them.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"names", "chinook"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := filepath.Join(testdata, "schema", name, "tables.sql")
			if name == "chinook" {
				tables = filepath.Join(testdata, "chinook", "chinook.sql")
			}
			s, _ := open(t, graphql.DefaultConfig(), tables)
			golden := filepath.Join(testdata, "schema", name, "expected.txt")
			got := outline(s.Schema(""))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("names have changed (-want +got):\n%s", diff)
			}
		})
	}
}

// outline writes a line for each root field, for each field of each type of a table, and for each warning.
func outline(s *schema.Schema) string {
	var b strings.Builder
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name, d := range s.AST.Types {
			if (s.Objects[name] != nil || d == s.AST.Query) && !yield(name) {
				return
			}
		}
	}) {
		for _, f := range s.AST.Types[name].Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			var keys []string
			for _, a := range f.Arguments {
				if a.Type.NonNull {
					keys = append(keys, a.Name+": "+a.Type.String())
				}
			}
			arguments := ""
			if len(keys) > 0 {
				arguments = "(" + strings.Join(keys, ", ") + ")"
			}
			fmt.Fprintf(&b, "%s.%s%s: %s\n", name, f.Name, arguments, f.Type)
		}
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "%s %s: %s -> %s\n", w.Code, w.Subject, w.Message, w.Hint)
	}
	return b.String()
}
