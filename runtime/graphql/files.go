package graphql

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// relative is a file's name as people know it: from the folder on.
func relative(folder, file string) string {
	if name, err := filepath.Rel(folder, file); err == nil {
		return name
	}
	return file
}

// ReadSchemaFiles reads [graphql] schema_files: paths, or patterns of them (path/filepath.Match), from a folder on. The
// result is nil when there are none.
func (c Config) ReadSchemaFiles(folder string) (*schema.Declared, error) {
	declared, mistakes := c.schemaFiles(folder)
	if len(mistakes) == 0 {
		return declared, nil
	}
	first := mistakes[0]
	message := first.Place() + first.Message
	if n := len(mistakes) - 1; n > 0 {
		message += fmt.Sprintf(" (and %d more: `fraiseql validate` tells them all)", n)
	}
	return nil, fault.New(fault.Invalid, "graphql/schema-file", message).WithHint("%s", first.Hint)
}

func (c Config) schemaFiles(folder string) (*schema.Declared, []schema.Mistake) {
	var sources []*ast.Source
	var mistakes []schema.Mistake
	for _, pattern := range c.SchemaFiles {
		path := pattern
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		found, err := filepath.Glob(path)
		if err != nil {
			mistakes = append(mistakes, schema.Mistake{Message: "`" + pattern + "` is no pattern of files", Hint: "brackets are closed: \"schema/[a-c]*.graphql\""})
			continue
		}
		if len(found) == 0 {
			mistakes = append(mistakes, schema.Mistake{Message: "there is no file `" + pattern + "`", Hint: "write it, or correct the path: it begins in the folder of the configuration"})
		}
		for _, file := range found {
			if slices.ContainsFunc(sources, func(s *ast.Source) bool { return s.Name == relative(folder, file) }) {
				continue // two patterns may mean it
			}
			text, err := os.ReadFile(file)
			if err != nil {
				mistakes = append(mistakes, schema.Mistake{Message: fmt.Sprintf("a schema file cannot be read: %v", err), Hint: "let the account of the server read it"})
				continue
			}
			sources = append(sources, &ast.Source{Name: relative(folder, file), Input: string(text)})
		}
	}
	if len(mistakes) > 0 || len(sources) == 0 {
		return nil, mistakes
	}
	return schema.Declare(sources)
}
