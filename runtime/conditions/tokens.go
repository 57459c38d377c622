package conditions

import (
	"errors"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// operators are all that the language has; the parser knows more, and none of that gets as far as to it.
var operators = []string{
	"==", "!=", "<", "<=", ">", ">=", "&&", "||", "!", "and", "or", "not", "in", "contains", "startsWith", "endsWith",
	"matches", "+", "-", "*", "/", "%", "??", ".", ",",
}

// functions with how many arguments each takes.
var functions = map[string]int{
	"changed": 1, "changed_to": 2, "changed_from": 2, "is_new": 0, "is_deleted": 0, "lower": 1, "upper": 1, "trim": 1, "len": 1,
}

// fixes say what to write for what people bring from SQL and from other languages.
var fixes = map[string]string{
	"=": "write == to compare", "<>": "write != for what differs", "&": "write && or and", "|": "write || or or",
	"?": "there is no choice by ?: — write it with && and ||", "?.": "a member of null is null: write .",
	"{": "there are no objects and no blocks", "}": "there are no objects and no blocks", ";": "a condition is one expression",
	"::": "there are no casts", ":": "there are no slices: take one element by its position", "===": "write ==", "!==": "write !=",
	"AND": "write and", "OR": "write or", "NOT": "write not", "IN": "write in", "NULL": "write null", "nil": "write null",
	"undefined": "write null", "None": "write null", "TRUE": "write true", "FALSE": "write false", "True": "write true", "False": "write false",
	"is": "write == null or != null", "IS": "write == null or != null",
	"like": "write contains, startsWith, endsWith or matches", "LIKE": "write contains, startsWith, endsWith or matches",
	"ilike": "write lower(…) contains '…'", "ILIKE": "write lower(…) contains '…'",
	"between": "write a >= x && a <= y", "BETWEEN": "write a >= x && a <= y",
}

// scan takes the text apart and refuses what the language does not have, with what to write in its place: the parser
// would take some of it, and complain of the rest in words that help nobody.
func scan(text string, p places) ([]lexer.Token, error) {
	tokens, err := lexer.Lex(file.NewSource(text))
	if err != nil {
		var e *file.Error
		if errors.As(err, &e) && e.Message == "literal not terminated" {
			return nil, p.span(e.From, e.To, len(text)).problem("syntax", "a text is not closed: its second quote is missing")
		} else if errors.As(err, &e) {
			return nil, p.span(e.From, e.To, len(text)).problem("syntax", "the condition cannot be read: %s", e.Message)
		}
		return nil, span{0, len(text)}.problem("syntax", "the condition cannot be read")
	}
	for i, t := range tokens {
		at := p.span(t.From, t.To, len(text))
		var before, after lexer.Token
		if i > 0 {
			before = tokens[i-1]
		}
		if i+1 < len(tokens) {
			after = tokens[i+1]
		}
		if err := admit(at, before, t, after); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

// admit judges a token by itself and its neighbours.
func admit(at span, before, t, after lexer.Token) *Error {
	switch t.Kind {
	case lexer.Operator:
		if touching := t.To == after.From && after.Kind == lexer.Operator; touching {
			if fix, known := fixes[t.Value+after.Value]; known {
				return span{at.from, at.to + len(after.Value)}.problem("operator", "there is no operator %s", t.Value+after.Value).try("%s", fix)
			}
		}
		if !slices.Contains(operators, t.Value) {
			return at.problem("operator", "there is no operator %s", t.Value).try("%s", fixFor(t.Value))
		}
	case lexer.Bracket:
		if t.Value == "{" || t.Value == "}" {
			return at.problem("syntax", "%s has no place in a condition", t.Value).try("%s", fixes[t.Value])
		}
	case lexer.Bytes:
		return at.problem("syntax", "there are no bytes in conditions").try("write the text without the b before it")
	case lexer.String:
		if before.Kind == lexer.String {
			return at.problem("syntax", "a text follows a text").try(`a quote within a text is written \', or put the text in "…"`)
		}
	case lexer.Identifier:
		return admitName(at, before, t, after)
	}
	return nil
}

// admitName sees to it that only functions of the language are called, and that keywords of SQL get their answer.
func admitName(at span, before, t, after lexer.Token) *Error {
	member := before.Is(lexer.Operator, ".")
	_, known := functions[t.Value]
	switch called := after.Is(lexer.Bracket, "("); {
	case called && member:
		return at.problem("unknown-function", "values have no functions of their own").try("write %s(…) around the value", t.Value)
	case called && !known && fixes[t.Value] == "":
		names := make([]string, 0, len(functions))
		for name := range functions {
			names = append(names, name)
		}
		slices.Sort(names)
		return at.problem("unknown-function", "there is no function %q", t.Value).try("%s", diag.DidYouMean(t.Value, names, "there are "+strings.Join(names, ", ")))
	case !member && fixes[t.Value] != "":
		return at.problem("operator", "%q is not a word of conditions", t.Value).try("%s", fixes[t.Value])
	}
	return nil
}

func fixFor(operator string) string {
	if fix, known := fixes[operator]; known {
		return fix
	}
	return "there are " + strings.Join(operators[:len(operators)-2], " ")
}

// withoutDigits gives the text with zeros in place of every number. The parser reads numbers as int64 and float64, which
// lose digits or refuse them; their true text is at the same place of the original.
func withoutDigits(text string, tokens []lexer.Token, p places) string {
	blank := []byte(text)
	for _, t := range tokens {
		if t.Kind == lexer.Number {
			at := p.span(t.From, t.To, len(text))
			for i := at.from; i < at.to; i++ {
				blank[i] = '0'
			}
		}
	}
	return string(blank)
}
