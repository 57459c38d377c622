package graphql

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// living gives the bytes that are in use.
func living() int {
	runtime.GC()
	runtime.GC() // pools let go of what they hold with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestWhatIsKeptIsBounded has requests each of which is another one to the cache. It is not parallel: the memory of
// all is counted.
func TestWhatIsKeptIsBounded(t *testing.T) { //nolint:paralleltest // see above
	s := New(DefaultConfig(), Deps{Dev: true, Pool: idlePool(t), Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(s.Close)
	books := library(t)
	const mb = 1 << 20
	repeated := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	aliases := repeated(30, " a%[1]d: author(id: %[1]d) { id name country }")
	numbers := repeated(200, " %d")
	for _, c := range []struct {
		name    string
		times   int
		request func(i int) transport.Request
		most    int
	}{
		{"long texts", 200, func(i int) transport.Request {
			return transport.Request{Query: fmt.Sprintf("# %d %s\n{ __typename }", i, strings.Repeat("x", 200<<10))}
		}, 4 * mb},
		{"pieces of long addresses", 50, func(i int) transport.Request {
			address := fmt.Sprintf("query=query q%04d { __typename }&x=%s", i, strings.Repeat("x", 1<<20))
			return transport.Request{Query: address[6:32]}
		}, 4 * mb},
		{"documents of many words", 1200, func(i int) transport.Request {
			return transport.Request{Query: fmt.Sprintf("query q%d { author(id: 1) {%s } }", i, strings.Repeat(" id", 200))}
		}, keptBytes + 4*mb},
		{"documents of digits", 500, func(i int) transport.Request {
			return transport.Request{Query: fmt.Sprintf("query q%d { books(where: {id: {in: [%s]}}) { id } }", i, strings.Repeat(" 1", 1500))}
		}, keptBytes + 4*mb},
		{"many fields together", 2000, func(i int) transport.Request {
			return transport.Request{Query: fmt.Sprintf("query q%d { %s }", i, aliases)}
		}, keptBytes + 4*mb},
		{"shapes of one document", 400, func(i int) transport.Request {
			return transport.Request{
				Query:     "query($v: Int!, $w: BookWhere!) { books(where: {id: {in: [$v " + numbers + "]}, _and: [$w]}) { id } }",
				Variables: map[string]any{"v": json.Number("1"), "w": map[string]any{"_or": repeatedly(i, map[string]any{"id": map[string]any{"eq": json.Number("1")}})}},
			}
		}, keptPlans + mb},
	} {
		t.Run(c.name, func(t *testing.T) { //nolint:paralleltest // see above
			p := &picture{schema: books, documents: newKept(1)}
			before := living()
			for i := range c.times {
				r := c.request(i)
				d, op, list := s.operation(admitted{picture: p}, r)
				if list != nil {
					t.Fatal(list)
				}
				if _, list := s.prepare(p, d, op, r); list != nil {
					t.Fatal(list)
				}
			}
			if taken := living() - before; taken > c.most {
				t.Errorf("%d KB are kept, at most %d are allowed", taken>>10, c.most>>10)
			} else {
				t.Logf("%d KB, said to be %d", taken>>10, p.documents.size>>10)
			}
			runtime.KeepAlive(p)
		})
	}
}

func repeatedly(n int, v any) []any {
	list := make([]any, n+1)
	for i := range list {
		list[i] = v
	}
	return list
}

// TestPlansAreKept asks twice: the second time nothing is compiled, until what was used the longest ago has gone.
func TestPlansAreKept(t *testing.T) {
	t.Parallel()
	s := New(DefaultConfig(), Deps{Dev: true, Pool: idlePool(t), Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(s.Close)
	p := &picture{schema: library(t), documents: newKept(1)}
	ask := func(r transport.Request) any {
		d, op, list := s.operation(admitted{picture: p}, r)
		if list != nil {
			t.Fatal(list)
		}
		bound, list := s.prepare(p, d, op, r)
		if list != nil {
			t.Fatal(list)
		}
		return bound.Plan
	}
	const both = "query a($n: Int!) { author(id: $n) { id } } query b($n: Int) { books(limit: $n) { id } }"
	requests := []transport.Request{
		{Query: both, OperationName: "a", Variables: map[string]any{"n": json.Number("1")}},
		{Query: both, OperationName: "b", Variables: map[string]any{"n": json.Number("1")}},
		{Query: both, OperationName: "b", Variables: map[string]any{"n": nil}},
		{Query: "{ author(id: 1) { id } }"},
	}
	first := map[any]bool{}
	for _, r := range requests {
		first[ask(r)] = true
	}
	if len(first) != len(requests) {
		t.Errorf("%d requests have %d plans", len(requests), len(first))
	}
	for i, r := range requests {
		if !first[ask(r)] {
			t.Errorf("request %d was compiled again", i)
		}
	}
	for i := 0; p.documents.byKey[requests[3].Query] != nil && i < 1000; i++ {
		_ = ask(transport.Request{Query: both, OperationName: "a", Variables: map[string]any{"n": json.Number("1")}})
		_ = ask(transport.Request{Query: fmt.Sprintf("query q%d { __typename # %s\n}", i, strings.Repeat("x", 10000))})
	}
	if !first[ask(requests[0])] || !first[ask(requests[2])] || first[ask(requests[3])] {
		t.Error("it was not what was used the longest ago that has gone")
	}
	size := 0
	for e := p.documents.order.Front(); e != nil; e = e.Next() {
		size += e.Value.(*valued[*document]).weight
	}
	if size != p.documents.size || size > keptBytes || len(p.documents.byKey) != p.documents.order.Len() {
		t.Errorf("it says %d bytes and %d texts, and has %d bytes and %d documents", p.documents.size, len(p.documents.byKey), size, p.documents.order.Len())
	}
}
