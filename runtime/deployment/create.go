package deployment

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

const skeleton = `-- +goose Up


-- +goose Down

`

var wordsOfName = regexp.MustCompile(`[^a-z0-9]+`)

// Create writes a new, empty migration after the newest of a folder and gives its path.
func Create(dir, name string) (string, error) {
	name = strings.Trim(wordsOfName.ReplaceAllString(strings.ToLower(name), "_"), "_")
	if name == "" {
		return "", fault.New(fault.Usage, "migrations/bad-name", "the name has no letter").WithHint("fraiseql migrate create add_users")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the folder of migrations: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("read the folder of migrations: %w", err)
	}
	var newest int64
	for _, entry := range entries {
		if match := fileName.FindStringSubmatch(entry.Name()); match != nil {
			if version, err := strconv.ParseInt(match[1], 10, 64); err == nil {
				newest = max(newest, version)
			}
		}
	}
	path := filepath.Join(dir, fmt.Sprintf("%05d_%s.sql", newest+1, name))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("create migration: %w", err)
	}
	if _, err := file.WriteString(skeleton); err != nil {
		_ = file.Close()
		return "", fmt.Errorf("write migration: %w", err)
	}
	if err := file.Close(); err != nil {
		return "", fmt.Errorf("write migration: %w", err)
	}
	return path, nil
}
