package graphql_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// scribbler makes up what is to be written to the library: anything at all as values, any of the fields, at any depth.
type scribbler struct{ *rand.Rand }

func (w scribbler) maybe(object map[string]any, name string, value func() any) {
	switch w.IntN(5) {
	case 0, 1:
		object[name] = value()
	case 2:
		if name != "create" && name != "connect" && w.IntN(3) == 0 {
			object[name] = nil
		}
	}
}

func (w scribbler) text() any   { return hostileText(w.Rand) }
func (w scribbler) number() any { return num(fmt.Sprint(8675309 + w.IntN(9))) }

func (w scribbler) several(one func() map[string]any) []any {
	list := make([]any, 1+w.IntN(4))
	first := one()
	for i := range list {
		list[i] = one()
		if w.IntN(2) == 0 { // one that is like the first
			list[i] = w.other(first)
		}
	}
	return list
}

// other is a value of the same shape.
func (w scribbler) other(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for name, member := range v {
			m[name] = w.other(member)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = w.other(item)
		}
		return list
	case string:
		return w.text()
	case bool:
		return w.IntN(2) == 0
	case nil:
		return nil
	}
	return w.number()
}

func (w scribbler) book(depth int) map[string]any {
	b := map[string]any{"title": w.text()}
	for _, name := range []string{"sold", "grade"} {
		w.maybe(b, name, w.number)
	}
	w.maybe(b, "tags", func() any { return []any{w.text(), nil, w.text()} })
	w.maybe(b, "doc", func() any { return map[string]any{"k": w.text()} })
	w.maybe(b, "size", func() any { return map[string]any{"width": w.number(), "label": w.text()} })
	w.maybe(b, "fits", func() any { return w.IntN(2) == 0 })
	if depth == 0 || w.IntN(2) == 0 {
		b["writerId"] = w.number()
		return b
	}
	b["writer"] = map[string]any{"create": w.writer(depth - 1)}
	if w.IntN(2) == 0 {
		b["writer"] = map[string]any{"connect": map[string]any{"name": w.text()}}
	}
	w.maybe(b, "chapters", func() any {
		return map[string]any{"create": w.several(func() map[string]any { return map[string]any{"number": w.number(), "title": w.text()} })}
	})
	w.maybe(b, "labels", func() any {
		return map[string]any{"create": w.several(func() map[string]any { return map[string]any{"name": w.text()} }), "connect": []any{map[string]any{"name": w.text()}, map[string]any{"id": w.number()}}}
	})
	return b
}

func (w scribbler) writer(depth int) map[string]any {
	a := map[string]any{"name": w.text()}
	if depth > 0 {
		w.maybe(a, "books", func() any {
			return map[string]any{"connect": []any{map[string]any{"id": w.number()}}}
		})
		w.maybe(a, "passport", func() any { return map[string]any{"create": map[string]any{"code": w.text()}} })
	}
	return a
}

func (w scribbler) set() map[string]any {
	s := map[string]any{"price": nil}
	w.maybe(s, "title", w.text)
	w.maybe(s, "fits", func() any { return true })
	if _, said := s["sold"]; !said {
		s["_inc"] = map[string]any{"sold": w.number()}
	}
	if w.IntN(2) == 0 {
		s["_append"] = map[string]any{"tags": []any{w.text()}}
		s["_set_path"] = map[string]any{"doc": []any{map[string]any{"path": []any{w.text()}, "value": w.text()}}}
	}
	return s
}

// writtenShape writes what of variables may decide the text of statements.
func writtenShape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name == "doc" && !strings.Contains(fmt.Sprint(v[name]), "path") && v[name] != nil {
				members = append(members, name+":value") // JSON is one value
				continue
			}
			members = append(members, name+":"+writtenShape(v[name]))
		}
		return "{" + strings.Join(members, " ") + "}"
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		if _, rows := v[0].(map[string]any); !rows {
			return "value"
		}
		var shapes []string
		for _, item := range v {
			shapes = append(shapes, writtenShape(item))
		}
		return "[" + strings.Join(shapes, " ") + "]"
	case nil:
		return "null"
	}
	return "value"
}

// TestHostileValuesAreNoPartOfWrites compiles thousands of random mutations: equal shapes have the same statements,
// PostgreSQL can read each of them, and no value stands in any.
func TestHostileValuesAreNoPartOfWrites(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, unlimited(), graphql.Deps{}, sql(t, library))
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Release)
	w := scribbler{random(t)}
	statements, prepared := map[string]string{}, map[string]bool{}
	same := 0
	for i := range times(1500) {
		var query string
		v := map[string]any{}
		switch w.IntN(5) {
		case 0:
			query, v["b"] = `mutation ($b: BookInput!) { createBook(input: $b) { id writer { name } chapters { title } } }`, w.book(2)
		case 1:
			query, v["b"] = `mutation ($b: [BookInput!]!) { createBooks(input: $b) { id title labels { name } } }`, w.several(func() map[string]any { return w.book(1) })
		case 2:
			query, v["s"] = `mutation ($s: BookSet!, $w: BookWhere!) { updateBooks(where: $w, set: $s) { id title writer { books { id } } } }`, w.set()
			v["w"] = map[string]any{"title": map[string]any{"icontains": w.text()}, "writer": map[string]any{"name": map[string]any{"eq": w.text()}}}
		case 3:
			query, v["w"] = `mutation ($w: [WriterInput!]!) { upsertWriters(input: $w, onConflict: {key: name, update: []}) { id name } }`, w.several(func() map[string]any { return map[string]any{"name": w.text()} })
		default:
			query, v["i"] = `mutation ($i: BigInt!, $t: String!) { a: updateBook(id: $i, set: {title: $t, labels: {connect: [{name: $t}]}}) { title } b: deleteBook(id: $i) { title } }`, w.number()
			v["t"] = w.text()
		}
		for range 2 { // the second time with other values
			bound, err := s.Statements(transport.Request{Query: query, Variables: v})
			if err != nil {
				t.Fatalf("input %d: %v\n%s", i, err, shown(query, v))
			}
			var all []string
			for _, c := range bound.Calls {
				all = append(all, c.SQL)
				if strings.Contains(strings.ToLower(c.SQL), strings.ToLower(canary)) || strings.Contains(c.SQL, "86753") {
					t.Fatalf("input %d: a value stands in %s", i, c.SQL)
				}
				if prepared[c.SQL] {
					continue
				}
				prepared[c.SQL] = true
				if _, err := conn.Conn().Prepare(t.Context(), "", c.SQL); err != nil {
					t.Fatalf("input %d: %v\n%s\n%s", i, err, c.SQL, shown(query, v))
				}
			}
			shape, text := query+writtenShape(v), strings.Join(all, ";\n")
			if known, seen := statements[shape]; seen && known != text {
				t.Fatalf("input %d has the shape of one before, and other statements:\n%s\n%s\n%s", i, known, text, shown(query, v))
			} else if seen {
				same++
			}
			statements[shape] = text
			v = w.other(v).(map[string]any)
		}
	}
	t.Logf("%d shapes, %d statements, %d inputs of a shape that was there before", len(statements), len(prepared), same)
	if same < times(1000) || len(prepared) < 200 {
		t.Errorf("the inputs differ too much or too little")
	}
}
