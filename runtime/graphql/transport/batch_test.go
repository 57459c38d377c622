package transport_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/semaphore"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// batched is a body of requests.
func batched(requests ...string) string { return "[" + strings.Join(requests, ",") + "]" }

// TestBatchesAreReadWhole runs nothing of what is refused.
func TestBatchesAreReadWhole(t *testing.T) {
	t.Parallel()
	one := ask("{a}")
	for name, c := range map[string]struct {
		call   call
		most   int
		status int
		body   string
	}{
		"off":               {call{body: batched(one)}, 0, 400, "`[graphql.limits] batch = 10`"},
		"off and broken":    {call{body: `[{]`}, 0, 400, "is not JSON"},
		"one":               {call{body: batched(one)}, 3, 200, `[{"data":["{a}","",""]}]`},
		"as many as may be": {call{body: batched(one, ask("{b}"), one)}, 3, 200, `[{"data":["{a}","",""]},{"data":["{b}","",""]},{"data":["{a}","",""]}]`},
		"one more":          {call{body: batched(one, one, one, one)}, 3, 400, "more than 3 requests"},
		"none":              {call{body: batched()}, 3, 400, "the batch is empty"},
		"alone as ever":     {call{body: one}, 3, 200, `{"data":["{a}","",""]}`},
		"a number in it":    {call{body: batched(one, "1")}, 3, 400, "because of request 2 of it: it is not a JSON object"},
		"a list in it":      {call{body: batched(batched(one))}, 3, 400, "because of request 1 of it"},
		"no query in it":    {call{body: batched(one, `{"variables":{}}`)}, 3, 400, "because of request 2 of it: the body has no member"},
		"a wrong digest":    {call{body: batched(one, `{"query":"{a}","extensions":`+extension("x")+`}`)}, 3, 400, "request 2 of it: provided sha does not match query"},
		"more after it":     {call{body: batched(one) + "]"}, 3, 400, "is not JSON"},
		"cut short":         {call{body: "[" + one}, 3, 400, "is not JSON"},
		"a key":             {call{body: batched(one), headers: []string{"Idempotency-Key", "k"}}, 3, 400, "an Idempotency-Key is for one request"},
		"larger than any":   {call{body: batched(one, `{"query":"`+strings.Repeat(" ", 200)+`"}`)}, 3, 413, "larger than the 200 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ran := 0
			h := &transport.Handler{BodyLimit: 200, Batch: c.most, AnswerLimit: 1 << 20, Execute: func(ctx context.Context, r transport.Request) transport.Response {
				ran++
				if r.Open == (c.call.body[0] == '[') {
					t.Errorf("the answer may come in parts: %v", r.Open)
				}
				return echo(ctx, r)
			}}
			w := c.call.do(h)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			if (ran > 0) != (c.status == 200) {
				t.Errorf("%d were run", ran)
			}
			if w.Code == 200 && c.call.body[0] == '[' && w.Header().Get("Content-Type") != plain+"; charset=utf-8" {
				t.Errorf("the list is called %s", w.Header().Get("Content-Type"))
			}
		})
	}
}

// TestEachOfABatchHasItsErrors whatever they are: the status is that of the list.
func TestEachOfABatchHasItsErrors(t *testing.T) {
	t.Parallel()
	h := &transport.Handler{Execute: answers, BodyLimit: 1000, Batch: 9, AnswerLimit: 1 << 20}
	w := call{body: batched(ask("invalid"), ask("{a}"), ask("away"), ask("partial"), ask("internal"))}.do(h)
	const no = `{"errors":[{"message":"no","extensions":{"code":"%s"}}]`
	want := "[" + fmt.Sprintf(no, "GRAPHQL_VALIDATION_FAILED") + `},{"data":{"a":1}},` + fmt.Sprintf(no, "INTERNAL_SERVER_ERROR") + "}," +
		fmt.Sprintf(no, "INTERNAL_SERVER_ERROR") + `,"data":{"a":null}},` + fmt.Sprintf(no, "INTERNAL_SERVER_ERROR") + "}]"
	if w.Code != 200 || w.Body.String() != want {
		t.Errorf("answered %d %s, want %s", w.Code, w.Body, want)
	}
}

// TestTheAnswersOfABatchAreBounded together: each is told the room that is left, and where there is hardly any, nothing
// is run.
func TestTheAnswersOfABatchAreBounded(t *testing.T) {
	t.Parallel()
	const limit, least = 200 << 10, 64 << 10
	for name, c := range map[string]struct {
		first   int // bytes of its answer, which has the list's bracket and a comma beside it
		ran     int
		refused string
	}{
		"room for another": {limit - least - 2, 2, ""},
		"a byte less":      {limit - least - 1, 1, "was not run"},
		"nothing left":     {limit, 1, "was not run"},
		"all but errors":   {limit + least - 1, 1, "was not run"},
		"above the bound":  {limit + least, 2, "no room beside those before it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ran := 0
			h := &transport.Handler{BodyLimit: 1000, Batch: 2, AnswerLimit: limit, Execute: func(_ context.Context, r transport.Request) transport.Response {
				if ran++; ran == 1 && r.Room != limit-1 || ran == 2 && c.refused == "" && r.Room != least {
					t.Errorf("request %d has room for %d bytes", ran, r.Room)
				}
				if ran == 2 {
					return echo(t.Context(), r)
				}
				body := []byte(`{"data":"` + strings.Repeat("x", c.first-11) + `"}`)
				return transport.Response{Result: execute.Result{Body: body, Data: body[8 : len(body)-1]}}
			}}
			w := call{body: batched(ask("{a}"), ask("{b}"))}.do(h)
			if w.Code != 200 || ran != c.ran || !strings.Contains(w.Body.String(), c.refused) || strings.Contains(w.Body.String(), "QUERY_TOO_COMPLEX") != (c.refused != "") {
				t.Errorf("answered %d, %d were run: %.100s … %s", w.Code, ran, w.Body, w.Body.String()[max(0, w.Body.Len()-200):])
			}
		})
	}
}

// TestABatchThatIsHeldCounts among the large answers that wait for their clients.
func TestABatchThatIsHeldCounts(t *testing.T) {
	t.Parallel()
	held := semaphore.NewWeighted(3 << 20)
	h := &transport.Handler{BodyLimit: 1000, Batch: 2, AnswerLimit: 4 << 20, Held: held, Execute: func(context.Context, transport.Request) transport.Response {
		body := []byte(`{"data":"` + strings.Repeat("x", 3<<19) + `"}`)
		return transport.Response{Result: execute.Result{Body: body, Data: body[8 : len(body)-1]}}
	}}
	for range 2 { // what was let go of may be taken again
		if w := (call{body: batched(ask("{a}"))}).do(h); w.Code != 200 {
			t.Errorf("one is %d %.200s", w.Code, w.Body)
		}
	}
	if w := (call{body: batched(ask("{a}"), ask("{b}"))}).do(h); w.Code != 503 {
		t.Errorf("two are %d %.200s", w.Code, w.Body)
	}
}
