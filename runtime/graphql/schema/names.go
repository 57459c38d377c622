package schema

import (
	"strings"
	"unicode"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// words splits a database name at everything that is not an ASCII letter or digit, and where a
// capital follows a small letter ("albumId"). A name with letters that GraphQL does not know
// (anything outside ASCII) gives nil: it needs a name chosen by a person.
func words(name string) []string {
	var list []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	var before rune
	for _, r := range name {
		switch {
		case r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return nil
		case isUpper(r) && isLowerOrDigit(before):
			flush()
			word.WriteRune(unicode.ToLower(r))
		case isUpper(r):
			word.WriteRune(unicode.ToLower(r))
		case isLowerOrDigit(r):
			word.WriteRune(r)
		default:
			flush()
		}
		before = r
	}
	flush()
	return list
}

func isUpper(r rune) bool        { return r >= 'A' && r <= 'Z' }
func isLowerOrDigit(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }

// pascal joins words as a type name: "media_type" -> "MediaType".
func pascal(list []string) string {
	var b strings.Builder
	for _, w := range list {
		b.WriteString(strings.ToUpper(w[:1]))
		b.WriteString(w[1:])
	}
	return leading(b.String())
}

// camel joins words as a field name: "album_id" -> "albumId".
func camel(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return leading(list[0] + strings.TrimPrefix(pascal(list[1:]), "_"))
}

// leading puts an underscore before a digit, which no GraphQL name may begin with.
func leading(name string) string {
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

// typeName gives the type that a table is shown as when nobody chooses another name. It is its name in
// [graphql.entities], beside "schema.table".
func (o Options) typeName(t *catalog.Table) string { return o.tableName(t.Schema, t.Name) }

func (o Options) tableName(schemaName, table string) string {
	return o.prefixed(schemaName, TypeName(table))
}

// prefixed puts the prefix of a schema before a name of a type. What has no name has none with it either.
func (o Options) prefixed(schemaName, name string) string {
	if name == "" {
		return ""
	}
	return o.Prefixes[schemaName] + name
}

// prefixedField puts it before a name of a field: "syncAll" -> "crmSyncAll".
func (o Options) prefixedField(schemaName, name string) string {
	if name == "" || o.Prefixes[schemaName] == "" {
		return name
	}
	return lowerFirst(o.Prefixes[schemaName]) + upperFirst(name)
}

// TypeName gives the name that a table's own makes for its type, "Album" for "albums": singular, without the prefix "tb_".
func TypeName(table string) string {
	list := words(strings.TrimPrefix(table, "tb_"))
	if len(list) == 0 {
		return ""
	}
	last := len(list) - 1
	list[last] = singular(list[last])
	return pascal(list)
}

// FieldName gives the field that a column is shown as when nobody chooses another name.
func FieldName(column string) string { return camel(words(column)) }

// lowerFirst makes a field name of a type name: "MediaType" -> "mediaType".
func lowerFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// upperFirst makes the ending of a compound name: "editor" -> "Editor".
func upperFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// pluralOf gives the list name for a type: "Album" -> "albums", "Series" -> "seriesList", "HRItem" -> "hRItems".
func pluralOf(typeName string) string {
	name := lowerFirst(typeName)
	list := words(name)
	if len(list) == 0 {
		return name + "List"
	}
	at := len(name) - len(list[len(list)-1])
	for i := at + 1; i+1 < len(name); i++ {
		if isUpper(rune(name[i])) && !isUpper(rune(name[i+1])) { // a word behind an abbreviation
			at = i
		}
	}
	last := strings.ToLower(name[at:])
	many := plural(last)
	if many == last {
		return name + "List"
	}
	return name[:at] + upperIf(many, isUpper(rune(name[at])))
}

func upperIf(word string, upper bool) string {
	if upper {
		return upperFirst(word)
	}
	return word
}

// toOneName gives the name of a to-one relation for a single-column key: the column without "fk_",
// and without "_id" or "_" and the referenced column. Empty when nothing is left.
func toOneName(column, referenced string) string {
	name := strings.TrimPrefix(column, "fk_")
	list := words(name)
	for _, ending := range [][]string{words(referenced), {"id"}} {
		if len(ending) > 0 && len(list) > len(ending) && equalWords(list[len(list)-len(ending):], ending) {
			list = list[:len(list)-len(ending)]
			break
		}
	}
	return camel(list)
}

func equalWords(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// ValidName tells whether a name chosen by a person is a GraphQL name that we may use.
// Names that begin with two underscores belong to introspection (specification, section 2.1.9).
func ValidName(name string) bool {
	if name == "" || strings.HasPrefix(name, "__") {
		return false
	}
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// validLabel tells whether a name can be a value of an enum.
func validLabel(name string) bool {
	return ValidName(name) && name != "true" && name != "false" && name != "null"
}
