package graphql_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// sample is a document of the pages: the fence names its database, and a first line `# {…}` may give variables.
var sample = regexp.MustCompile("(?s)```graphql ?([a-z]*)\n(?:# ({[^\n]*})\n)?(.*?)```")

// TestSamplesOfTheDocsRun runs every document that the pages show on the database that it names. Each finds rows.
func TestSamplesOfTheDocsRun(t *testing.T) {
	t.Parallel()
	databases := map[string][]string{
		"chinook": {filepath.Join(testdata, "chinook", "chinook.sql")},
		"shop":    {filepath.Join("..", "..", "examples", "shop", "shop.sql")},
		"filters": {filepath.Join(testdata, "filters", "tables.sql")},
		"vectors": {filepath.Join(testdata, "filters", "vector.sql"), sql(t, embeddings)},
	}
	services := map[string]*graphql.Service{}
	for name, files := range databases {
		c, all := graphql.DefaultConfig(), subscriptions("*")
		c.Subscriptions = &all
		services[name], _ = open(t, c, files...)
	}
	services["library"] = exampleLibrary(t)
	services["prefixes"] = prefixed(t, filepath.Join(testdata, "schema", "prefixes", "tables.sql"))
	relay := graphql.DefaultConfig()
	relay.Relay = true
	services["relay"], _ = open(t, relay, databases["chinook"]...)
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range sample.FindAllStringSubmatch(string(text), -1) {
			count++
			s := services[found[1]]
			if s == nil {
				t.Errorf("%s: the sample names no database that there is: %q\n%s", filepath.Base(page), found[1], found[3])
				continue
			}
			request := transport.Request{Query: found[3]}
			if found[2] != "" {
				if err := json.Unmarshal([]byte(found[2]), &request.Variables); err != nil {
					t.Fatalf("%s: %v", filepath.Base(page), err)
				}
			}
			if strings.HasPrefix(found[3], "subscription") { // there is nothing to wait for
				if _, err := s.Statements(request); err != nil {
					t.Errorf("%s\n%s\n%v", filepath.Base(page), found[3], err)
				}
				continue
			}
			got := s.Execute(t.Context(), request)
			writes := strings.HasPrefix(found[3], "mutation")
			if len(got.Errors) > 0 || !writes && !strings.Contains(string(got.Data), ":[{") || strings.Contains(string(got.Data), ":null") {
				t.Errorf("%s\n%s\ngave %s %v", filepath.Base(page), found[3], got.Data, got.Errors)
			}
		}
	}
	if count < 20 {
		t.Errorf("found only %d samples", count)
	}
}

// exampleLibrary serves examples/library.
func exampleLibrary(t *testing.T) *graphql.Service {
	t.Helper()
	const folder = "../../examples/library"
	script, err := os.ReadFile(filepath.Join(folder, "migrations", "00001_library.sql"))
	if err != nil {
		t.Fatal(err)
	}
	up, _, _ := strings.Cut(string(script), "-- +goose Down")
	c := graphql.DefaultConfig()
	c.SchemaFiles = []string{"*.graphql"}
	declared, err := c.ReadSchemaFiles(folder)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := openWith(t, c, graphql.Deps{Declared: declared}, sql(t, up))
	return s
}
