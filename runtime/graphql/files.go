package graphql

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// ReadSchemaFiles reads [graphql] schema_files: paths, or patterns of them (path/filepath.Match), from a folder on. The
// result is nil when there are none.
func (c Config) ReadSchemaFiles(folder string) (*schema.Declared, error) {
	declared, mistakes := c.schemaFiles(folder)
	if len(mistakes) == 0 {
		return declared, nil
	}
	first := mistakes[0]
	message := first.place() + first.Message
	if n := len(mistakes) - 1; n > 0 {
		message += fmt.Sprintf(" (and %d more: `fraiseql validate` tells them all)", n)
	}
	return nil, fault.New(fault.Invalid, "graphql/schema-file", message).WithHint("%s", first.Hint)
}

// mistake is one of a schema file, or of the list of them.
type mistake schema.Mistake

// place says where it is, as compilers do.
func (m mistake) place() string {
	if m.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d: ", m.File, m.Line, m.Column)
}

func (c Config) schemaFiles(folder string) (*schema.Declared, []mistake) {
	var sources []*ast.Source
	var mistakes []mistake
	for _, pattern := range c.SchemaFiles {
		path := pattern
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		found, err := filepath.Glob(path)
		if err != nil || len(found) == 0 {
			mistakes = append(mistakes, mistake{Message: "there is no file `" + pattern + "`", Hint: "write it, or correct the path: it begins in the folder of the configuration"})
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				mistakes = append(mistakes, mistake{Message: fmt.Sprintf("a schema file cannot be read: %v", err), Hint: "let the account of the server read it"})
				continue
			}
			name := file
			if relative, err := filepath.Rel(folder, file); err == nil {
				name = relative
			}
			sources = append(sources, &ast.Source{Name: name, Input: string(text)})
		}
	}
	if len(mistakes) > 0 || len(sources) == 0 {
		return nil, mistakes
	}
	declared, wrong := schema.Declare(sources)
	for _, m := range wrong {
		mistakes = append(mistakes, mistake(m))
	}
	return declared, mistakes
}
