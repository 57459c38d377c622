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
	r := &reader{declared: &Declared{}, names: map[string]*ast.Definition{}, reserved: &builder{types: map[string]*ast.Definition{}}}
	r.reserved.reserve()
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
		for _, d := range document.Definitions {
			r.definition(d)
		}
		for _, d := range document.Extensions {
			r.mistake(d.Position, "a type is declared once, and not extended", "put its fields into the type")
		}
		for _, d := range slices.Concat(document.Schema, document.SchemaExtension) {
			r.mistake(d.Position, "the roots of the schema are those that there are", "leave the schema definition out")
		}
		for _, d := range document.Directives {
			r.mistake(d.Position, "directives are those that are there", "leave the definition of @"+d.Name+" out")
		}
	}
	for _, t := range r.declared.types {
		r.fieldTypes(t)
		r.made(t)
	}
	r.distinct()
	if len(r.mistakes) > 0 {
		return nil, r.mistakes
	}
	return r.declared, nil
}

type reader struct {
	declared *Declared
	names    map[string]*ast.Definition
	reserved *builder // it knows the names of the API's own types
	mistakes []Mistake
}

func (r *reader) mistake(at *ast.Position, message, hint string) {
	r.mistakes = append(r.mistakes, Mistake{File: at.Src.Name, Line: at.Line, Column: at.Column, Message: message, Hint: hint})
}

func (r *reader) definition(d *ast.Definition) {
	switch {
	case d.Kind != ast.Object && d.Kind != ast.Enum:
		r.mistake(d.Position, "a schema file has types and enums, and no "+strings.ToLower(string(d.Kind)), "leave it out: inputs and interfaces are made of the types")
		return
	case d.Kind == ast.Object && (d.Name == "Query" || d.Name == "Mutation"):
		r.calls(d)
		return
	case !ValidName(d.Name) || r.reserved.taken(d.Name):
		r.mistake(d.Position, "the name "+d.Name+" is one of the API itself", "choose another one")
		return
	case r.names[d.Name] != nil:
		r.mistake(d.Position, fmt.Sprintf("%s is declared twice: it is in %s, line %d as well", d.Name, r.names[d.Name].Position.Src.Name, r.names[d.Name].Position.Line), "leave one of them out")
		return
	}
	r.names[d.Name] = d
	if d.Kind == ast.Enum {
		r.enum(d)
		return
	}
	if len(d.Interfaces) > 0 || len(d.Fields) == 0 {
		r.mistake(d.Position, d.Name+" implements an interface, or has no fields", "schema files have no interfaces; let the type have a field")
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
			"deprecated": r.deprecated,
		})
		if call.function == "" {
			r.mistake(f.Position, "a field of "+d.Name+" is for a function: what reads types with a view is made by itself", `add @function(name: "…"), or leave it out`)
		}
		r.declared.calls = append(r.declared.calls, call)
	}
}

func (r *reader) enum(d *ast.Definition) {
	r.directives(d.Directives, nil)
	var labels []string
	for _, v := range d.EnumValues {
		if !validLabel(v.Name) || slices.Contains(labels, v.Name) {
			r.mistake(v.Position, "the label "+v.Name+" is none, or is there twice", "leave it out")
		}
		labels = append(labels, v.Name)
		r.directives(v.Directives, map[string]func(*ast.Directive){"deprecated": r.deprecated})
	}
	if len(labels) == 0 {
		r.mistake(d.Position, d.Name+" has no labels", "let it have one, or leave it out")
	}
	e := enumDefinition(d.Name, describe(d.Description, "The values of "+d.Name+"."), labels)
	for i, v := range d.EnumValues {
		e.EnumValues[i].Description, e.EnumValues[i].Directives = v.Description, deprecation(v.Directives)
	}
	r.declared.enums = append(r.declared.enums, e)
}

// deprecated takes a directive of GraphQL's own, whose reason is a text.
func (r *reader) deprecated(d *ast.Directive) { r.text(d, "reason", false) }

// made looks for types that have names which are made for another one.
func (r *reader) made(t *declaredType) {
	names := append(dataNames(t.Name), filterNames(t.Name)...)
	if t.view != "" {
		names = append(names, madeNames(t.Name)...)
	}
	for _, name := range names {
		if d := r.names[name]; d != nil {
			r.mistake(d.Position, "the name "+name+" is that of a type made for "+t.Name, "choose another one")
		}
	}
}

// distinct looks for views and functions that are declared twice.
func (r *reader) distinct() {
	views, functions := map[string]string{}, map[string]string{}
	for _, t := range r.declared.types {
		if other := views[t.view]; t.view != "" && other != "" {
			r.mistake(t.Position, "the view "+t.view+" is that of "+other+" already", "let each type have a view of its own")
		}
		views[t.view] = t.Name
	}
	for _, c := range r.declared.calls {
		if other := functions[c.function]; c.function != "" && other != "" {
			r.mistake(c.Position, "the function "+c.function+" is that of "+other+" already", "leave one of them out")
		}
		functions[c.function] = c.Name
		if name := c.Type.Name(); r.names[name] == nil && jsonTypes[name] == "" {
			r.mistake(c.Position, "no type has the name "+name, "declare it, or use a scalar")
		}
	}
}

func (r *reader) field(d *ast.Definition, f *ast.FieldDefinition) *declaredField {
	if d.Fields.ForName(f.Name) != f {
		r.mistake(f.Position, d.Name+" has two fields "+f.Name, "leave one of them out")
	}
	field := &declaredField{FieldDefinition: f, path: []string{strings.Join(words(f.Name), "_")}}
	if !ValidName(f.Name) {
		r.mistake(f.Position, "the name "+f.Name+" is one of introspection", "choose another one")
	}
	if len(f.Arguments) > 0 {
		r.mistake(f.Position, d.Name+"."+f.Name+" is a value in JSON, which takes no arguments", "leave them out")
	}
	r.directives(f.Directives, map[string]func(*ast.Directive){
		"json": func(v *ast.Directive) {
			field.given = true
			field.path = strings.Split(r.text(v, "path", true), ".")
			if slices.Contains(field.path, "") || strings.ContainsRune(strings.Join(field.path, ""), 0) {
				r.mistake(v.Position, "a path is names of members with dots between them", `@json(path: "meta.published_at")`)
			}
		},
		"cost":       func(v *ast.Directive) { field.cost = r.number(v, "weight") },
		"role":       func(v *ast.Directive) { field.roles = r.texts(v, "name") },
		"deprecated": r.deprecated,
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
			for _, a := range d.Arguments {
				if !slices.Contains(directiveArguments[d.Name], a.Name) {
					r.mistake(d.Position, "@"+d.Name+" has no argument "+a.Name, "it has: "+strings.Join(directiveArguments[d.Name], ", "))
				}
			}
			take(d)
		}
	}
}

// directiveArguments are the arguments of the directives that schema files may have.
var directiveArguments = map[string][]string{
	"view": {"name", "data"}, "key": {"fields"}, "json": {"path"}, "role": {"name"}, "function": {"name"}, "cost": {"weight"}, "deprecated": {"reason"},
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
	if len(a.Value.Children) == 0 {
		r.mistake(d.Position, "@"+d.Name+" takes texts as `"+name+"`, and there are none", "@"+d.Name+"("+name+`: ["…"])`)
	}
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
