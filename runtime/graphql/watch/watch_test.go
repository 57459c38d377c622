package watch

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// isText is a table of which email is stored as a text.
func isText(column string) bool { return column == "email" }

// TestConditionsOfPlans has conditions as PostgreSQL writes them, and what an index for each would be on.
func TestConditionsOfPlans(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		`(t1.a = 5)`:                     "[a] 1",
		`((t1.email)::text = 'x'::text)`: "[email] 1",
		`(t1.a = t2.b)`:                  "[a] 1",
		`(t2.b = t1.a)`:                  "[a] 1",
		`(t2.b = t3.a)`:                  "[] 0",
		`((t1.a = 5) AND (t1.b = 'x AND (y'::text) AND (t1.c > 3))`: "[a b c] 2",
		`((t1.c > 3) AND (t1.d < 3) AND (t1.a = 5))`:                "[a c] 1",
		`(t1.c > 3)`:                 "[] 0",
		`((t1.a = 5) OR (t1.b = 6))`: "[] 0",
		`((t1.x = 1) AND ((t1.a = 5) OR (t1.b = 6)))`:                          "[x] 1",
		`(t1.name = 'it''s = ) AND (t1.z = 1'::text)`:                          "[name] 1",
		`(t1.name = E'a\\b ''q'''::text)`:                                      "[name] 1",
		`(t1.a = ANY ('{1,2}'::integer[]))`:                                    "[a] 1",
		`(t1."Ab c" = 1)`:                                                      `["Ab c"] 1`,
		`(t1."a = ""b" = 1)`:                                                   `["a = ""b"] 1`,
		`(lower((t1.email)::text) = 'x'::text)`:                                "[lower((email)::text)] 1",
		`(lower(t1.name) = 'x'::text)`:                                         "[lower(name)] 1",
		`((t1.data ->> 'isbn'::text) = 'x'::text)`:                             "[((data ->> 'isbn'::text))] 1",
		`((t1.data #>> '{secret,path}'::text[]) = 'x'::text)`:                  "[] 0",
		`(t1.tenant = (current_setting('request.jwt.claims'::text))::integer)`: "[tenant] 1",
		`(mine(t1.a) = 5)`:                                                     "[] 0",
		`(t1.a IS NULL)`:                                                       "[] 0",
		`(NOT t1.done)`:                                                        "[] 0",
		`(hashed SubPlan 1)`:                                                   "[] 0",
		`((t1.a)::numeric = '5'::numeric)`:                                     "[] 0",
		`((t1.tenant)::text = current_setting('app.tenant'::text, true))`:      "[] 0",
		`(t1.a = t1.b)`:                                                        "[] 0",
		`((t1.email)::text = (t1.a)::text)`:                                    "[] 0",
		`(t1.a = (t2.b + t1.c))`:                                               "[] 0",
		``:                                                                     "[] 0",
		`(`:                                                                    "[] 0",
		`(t1.a = 'unclosed)`:                                                   "[] 0",
	} {
		columns, equal := conditions(filter, "t1", isText)
		if got := fmt.Sprint(columns, equal); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

// FuzzConditions looks for what stops the reading of conditions.
func FuzzConditions(f *testing.F) {
	f.Add(`((t1.a = 5) AND (t1.b = 'x AND (y'::text))`)
	f.Add(`"(''`)
	f.Fuzz(func(_ *testing.T, text string) {
		conditions(text, "t1", isText)
		orderKey(text, "t1", isText)
	})
}

// TestIndexesThatServe compares what is missing with what is there.
func TestIndexesThatServe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		missing Index
		other   []string
		served  bool
	}{
		{Index{Columns: []string{"a", "b"}, Equal: 2}, []string{"b"}, true},
		{Index{Columns: []string{"a", "b"}, Equal: 1}, []string{"b"}, false},
		{Index{Columns: []string{"a"}, Equal: 1}, []string{"c", "a"}, false},
		{Index{Columns: []string{"a"}, Equal: 1}, nil, false},
		{Index{Columns: []string{"at DESC", "id"}}, []string{"at DESC", "id", "more"}, true},
		{Index{Columns: []string{"at DESC", "id"}}, []string{"at", "id DESC"}, true},
		{Index{Columns: []string{"at DESC", "id"}}, []string{"at", "id"}, false},
		{Index{Columns: []string{"at DESC NULLS LAST"}}, []string{"at NULLS FIRST"}, true},
		{Index{Columns: []string{"at DESC NULLS LAST"}}, []string{"at DESC"}, false},
	} {
		if got := c.missing.ServedBy(c.other); got != c.served {
			t.Errorf("%v by %v: %t", c.missing, c.other, got)
		}
	}
}

// TestBursts has one client that asks for row after row, and others that do not.
func TestBursts(t *testing.T) {
	t.Parallel()
	one, other := &plan.Operation{}, &plan.Operation{}
	at := time.Unix(1000, 0)
	run := func(asked func(b *Bursts, i int) bool) int {
		b, n := NewBursts(), 0
		for i := range 25 {
			if asked(b, i) {
				n++
			}
		}
		return n
	}
	key := func(i int) [][]byte { return [][]byte{fmt.Append(nil, i)} }
	for name, c := range map[string]struct {
		want  int
		asked func(b *Bursts, i int) bool
	}{
		"one after the other": {1, func(b *Bursts, i int) bool { return b.Asked("a", one, key(i), at) }},
		"slowly": {0, func(b *Bursts, i int) bool {
			return b.Asked("a", one, key(i), at.Add(time.Duration(i)*30*time.Millisecond))
		}},
		"the same row":  {0, func(b *Bursts, _ int) bool { return b.Asked("a", one, key(7), at) }},
		"many clients":  {0, func(b *Bursts, i int) bool { return b.Asked(fmt.Sprint(i), one, key(i), at) }},
		"two documents": {2, func(b *Bursts, i int) bool { return b.Asked("a", []*plan.Operation{one, other}[i%2], key(i), at) }},
		"two bursts":    {2, func(b *Bursts, i int) bool { return b.Asked("a", one, key(i), at.Add(time.Duration(i/12)*time.Second)) }},
	} {
		if n := run(c.asked); n != c.want {
			t.Errorf("%s: %d, want %d", name, n, c.want)
		}
	}
}

// TestNotesAreBoundedAndLoseNothing notes from many goroutines while others take and give back.
func TestNotesAreBoundedAndLoseNothing(t *testing.T) {
	t.Parallel()
	n := NewNotes()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 500 {
				n.Add(Finding{Kind: NoIndex, Subject: fmt.Sprint(i % 50)})
				if i%100 == 0 {
					n.Back(n.Take())
				}
			}
		})
	}
	all.Wait()
	var seen int64
	list := n.Take()
	for _, note := range list {
		seen += note.Seen
	}
	if len(list) != 50 || seen != 4000 {
		t.Errorf("%d notes, seen %d times", len(list), seen)
	}
	for i := range 1000 {
		n.Add(Finding{Kind: Repeated, Subject: fmt.Sprint(i)})
	}
	if list := n.Take(); len(list) != mostNotes-50 {
		t.Errorf("%d notes are held", len(list))
	}
	if fresh := n.Add(Finding{Kind: NoIndex, Subject: "1"}, Finding{Kind: NoIndex, Subject: "1"}); len(fresh) > 0 {
		t.Errorf("%v is new again", fresh)
	}
}

func BenchmarkAsked(b *testing.B) {
	bursts, op := NewBursts(), &plan.Operation{}
	key := [][]byte{[]byte("12345")}
	for b.Loop() {
		bursts.Asked("10.0.0.1", op, key, time.Now())
	}
}
