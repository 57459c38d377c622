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
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

var update = flag.Bool("update", false, "write what the tests got as what they expect")

// TestNames builds the schemas of databases whose names need decisions, and compares types, fields and
// warnings with what is expected of them.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"names", "chinook", "prefixes"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := filepath.Join(testdata, "schema", name, "tables.sql")
			if name == "chinook" {
				tables = filepath.Join(testdata, "chinook", "chinook.sql")
			}
			s := prefixed(t, tables)
			if name != "prefixes" {
				s, _ = open(t, graphql.DefaultConfig(), tables)
			}
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

// prefixed serves two schemas, the second one with a prefix, and one of its tables named by hand.
func prefixed(t *testing.T, files ...string) *graphql.Service {
	t.Helper()
	c := graphql.DefaultConfig()
	c.Prefixes = map[string]string{"crm": "Crm", "none": "None"}
	c.Entities = map[string]graphql.Entity{"CrmPlan": {Name: "Plan"}, "CrmTag": {Description: "A word for a contact."}}
	s, _ := openWith(t, c, graphql.Deps{Schemas: []string{"public", "crm"}}, files...)
	return s
}

// TestPrefixesOfSchemas asks for what two schemas have under one name.
func TestPrefixesOfSchemas(t *testing.T) {
	t.Parallel()
	s := prefixed(t, filepath.Join(testdata, "schema", "prefixes", "tables.sql"))
	for _, c := range [][2]string{
		{`{ customer(id: 1) { name contacts { email mood home { town } title tags { name } } tickets { id mood } crmTickets { id contact { email } } } }`, `{"customer":{"name":"Ann","contacts":[{"email":"ann@example.com","mood":"hot","home":{"town":"Ulm"},"title":"Ms ann@example.com","tags":[{"name":"vip"}]}],"tickets":[{"id":1,"mood":"good"}],"crmTickets":[{"id":5,"contact":{"email":"ann@example.com"}}]}}`},
		{`query($w: CrmContactWhere, $m: CrmMood = hot) { crmContacts(where: $w) { id } crmHotContacts(where: {mood: {eq: $m}}) { id } crmContactByEmail(email: "x@example.com") { customer { id } } }`, `{"crmContacts":[{"id":1},{"id":2}],"crmHotContacts":[{"id":1}],"crmContactByEmail":{"customer":null}}`},
		{`{ crmTotals { contacts } eight deals { id } plans { id } crmTicketsAggregate { count } tickets { id } }`, `{"crmTotals":{"contacts":1},"eight":8,"deals":[],"plans":[],"crmTicketsAggregate":{"count":1},"tickets":[{"id":1}]}`},
		{`mutation { createCrmContact(input: {id: 3, customerId: 2, mood: cold}) { mood customer { name contacts { id } } } updateCrmTickets(where: {id: {eq: 5}}, set: {contactId: 2}) { id } crmSyncAll }`, `{"createCrmContact":{"mood":"cold","customer":{"name":"Bob","contacts":[{"id":3}]}},"updateCrmTickets":[{"id":5}],"crmSyncAll":7}`},
	} {
		query, want := c[0], c[1]
		got := s.Execute(t.Context(), transport.Request{Query: query})
		if len(got.Errors) > 0 || compact(t, got.Data) != want {
			t.Errorf("%s\n got %s %s\nwant %s", query, got.Data, firstError(got), want)
		}
	}
	var told []string
	for _, w := range s.Warnings() {
		told = append(told, w.Code+" "+w.Subject)
	}
	if !slices.Equal(told, []string{"database/no-schema graphql.prefixes.none"}) {
		t.Errorf("it warns of %v", told)
	}
}
