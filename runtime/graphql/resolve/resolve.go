// Package resolve gives fields of rows the values that no database has: code is asked for them when the statements of a
// request have been answered, once for all rows of the answer.
//
//	{"users":[{"name":"Ada","avatar":{"email":"ada@…"}}, …]}     what a statement has answered
//	     walk: where the fields stand (plan.Later tells the way)
//	     call: {"email":"ada@…"}, … each row once ──> Func ──> "https://…", …
//	{"users":[{"name":"Ada","avatar":"https://…"}, …]}           put in their places
//
// A field may be made of others that are resolved. They have levels: all fields of a level are asked for at the same
// time, and a level when the ones below it are there. Nothing waits for a timer: when a level begins, all of its rows are
// known.
package resolve

import (
	"context"
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Field is a field of rows and the code that gives its values.
type Field struct {
	schema.Resolved
	Values Func
}

// Func gives a value for each of the rows of a batch, in their order. An error of its own is that of all of them. It is
// called by many requests at once, and should end when ctx does: nobody waits for it any longer then.
//
// The client is told of a [fault.Error]: its message, and the code of its kind. All other errors, and panics, are masked
// with an id that stands in the log beside the cause.
type Func func(ctx context.Context, b Batch) ([]Value, error)

// MostRows is how many rows a batch has at most.
const MostRows = 500

// Batch is what a Func is asked for.
type Batch struct {
	Field     string            // "User.avatar"
	Rows      []json.RawMessage // objects with what the field requires, no two of them alike
	Arguments map[string]any    // as encoding/json reads them, with json.Number for numbers; enums are strings
	Role      string            // of the database, empty for the login
	Claims    json.RawMessage   // of who asks; nil for nobody
}

// Value is the value for one row: what encoding/json makes of Data, or an error.
type Value struct {
	Data any
	Err  error
}

// Typed makes a Func of one that takes rows as a Go type, one value for each.
func Typed[Row, Data any](f func(ctx context.Context, rows []Row, b Batch) ([]Data, error)) Func {
	return func(ctx context.Context, b Batch) ([]Value, error) {
		rows := make([]Row, len(b.Rows))
		for i, text := range b.Rows {
			if err := json.Unmarshal(text, &rows[i]); err != nil {
				return nil, err
			}
		}
		data, err := f(ctx, rows, b)
		values := make([]Value, len(data))
		for i := range data {
			values[i].Data = data[i]
		}
		return values, err
	}
}

// Request is an answer with fields in it that are to be resolved.
type Request struct {
	Data   []byte // JSON, as package execute has written it; it is not changed
	Later  []plan.BoundLater
	Types  *ast.Schema
	Role   string
	Claims json.RawMessage
}

// Failure is a field, or what takes its place being null as well, that has no value.
type Failure struct {
	Path  ast.Path
	Place *ast.Position
	Cause *Cause
}

// Cause is an error. Failures of one call share it.
type Cause struct{ Err error }

// Run resolves the fields of an answer. What has no value is null; where it must not be, what it is in is null in its
// place, up to the whole of the data (specification, section 6.4.4).
func Run(ctx context.Context, r Request, values func(field string) Func) ([]byte, []Failure) {
	w := newWalker(r)
	w.walk()
	for level := 0; len(w.places) > 0; level++ {
		calls := w.calls(level)
		if calls == nil {
			break
		}
		call(ctx, calls, values)
	}
	return w.answer()
}
