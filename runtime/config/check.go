package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// Checker is a table that has rules between its own keys.
type Checker interface{ Check(r *Report) }

// Report takes problems that a check finds, by key relative to the table that is checked.
type Report struct {
	binder *binder
	path   string
}

// Error reports what stops the program. key may be empty: the table itself.
func (r *Report) Error(key, code, message, help string) { r.add(diag.Error, key, code, message, help) }

// Warn reports what does not.
func (r *Report) Warn(key, code, message, help string) { r.add(diag.Warning, key, code, message, help) }

// Need reports what only a running server needs, such as a file: an error with Live, else a warning.
func (r *Report) Need(key, code, message, help string) {
	severity := diag.Warning
	if r.binder.options.Live {
		severity = diag.Error
	}
	r.add(severity, key, code, message, help)
}

// At gives a report for a table below this one.
func (r *Report) At(key string) *Report { return &Report{binder: r.binder, path: join(r.path, key)} }

// Given tells whether a key was set by file, environment or flag, rather than by its default.
func (r *Report) Given(key string) bool {
	at := r.path
	if key != "" {
		at = join(at, key)
	}
	o, known := r.binder.file.origins[at]
	return known && o.From != "default"
}

// Item gives a report for a table under a name that a person chose.
func (r *Report) Item(name string) *Report { return r.At(quoteKey(name)) }

// Path is the key of the table that is checked, as a header would write it.
func (r *Report) Path() string { return r.path }

// Reported tells whether a key was written with a value that was refused, or that depends on a variable
// which is not set: a check then has nothing to add.
func (r *Report) Reported(key string) bool { return r.binder.failed[join(r.path, key)] }

// givenBelow tells whether environment or flags set a key of a table that the file does not have.
func (r *Report) givenBelow() bool {
	for key, o := range r.binder.file.origins {
		if strings.HasPrefix(key, r.path+".") && o.From != "default" {
			return true
		}
	}
	return false
}

// Files gives the folder that relative paths of the configuration begin in.
func (r *Report) Files() string { return r.binder.file.Dir }

// Env reads the environment that the configuration is judged by.
func (r *Report) Env(name string) (string, bool) { return r.binder.options.Env(name) }

// Written tells whether the file has a key, whatever its value.
func (r *Report) Written(key string) bool { return r.binder.nodes[join(r.path, key)] != nil }

// File tells whether a path of the configuration exists.
func (r *Report) File(path string) bool {
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.binder.file.Dir, path)
	}
	_, err := os.Stat(path)
	return err == nil
}

func (r *Report) add(severity diag.Severity, key, code, message, help string) {
	r.binder.report(severity, code, r.binder.spanOf(r.path, key), message, help)
}

// spanOf finds the place of a key, or else of the nearest table above it.
func (b *binder) spanOf(path, key string) diag.Span {
	if n := b.nodes[join(path, key)]; key != "" && n != nil {
		return n.span
	}
	for {
		if n := b.nodes[path]; n != nil {
			return n.span
		}
		cut := len(path) - 1
		for cut >= 0 && path[cut] != '.' && path[cut] != '[' {
			cut--
		}
		if cut < 0 {
			return diag.Span{File: b.file.Path}
		}
		path = path[:cut]
	}
}

// check runs the checks of all tables that are there, and judges secrets.
func (b *binder) check(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			b.check(v.Elem(), path)
		}
		return
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			item := reflect.New(v.Type().Elem()).Elem()
			item.Set(it.Value())
			b.check(item, join(path, quoteKey(it.Key().String())))
		}
		return
	case reflect.Slice:
		for i := range v.Len() {
			b.check(v.Index(i), pathOf(v.Index(i), path, i))
		}
		return
	case reflect.Struct:
	default:
		return
	}
	if checker, ok := v.Addr().Interface().(Checker); ok {
		checker.Check(&Report{binder: b, path: path})
	}
	b.checkFields(v, path)
}

func (b *binder) checkFields(v reflect.Value, path string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case !f.IsExported():
		case f.Anonymous: // its Check is the outer struct's own, by promotion, and was called
			b.checkFields(v.Field(i), path)
		case f.Type == secretType:
			secret, name := v.Field(i).Interface().(Secret), f.Tag.Get("toml")
			b.checkSecret(secret, path, name)
			if f.Tag.Get("planned") != "" && secret.Given() {
				b.checkPlanned(v.Field(i), join(path, name+"_"+secret.source()))
			}
		default:
			at := below(path, f.Tag.Get("toml"))
			if f.Tag.Get("planned") != "" {
				b.checkPlanned(v.Field(i), at)
			}
			b.check(v.Field(i), at)
		}
	}
}

// checkPlanned reports a key that is read although nothing acts on it yet, so that nobody relies on it.
func (b *binder) checkPlanned(v reflect.Value, path string) {
	r := &Report{binder: b, path: path}
	_, written := b.nodes[path]
	if !written && !r.Given("") && !r.givenBelow() || switchedOff(v) {
		return
	}
	what := "`" + last(path) + "`"
	if n := b.nodes[path]; n == nil || n.kind == table {
		what = "[" + path + "]"
	}
	r.Need("", "config/not-built", "this version cannot do what "+what+" asks for yet", "")
}

func (b *binder) checkSecret(s Secret, path, name string) {
	r := &Report{binder: b, path: path}
	switch {
	case s.Given() && r.Given(name):
		r.Error(name, "config/two-sources", fmt.Sprintf("`%s` and `%s_%s` both give the same value", name, name, s.source()), "keep one of the two")
	case s.Env != "" && s.File != "":
		r.Error(name+"_file", "config/two-sources", fmt.Sprintf("`%s_env` and `%s_file` both name the same secret", name, name), "keep one of the two")
	case s.Env != "" && !variableName.MatchString(s.Env):
		b.hideLine(b.spanOf(path, name+"_env"))
		r.Error(name+"_env", "config/secret-in-file", fmt.Sprintf("`%s_env` must be the name of an environment variable, not the secret itself", name),
			fmt.Sprintf("%s_env = %q", name, variableFor(path, name)))
	case s.Env != "":
		if value, set := b.options.Env(s.Env); !set || value == "" {
			b.unset(missingVariable{name: s.Env}, b.spanOf(path, name+"_env"))
		}
	case s.File != "" && !r.File(s.File):
		r.Need(name+"_file", "config/missing-file", "the file that `"+name+"_file` names is not there", "")
	}
}

// hideLine keeps what looks like a secret written into the file out of the diagnostic about it.
func (b *binder) hideLine(at diag.Span) {
	lines := b.file.Source[at.File]
	if at.Line < 1 || at.Line > len(lines) {
		return
	}
	if key, _, found := strings.Cut(lines[at.Line-1], "="); found {
		lines[at.Line-1] = key + `= "…"`
	}
}
