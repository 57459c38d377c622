package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Param is what a statement takes at one of its places $1, $2, …: a text that is known, or one that is
// made of the request's variables.
type Param struct {
	constant []byte
	source   any    // holds a slot; nil for a constant
	write    writer // gives the text of source's value
	what     string // "argument limit", for the error of a value that cannot be taken
	path     ast.Path
	at       *ast.Position
}

// Refused is the problem of a value that the database does not take: that of parameter $number.
func (s *Statement) Refused(number int, why string) *gqlerror.Error {
	if number < 1 || number > len(s.Params) {
		return Problem(BadUserInput, why, nil)
	}
	p := s.Params[number-1]
	problem := wrong("%s", why).problem(p.what, p.at)
	problem.Path = p.path
	return problem
}

// writer gives a coerced value in the form in which PostgreSQL reads it, nil for null, or says why it cannot
// be taken.
type writer func(value any) ([]byte, *inputError)

// Bind gives the statements of a plan with the values of a request. A request that is estimated to read more than
// rows is refused; 0 is no bound.
func (p *Plan) Bind(variables map[string]any, rows int) (Bound, *gqlerror.Error) {
	bound := Bound{Plan: p, Calls: make([]Call, 0, len(p.Fields))}
	var problem *gqlerror.Error
	if bound.Cost, problem = p.cost(variables, rows); problem != nil {
		return bound, problem
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		for _, step := range f.Steps {
			if problem := bound.add(step, variables); problem != nil {
				return bound, problem
			}
		}
		for _, later := range f.Later {
			bound.Later = append(bound.Later, later.bind(variables))
		}
		if f.Statement == nil {
			continue
		}
		if problem := bound.add(f.Statement, variables); problem != nil {
			return bound, problem
		}
	}
	if p.Together != nil {
		call, _, _ := p.Together.bind(variables) // its values are those that have just been taken
		bound.Together = &call
	}
	return bound, nil
}

func (b *Bound) add(s *Statement, variables map[string]any) *gqlerror.Error {
	call, param, err := s.bind(variables)
	if err != nil {
		problem := err.problem(param.what, param.at)
		problem.Path = param.path
		return problem
	}
	b.Calls = append(b.Calls, call)
	return nil
}

// Call is a statement with the values of one request: $1, $2, … in PostgreSQL's text form.
type Call struct {
	*Statement
	Args [][]byte
}

// param adds a value and gives its place in the statement.
func (c *compiler) param(value any, write writer) (string, *inputError) {
	p := Param{write: write, what: c.what, at: c.at, path: slices.Clone(c.path)}
	if hasSlot(value) {
		p.source = value
	} else {
		text, err := write(value)
		if err != nil {
			return "", err
		}
		p.constant = text
	}
	c.params = append(c.params, p)
	return "$" + strconv.Itoa(len(c.params)), nil
}

// scalarText writes a scalar.
func scalarText(v any) ([]byte, *inputError) { return []byte(textOf(v)), nil }

func textOf(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return string(v)
	case json.RawMessage:
		return string(v)
	case string:
		return v
	default: // JSON of a literal with variables in it; it was decoded from JSON, so it can be encoded again
		b, _ := json.Marshal(v)
		return string(b)
	}
}

// listText writes lists of values of a codec, as deep as dimensions says. JSON that is a list is one value of it, and
// no list within.
func listText(codec *schema.Codec, dimensions int) writer {
	if codec.GraphQL != "JSON" {
		return arrayText
	}
	return func(v any) ([]byte, *inputError) { return arrayText(texts(v.([]any), dimensions)) }
}

// texts writes what is in lists of so many levels as texts.
func texts(items []any, levels int) []any {
	list := make([]any, len(items))
	for i, item := range items {
		inner, isList := item.([]any)
		switch {
		case item == nil:
		case isList && levels > 1:
			list[i] = texts(inner, levels-1)
		default:
			list[i] = textOf(item)
		}
	}
	return list
}

// arrayText writes a list in PostgreSQL's array notation, every element quoted.
func arrayText(v any) ([]byte, *inputError) { return appendArray(nil, v.([]any)), nil }

func appendArray(b []byte, items []any) []byte {
	b = append(b, '{')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		switch item := item.(type) {
		case nil:
			b = append(b, "NULL"...)
		case []any:
			b = appendArray(b, item)
		default:
			b = append(b, '"')
			b = append(b, arrayEscapes.Replace(textOf(item))...)
			b = append(b, '"')
		}
	}
	return append(b, '}')
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// patternText writes a text as the part of a LIKE pattern that means it literally.
func patternText(before, after string) writer {
	return func(v any) ([]byte, *inputError) {
		return []byte(before + likeEscapes.Replace(textOf(v)) + after), nil
	}
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// countText writes a number of rows, which must not be negative nor over most.
func countText(what string, most int) writer {
	return func(v any) ([]byte, *inputError) {
		n, _ := strconv.Atoi(textOf(v)) // Int has been coerced: it is a whole number of 32 bits
		switch {
		case n < 0:
			return nil, whole("%s must not be negative", what)
		case most > 0 && n > most:
			return nil, whole("%s %d is over the most that is allowed, %d: ask for pages", what, n, most)
		}
		return strconv.AppendInt(nil, int64(n), 10), nil
	}
}
