package deployment

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

var fileName = regexp.MustCompile(`^(\d+)_[^/]+\.sql$`)

// CheckFiles judges the files of a folder without a database, and gives their lines for showing the places.
func CheckFiles(dir string) (diag.List, diag.Source, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fault.Wrap(fault.NotFound, "migrations/no-folder", "the folder of migrations cannot be read", err).
			WithHint("fraiseql migrate create first_tables")
	}
	var problems diag.List
	source := diag.Source{}
	versions := map[int64]string{}
	for _, entry := range entries {
		if entry.IsDir() || path.Ext(entry.Name()) != ".sql" {
			continue
		}
		file := filepath.Join(dir, entry.Name())
		whole := diag.Label{Span: diag.Span{File: file}}
		match := fileName.FindStringSubmatch(entry.Name())
		if match == nil {
			problems = append(problems, diag.Diagnostic{
				Code: "migrations/bad-name", Message: "the name has no version, so the file would be passed over", Primary: whole,
				Help: "name it like 00001_add_users.sql",
			})
			continue
		}
		version, err := strconv.ParseInt(match[1], 10, 64)
		switch other, taken := versions[version]; {
		case err != nil || version < 1:
			problems = append(problems, diag.Diagnostic{Code: "migrations/bad-name", Message: "versions are whole numbers from 1 on", Primary: whole, Help: "name it like 00001_add_users.sql"})
		case taken:
			problems = append(problems, diag.Diagnostic{
				Code: "migrations/same-version", Message: fmt.Sprintf("version %d is that of %s, too", version, filepath.Base(other)), Primary: whole,
				Help: "give one of them a higher number",
			})
		default:
			versions[version] = file
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("read migration: %w", err)
		}
		source.Add(file, text)
		problems = append(problems, checkText(file, string(text))...)
	}
	problems.Sort()
	return problems, source, nil
}
