package config

import (
	"reflect"
	"slices"
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

// Lookup finds what describes a key of a file, such as "jobs.queues.mail.priority".
func (k Key) Lookup(path string) (Key, bool) {
	for path != "" {
		var word string
		word, path = cutKey(path)
		i := slices.IndexFunc(k.Keys, func(inner Key) bool { return inner.Name == word && !inner.IsRest() })
		if i < 0 {
			i = slices.IndexFunc(k.Keys, Key.IsRest)
			if i < 0 {
				return Key{}, false
			}
			k = k.Keys[i]
			continue
		}
		k = k.Keys[i]
		if k.Named && path != "" {
			_, path = cutKey(path)
		}
	}
	return k, true
}

// cutKey takes the first word of a key, which may stand in quotes or be followed by a place in a list.
func cutKey(path string) (word, others string) {
	if inner, quoted := strings.CutPrefix(path, `"`); quoted {
		word, others, _ = strings.Cut(inner, `"`)
	} else {
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return path, ""
		}
		word, others = path[:end], path[end:]
	}
	if strings.HasPrefix(others, "[") {
		_, others, _ = strings.Cut(others, "]")
	}
	return word, strings.TrimPrefix(others, ".")
}

// IsRest tells whether a key stands for all names that no other key of its table has.
func (k Key) IsRest() bool { return k.Name == rest }
