package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// Declared is what schema files say: which types the JSON of views has.
//
//	type Book @view(name: "v_book") {
//	  id: ID!
//	  title: String!
//	  publishedAt: DateTime @json(path: "meta.published_at")
//	  author: Author
//	}
//	type Author { name: String! }
//	type Mutation { createBook(title: String!): Book @function(name: "fn_create_book") }
type Declared struct {
	types []*declaredType
	enums []*ast.Definition
	calls []*declaredCall
}

// declaredCall is a field of Query or Mutation that a schema file has for a function.
type declaredCall struct {
	*ast.FieldDefinition
	function string // "schema.function", or a function of the API's schemas
	roles    []string
	writes   bool // it is a field of Mutation
}

// declaredType is an object type of a schema file.
type declaredType struct {
	*ast.Definition
	view   string   // "schema.table", or a table of the API's schemas; empty for one that is only part of others
	data   string   // the view's column of JSON
	key    []string // columns
	roles  []string // that see it; empty for all
	fields []*declaredField
}

type declaredField struct {
	*ast.FieldDefinition
	path  []string // of the value within the JSON
	given bool     // by @json
	cost  uint16   // in fields; 0 is 1
	roles []string
}

// Mistake is something in a schema file that cannot be.
type Mistake struct {
	File         string
	Line, Column int
	Message      string
	Hint         string
}

// Place says where it is, as compilers do, with ": " behind; empty for what is wrong with no place in a file.
func (m Mistake) Place() string {
	if m.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d: ", m.File, m.Line, m.Column)
}

// Declare reads schema files. With mistakes there is no result.
func Declare(files []*ast.Source) (*Declared, []Mistake) {
	r := &reader{declared: &Declared{}, names: map[string]*ast.Definition{}}
	for _, file := range files {
		document, err := parser.ParseSchema(file)
		var syntax *gqlerror.Error
		if errors.As(err, &syntax) {
			m := Mistake{File: file.Name, Message: syntax.Message, Hint: "write it in GraphQL's schema definition language"}
			if len(syntax.Locations) > 0 {
				m.Line, m.Column = syntax.Locations[0].Line, syntax.Locations[0].Column
			}
			r.mistakes = append(r.mistakes, m)
			continue
		}
		for _, d := range slices.Concat(document.Definitions, document.Extensions) {
			r.definition(d)
		}
		for _, d := range document.Directives {
			r.mistake(d.Position, "directives are those that are there", "leave the definition of @"+d.Name+" out")
		}
	}
	for _, t := range r.declared.types {
		r.fieldTypes(t)
	}
	if len(r.mistakes) > 0 {
		return nil, r.mistakes
	}
	return r.declared, nil
}

type reader struct {
	declared *Declared
	names    map[string]*ast.Definition
	mistakes []Mistake
}

func (r *reader) mistake(at *ast.Position, message, hint string) {
	r.mistakes = append(r.mistakes, Mistake{File: at.Src.Name, Line: at.Line, Column: at.Column, Message: message, Hint: hint})
}

func (r *reader) definition(d *ast.Definition) {
	_, scalar := jsonTypes[d.Name]
	switch {
	case d.Kind != ast.Object && d.Kind != ast.Enum:
		r.mistake(d.Position, "a schema file has types and enums, and no "+strings.ToLower(string(d.Kind)), "leave it out: inputs and interfaces are made of the types")
		return
	case d.Kind == ast.Object && (d.Name == "Query" || d.Name == "Mutation"):
		r.calls(d)
		return
	case !ValidName(d.Name) || scalar || d.Name == "Query" || d.Name == "Mutation" || d.Name == "Subscription":
		r.mistake(d.Position, "the name "+d.Name+" is one of the API itself", "choose another one")
		return
	case r.names[d.Name] != nil:
		r.mistake(d.Position, fmt.Sprintf("%s is declared twice: it is in %s, line %d as well", d.Name, r.names[d.Name].Position.Src.Name, r.names[d.Name].Position.Line), "leave one of them out")
		return
	}
	r.names[d.Name] = d
	if d.Kind == ast.Enum {
		r.directives(d.Directives, nil)
		r.declared.enums = append(r.declared.enums, enumDefinition(d.Name, describe(d.Description, "The values of "+d.Name+"."), labels(d)))
		return
	}
	t := &declaredType{Definition: d, data: "data"}
	r.directives(d.Directives, map[string]func(*ast.Directive){
		"view": func(v *ast.Directive) {
			t.view = r.text(v, "name", true)
			if column := r.text(v, "data", false); column != "" {
				t.data = column
			}
		},
		"key":  func(v *ast.Directive) { t.key = r.texts(v, "fields") },
		"role": func(v *ast.Directive) { t.roles = r.texts(v, "name") },
	})
	if len(t.key) > 0 && t.view == "" {
		r.mistake(d.Position, "@key names columns of a view, and "+d.Name+" has none", `add @view(name: "…"), or leave @key out`)
	}
	for _, f := range d.Fields {
		t.fields = append(t.fields, r.field(d, f))
	}
	r.declared.types = append(r.declared.types, t)
}

// calls reads the fields of Query and Mutation: each is for a function.
func (r *reader) calls(d *ast.Definition) {
	r.directives(d.Directives, nil)
	for _, f := range d.Fields {
		call := &declaredCall{FieldDefinition: f, writes: d.Name == "Mutation"}
		r.directives(f.Directives, map[string]func(*ast.Directive){
			"function":   func(v *ast.Directive) { call.function = r.text(v, "name", true) },
			"role":       func(v *ast.Directive) { call.roles = r.texts(v, "name") },
			"deprecated": func(*ast.Directive) {},
		})
		if call.function == "" {
			r.mistake(f.Position, "a field of "+d.Name+" is for a function: what reads types with a view is made by itself", `add @function(name: "…"), or leave it out`)
		}
		r.declared.calls = append(r.declared.calls, call)
	}
}

func labels(d *ast.Definition) []string {
	names := make([]string, len(d.EnumValues))
	for i, v := range d.EnumValues {
		names[i] = v.Name
	}
	return names
}

func (r *reader) field(d *ast.Definition, f *ast.FieldDefinition) *declaredField {
	field := &declaredField{FieldDefinition: f, path: []string{strings.Join(words(f.Name), "_")}}
	if !ValidName(f.Name) {
		r.mistake(f.Position, "the name "+f.Name+" is one of introspection", "choose another one")
	}
	if len(f.Arguments) > 0 {
		r.mistake(f.Position, d.Name+"."+f.Name+" is a value in JSON, which takes no arguments", "leave them out, or write a function of the view's row")
	}
	r.directives(f.Directives, map[string]func(*ast.Directive){
		"json": func(v *ast.Directive) {
			field.given = true
			field.path = strings.Split(r.text(v, "path", true), ".")
			if slices.Contains(field.path, "") {
				r.mistake(v.Position, "a path is names of members with dots between them", `@json(path: "meta.published_at")`)
			}
		},
		"cost":       func(v *ast.Directive) { field.cost = r.number(v, "weight") },
		"role":       func(v *ast.Directive) { field.roles = r.texts(v, "name") },
		"deprecated": func(*ast.Directive) {},
	})
	return field
}

// directives takes the ones that are known.
func (r *reader) directives(list ast.DirectiveList, known map[string]func(*ast.Directive)) {
	var names []string
	for name := range known {
		names = append(names, "@"+name)
	}
	slices.Sort(names)
	for i, d := range list {
		take := known[d.Name]
		switch {
		case take == nil:
			r.mistake(d.Position, "there is no directive @"+d.Name+" here", diag.DidYouMean("@"+d.Name, names, "leave it out"))
		case list[:i].ForName(d.Name) != nil:
			r.mistake(d.Position, "@"+d.Name+" is said twice", "leave one of them out")
		default:
			take(d)
		}
	}
}

func (r *reader) text(d *ast.Directive, name string, required bool) string {
	a := d.Arguments.ForName(name)
	switch {
	case a == nil && !required:
		return ""
	case a == nil || a.Value.Kind != ast.StringValue || a.Value.Raw == "":
		r.mistake(d.Position, "@"+d.Name+" takes a text as `"+name+"`", "@"+d.Name+"("+name+`: "…")`)
		return "-"
	}
	return a.Value.Raw
}

func (r *reader) number(d *ast.Directive, name string) uint16 {
	if a := d.Arguments.ForName(name); a != nil && a.Value.Kind == ast.IntValue {
		if n, err := strconv.ParseUint(a.Value.Raw, 10, 16); err == nil && n > 0 {
			return uint16(n)
		}
	}
	r.mistake(d.Position, "@"+d.Name+" takes a number from 1 to 65535 as `"+name+"`", "@"+d.Name+"("+name+": 10)")
	return 0
}

// texts reads a list of texts, or a single one.
func (r *reader) texts(d *ast.Directive, name string) []string {
	a := d.Arguments.ForName(name)
	if a == nil || a.Value.Kind != ast.ListValue {
		return []string{r.text(d, name, true)}
	}
	var list []string
	for _, item := range a.Value.Children {
		if item.Value.Kind != ast.StringValue {
			r.mistake(d.Position, "@"+d.Name+" takes texts as `"+name+"`", "@"+d.Name+"("+name+`: ["…"])`)
			return nil
		}
		list = append(list, item.Value.Raw)
	}
	return list
}

// fieldTypes looks whether the types of fields are there.
func (r *reader) fieldTypes(t *declaredType) {
	for _, f := range t.fields {
		of := f.Type
		if of.Elem != nil {
			of = of.Elem
		}
		_, scalar := jsonTypes[of.NamedType]
		switch {
		case of.Elem != nil:
			r.mistake(f.Position, t.Name+"."+f.Name+" is a list of lists", "JSON is the type of what is deeper than a list")
		case !scalar && r.names[of.NamedType] == nil:
			var names []string
			for name := range r.names {
				names = append(names, name)
			}
			for name := range jsonTypes {
				names = append(names, name)
			}
			slices.Sort(names)
			r.mistake(f.Position, "no type has the name "+of.NamedType, diag.DidYouMean(of.NamedType, names, "declare it, or use JSON"))
		}
	}
}

// jsonTypes are the scalars that values in JSON can be, and the types by which PostgreSQL compares them.
var jsonTypes = map[string]string{
	"ID": "text", "String": "text", "Int": "int4", "Float": "float8", "Boolean": "bool", "BigInt": "int8", "Decimal": "numeric", "UUID": "uuid",
	"Date": "date", "Time": "time", "LocalDateTime": "timestamp", "DateTime": "timestamptz", "Interval": "interval", "JSON": "jsonb",
}
