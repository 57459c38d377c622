package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Secret names where a secret is: an environment variable (NAME_env) or a file (NAME_file). The secret
// itself is read when it is needed and is never part of the configuration, so nothing can print it.
type Secret struct {
	Env  string
	File string
}

// Given tells whether the configuration names the secret at all.
func (s Secret) Given() bool { return s.Env != "" || s.File != "" }

// source says which of its two keys names the secret.
func (s Secret) source() string {
	if s.Env != "" {
		return "env"
	}
	return "file"
}

// Resolve reads the secret; empty when it is not given. dir is where relative paths begin.
func (s Secret) Resolve(env func(string) (string, bool), dir string) (string, error) {
	switch {
	case s.Env != "":
		value, ok := env(s.Env)
		if !ok || value == "" {
			return "", fault.New(fault.Invalid, "config/unset-variable", fmt.Sprintf("the environment variable %s is not set", s.Env)).
				WithHint("export %s=…", s.Env)
		}
		return value, nil
	case s.File != "":
		path := s.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return "", fault.Wrap(fault.Invalid, "config/missing-file", "the file with a secret cannot be read", err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	return "", nil
}
