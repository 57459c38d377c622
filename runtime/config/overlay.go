package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/viper"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// overlay lets flags and the environment win over the file, on keys that hold one value. Names that a
// person chooses (observers, providers, …) come from the file alone.
func (b *binder) overlay(root reflect.Value) {
	v := viper.New()
	for key, value := range b.options.Flags {
		v.Set(key, value)
	}
	b.overlayTable(v, root, "")
}

// EnvName gives the environment variable of a key: "server.port" is FRAISEQL_SERVER_PORT.
func EnvName(key string) string {
	return "FRAISEQL_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func (b *binder) overlayTable(v *viper.Viper, at reflect.Value, path string) (changed bool) {
	for _, l := range leaves(at) {
		key := join(path, l.name)
		target := l.value
		switch {
		case l.name == rest:
		case target.Kind() == reflect.Struct:
			changed = b.overlayTable(v, target, key) || changed
		case target.Kind() == reflect.Pointer && target.Type().Elem().Kind() == reflect.Struct:
			table := reflect.New(target.Type().Elem())
			if !target.IsNil() {
				table = target
			}
			if b.overlayTable(v, table.Elem(), key) {
				target.Set(table)
				changed = true
			}
		case target.Kind() == reflect.Map, target.Kind() == reflect.Slice && target.Type().Elem().Kind() == reflect.Struct:
		default:
			if b.overlayKey(v, l, key) {
				b.outrank(at, l, path)
				changed = true
			}
		}
	}
	return changed
}

// outrank forgets the other ways in which the file gives a value that environment or flags have given:
// --database-url wins over url_env.
func (b *binder) outrank(at reflect.Value, winner leaf, path string) {
	for _, l := range leaves(at) {
		o := b.file.origins[join(path, l.name)]
		if l.field.Tag.Get("toml") == winner.field.Tag.Get("toml") && l.name != winner.name && o.From != "flag" && !strings.HasPrefix(o.From, "env ") {
			l.value.SetZero()
			delete(b.file.origins, join(path, l.name))
		}
	}
}

func (b *binder) overlayKey(v *viper.Viper, l leaf, key string) bool {
	from, at := "flag", diag.Span{File: "command line"}
	if !v.IsSet(key) {
		value, set := b.options.Env(EnvName(key))
		if !set || value == "" {
			return false
		}
		v.SetDefault(key, value)
		from, at = "env "+EnvName(key), diag.Span{File: "environment variable " + EnvName(key)}
	}
	if l.value.Kind() == reflect.Slice {
		l.value.SetZero()
	}
	if b.set(l.value, l.field, v.GetString(key), key, at) {
		b.origin(key, l, from)
	}
	return true
}

// origin notes where a value came from. Addresses can hold a password and are shown without one.
func (b *binder) origin(key string, l leaf, from string) {
	value := l.value
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if k := value.Kind(); k == reflect.Struct || k == reflect.Map || k == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct {
		return // its keys are told one by one
	}
	shown := fmt.Sprint(value.Interface())
	if l.field.Tag.Get("secret") != "" && shown != "" || l.part == "env" && !variableName.MatchString(shown) {
		shown = "(hidden)"
	}
	b.file.origins[key] = Origin{Key: key, Value: shown, From: from, Doc: l.field.Tag.Get("doc")}
}

func explain(origins map[string]Origin, key string) []Origin {
	var list []Origin
	for k, o := range origins {
		if key == "" || k == key || strings.HasPrefix(k, key+".") || strings.HasPrefix(k, key+"[") {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b Origin) int { return cmp.Compare(a.Key, b.Key) })
	return list
}
