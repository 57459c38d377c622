package app_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
)

// TestReferenceIsCurrent compares the page on configuration with the structs that it is made from.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	const page, marker = "../../docs/configuration.md", "<!-- From here on"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(text, []byte(marker))
	if start < 0 {
		t.Fatalf("%s has no line that begins with %q", page, marker)
	}
	line := bytes.IndexByte(text[start:], '\n') + start + 1
	var made bytes.Buffer
	made.WriteByte('\n')
	if err := config.Reference(&made, &app.RuntimeConfig{}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, append(text[:line:line], made.Bytes()...), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text[line:]), made.String()); diff != "" {
		t.Errorf("the page is not what the program would write; refresh it with -update (-page +program):\n%s", diff)
	}
}

// TestEveryKeyIsDocumented wants a sentence for each key, and a default that its own rules allow.
func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	keys := 0
	var visit func(k config.Key, path string)
	visit = func(k config.Key, path string) {
		for _, inner := range k.Keys {
			keys++
			at := strings.Trim(path+"."+inner.Name, ".")
			if !strings.HasSuffix(inner.Doc, ".") {
				t.Errorf("%s is described as %q", at, inner.Doc)
			}
			if inner.Enum != nil && inner.Default != "" && !inner.List && !strings.Contains(","+strings.Join(inner.Enum, ",")+",", ","+inner.Default+",") {
				t.Errorf("%s is %q by default, which it cannot be", at, inner.Default)
			}
			visit(inner, at)
		}
	}
	visit(config.Describe(&app.RuntimeConfig{}), "")
	if keys < 300 {
		t.Errorf("only %d keys are described", keys)
	}
}

func TestJSONSchemaHasEverySection(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(config.JSONSchema(&app.RuntimeConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Schema     string `json:"$schema"`
		Properties map[string]struct {
			Type       string         `json:"type"`
			Properties map[string]any `json:"properties"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for _, section := range config.Describe(&app.RuntimeConfig{}).Keys {
		got, has := schema.Properties[section.Name]
		if !has || section.Type == "table" && (got.Type != "object" || len(got.Properties) == 0) {
			t.Errorf("[%s] is described as %+v", section.Name, got)
		}
	}
	if _, has := schema.Properties["server"].Properties["admin_token_env"]; !has {
		t.Error("server.admin_token_env is not described")
	}
}
