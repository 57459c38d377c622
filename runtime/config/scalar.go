package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// scalar fills a field with one value of the file, after ${…} and against its tags.
func (b *binder) scalar(n *node, v reflect.Value, f reflect.StructField, path string) bool {
	wanted := describe(v.Type())
	if !fits(n.kind, v) {
		b.report(diag.Error, "config/wrong-type", n.span, fmt.Sprintf("`%s` must be %s, not %s", last(path), wanted, n.kind), example(v.Type(), last(path)))
		return false
	}
	text := n.text
	if n.kind == textKind {
		expanded, missing, err := expand(text, b.options.Env)
		if err != nil {
			b.report(diag.Error, "config/bad-reference", n.span, err.Error(), "write ${NAME}, ${NAME:-default} or ${NAME:?message}; a plain dollar sign is $$")
			return false
		}
		for _, m := range missing {
			b.unset(m, n.span)
		}
		if text = expanded; len(missing) > 0 && text == "" {
			b.failed[path] = true
			return true // nothing to judge: the variable may be there when it counts
		}
	}
	before := len(b.problems)
	ok := b.set(v, f, text, path, n.span)
	if text != n.text {
		b.unexpand(b.problems[before:], text, n.text)
	}
	return ok
}

// unexpand shows ${NAME} in messages as it was written: its value may be a secret.
func (b *binder) unexpand(problems diag.List, value, written string) {
	for i := range problems {
		problems[i].Message = strings.ReplaceAll(problems[i].Message, value, written)
	}
}

// textKind is the kind of strings; the name text is taken by values here.
const textKind = text

func (b *binder) unset(m missingVariable, at diag.Span) {
	severity := diag.Warning
	if b.options.Live {
		severity = diag.Error
	}
	message := "the environment variable " + m.name + " is not set"
	if m.message != "" {
		message += ": " + m.message
	}
	b.report(severity, "config/unset-variable", at, message, "export "+m.name+"=…")
}

// set parses a text into a field and judges it by the field's tags.
func (b *binder) set(v reflect.Value, f reflect.StructField, text, path string, at diag.Span) bool {
	name := last(path)
	if err := setText(v, text); err != nil {
		b.report(diag.Error, "config/bad-value", at, fmt.Sprintf("`%s` must be %s: %v", name, describe(v.Type()), err), example(v.Type(), name))
		return false
	}
	if allowed := f.Tag.Get("enum"); allowed != "" {
		words := strings.Split(allowed, ",")
		if !slices.Contains(words, text) {
			help := diag.DidYouMean(text, words, "one of: "+strings.Join(words, ", "))
			b.report(diag.Error, "config/unknown-value", at, fmt.Sprintf("`%s` cannot be \"%s\"", name, text), help)
			return false
		}
	}
	if shape := f.Tag.Get("form"); shape != "" && text != "" {
		wanted, has := forms[shape]
		if !has {
			panic("config: form of " + name + ": " + shape) // a tag of ours is wrong
		}
		if err := wanted.check(text); err != nil {
			b.report(diag.Error, "config/bad-value", at, fmt.Sprintf("`%s` is wrong: %v", name, err), "write it like "+wanted.example)
			return false
		}
	}
	return b.inRange(v, f, text, name, at)
}

func (b *binder) inRange(v reflect.Value, f reflect.StructField, text, name string, at diag.Span) bool {
	for _, bound := range []string{"min", "max"} {
		tag := f.Tag.Get(bound)
		if tag == "" || !v.CanInt() && !v.CanFloat() {
			continue
		}
		limit := reflect.New(v.Type()).Elem()
		if err := setText(limit, tag); err != nil {
			panic(fmt.Sprintf("config: %s of %s: %v", bound, name, err)) // a tag of ours is wrong
		}
		word, wrong := "at least", less(v, limit)
		if bound == "max" {
			word, wrong = "at most", less(limit, v)
		}
		if wrong {
			b.report(diag.Error, "config/out-of-range", at, fmt.Sprintf("`%s` is %s, but must be %s %s", name, text, word, tag), name+" = "+sample(v.Type(), tag))
			return false
		}
	}
	return true
}

func less(a, b reflect.Value) bool {
	if a.CanInt() {
		return a.Int() < b.Int()
	}
	return a.Float() < b.Float()
}

func sample(t reflect.Type, value string) string {
	if t == durationType || t == bytesType {
		return strconv.Quote(value)
	}
	return value
}

// last gives the last word of a key, without the quotes that it may stand in, or its place in a list.
func last(path string) string {
	if cut := strings.LastIndexByte(path, '['); cut > 0 && strings.HasSuffix(path, "]") {
		path = path[:cut]
	}
	if inner, quoted := strings.CutSuffix(path, `"`); quoted {
		return inner[strings.LastIndexByte(inner, '"')+1:]
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}

// fits tells whether a value of the file may be tried for a field.
func fits(k kind, v reflect.Value) bool {
	switch {
	case v.Type() == durationType:
		return k == textKind
	case v.Type() == bytesType:
		return k == textKind || k == integer
	}
	switch v.Kind() {
	case reflect.String:
		return k == textKind
	case reflect.Bool:
		return k == boolean || k == textKind // "${FLAG}"
	case reflect.Float64:
		return k == float || k == integer || k == textKind
	default:
		return k == integer || k == textKind
	}
}

// setText parses a text into a field of any scalar type.
func setText(v reflect.Value, text string) error {
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return setText(v.Elem(), text)
	case v.Kind() == reflect.Slice:
		for _, part := range strings.Split(text, ",") {
			item := reflect.New(v.Type().Elem()).Elem()
			if err := setText(item, strings.TrimSpace(part)); err != nil {
				return err
			}
			v.Set(reflect.Append(v, item))
		}
		return nil
	case v.Type() == durationType:
		d, err := ParseDuration(text)
		v.SetInt(int64(d))
		return err
	case v.Type() == bytesType:
		n, err := parseBytes(text)
		v.SetInt(int64(n))
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		yes, err := strconv.ParseBool(text)
		v.SetBool(yes)
		return plainError(text, err)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("`%s` is none", text)
		}
		v.SetFloat(x)
		return plainError(text, err)
	default:
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 0, 64)
		v.SetInt(n)
		return plainError(text, err)
	}
	return nil
}

func plainError(text string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("`%s` is none", text)
}

func describe(t reflect.Type) string {
	switch t {
	case durationType:
		return "a duration"
	case bytesType:
		return "a size"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

func example(t reflect.Type, name string) string {
	switch {
	case t == durationType:
		return name + ` = "30s" (units: ms, s, m, h, d)`
	case t == bytesType:
		return name + ` = "10MB" (units: B, KB, MB, GB)`
	case t.Kind() == reflect.String:
		return "put it in quotes"
	case t.Kind() == reflect.Bool:
		return name + " = true"
	}
	return ""
}
