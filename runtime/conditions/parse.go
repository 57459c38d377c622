package conditions

import (
	"errors"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// parse gives the parser's tree of a text. The tokens have been admitted before, so that all that can be in it is literals,
// names, members, calls of our functions, lists and our operators.
func parse(text string) (ast.Node, error) {
	p := placesOf(text)
	tokens, err := scan(text, p)
	if err != nil {
		return nil, err
	}
	if len(tokens) <= 1 { // there is always the end
		return nil, span{0, len(text)}.problem("empty", "the condition is empty").try("leave it out to mean every change")
	}
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	config.DisableIfOperator = true
	for name := range config.Builtins {
		config.Disabled[name] = true
	}
	tree, err := parser.ParseWithConfig(withoutDigits(text, tokens, p), config)
	if err == nil {
		return tree.Node, nil
	}
	at, message := span{0, len(text)}, err.Error()
	var e *file.Error
	if errors.As(err, &e) {
		at, message = p.span(e.From, e.To, len(text)), e.Message
	}
	switch {
	case strings.Contains(message, "maximum allowed nodes"):
		return nil, span{0, len(text)}.problem("too-large", "the condition has more than %d parts", maxNodes)
	case strings.Contains(message, "coalesce"):
		return nil, at.problem("syntax", "?? and %s beside each other need parentheses", text[at.from:at.to]).try("write (a ?? b) %s …", text[at.from:at.to])
	case strings.Contains(message, "EOF"), at.to == len(text) && slices.Contains(operators, text[at.from:at.to]):
		return nil, span{len(text), len(text)}.problem("syntax", "the condition is not complete: something is missing at its end")
	case text[at.from:at.to] == ",":
		return nil, at.problem("syntax", ", has no place here").try("a list is written [1, 2]")
	case at.to > at.from:
		return nil, at.problem("syntax", "%s has no place here", text[at.from:at.to])
	default:
		return nil, at.problem("syntax", "the condition cannot be read: %s", message)
	}
}
