package plan

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Values are held as nil, bool, string, json.Number, []any and map[string]any, whether they came as
// variables or as literals: numbers keep the digits that were sent. Coerced, one of the type JSON is a
// json.RawMessage.

// File is the content of a file that a request brought, in base64: a value of Bytes, and of nothing else.
type File string

// hasFile tells whether there is a file in a value.
func hasFile(value any) bool {
	switch value := value.(type) {
	case File:
		return true
	case []any:
		return slices.ContainsFunc(value, hasFile)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), hasFile)
	}
	return false
}

// Variables coerces a request's variables (specification, section 6.1.2). Names the operation does not
// declare are refused: a misspelt variable would otherwise be a filter that silently is none.
func Variables(s *ast.Schema, op *ast.OperationDefinition, given map[string]any) (map[string]any, gqlerror.List) {
	var problems gqlerror.List
	values := make(map[string]any, len(op.VariableDefinitions))
	inputs := maxInputs
	for _, v := range op.VariableDefinitions {
		raw, present := given[v.Variable]
		if crowdedInput(s, v.Type, raw, &inputs) {
			return nil, gqlerror.List{tooComplex("the filters and orders of the request have more than %d conditions and keys", maxConditions).problem("", v.Position)}
		}
		if !present && v.DefaultValue != nil {
			raw, present = literal(v.DefaultValue, nil), true
		}
		if !present {
			if v.Type.NonNull {
				problems = append(problems, Problem(BadUserInput, fmt.Sprintf("variable $%s of type %s is required", v.Variable, v.Type), v.Position))
			}
			continue
		}
		value, err := coerce(s, v.Type, raw, maxInputDepth)
		if err != nil {
			problems = append(problems, err.problem("variable $"+v.Variable, v.Position))
			continue
		}
		values[v.Variable] = value
	}
	var strange []string
	for name := range given {
		if op.VariableDefinitions.ForName(name) == nil {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	for _, name := range strange[:min(len(strange), max(0, maxProblems-len(problems)))] {
		problems = append(problems, Problem(BadUserInput, fmt.Sprintf("variable $%s is not declared by the operation", Shorten(name, 80)), op.Position))
	}
	return values, problems
}

// arguments gives the values of a field's arguments; those not given, or given as a variable that is
// not there, are absent.
func arguments(s *ast.Schema, f *ast.Field, variables map[string]any) (map[string]any, *gqlerror.Error) {
	values := make(map[string]any, len(f.Arguments))
	for _, a := range f.Arguments {
		if absent(a.Value, variables) {
			continue
		}
		definition := f.Definition.Arguments.ForName(a.Name)
		value, err := coerce(s, definition.Type, literal(a.Value, variables), maxInputDepth)
		if err != nil {
			return nil, err.problem("argument "+a.Name, a.Position)
		}
		values[a.Name] = value
	}
	return values, nil
}

func absent(v *ast.Value, variables map[string]any) bool {
	if v.Kind != ast.Variable {
		return false
	}
	_, present := variables[v.Raw]
	return !present
}

// literal turns a value of the document into our form, with variables put in.
func literal(v *ast.Value, variables map[string]any) any {
	switch v.Kind {
	case ast.Variable:
		return variables[v.Raw]
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.NullValue:
		return nil
	case ast.ListValue:
		list := make([]any, 0, len(v.Children))
		for _, child := range v.Children {
			list = append(list, literal(child.Value, variables))
		}
		return list
	case ast.ObjectValue:
		object := make(map[string]any, len(v.Children))
		for _, child := range v.Children {
			if !absent(child.Value, variables) {
				object[child.Name] = literal(child.Value, variables)
			}
		}
		return object
	default:
		return v.Raw
	}
}

// inputError says what is wrong with a value and where in it: ".where.title: …".
type inputError struct {
	path, message, code string
	alone               bool // the message says what it is about
}

func (e *inputError) Error() string { return e.path + ": " + e.message }

func (e *inputError) under(step string) *inputError {
	e.path = step + e.path
	return e
}

// problem is the error of the request; what names the value as a whole, such as "argument where".
func (e *inputError) problem(what string, at *ast.Position) *gqlerror.Error {
	if e.code == TooComplex {
		return Problem(TooComplex, e.message, at) // the place in the value would be as long as it is deep
	}
	if e.alone {
		return Problem(e.code, e.message, at)
	}
	return Problem(e.code, what+e.Error(), at)
}

func wrong(format string, args ...any) *inputError {
	return &inputError{message: fmt.Sprintf(format, args...), code: BadUserInput}
}

// whole is an error whose message says what it is about.
func whole(format string, args ...any) *inputError {
	e := wrong(format, args...)
	e.alone = true
	return e
}

func tooComplex(format string, args ...any) *inputError {
	return &inputError{message: fmt.Sprintf(format, args...), code: TooComplex}
}

// coerce checks a value against an input type and gives it in its final form (section 3.12 and 3.5).
// depth is how many levels it may still have.
// A slot stands for a value that has been coerced already.
func coerce(s *ast.Schema, t *ast.Type, value any, depth int) (any, *inputError) {
	if depth < 0 {
		return nil, tooComplex("a value of the request has more than %d levels", maxInputDepth)
	}
	switch value.(type) {
	case slot, alike:
		return value, nil
	}
	if value == nil {
		if t.NonNull {
			return nil, wrong("null is not a value of %s", t)
		}
		return nil, nil
	}
	if t.Elem != nil {
		return coerceList(s, t, value, depth-1)
	}
	definition := s.Types[t.NamedType]
	switch definition.Kind {
	case ast.InputObject:
		return coerceObject(s, definition, value, depth-1)
	case ast.Enum:
		label, ok := value.(string)
		if !ok || definition.EnumValues.ForName(label) == nil {
			return nil, wrong("%s is not a value of the enum %s", show(value), t.NamedType)
		}
		return label, nil
	default:
		return coerceScalar(t.NamedType, value)
	}
}

func coerceList(s *ast.Schema, t *ast.Type, value any, depth int) (any, *inputError) {
	items, ok := value.([]any)
	if !ok {
		items = []any{value} // one value stands for a list of one
	}
	list := make([]any, len(items))
	for i, item := range items {
		v, err := coerce(s, t.Elem, item, depth)
		if err != nil {
			return nil, err.under("[" + strconv.Itoa(i) + "]")
		}
		list[i] = v
	}
	return list, nil
}

func coerceObject(s *ast.Schema, definition *ast.Definition, value any, depth int) (any, *inputError) {
	given, ok := value.(map[string]any)
	if !ok {
		return nil, wrong("%s is not an object of type %s", show(value), definition.Name)
	}
	exactlyOne := definition.Directives.ForName("oneOf") != nil
	object := make(map[string]any, len(given))
	known := 0
	for _, f := range definition.Fields {
		raw, present := given[f.Name]
		switch {
		case present:
			known++
		case f.DefaultValue != nil:
			raw = literal(f.DefaultValue, nil)
		case f.Type.NonNull:
			return nil, wrong("the field %q is required", f.Name)
		default:
			continue
		}
		if raw == nil && exactlyOne {
			return nil, wrong("null is not a value of %s", f.Type).under("." + f.Name)
		}
		v, err := coerce(s, f.Type, raw, depth)
		if err != nil {
			return nil, err.under("." + f.Name)
		}
		object[f.Name] = v
	}
	if known < len(given) {
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if definition.Fields.ForName(name) == nil {
				return nil, wrong("%s has no field %q", definition.Name, name)
			}
		}
	}
	if exactlyOne && len(given) != 1 {
		return nil, wrong("%s takes exactly one field, not %d", definition.Name, len(given))
	}
	return object, nil
}

var (
	integerForm     = regexp.MustCompile(`^-?[0-9]+$`)
	decimalForm     = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$|^-?Infinity$|^NaN$`)
	startsWithDigit = regexp.MustCompile(`^\s*[0-9]`)
	localForms      = map[string]*regexp.Regexp{
		"LocalDateTime": regexp.MustCompile(`^[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]*)?)?)?( BC)?$`),
		"Time":          regexp.MustCompile(`^[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]*)?)?$`),
	}
)

// coerceScalar checks what GraphQL itself defines and what would otherwise be ambiguous; the rest is
// text that PostgreSQL judges by the column's type.
func coerceScalar(name string, value any) (any, *inputError) {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	if file, isFile := value.(File); isFile && name == "Bytes" {
		return string(file), nil
	}
	if hasFile(value) {
		return nil, wrong("a file is a value of Bytes, not of %s", name)
	}
	switch name {
	case "Boolean":
		if yes, ok := value.(bool); ok {
			return yes, nil
		}
	case "Int":
		if n, ok := wholeNumber(number); isNumber && ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return json.Number(strconv.FormatInt(n, 10)), nil
		}
	case "BigInt":
		if isNumber {
			text = string(number)
		}
		if (isText || isNumber) && integerForm.MatchString(text) {
			return text, nil
		}
	case "Float":
		if isNumber {
			return number, nil
		}
		if text == "NaN" || text == "Infinity" || text == "-Infinity" { // as they are given out
			return text, nil
		}
	case "Decimal":
		if isNumber {
			text = string(number)
		}
		if (isText || isNumber) && decimalForm.MatchString(text) {
			return text, nil
		}
	case "ID":
		if isText {
			return text, nil
		}
		if isNumber && integerForm.MatchString(string(number)) {
			return string(number), nil
		}
	case "JSON":
		if hasSlot(value) {
			return value, nil
		}
		b, err := json.Marshal(value) // a text "1" is not the number 1
		if err != nil {
			return nil, wrong("the value cannot be written as JSON")
		}
		return json.RawMessage(b), nil
	default:
		if isText {
			return coerceText(name, text)
		}
	}
	return nil, wrong("%s is not a value of %s", show(value), name)
}

// coerceText checks what PostgreSQL would read in another way than it was meant, or would judge where nobody can tell
// whose value it is.
func coerceText(name, text string) (any, *inputError) {
	switch form := localForms[name]; {
	case form != nil && startsWithDigit.MatchString(text) && !form.MatchString(text):
		return nil, wrong("%s is not a value of %s, which has no offset: PostgreSQL would overlook one", show(text), name)
	case name == "Bytes":
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			return nil, wrong("%s is not a value of Bytes: it is no base64", show(text))
		}
	}
	return text, nil
}

// wholeNumber reads 3 and also 3.0 and 3e2, which section 3.5.1 lets a variable be.
func wholeNumber(n json.Number) (int64, bool) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// show writes a value into a message, cut to a length that cannot flood a log.
func show(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		return "the value"
	}
	return Shorten(string(b), 80)
}

// Shorten cuts a text to at most most bytes, between two characters, and says so.
func Shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
