package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Question asks what the values of a declared type are in the database. Its one row has the number of values, then for
// each field how many have it, how many have a value of it, and one that is of no such type, as a text.
type Question struct {
	SQL string

	where  string // "public.v_book", "public.v_book: author"
	fields []*declaredField
}

// deepest is how many types within each other are looked at: what contains each other has ever more ways.
const deepest = 4

// sampled is how many rows of a view are looked at.
const sampled = 1000

// Questions gives those to ask of what a role sees, and tells of views and columns that are not there.
func (d *Declared) Questions(c *catalog.Catalog) ([]Question, []Mistake) {
	var list []Question
	var mistakes []Mistake
	for _, t := range d.types {
		if t.view == "" {
			continue
		}
		view := t.table(c)
		if view == nil {
			var names []string
			for _, table := range c.Tables {
				names = append(names, table.Name)
			}
			mistakes = append(mistakes, t.mistake("the database has no view `"+t.view+"` that may be read", diag.DidYouMean(t.view, names, "create it, or correct @view")))
			continue
		}
		for _, key := range t.key {
			if view.Column(key) == nil {
				mistakes = append(mistakes, t.mistake(qualified(view)+" has no column `"+key+"` that may be read", "let the view have it, or correct @key"))
			}
		}
		data := view.Column(t.data)
		if data == nil {
			continue // each field that is no column is told of as a warning of the schema
		}
		if name := data.Type.Resolve().Name; name != "jsonb" && name != "json" {
			mistakes = append(mistakes, t.mistake("the column `"+t.data+"` of "+qualified(view)+" is "+data.Type.SQL+", and no JSON", `name the one that is: @view(name: "…", data: "…")`))
			continue
		}
		from := fmt.Sprintf("(select %s::jsonb d from %s limit %d) s", catalog.QuoteIdent(data.Name), view.SQL(), sampled)
		list = append(list, d.questions(t, qualified(view), from, view, []*declaredType{t})...)
	}
	return list, mistakes
}

// Absent tells of what schema files name and none of the catalogs has: views, their columns, and functions.
func (d *Declared) Absent(seen []*catalog.Catalog) []Mistake {
	var mistakes []Mistake
	missing := map[string]int{}
	for _, c := range seen {
		_, of := d.Questions(c)
		for _, m := range of {
			if missing[m.Place()+m.Message]++; missing[m.Place()+m.Message] == len(seen) {
				mistakes = append(mistakes, m)
			}
		}
	}
	return append(mistakes, d.uncalled(seen)...)
}

// uncalled tells of the fields of Query and Mutation whose functions are in none of the catalogs.
func (d *Declared) uncalled(seen []*catalog.Catalog) []Mistake {
	var mistakes []Mistake
	for _, call := range d.calls {
		if !slices.ContainsFunc(seen, func(c *catalog.Catalog) bool { return slices.ContainsFunc(c.Functions, call.means) }) {
			mistakes = append(mistakes, mistakeAt(call.Position, "the database has no function `"+call.function+"` that may be executed", "create it, grant it, or correct @function"))
		}
	}
	return mistakes
}

// means tells whether a call is of a function.
func (c *declaredCall) means(f *catalog.Function) bool {
	return c.function == f.Name || c.function == f.Schema+"."+f.Name
}

func (t *declaredType) mistake(message, hint string) Mistake {
	return mistakeAt(t.Position, message, hint)
}

func mistakeAt(at *ast.Position, message, hint string) Mistake {
	return Mistake{File: at.Src.Name, Line: at.Line, Column: at.Column, Message: message, Hint: hint}
}

func (d *Declared) typeOf(name string) *declaredType {
	i := slices.IndexFunc(d.types, func(t *declaredType) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return d.types[i]
}

// questions asks of a type's values, and of those in them; above are the types that it is within.
func (d *Declared) questions(t *declaredType, where, from string, view *catalog.Table, above []*declaredType) []Question {
	q := Question{where: where}
	columns := []string{"count(*)"}
	var inner []Question
	for _, f := range t.fields {
		if view != nil {
			if own, _ := f.columnIn(view); own != nil {
				continue
			}
		}
		path := []string{"s.d"}
		for _, name := range f.path {
			path = append(path, "'"+strings.ReplaceAll(name, "'", "''")+"'")
		}
		value := strings.Join(path, " -> ")
		kind := "jsonb_typeof(" + value + ")"
		columns = append(columns, "count("+value+")", "count(*) filter (where "+kind+" <> 'null')",
			"min(("+value+")::text) filter (where "+kind+" <> 'null' and not ("+d.fits(f, value, kind)+"))")
		q.fields = append(q.fields, f)
		name := f.Type.Name()
		within := d.typeOf(name)
		if within == nil || slices.Contains(above, within) || len(above) == deepest {
			continue
		}
		below := "(select " + value + " d from " + from + " where " + kind + " = 'object') s"
		if f.Type.Elem != nil {
			below = "(select e.d from " + from + " cross join lateral jsonb_array_elements(case when " + kind + " = 'array' then " + value + " end) e(d) where jsonb_typeof(e.d) = 'object') s"
		}
		inner = append(inner, d.questions(within, where+"."+f.Name, below, nil, append(slices.Clone(above), within))...)
	}
	q.SQL = "select " + strings.Join(columns, ", ") + " from " + from
	if len(q.fields) == 0 {
		return inner
	}
	return append([]Question{q}, inner...)
}

// fits writes the condition that a value in JSON is of a field's type.
func (d *Declared) fits(f *declaredField, value, kind string) string {
	text := "(" + value + ") #>> '{}'"
	if f.Type.Elem != nil {
		return kind + " = 'array'"
	}
	switch name := f.Type.NamedType; name {
	case "JSON":
		return "true"
	case "Int":
		return "case when " + kind + " = 'number' and " + text + " ~ '^-?[0-9]{1,10}$' then (" + text + ")::numeric between -2147483648 and 2147483647 else false end"
	case "Float":
		return kind + " = 'number'"
	case "Boolean":
		return kind + " = 'boolean'"
	case "ID":
		return kind + " in ('string', 'number')"
	case "BigInt":
		return kind + " in ('string', 'number') and " + text + " ~ '^-?[0-9]+$'"
	case "Decimal":
		return kind + " in ('string', 'number') and " + text + " ~ '^-?[0-9.]+(e[-+]?[0-9]+)?$'"
	case "UUID":
		return kind + " = 'string' and " + text + " ~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){4}[0-9a-f]{8}$'"
	case "Date":
		return kind + " = 'string' and " + text + " ~ '^(-?infinity|[0-9]{4,}-[0-9]{2}-[0-9]{2}.*)$'"
	case "DateTime", "LocalDateTime":
		return kind + " = 'string' and " + text + " ~ '^(-?infinity|[0-9]{4,}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*)$'"
	default:
		if d.typeOf(name) != nil {
			return kind + " = 'object'"
		}
		if i := slices.IndexFunc(d.enums, func(e *ast.Definition) bool { return e.Name == name }); i >= 0 {
			labels := make([]string, len(d.enums[i].EnumValues))
			for n, v := range d.enums[i].EnumValues {
				labels[n] = "'" + v.Name + "'"
			}
			return text + " in (" + strings.Join(labels, ", ") + ")"
		}
		return kind + " = 'string'"
	}
}

// Judge tells what the answer to a question says of the declaration.
func (q Question) Judge(answer []any) []Mistake {
	total, _ := answer[0].(int64)
	if total == 0 {
		return nil
	}
	var mistakes []Mistake
	for i, f := range q.fields {
		there, _ := answer[1+3*i].(int64)
		some, _ := answer[2+3*i].(int64)
		wrong, misfit := answer[3+3*i].(string)
		path := strings.Join(f.path, ".")
		of := strconv.FormatInt(total, 10)
		switch {
		case misfit:
			mistakes = append(mistakes, mistakeAt(f.Position, fmt.Sprintf("%s has at `%s` what is no %s: %s", q.where, path, cmp.Or(f.Type.NamedType, f.Type.String()), shorten(wrong)),
				"correct the type, or the view"))
		case there == 0:
			mistakes = append(mistakes, mistakeAt(f.Position, "no value of "+q.where+" has a member `"+path+"` ("+of+" were looked at)", `let the view have it, or say where it is: @json(path: "…")`))
		case f.Type.NonNull && some < total:
			mistakes = append(mistakes, mistakeAt(f.Position, fmt.Sprintf("%s has nothing at `%s` in %d of %s values, and the field is never null", q.where, path, total-some, of), "leave the ! out, or mend the view"))
		}
	}
	return mistakes
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return text
}
