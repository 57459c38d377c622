package templates

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// helper is one that templates can call.
type helper struct {
	usage       string
	least, most int
	keys        []string // what it takes by name
	lenient     bool     // it may be given what is not there
	json        bool     // what it gives is JSON
	judge       func(p *parser, c *call) error
	do          func(r *renderer, c *call, given []any, hash map[string]any) (any, error)
}

// helpers are all that there are.
var helpers = map[string]*helper{
	"lookup":   {usage: "lookup object name", least: 2, most: 2, lenient: true, do: lookup},
	"json":     {usage: "json value, or json value indent=2", least: 1, most: 1, keys: []string{"indent"}, json: true, do: toJSON},
	"default":  {usage: "default value fallback", least: 2, most: 2, lenient: true, do: fallback},
	"upper":    {usage: "upper text", least: 1, most: 1, do: upper},
	"lower":    {usage: "lower text", least: 1, most: 1, do: lower},
	"truncate": {usage: "truncate text length, or truncate text length ending", least: 2, most: 3, do: truncate},
	"date":     {usage: "date time 'YYYY-MM-DD HH:mm', and zone='Europe/Paris' if you like", least: 2, most: 2, keys: []string{"zone"}, judge: judgeDate, do: date},
}

func helperNames() []string { return slices.Sorted(maps.Keys(helpers)) }

// lookup gives a member that is named by a value.
func lookup(r *renderer, c *call, given []any, _ map[string]any) (any, error) {
	if isFalse(given[0]) {
		return given[0], nil
	}
	name := textOf(given[1])
	switch field := given[1].(type) {
	case nil:
		name = "null"
	case undefined:
		name = "undefined"
	case json.Number:
		name = plain(field.String())
	}
	return r.settle(c.at, member(given[0], name))
}

func fallback(_ *renderer, _ *call, given []any, _ map[string]any) (any, error) {
	switch v := given[0].(type) {
	case nil, undefined:
		return given[1], nil
	case string:
		if v == "" {
			return given[1], nil
		}
	}
	return given[0], nil
}

func upper(_ *renderer, _ *call, given []any, _ map[string]any) (any, error) {
	return strings.ToUpper(textOf(given[0])), nil
}

func lower(_ *renderer, _ *call, given []any, _ map[string]any) (any, error) {
	return strings.ToLower(textOf(given[0])), nil
}

// truncate gives a text of at most so many characters: what is longer is cut, and ends with … or with what is given.
func truncate(r *renderer, c *call, given []any, _ map[string]any) (any, error) {
	n, err := strconv.Atoi(textOf(given[1]))
	if err != nil || n < 0 {
		return nil, r.problem(c.params[1].at, "arguments", "a length is a whole number, and this is %q", textOf(given[1]))
	}
	s, ending := textOf(given[0]), "…"
	if len(given) > 2 {
		ending = textOf(given[2])
	}
	if utf8.RuneCountInString(s) <= n {
		return s, nil
	}
	last := []rune(ending)
	last = last[:min(len(last), n)]
	return string([]rune(s)[:n-len(last)]) + string(last), nil
}

// toJSON gives a value as JSON. In HTML it is written so that it stays JSON within a script, too.
func toJSON(r *renderer, c *call, given []any, hash map[string]any) (any, error) {
	v, err := r.clean(c.at, given[0], 0)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(r.options.Escape == HTML)
	if indent, ok := hash["indent"]; ok {
		n, err := strconv.Atoi(textOf(indent))
		if err != nil || n < 0 || n > 8 {
			return nil, r.problem(c.at, "arguments", "an indent is a number from 0 to 8")
		}
		e.SetIndent("", strings.Repeat(" ", n))
	}
	if err := e.Encode(v); err != nil {
		return nil, r.problem(c.at, "data", "this cannot be written as JSON")
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// clean gives a value with all that is within it decoded and judged.
func (r *renderer) clean(at span, v any, depth int) (any, error) {
	if err := r.step(at); err != nil {
		return nil, err
	}
	if depth > maxJoined {
		return nil, r.problem(at, "too-large", "the data is more than %d deep", maxJoined)
	}
	v, err := r.settle(at, v)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case undefined:
		return nil, nil
	case []any:
		made := make([]any, len(v))
		for i := range v {
			if made[i], err = r.clean(at, v[i], depth+1); err != nil {
				return nil, err
			}
		}
		return made, nil
	case map[string]any:
		made := make(map[string]any, len(v))
		for name := range v {
			if made[name], err = r.clean(at, v[name], depth+1); err != nil {
				return nil, err
			}
		}
		return made, nil
	}
	return v, nil
}
