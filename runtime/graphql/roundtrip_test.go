package graphql_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// writtenFields selects what of an object an input takes, with all that is in composites.
func writtenFields(s *schema.Schema, typeName, inputName string) string {
	var list []string
	input := s.AST.Types[inputName]
	for _, f := range s.AST.Types[typeName].Fields {
		in := input.Fields.ForName(f.Name)
		if in == nil || strings.HasSuffix(in.Type.Name(), "ToOneInput") || strings.HasSuffix(in.Type.Name(), "ToManyInput") {
			continue
		}
		if s.AST.Types[f.Type.Name()].Kind == ast.Object {
			list = append(list, f.Name+" { "+writtenFields(s, f.Type.Name(), in.Type.Name())+" }")
			continue
		}
		list = append(list, f.Name)
	}
	return strings.Join(list, " ")
}

// TestWhatIsReadCanBeWritten takes every row of tables with all types and with names that are traps, sets its values to
// what they are, removes it and adds it again, by what the API said of it: the tables are as before.
func TestWhatIsReadCanBeWritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"scalars/values.sql", "hostile/schema.sql", "filters/tables.sql", "chinook/chinook.sql"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := unlimited()
			c.MaxLimit = 10_000
			s, pool := open(t, c, filepath.Join(testdata, filepath.FromSlash(name)))
			if strings.HasPrefix(name, "filters") {
				exec(t, pool, "alter table book drop constraint book_code_fkey") // the rows of which some break it
			}
			tried := 0
			for _, o := range s.Schema("").Objects {
				w := s.Schema("").Writes["create"+o.Name]
				if w == nil || o.Table.IsView() {
					continue
				}
				tried += roundTrip(t, s, pool, o)
			}
			if tried < 3 {
				t.Errorf("only %d rows were tried", tried)
			}
		})
	}
}

func roundTrip(t *testing.T, s *graphql.Service, pool *pgxpool.Pool, o *schema.Object) (rows int) {
	t.Helper()
	written := writtenFields(s.Schema(""), o.Name, o.Name+"Input")
	ask := func(query string, variables map[string]any) (got []any) {
		r := s.Execute(t.Context(), transport.Request{Query: query, Variables: variables})
		if len(r.Errors) > 0 {
			t.Errorf("%s: %s", query, firstError(r))
			return nil
		}
		var data struct{ All []any }
		decoder := json.NewDecoder(bytes.NewReader(r.Data))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil {
			t.Fatal(err)
		}
		return data.All
	}
	all := "{ all: " + o.Plural + "(limit: 10000) { " + written + " } }"
	list := ask(all, nil)
	if len(list) == 0 {
		return 0
	}
	same := func(what string) {
		if diff := cmp.Diff(list, ask(all, nil)); diff != "" {
			t.Errorf("%s of %s (-before +after):\n%s", what, o.Name, diff)
		}
	}
	plural := strings.ToUpper(o.Plural[:1]) + o.Plural[1:]
	updated := 0
	for _, row := range list[:min(len(list), 30)] {
		w := s.Schema("").Writes["update"+o.Name]
		if w == nil {
			break
		}
		settable, keys, where := map[string]any{}, map[string]any{}, []string{}
		for name, value := range row.(map[string]any) {
			if in := o.Input(name); in.Column.Update {
				settable[name] = value
			}
		}
		for _, k := range w.Key {
			value, given := row.(map[string]any)[k.Name]
			if !given {
				return 0
			}
			keys["k"+k.Name] = value
			where = append(where, k.Name+": $k"+k.Name)
		}
		declared := "$s: " + o.Name + "Set!"
		for _, k := range w.Key {
			declared += ", $k" + k.Name + ": " + k.Codec.GraphQL + "!"
		}
		keys["s"] = settable
		got := s.Execute(t.Context(), transport.Request{Query: "mutation (" + declared + ") { update" + o.Name + "(" + strings.Join(where, ", ") + ", set: $s) { __typename } }", Variables: keys})
		if len(got.Errors) > 0 || strings.Contains(string(got.Data), "null") {
			t.Errorf("an update of %s: %s %s", o.Name, got.Data, firstError(got))
		}
		updated++
	}
	if updated > 0 {
		same("updates")
	}
	// Others may refer to the rows: they are taken away by hand, where nobody looks.
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	clear := func() {
		if _, err := conn.Exec(t.Context(), "set session_replication_role = replica; delete from "+o.Table.SQL()+"; set session_replication_role = origin"); err != nil {
			t.Fatal(err)
		}
	}
	input := o.Name + "Input"
	identity := false // a value that nobody may give
	for _, c := range o.Table.Columns {
		identity = identity || c.Identity && !c.Insert
	}
	if identity {
		return 0
	}
	clear()
	ask("mutation ($l: ["+input+"!]!) { all: create"+plural+"(input: $l) { __typename } }", map[string]any{"l": list})
	same("a list")
	clear()
	for _, row := range list[:min(len(list), 30)] {
		one := s.Execute(t.Context(), transport.Request{Query: "mutation ($o: " + input + "!) { create" + o.Name + "(input: $o) { __typename } }", Variables: map[string]any{"o": row}})
		if len(one.Errors) > 0 {
			t.Errorf("a row of %s: %s", o.Name, firstError(one))
		}
	}
	if len(list) <= 30 {
		same("single rows")
	} else {
		clear()
		ask("mutation ($l: ["+input+"!]!) { all: create"+plural+"(input: $l) { __typename } }", map[string]any{"l": list})
	}
	return len(list)
}
