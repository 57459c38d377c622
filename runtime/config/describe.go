package config

import (
	"reflect"
	"strings"
)

// Key describes one key of the file, from the tags of its field. Tables have keys of their own.
type Key struct {
	Name    string
	Type    string // string, integer, number, boolean, duration, size, table or any
	Doc     string
	Default string
	Enum    []string
	Min     string
	Max     string
	List    bool  // one of them or a list; a table is then written [[…]]
	Named   bool  // a table of them, under names that a person chooses
	Secret  bool  // NAME_env or NAME_file: says where a secret is
	Planned bool  // read and judged, but nothing acts on it yet
	Keys    []Key // of a table
}

// Describe tells what can be written into target, a pointer to a struct.
func Describe(target any) Key {
	t := reflect.TypeOf(target).Elem()
	return Key{Type: "table", Keys: describeFields(t)}
}

func describeFields(t reflect.Type) []Key {
	var keys []Key
	for i := range t.NumField() {
		f := t.Field(i)
		name, planned := f.Tag.Get("toml"), f.Tag.Get("planned") != ""
		switch {
		case f.Anonymous:
			keys = append(keys, describeFields(f.Type)...)
		case name == "":
		case f.Type == secretType:
			k := Key{Name: name + "_env", Type: "string", Doc: f.Tag.Get("doc"), Planned: planned, Secret: true}
			keys = append(keys, k)
			k.Name = name + "_file"
			keys = append(keys, k)
		default:
			k := describeType(f.Type)
			k.Name, k.Doc, k.Planned = name, f.Tag.Get("doc"), planned
			k.Default, k.Min, k.Max = f.Tag.Get("default"), f.Tag.Get("min"), f.Tag.Get("max")
			if words := f.Tag.Get("enum"); words != "" {
				k.Enum = strings.Split(words, ",")
			}
			keys = append(keys, k)
		}
	}
	return keys
}

func describeType(t reflect.Type) Key {
	switch {
	case t.Kind() == reflect.Pointer:
		return describeType(t.Elem())
	case t == durationType:
		return Key{Type: "duration"}
	case t == bytesType:
		return Key{Type: "size"}
	case t.Kind() == reflect.Struct:
		return Key{Type: "table", Keys: describeFields(t)}
	case isKeyed(t):
		k := describeType(t.Elem())
		k.Named = true
		return k
	case t.Kind() == reflect.Slice:
		k := describeType(t.Elem())
		k.List = true
		return k
	case t.Kind() == reflect.Map:
		k := describeType(t.Elem())
		k.Named = true
		return k
	}
	return Key{Type: map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Float64: "number", reflect.Interface: "any",
	}[t.Kind()]}.orInteger()
}

func (k Key) orInteger() Key {
	if k.Type == "" {
		k.Type = "integer"
	}
	return k
}

// IsRest tells whether a key stands for all names that no other key of its table has.
func (k Key) IsRest() bool { return k.Name == rest }
