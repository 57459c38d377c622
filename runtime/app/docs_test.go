package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSamplesOfTheDocsAreValid reads every sample of a configuration that the pages show.
func TestSamplesOfTheDocsAreValid(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("found %d pages: %v", len(pages), err)
	}
	count := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "```toml\n")[1:] {
			count++
			sample, _, _ := strings.Cut(part, "```")
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "fraiseql.toml"), []byte(sample), 0o600); err != nil {
				t.Fatal(err)
			}
			if problems, shown := validate(t, dir); problems.HasErrors() {
				t.Errorf("%s, sample %d:\n%s", filepath.Base(page), i+1, shown)
			}
		}
	}
	if count < 4 {
		t.Errorf("found only %d samples", count)
	}
}
