package plan

import (
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// handed is what a statement hands to those that come after it in the transaction: values of rows, as texts in a list of
// lists in a setting of the transaction. No answer has to come and go between the two for it, and what PostgreSQL
// writes as a text it reads as the same value.
type handed struct {
	setting string
	columns []*catalog.Column
}

func (h handed) json() string { return "nullif(current_setting('" + h.setting + "', true), '')::json" }

// at writes the value of a column in a row, by its number from 0 on.
func (h handed) at(row int, c *catalog.Column) string {
	return h.value(h.json()+" -> "+strconv.Itoa(row), c)
}

// firm is at for what other rows are to hang on: a value that is null would let them hang on nothing.
func (h handed) firm(row int, c *catalog.Column) string {
	value := h.at(row, c)
	if c.NotNull {
		return value
	}
	return orFail(value+" is not null", "("+value+")::text", looseMark, "length("+h.json()+"::text)") + "::" + c.Type.Resolve().SQL
}

// value writes the value of a column in a row that is a list.
func (h handed) value(row string, c *catalog.Column) string {
	for i := range h.columns {
		if h.columns[i] == c {
			return "(" + row + " ->> " + strconv.Itoa(i) + ")::" + c.Type.Resolve().SQL
		}
	}
	panic("the column " + c.Name + " was not handed over")
}

// list writes the values of columns as a JSON list of texts.
func list(alias string, columns []*catalog.Column) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = column(alias, c) + "::text"
	}
	return "to_json(array[" + strings.Join(texts, ", ") + "])" // an array has no limit of arguments
}

// The marks of errors that statements make of themselves, in a value that is no number: see Marked.
const (
	missingMark = "fraiseql:missing:"
	refusedMark = "fraiseql:refused:"
	placeMark   = "fraiseql:no-place:"
	keptMark    = "fraiseql:kept:"
	looseMark   = "fraiseql:loose:"
	differMark  = "fraiseql:differ:"
	nullMark    = "a function gives null where the field is never null"
)

// orFail writes a text, or an error where a condition does not hold. What is joined to the mark must be read from rows:
// of parameters and constants PostgreSQL would compute the error ahead, whether the condition holds or not.
func orFail(condition, text, mark, joined string) string {
	return "case when " + condition + " then " + text + " else ('" + mark + "' || " + joined + ")::int::text end"
}

// Marked tells what a statement says by an error of its own making.
func Marked(message string) (code, text string, marked bool) {
	switch {
	case strings.Contains(message, missingMark):
		return NotFound, "there is no such row, or one is named twice", true
	case strings.Contains(message, differMark):
		return BadUserInput, "one column is given different values, by two relations or by a relation and a field", true
	case strings.Contains(message, looseMark):
		return BadUserInput, "the row has no value in the column that others name it by, so that none can hang on it", true
	case strings.Contains(message, keptMark):
		return Violation, "the database keeps the key of the row in another form than it was given, so that the row cannot be found by it", true
	case strings.Contains(message, refusedMark):
		return Violation, "the database has not taken the row: a trigger has turned it away", true
	case strings.Contains(message, placeMark):
		return BadUserInput, "a path leads through what is not there: all but its last step must be", true
	}
	return "", "", false
}

// step is a compiler for one more statement of the field of Mutation at work.
func (c *compiler) step() *compiler {
	s := *c
	s.wide, s.loose = map[string]bool{}, map[string]bool{}
	s.params, s.locks, s.read, s.calls, s.functions, s.estimate, s.aliases, s.rows = nil, map[string]bool{}, map[*catalog.Table]bool{}, false, false, nil, 0, &rows{}
	return &s
}

// writing is the field of Mutation at work.
type writing struct {
	number int // among those of the operation
	steps  []*Statement
	made   int // settings
}

func (w *writing) setting() string {
	w.made++
	return "fraiseql.k" + strconv.Itoa(w.number) + "_" + strconv.Itoa(w.made)
}

// done adds a statement whose rows are none of the answer.
func (c *compiler) done(sql string, e *Effect) {
	c.writing.steps = append(c.writing.steps, &Statement{SQL: mention(sql, len(c.params)), Params: c.params, Functions: c.functions, Discard: true, Effect: e, path: c.path, place: c.at, what: c.what})
}

// hand adds a statement that hands over columns of the rows that it writes, or finds. With a count, it fails where these
// are not so many.
//
// The alias is that of the table, for the row itself among the columns.
func (c *compiler) hand(dml, alias string, find bool, columns []*catalog.Column, count, order string, e *Effect) handed {
	h := handed{setting: c.writing.setting(), columns: columns}
	returned, text := "1", "''"
	if len(columns) > 0 {
		returned = strings.Join(c.returning(alias, columns), ", ")
		text = "coalesce(json_agg(" + list("w", columns) + order + ")::text, '')"
	}
	if count != "" {
		mark := missingMark
		if e.Action == schema.Create || e.Action == schema.Upsert {
			mark = refusedMark
		}
		text = orFail("count(*) = "+count, text, mark, "count(*)")
	}
	rowsSQL := dml + " returning " + returned
	if find {
		rowsSQL = "select " + returned + dml
	}
	c.done("with w as ("+rowsSQL+") select set_config('"+h.setting+"', "+text+", true) from w", e)
	return h
}

// returning writes the columns that a statement gives of the rows of an alias.
func (c *compiler) returning(alias string, columns []*catalog.Column) []string {
	list := names(columns)
	for i, n := range columns {
		if n.Name == rowName {
			list[i] = c.wholeRow(alias, n.Type.SQL) + " " + rowName
		}
	}
	return list
}

func names(columns []*catalog.Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = catalog.QuoteIdent(c.Name)
	}
	return list
}
