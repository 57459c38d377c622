package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// Options say what to read and how strictly.
type Options struct {
	Path  string                           // of the file; empty: there is none, and defaults hold
	Text  []byte                           // read where there is no file
	Env   func(string) (string, bool)      // the environment; nil is the process's own
	Flags map[string]string                // by key, "server.port"
	Live  bool                             // unset variables and missing files are errors, not warnings
	Check func(target any, report *Report) // cross-references between tables, after all are read
}

// File is a configuration that was read: where each value came from, and the text for diagnostics.
type File struct {
	Path    string
	Dir     string // relative paths of the file are relative to it
	Source  diag.Source
	origins map[string]Origin
	binder  *binder
}

// Origin tells where a value came from and what it is; a secret's value is never in it.
type Origin struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	From  string `json:"from"` // "default", "fraiseql.toml:12", "env FRAISEQL_SERVER_PORT", "flag"
	Doc   string `json:"doc,omitempty"`
}

// Load fills target, a pointer to a struct, and gives all problems sorted by place. The target is
// usable when none of them is an error.
func Load(target any, o Options) (*File, diag.List) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	f := &File{Path: o.Path, Source: diag.Source{}, origins: map[string]Origin{}}
	b := &binder{file: f, options: o, nodes: map[string]*node{}, chosen: map[string]bool{}, failed: map[string]bool{}}
	root := &node{kind: table, span: diag.Span{File: o.Path}}
	source := o.Text
	if o.Path != "" {
		f.Dir = filepath.Dir(o.Path)
		read, err := os.ReadFile(o.Path)
		if err != nil {
			return f, diag.List{{
				Code: "config/unreadable", Message: "the configuration cannot be read: " + reason(err),
				Primary: diag.Label{Span: diag.Span{File: o.Path}}, Help: "fraiseql init makes a new project",
			}}
		}
		source = read
	}
	if source != nil {
		f.Source.Add(o.Path, redact(source))
		root, b.problems = readTree(o.Path, source)
	}
	f.binder = b
	v := reflect.ValueOf(target).Elem()
	b.table(root, v, "")
	b.overlay(v)
	b.defaults(v, "")
	b.check(v, "")
	if o.Check != nil {
		o.Check(target, &Report{binder: b})
	}
	b.problems.Sort()
	return f, b.problems
}

// Defaults fills target, a pointer to a struct, as an empty file does.
func Defaults(target any) {
	b := &binder{file: &File{origins: map[string]Origin{}}}
	b.defaults(reflect.ValueOf(target).Elem(), "")
}

func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// Later gives a report for what is found out after reading, such as what a database lacks, and what then
// gives those problems, sorted by place.
func (f *File) Later() (*Report, func() diag.List) {
	b := *f.binder
	b.problems = nil
	return &Report{binder: &b}, func() diag.List {
		b.problems.Sort()
		return b.problems
	}
}

// Explain gives every key below a key (or the key itself) with its value and where it came from.
func (f *File) Explain(key string) []Origin {
	return explain(f.origins, key)
}

// Find looks for the file as every command does: the path given, FRAISEQL_CONFIG, ./fraiseql.toml, the
// user's configuration folder. Empty means that there is none.
func Find(given string, env func(string) (string, bool)) string {
	if given != "" {
		return given
	}
	if path, ok := env("FRAISEQL_CONFIG"); ok && path != "" {
		return path
	}
	candidates := []string{"fraiseql.toml"}
	if dir, err := os.UserConfigDir(); err == nil {
		candidates = append(candidates, filepath.Join(dir, "fraiseql", "config.toml"))
	}
	for _, path := range candidates {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}
