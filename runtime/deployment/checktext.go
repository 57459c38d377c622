package deployment

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

var (
	annotation  = regexp.MustCompile(`^\s*--.*\+goose\s*(.*?)\s*$`)
	concurrent  = regexp.MustCompile(`(?i)^\s*(create\s+(unique\s+)?index|drop\s+index|reindex\b.*)\s+concurrently\b`)
	dollarQuote = regexp.MustCompile(`\$[A-Za-z_]*\$`)
)

// annotations are those that goose knows, https://pressly.github.io/goose/documentation/annotations/.
var annotations = []string{"Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF"}

// line is a line of a file with its number; 0 is none.
type line struct {
	number int
	text   string
}

// reader goes through a file as goose does: statements end with the semicolon at the end of a line, unless
// they stand between StatementBegin and StatementEnd.
type reader struct {
	file     string
	problems diag.List

	up, down, begin  line // the annotations, begin while it is open
	open             line // a statement that has not ended yet
	early            line // code before Up
	alone            line // a statement that runs in no transaction
	filled           bool // a statement stands below Up
	outside          bool // NO TRANSACTION
	mark             string
	quoted           line // where a dollar-quoted text outside of StatementBegin begins
	semicolonInQuote bool
}

func checkText(file, text string) diag.List {
	r := &reader{file: file}
	number := 0
	for text := range strings.Lines(text) {
		number++
		l := line{number, strings.TrimRight(text, "\r\n")}
		if match := annotation.FindStringSubmatch(l.text); match != nil {
			r.annotation(l, match[1])
			continue
		}
		r.code(l)
	}
	r.end()
	return r.problems
}

func (r *reader) report(severity diag.Severity, at line, code, message, help string) {
	span := diag.Span{File: r.file}
	if at.number > 0 {
		indent := len(at.text) - len(strings.TrimLeft(at.text, " \t"))
		span.Line, span.Column, span.Width = at.number, 1+indent, max(1, utf8.RuneCountInString(at.text[indent:]))
	}
	r.problems = append(r.problems, diag.Diagnostic{Severity: severity, Code: code, Message: message, Help: help, Primary: diag.Label{Span: span}})
}

func (r *reader) annotation(l line, word string) {
	switch word {
	case "Up":
		if r.up.number > 0 {
			r.report(diag.Error, l, "migrations/annotation", "there is a second `goose Up`", "remove it")
		}
		r.up = l
	case "Down":
		r.unfinished()
		r.down = l
	case "StatementBegin":
		if r.begin.number > 0 {
			r.report(diag.Error, l, "migrations/annotation", "the statement before has no `goose StatementEnd`", "-- +goose StatementEnd")
		}
		r.begin = l
	case "StatementEnd":
		if r.begin.number == 0 {
			r.report(diag.Error, l, "migrations/annotation", "no `goose StatementBegin` stands before it", "-- +goose StatementBegin")
		}
		r.begin, r.open = line{}, line{}
	case "NO TRANSACTION":
		r.outside = true
	case "ENVSUB ON", "ENVSUB OFF":
	default:
		help := "one of " + strings.Join(annotations, ", ")
		if near := diag.Nearest(word, annotations); near != "" {
			help = "-- +goose " + near
		}
		r.report(diag.Error, l, "migrations/annotation", "`"+word+"` is nothing that goose knows", help)
	}
}

func (r *reader) code(l line) {
	bare := strings.TrimSpace(l.text)
	if bare == "" || strings.HasPrefix(bare, "--") {
		return
	}
	if r.up.number == 0 && r.early.number == 0 {
		r.early = l
	}
	r.filled = r.filled || r.up.number > 0 && r.down.number == 0
	if concurrent.MatchString(l.text) && r.alone.number == 0 {
		r.alone = l
	}
	if r.begin.number > 0 {
		return
	}
	if r.open.number == 0 {
		r.open = l
	}
	for _, mark := range dollarQuote.FindAllString(l.text, -1) {
		switch r.mark {
		case "":
			r.mark, r.quoted = mark, l
		case mark:
			r.mark = ""
		}
	}
	code, _, _ := strings.Cut(bare, "--")
	if strings.HasSuffix(strings.TrimSpace(code), ";") {
		if r.mark != "" && !r.semicolonInQuote {
			r.semicolonInQuote = true
			r.report(diag.Error, r.quoted, "migrations/cut-statement", "goose would cut this body at its first semicolon",
				"write `-- +goose StatementBegin` before the statement and `-- +goose StatementEnd` after it")
		}
		r.open = line{}
	}
}

// unfinished reports a statement that goose would not run, where a part of the file ends.
func (r *reader) unfinished() {
	if r.open.number > 0 && r.mark == "" {
		r.report(diag.Error, r.open, "migrations/no-semicolon", "the statement has no semicolon at the end of its last line", "write one")
	}
	r.open, r.mark = line{}, ""
}

func (r *reader) end() {
	r.unfinished()
	if r.begin.number > 0 {
		r.report(diag.Error, r.begin, "migrations/annotation", "it has no `goose StatementEnd`", "-- +goose StatementEnd")
	}
	switch {
	case r.up.number == 0:
		r.report(diag.Error, r.early, "migrations/no-up", "the file does not begin with `-- +goose Up`", "-- +goose Up")
	case r.early.number > 0:
		r.report(diag.Error, r.early, "migrations/no-up", "a statement stands before `-- +goose Up`", "move it below")
	case !r.filled:
		r.report(diag.Error, r.up, "migrations/empty", "nothing stands below `-- +goose Up`: migrate up refuses the file", "fill it in, or remove the file")
	case r.down.number == 0:
		r.report(diag.Warning, r.up, "migrations/no-down", "nothing undoes this migration", "-- +goose Down")
	}
	if r.alone.number > 0 && !r.outside {
		r.report(diag.Error, r.alone, "migrations/transaction", "`concurrently` runs in no transaction, but this file would be one", "-- +goose NO TRANSACTION")
	}
}
