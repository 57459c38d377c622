package graphql_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

func hostile(t *testing.T) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	config := graphql.DefaultConfig()
	config.Limits.Tokens = 10000
	return open(t, config, filepath.Join(testdata, "hostile", "schema.sql"))
}

// hostileTables are the tables that hang on the hub.
func hostileTables(s *schema.Schema) []*schema.Object {
	var list []*schema.Object
	for _, name := range slices.Sorted(maps.Keys(s.Objects)) {
		if o := s.Objects[name]; o.Table != nil && o.Table.Column("hub_id") != nil {
			list = append(list, o)
		}
	}
	return list
}

// selection selects every field of an object that is no relation.
func selection(o *schema.Object) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
		f := o.Fields[name]
		switch {
		case f.Relation != nil:
		case f.Codec.Innermost().Object != nil:
			list = append(list, name+" { __typename "+selection(f.Codec.Innermost().Object)+" }")
		default:
			list = append(list, name)
		}
	}
	return strings.Join(list, " ")
}

// below names the field of the hub that leads to the rows of an object.
func below(s *schema.Schema, o *schema.Object) string {
	for name, f := range s.Objects["Hub"].Fields {
		if f.Relation != nil && f.Relation.Many && f.Form == schema.Rows && f.Relation.Target == o {
			return name
		}
	}
	return ""
}

// rowsOf reads every field of every row of an object, at the root or below the hub.
func rowsOf(t *testing.T, s *graphql.Service, o *schema.Object, nested bool) []map[string]json.RawMessage {
	t.Helper()
	list := "{ " + o.Plural + "(orderBy: [{id: ASC}]) { " + selection(o) + " } }"
	if nested {
		list = "{ hub(id: 1) { " + below(s.Schema(""), o) + "(orderBy: [{id: ASC}]) { " + selection(o) + " } } }"
	}
	got := s.Execute(t.Context(), transport.Request{Query: list})
	if len(got.Errors) > 0 {
		t.Fatalf("%s: %v", o.Name, got.Errors)
	}
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(got.Data, &answer); err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	rows := slices.Collect(maps.Values(answer))[0]
	if nested {
		answer = nil
		if err := json.Unmarshal(rows, &answer); err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
		rows = slices.Collect(maps.Values(answer))[0]
	}
	var decoded []map[string]json.RawMessage
	if err := json.Unmarshal(rows, &decoded); err != nil {
		t.Fatalf("%s: %v in %s", o.Name, err, rows)
	}
	for _, row := range decoded {
		for name, value := range row {
			row[name] = json.RawMessage(compact(t, value))
		}
	}
	return decoded
}

// TestEveryFieldAtTheRootAndBelow reads all there is, once written by Go and once by PostgreSQL.
func TestEveryFieldAtTheRootAndBelow(t *testing.T) {
	t.Parallel()
	s, _ := hostile(t)
	count := 0
	for _, o := range hostileTables(s.Schema("")) {
		root, nested := rowsOf(t, s, o, false), rowsOf(t, s, o, true)
		if len(root) != len(nested) || len(root) == 0 {
			t.Fatalf("%s: %d rows at the root, %d below", o.Name, len(root), len(nested))
		}
		for i, row := range root {
			for name, value := range row {
				count++
				if other := string(nested[i][name]); other != string(value) {
					t.Errorf("%s.%s, row %d:\nroot  %s\nbelow %s", o.Name, name, i+1, value, other)
				}
			}
		}
	}
	if count < 650 {
		t.Errorf("only %d values were read", count)
	}
}

// TestEveryBuiltInTypeIsExact compares every value, and every array of such values, with what plain SQL says of it.
func TestEveryBuiltInTypeIsExact(t *testing.T) {
	t.Parallel()
	s, pool := hostile(t)
	for _, table := range []string{"Every", "List"} {
		o := s.Schema("").Objects[table]
		rows := rowsOf(t, s, o, false)
		for _, c := range o.Table.Columns {
			typeName, found := strings.CutPrefix(c.Name, "c_")
			if !found {
				continue
			}
			name := schema.FieldName(c.Name)
			for i, row := range rows {
				if want := independent(t, pool, o.Table.Name, c.Name, typeName, i+1); string(row[name]) != want {
					t.Errorf("%s.%s, row %d:\n got %s\nwant %s", table, name, i+1, row[name], want)
				}
			}
		}
	}
}

// independent has PostgreSQL write a value as JSON in the form that the documentation promises.
func independent(t *testing.T, pool *pgxpool.Pool, table, column, typeName string, id int) string {
	t.Helper()
	form := "to_json(format('%s', e))" // the text of the type itself: a cast to text may differ, as of char(n)
	switch typeName {
	case "int2", "int4", "bool", "float4", "float8", "json", "jsonb", "timestamp", "timestamptz":
		form = "to_json(e)"
	case "bytea":
		form = `to_json(replace(encode(e, 'base64'), E'\n', ''))`
	case "money":
		form = "to_json(e::numeric::text)"
	case "int2vector", "oidvector": // a list itself
		form = map[string]string{"int2vector": "to_json(e::int2[])", "oidvector": "to_json(e::oid[]::text[])"}[typeName]
	}
	sql := "select case when e is null then 'null' else " + form + "::text end from (select " + column + " as e from " + table + " where id = " + fmt.Sprint(id) + ") s"
	if table == "lists" {
		sql = "select case when a is null then 'null' else (select coalesce(json_agg(case when e is not null then " + form + "::json end order by n), '[]') " +
			"from unnest(a) with ordinality u(e, n))::text end from (select " + column + " as a from " + table + " where id = " + fmt.Sprint(id) + ") s"
	}
	var text string
	if err := pool.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatalf("%s.%s: %v", table, column, err)
	}
	return compact(t, []byte(text))
}

// TestNamesThatAreTraps compares the warnings of the hostile schema with those that are expected.
func TestNamesThatAreTraps(t *testing.T) {
	t.Parallel()
	s, _ := hostile(t)
	var b strings.Builder
	for _, o := range s.Schema("").Catalog.Tables {
		for _, name := range slices.Sorted(maps.Keys(s.Schema("").Objects)) {
			if s.Schema("").Objects[name].Table == o {
				fmt.Fprintf(&b, "%s is %s, %s\n", o.SQL(), name, s.Schema("").Objects[name].Plural)
			}
		}
	}
	for _, w := range s.Schema("").Warnings {
		fmt.Fprintf(&b, "%s %s: %s -> %s\n", w.Code, w.Subject, w.Message, w.Hint)
	}
	golden := filepath.Join(testdata, "hostile", "expected.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("names have changed (-want +got):\n%s", diff)
	}
}
