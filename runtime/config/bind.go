package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// binder fills structs from nodes and collects every problem on the way.
type binder struct {
	file     *File
	options  Options
	nodes    map[string]*node // by key, to find places later
	chosen   map[string]bool  // tables whose name a person chose
	failed   map[string]bool  // keys whose value was refused or is not known yet
	problems diag.List
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	bytesType    = reflect.TypeFor[Bytes]()
	secretType   = reflect.TypeFor[Secret]()
)

// rest is the tag of the map that takes the keys that no other field names.
const rest = "*"

// leaf is a key of a struct.
type leaf struct {
	name  string
	field reflect.StructField
	value reflect.Value
	part  string // of a secret: "env" or "file"
}

// leaves lists the keys of a struct, those of embedded structs included.
func leaves(v reflect.Value) []leaf {
	var list []leaf
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("toml")
		switch {
		case f.Anonymous:
			list = append(list, leaves(v.Field(i))...)
		case name == "":
		case f.Type == secretType:
			list = append(list, leaf{name + "_env", f, v.Field(i).FieldByName("Env"), "env"},
				leaf{name + "_file", f, v.Field(i).FieldByName("File"), "file"})
		default:
			list = append(list, leaf{name: name, field: f, value: v.Field(i)})
		}
	}
	return list
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (b *binder) report(severity diag.Severity, code string, at diag.Span, message, help string) {
	b.problems = append(b.problems, diag.Diagnostic{Severity: severity, Code: code, Message: message, Primary: diag.Label{Span: at}, Help: help})
}

// table fills a struct.
func (b *binder) table(n *node, v reflect.Value, path string) {
	if b.nodes[path] == nil {
		b.nodes[path] = n
	}
	keys := leaves(v)
	others := slices.IndexFunc(keys, func(l leaf) bool { return l.name == rest })
	for _, e := range n.entries {
		i := slices.IndexFunc(keys, func(l leaf) bool { return l.name == e.name && l.name != rest })
		if i < 0 && others >= 0 {
			b.names([]*entry{e}, keys[others].value, keys[others].field, path)
			continue
		}
		if i < 0 {
			b.unknown(e, keys, path)
			continue
		}
		at := join(path, e.name)
		b.nodes[at] = &node{kind: e.value.kind, span: e.span}
		if !b.value(e.value, keys[i].value, keys[i].field, at) {
			b.failed[at] = true
			continue
		}
		b.origin(at, keys[i], fmt.Sprintf("%s:%d", b.file.Path, e.span.Line))
	}
}

func (b *binder) unknown(e *entry, keys []leaf, path string) {
	names := make([]string, len(keys))
	for i, l := range keys {
		names[i] = l.name
	}
	if slices.Contains(names, e.name+"_env") {
		b.failed[join(path, e.name)] = true
		b.hideLine(e.span)
		b.report(diag.Error, "config/secret-in-file", e.span, "`"+e.name+"` is a secret, which does not belong into the file",
			fmt.Sprintf("%s_env = %q", e.name, variableFor(path, e.name)))
		return
	}
	where := "at the top of the file"
	if path != "" {
		where = "in [" + path + "]"
	}
	help := "known here: " + strings.Join(names, ", ")
	if near := diag.Nearest(e.name, names); near != "" {
		help = "did you mean `" + near + "`?"
	} else if b.chosen[path] && e.value.kind == table {
		name := last(path)
		help = fmt.Sprintf("a name with a dot stands in quotes: [%s]", join(strings.TrimSuffix(strings.TrimSuffix(path, quoteKey(name)), "."), quoteKey(name+"."+e.name)))
	}
	b.report(diag.Error, "config/unknown-key", e.span, "there is no key `"+e.name+"` "+where, help)
}

// variableFor suggests an environment variable for a key: api_key of [….sendgrid] is SENDGRID_API_KEY.
func variableFor(path, name string) string {
	word := strings.Trim(last(path)+"_"+name, "_")
	return strings.Trim(notInName.ReplaceAllString(strings.ToUpper(word), "_"), "_")
}

var notInName = regexp.MustCompile(`[^A-Z0-9]+`)

// names fills a map, or a list that keeps the file's order, from a table whose keys a person chooses.
func (b *binder) names(entries []*entry, v reflect.Value, f reflect.StructField, path string) {
	if v.Kind() == reflect.Map && v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, e := range entries {
		item := reflect.New(v.Type().Elem()).Elem()
		at := join(path, quoteKey(e.name))
		b.nodes[at] = &node{kind: e.value.kind, span: e.span}
		b.chosen[at] = true
		if item.Kind() == reflect.Struct {
			if name := item.FieldByName(nameField); name.IsValid() {
				name.SetString(e.name)
			}
		}
		b.value(e.value, item, f, at)
		if v.Kind() == reflect.Map {
			v.SetMapIndex(reflect.ValueOf(e.name), item)
			continue
		}
		v.Set(reflect.Append(v, item))
	}
}

// nameField is the field of a struct that takes the name under which its table stands. A list of such
// structs is written as a table of tables and keeps their order.
const nameField = "ConfigName"

func isKeyed(t reflect.Type) bool {
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return false
	}
	_, has := t.Elem().FieldByName(nameField)
	return has
}

// pathOf gives the key of an element of a list.
func pathOf(item reflect.Value, path string, i int) string {
	if item.Kind() == reflect.Struct {
		if name := item.FieldByName(nameField); name.IsValid() {
			return join(path, quoteKey(name.String()))
		}
	}
	return fmt.Sprintf("%s[%d]", path, i)
}

// below gives the key of a field: embedded structs and catch-all maps add no word of their own.
func below(path, name string) string {
	if name == "" || name == rest {
		return path
	}
	return join(path, name)
}

// value fills one field; false when the file's value does not fit.
func (b *binder) value(n *node, v reflect.Value, f reflect.StructField, path string) bool {
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return b.value(n, v.Elem(), f, path)
	case v.Type() == reflect.TypeFor[any]():
		v.Set(reflect.ValueOf(plain(n)))
		return true
	case v.Kind() == reflect.Struct || v.Kind() == reflect.Map:
		if n.tables && len(n.items) == 1 {
			n = n.items[0]
		}
		if n.kind != table {
			b.mismatch(n, "a table", path)
			return false
		}
		if v.Kind() == reflect.Map {
			b.names(n.entries, v, f, path)
			return true
		}
		b.table(n, v, path)
		return true
	case isKeyed(v.Type()):
		if n.kind != table {
			b.mismatch(n, "a table of tables", path)
			return false
		}
		b.names(n.entries, v, reflect.StructField{}, path)
		return true
	case v.Kind() == reflect.Slice:
		return b.list(n, v, f, path)
	}
	return b.scalar(n, v, f, path)
}

func (b *binder) list(n *node, v reflect.Value, f reflect.StructField, path string) bool {
	items := n.items
	if n.kind != list {
		items = []*node{n} // one stands for a list of one
	}
	if v.IsNil() {
		v.Set(reflect.MakeSlice(v.Type(), 0, len(items))) // that a list is empty may be what is said
	}
	fits := true
	for i, item := range items {
		element := reflect.New(v.Type().Elem()).Elem()
		if !b.value(item, element, f, fmt.Sprintf("%s[%d]", path, i)) {
			fits = false
			continue
		}
		v.Set(reflect.Append(v, element))
	}
	return fits
}

// plain gives a node as ordinary values, for tables whose content is somebody else's.
func plain(n *node) any {
	switch n.kind {
	case table:
		m := map[string]any{}
		for _, e := range n.entries {
			m[e.name] = plain(e.value)
		}
		return m
	case list:
		l := make([]any, len(n.items))
		for i, item := range n.items {
			l[i] = plain(item)
		}
		return l
	case boolean:
		return n.text == "true"
	}
	return n.text
}

func (b *binder) mismatch(n *node, wanted, path string) {
	b.report(diag.Error, "config/wrong-type", n.span, fmt.Sprintf("`%s` must be %s, not %s", last(path), wanted, n.kind), "")
}

// defaults gives every key that nothing has set its default, in tables that are there.
func (b *binder) defaults(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			b.defaults(v.Elem(), path)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			item := reflect.New(v.Type().Elem()).Elem()
			item.Set(it.Value())
			b.defaults(item, join(path, quoteKey(it.Key().String())))
			v.SetMapIndex(it.Key(), item)
		}
	case reflect.Slice:
		for i := range v.Len() {
			b.defaults(v.Index(i), pathOf(v.Index(i), path, i))
		}
	case reflect.Struct:
		if v.Type() == secretType {
			return
		}
		for _, l := range leaves(v) {
			at := below(path, l.name)
			if _, set := b.file.origins[at]; set {
				continue
			}
			if text := l.field.Tag.Get("default"); text != "" {
				if err := setText(l.value, text); err != nil {
					panic(fmt.Sprintf("config: default of %s: %v", at, err)) // a tag of ours is wrong
				}
				b.origin(at, l, "default")
				continue
			}
			b.defaults(l.value, at)
		}
	}
}
