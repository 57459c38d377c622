package resolve

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// asked is a field with its arguments, wherever in the answer it stands: its rows are asked for together.
type asked struct {
	Batch
	of     *ast.Type
	types  *ast.Schema
	places [][]*place // by row
}

// calls gives what is asked for at a level; nil when there is no such level.
func (w *walker) calls(level int) []*asked {
	if level >= len(w.levels) {
		return nil
	}
	calls := []*asked{}
	known := map[string]*asked{}
	rows := map[string]map[string]int{}
	for _, p := range w.levels[level] {
		if failed := slices.IndexFunc(p.inner, func(inner *place) bool { return inner.cause != nil }); failed >= 0 {
			p.cause = p.inner[failed].cause
			continue
		}
		later := w.Later[p.later]
		arguments, err := json.Marshal(later.Arguments)
		if err != nil {
			panic(err) // they were decoded from JSON
		}
		name := key(later.Field.String(), arguments)
		a := known[name]
		if a == nil {
			a = &asked{
				Batch: Batch{Field: later.Field.String(), Arguments: later.Arguments, Role: w.Role, Claims: w.Claims},
				of:    later.Path[len(later.Path)-1].Type, types: w.Types,
			}
			known[name], rows[name] = a, map[string]int{}
			calls = append(calls, a)
		}
		row := w.row(p)
		at, seen := rows[name][string(row)]
		if !seen {
			at = len(a.Rows)
			rows[name][string(row)] = at
			a.Rows, a.places = append(a.Rows, row), append(a.places, nil)
		}
		a.places[at] = append(a.places[at], p)
	}
	return calls
}

// call asks for what a level needs, all at the same time, and waits for it.
func call(ctx context.Context, calls []*asked, values func(field string) Func) {
	var running sync.WaitGroup
	for _, a := range calls {
		running.Go(func() { a.ask(ctx, values(a.Field)) })
	}
	running.Wait()
}

// ask asks for the values of all rows, so many at a time.
func (a *asked) ask(ctx context.Context, values Func) {
	for from := 0; from < len(a.Rows); from += MostRows {
		rows := a.Rows[from:min(from+MostRows, len(a.Rows))]
		got, err := a.some(ctx, values, rows)
		if err == nil && len(got) != len(rows) {
			err = fmt.Errorf("the code of %s has given %d values for %d rows", a.Field, len(got), len(rows))
		}
		causes := map[string]*Cause{} // of the batch, each once
		for i := range rows {
			value, wrong := null, err
			if err == nil {
				value, wrong = a.check(got[i])
			}
			var cause *Cause
			if wrong != nil {
				if cause = causes[wrong.Error()]; cause == nil {
					cause = &Cause{Err: wrong}
					causes[wrong.Error()] = cause
				}
			}
			for _, p := range a.places[from+i] {
				p.value, p.cause = value, cause
			}
		}
	}
}

// some asks for the values of some rows. Whoever gave up does not wait for code that goes on.
func (a *asked) some(ctx context.Context, values Func, rows []json.RawMessage) ([]Value, error) {
	type result struct {
		values []Value
		err    error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("the code of %s panicked: %v\n%s", a.Field, p, debug.Stack())}
			}
			done <- r
		}()
		b := a.Batch
		b.Rows = rows
		r.values, r.err = values(ctx, b)
	}()
	select {
	case r := <-done:
		return r.values, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// check writes a value as JSON, if it is one of the field's type.
func (a *asked) check(v Value) ([]byte, error) {
	if v.Err != nil {
		return nil, v.Err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v.Data)
	text := bytes.TrimRight(b.Bytes(), "\n")
	if err == nil {
		err = fits(a.types, a.of, text)
	}
	if err != nil {
		return nil, fmt.Errorf("the code of %s has given what is no %s: %w", a.Field, a.of, err)
	}
	return text, nil
}

// outer gives the pieces that are within no others, in the order of the text.
func outer(pieces []piece) []piece {
	slices.SortFunc(pieces, func(p, q piece) int { return cmp.Or(cmp.Compare(p.start, q.start), cmp.Compare(q.end, p.end)) })
	end := 0
	return slices.DeleteFunc(pieces, func(p piece) bool {
		within := p.start < end
		end = max(end, p.end)
		return within
	})
}
