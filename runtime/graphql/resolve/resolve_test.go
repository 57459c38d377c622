package resolve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/resolve"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// ExampleTyped is a field Author.avatar: an address for each author that a request reads, by one call.
func ExampleTyped() {
	avatar := resolve.Field{
		Resolved: schema.Resolved{Of: "Author", Name: "avatar", Arguments: "size: Int! = 64", Requires: []string{"email"}},
		Values: resolve.Typed(func(_ context.Context, authors []struct{ Email string }, b resolve.Batch) ([]string, error) {
			addresses := make([]string, len(authors))
			for i, author := range authors {
				addresses[i] = fmt.Sprintf("https://pictures.example.com/%s?size=%v", author.Email, b.Arguments["size"])
			}
			return addresses, nil
		}),
	}
	values, err := avatar.Values(context.Background(), resolve.Batch{
		Field: "Author.avatar", Rows: []json.RawMessage{[]byte(`{"email":"ada@example.com"}`)}, Arguments: map[string]any{"size": 64},
	})
	fmt.Println(values[0].Data, err)
	// Output: https://pictures.example.com/ada@example.com?size=64 <nil>
}

// TestEveryPlaceIsFound has answers of any shape and layout: the field "later" is resolved wherever it stands on its way,
// and nothing else is touched.
func TestEveryPlaceIsFound(t *testing.T) {
	t.Parallel()
	str := ast.NamedType("String", nil)
	step := func(key string, of *ast.Type) plan.Step { return plan.Step{Key: key, Type: of} }
	object := ast.NamedType("Row", nil)
	field := &schema.Resolved{Of: "Row", Name: "later"}
	ways := []plan.BoundLater{
		{Later: &plan.Later{Field: field, Path: []plan.Step{step("a", object), step("later", str)}}},
		{Later: &plan.Later{Field: field, Path: []plan.Step{step("a", object), step("b", ast.ListType(ast.ListType(object, nil), nil)), step("later", str)}}},
		{Later: &plan.Later{Field: field, Path: []plan.Step{step("c", ast.ListType(object, nil)), step("later", str)}}},
	}
	made := func(row json.RawMessage) string {
		var b bytes.Buffer
		if err := json.Compact(&b, row); err != nil {
			t.Fatal(err)
		}
		return "made of " + b.String()
	}
	values := func(string) resolve.Func {
		return func(_ context.Context, b resolve.Batch) ([]resolve.Value, error) {
			list := make([]resolve.Value, len(b.Rows))
			for i, row := range b.Rows {
				list[i].Data = made(row)
			}
			return list, nil
		}
	}
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		var before, after []byte
		data := map[string]any{"z": tree(random, 3)}
		put := func(o map[string]any) map[string]any {
			if random.IntN(3) > 0 {
				o["later"] = map[string]any{"id": random.IntN(9), "text": word(random)}
			} else {
				o["later"] = nil
			}
			return o
		}
		if random.IntN(4) > 0 {
			a := put(map[string]any{"c": tree(random, 2)})
			a["b"] = []any{[]any{put(map[string]any{"x": tree(random, 2)})}, []any{}, nil}
			data["a"] = a
		}
		if random.IntN(4) > 0 {
			data["c"] = []any{put(map[string]any{}), nil, put(map[string]any{"later2": tree(random, 2)})}
		}
		layout := func() []byte {
			text, err := json.Marshal(data)
			if random.IntN(2) == 0 {
				text, err = json.MarshalIndent(data, "", strings.Repeat(" ", random.IntN(3)))
			}
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		before = layout()
		replace(data, []string{"a", "later"}, made)
		replace(data, []string{"a", "b", "later"}, made)
		replace(data, []string{"c", "later"}, made)
		after, failures := resolve.Run(t.Context(), resolve.Request{Data: before, Later: ways, Types: &ast.Schema{}}, values)
		want := layout()
		if len(failures) > 0 || !same(after, want) {
			t.Fatalf("seed %d: %v\n%s\nbecame\n%s\nwant\n%s", seed, failures, before, after, want)
		}
	}
}

// replace does what Run does, on values.
func replace(value any, path []string, made func(json.RawMessage) string) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			replace(item, path, made)
		}
	case map[string]any:
		next, there := value[path[0]]
		switch {
		case !there:
		case len(path) > 1:
			replace(next, path[1:], made)
		case next != nil:
			row, _ := json.Marshal(next) //nolint:errchkjson // it came from JSON
			value[path[0]] = made(row)
		}
	}
}

func same(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	p, _ := json.Marshal(x) //nolint:errchkjson // it came from JSON
	q, _ := json.Marshal(y) //nolint:errchkjson // it came from JSON
	return bytes.Equal(p, q)
}

// word is a text with what JSON escapes, and what looks like its signs.
func word(random *rand.Rand) string {
	parts := []string{`"`, `\`, "{", "}", "[", "]", ",", ":", "later", " ", "\n", "é", "<", `\"`, "\u2028"}
	var b strings.Builder
	for range random.IntN(6) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

// tree is a value of any kind.
func tree(random *rand.Rand, depth int) any {
	switch n := random.IntN(8); {
	case n == 0:
		return nil
	case n == 1:
		return random.IntN(2) == 0
	case n == 2:
		return random.Float64() * 1e6
	case n < 5 || depth == 0:
		return word(random)
	case n == 5:
		list := make([]any, random.IntN(3))
		for i := range list {
			list[i] = tree(random, depth-1)
		}
		return list
	}
	object := map[string]any{}
	for range random.IntN(3) {
		object[word(random)] = tree(random, depth-1)
	}
	object["later"] = tree(random, depth-1) // it is on no way
	return object
}
