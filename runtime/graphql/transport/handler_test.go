package transport_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/semaphore"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// answers is an executor whose answer is chosen by the document.
func answers(_ context.Context, r transport.Request) transport.Response {
	fail := func(code string) transport.Response {
		return transport.Response{Result: execute.Result{Errors: gqlerror.List{plan.Problem(code, "no", nil)}}}
	}
	switch r.Query {
	case "invalid":
		return fail(plan.ValidationFailed)
	case "internal":
		return fail(plan.InternalError)
	case "timeout":
		return fail(plan.Timeout)
	case "away":
		r := fail(plan.InternalError)
		r.Unavailable = true
		return r
	case "partial":
		r := fail(plan.InternalError)
		r.Data = []byte(`{"a":null}`)
		return r
	case "mutation":
		r := fail(plan.BadUserInput)
		r.MethodNotAllowed = true
		return r
	case "variables":
		n, _ := r.Variables["n"].(interface{ String() string })
		if n == nil {
			return fail(plan.BadUserInput)
		}
		return transport.Response{Result: execute.Result{Data: []byte(`{"n":` + n.String() + `,"op":"` + r.OperationName + `"}`)}}
	}
	return transport.Response{Result: execute.Result{Data: []byte(`{"a":1}`)}}
}

const (
	modern = "application/graphql-response+json"
	plain  = "application/json"
)

type call struct {
	method, body, content, accept string
	query                         url.Values
	headers                       []string
}

func (c call) do(h http.Handler) *httptest.ResponseRecorder {
	if c.method == "" {
		c.method = http.MethodPost
	}
	r := httptest.NewRequest(c.method, "/graphql?"+c.query.Encode(), strings.NewReader(c.body))
	if c.content == "" && c.method == http.MethodPost {
		c.content = plain
	}
	for name, value := range map[string]string{"Content-Type": c.content, "Accept": c.accept} {
		if value != "" && value != "-" {
			r.Header.Set(name, value)
		}
	}
	for i := 0; i < len(c.headers); i += 2 {
		r.Header.Set(c.headers[i], c.headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func ask(document string) string { return `{"query":"` + document + `"}` }

// TestStatusAndMediaType follows sections 4 to 6 of the GraphQL-over-HTTP specification.
func TestStatusAndMediaType(t *testing.T) {
	t.Parallel()
	h := &transport.Handler{Execute: answers, BodyLimit: 200}
	get := func(document string) url.Values { return url.Values{"query": {document}} }
	preflight := []string{"X-Fraiseql-Preflight", "1"}
	for name, c := range map[string]struct {
		call   call
		status int
		media  string
		body   string
	}{
		"the modern type by default":         {call{body: ask("{a}")}, 200, modern, `{"data":{"a":1}}`},
		"anything":                           {call{body: ask("{a}"), accept: "*/*"}, 200, modern, `{"data":{"a":1}}`},
		"the older type":                     {call{body: ask("{a}"), accept: plain}, 200, plain, `{"data":{"a":1}}`},
		"the better of both":                 {call{body: ask("{a}"), accept: modern + ";q=0.5, " + plain}, 200, plain, ""},
		"the first of equals":                {call{body: ask("{a}"), accept: modern + ", " + plain}, 200, modern, ""},
		"neither":                            {call{body: ask("{a}"), accept: "text/html"}, 406, modern, "answers are"},
		"another charset":                    {call{body: ask("{a}"), accept: plain + ";charset=latin1"}, 406, modern, ""},
		"refused by quality":                 {call{body: ask("{a}"), accept: modern + ";q=0"}, 406, modern, ""},
		"refused, all others taken":          {call{body: ask("{a}"), accept: modern + ";q=0, */*"}, 200, plain, `{"data":{"a":1}}`},
		"all others taken, refused":          {call{body: ask("{a}"), accept: "*/*, " + modern + ";q=0"}, 200, plain, ""},
		"refused with its kind":              {call{body: ask("{a}"), accept: "application/*;q=0, */*"}, 406, modern, ""},
		"better than its kind":               {call{body: ask("{a}"), accept: "*/*;q=0.1, application/*;q=0.2, " + plain + "; Q=0.3"}, 200, plain, ""},
		"worse than its kind":                {call{body: ask("{a}"), accept: "*/*, application/*;q=0.2, " + plain + ";q=0.1"}, 200, modern, ""},
		"named before all others":            {call{body: ask("{a}"), accept: plain + ", text/plain, */*"}, 200, plain, ""},
		"in capitals":                        {call{body: ask("{a}"), accept: "APPLICATION/JSON"}, 200, plain, ""},
		"a charset in quotes":                {call{body: ask("{a}"), accept: plain + `; charset="UTF-8"`}, 200, plain, ""},
		"an Accept of commas":                {call{body: ask("{a}"), accept: " , "}, 200, modern, ""},
		"invalid, modern":                    {call{body: ask("invalid")}, 400, modern, `"code":"GRAPHQL_VALIDATION_FAILED"`},
		"invalid, older":                     {call{body: ask("invalid"), accept: plain}, 200, plain, `"code":"GRAPHQL_VALIDATION_FAILED"`},
		"a defect":                           {call{body: ask("internal")}, 500, modern, ""},
		"too slow":                           {call{body: ask("timeout")}, 504, modern, ""},
		"the database is away":               {call{body: ask("away")}, 503, modern, ""},
		"the database is away, older":        {call{body: ask("away"), accept: plain}, 503, plain, ""},
		"some data":                          {call{body: ask("partial")}, 200, modern, `"data":{"a":null}`},
		"by GET":                             {call{method: "GET", query: get("{a}"), headers: preflight}, 200, modern, `{"data":{"a":1}}`},
		"a mutation by GET":                  {call{method: "GET", query: get("mutation"), headers: preflight}, 405, modern, ""},
		"GET without a query":                {call{method: "GET", headers: preflight}, 400, modern, `has no parameter`},
		"GET with two queries":               {call{method: "GET", query: url.Values{"query": {"{a}", "{b}"}}, headers: preflight}, 400, modern, `"query\" more than once`},
		"GET with broken variables":          {call{method: "GET", query: url.Values{"query": {"{a}"}, "variables": {"{"}}, headers: preflight}, 400, modern, "is not a JSON object"},
		"PUT":                                {call{method: "PUT", content: plain, body: ask("{a}")}, 405, modern, "not by PUT"},
		"no content type":                    {call{content: "-", body: ask("{a}")}, 400, modern, "preflight"},
		"a form":                             {call{content: "application/x-www-form-urlencoded", body: "query={a}"}, 400, modern, "preflight"},
		"a form that asked first":            {call{content: "application/x-www-form-urlencoded", body: "query={a}", headers: preflight}, 415, modern, "send the request as application/json"},
		"xml":                                {call{content: "application/xml", body: "<a/>"}, 415, modern, ""},
		"latin1":                             {call{content: plain + "; charset=latin1", body: ask("{a}")}, 415, modern, ""},
		"gzip":                               {call{body: "\x1f\x8b", headers: []string{"Content-Encoding", "gzip"}}, 415, modern, "send the request without Content-Encoding, not as gzip"},
		"encoded as it is":                   {call{body: ask("{a}"), headers: []string{"Content-Encoding", "Identity"}}, 200, modern, ""},
		"utf-8":                              {call{content: plain + "; charset=UTF-8", body: ask("{a}")}, 200, modern, ""},
		"broken JSON":                        {call{body: `{"query":`}, 400, modern, "is not JSON"},
		"JSON and more":                      {call{body: ask("{a}") + "}"}, 400, modern, "is not JSON: at byte 16"},
		"null as a body":                     {call{body: "null"}, 400, modern, "is not a JSON object"},
		"another spelling of query":          {call{body: `{"QUERY":"{a}"}`}, 400, modern, "has no member"},
		"GET with variables and more":        {call{method: "GET", query: url.Values{"query": {"{a}"}, "variables": {"{}}junk"}}, headers: preflight}, 400, modern, "is not a JSON object"},
		"an empty Accept":                    {call{body: ask("{a}"), headers: []string{"Accept", ""}}, 200, modern, `{"data":{"a":1}}`},
		"OPTIONS":                            {call{method: "OPTIONS", content: "-"}, 405, modern, "not by OPTIONS"},
		"errors before data":                 {call{body: ask("partial")}, 200, modern, `{"errors":[{`},
		"a list":                             {call{body: `[]`}, 400, modern, "[graphql.limits] batch"},
		"no query":                           {call{body: `{"variables":{}}`}, 400, modern, `has no member`},
		"a query that is a number":           {call{body: `{"query":1}`}, 400, modern, ""},
		"an operation name that is a number": {call{body: `{"query":"{a}","operationName":1}`}, 400, modern, ""},
		"variables that are a list":          {call{body: `{"query":"{a}","variables":[]}`}, 400, modern, ""},
		"extensions that are a text":         {call{body: `{"query":"{a}","extensions":"x"}`}, 400, modern, ""},
		"null members":                       {call{body: `{"query":"{a}","variables":null,"operationName":null,"extensions":null}`}, 200, modern, ""},
		"a large body":                       {call{body: ask(strings.Repeat(" ", 300))}, 413, modern, "larger than the 200 bytes"},
		"exact numbers":                      {call{body: `{"query":"variables","variables":{"n":123456789012345678901},"operationName":"N"}`}, 200, modern, `{"data":{"n":123456789012345678901,"op":"N"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := c.call.do(h)
			got := w.Body.String()
			if w.Code != c.status || w.Header().Get("Content-Type") != c.media+"; charset=utf-8" || !strings.Contains(got, c.body) {
				t.Errorf("answered %d %s %s", w.Code, w.Header().Get("Content-Type"), got)
			}
			if w.Header().Get("Vary") != "Accept" {
				t.Errorf("Vary is %q", w.Header().Get("Vary"))
			}
			if allow := w.Header().Get("Allow"); (allow != "") != (w.Code == 405) {
				t.Errorf("Allow is %q", allow)
			}
			if encodings := w.Header().Get("Accept-Encoding"); (encodings == "identity") != (name == "gzip") {
				t.Errorf("Accept-Encoding is %q", encodings)
			}
			if w.Code == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("it does not say when to come again")
			}
		})
	}
}

// TestBrowsersCannotBeMadeToAsk has the requests that a page of another site can send without asking first.
func TestBrowsersCannotBeMadeToAsk(t *testing.T) {
	t.Parallel()
	h := &transport.Handler{Execute: func(context.Context, transport.Request) transport.Response {
		t.Error("the request was run")
		return transport.Response{}
	}, BodyLimit: 1000}
	for _, content := range []string{"-", "text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain;a=1;a=2", "text/plain;"} {
		for _, method := range []string{"GET", "POST"} {
			w := call{method: method, content: content, body: ask("{a}"), query: url.Values{"query": {"{a}"}}}.do(h)
			if w.Code != 400 {
				t.Errorf("%s as %s is answered by %d", method, content, w.Code)
			}
		}
	}
}

func TestBrowsersGetThePlayground(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	preflight := []string{"X-Fraiseql-Preflight", "1"}
	for name, c := range map[string]struct {
		call call
		page http.Handler
		code int
		body string
	}{
		"a browser":                {call{method: "GET", accept: browser}, page, 200, "<html>"},
		"a browser with a query":   {call{method: "GET", accept: browser, query: url.Values{"query": {"{a}"}}, headers: preflight}, page, 200, `{"data":{"a":1}}`},
		"a browser that looks":     {call{method: "HEAD", accept: browser}, page, 200, ""},
		"no playground":            {call{method: "GET", accept: browser}, nil, 400, "errors"},
		"a tool":                   {call{method: "GET", accept: "*/*"}, page, 400, "errors"},
		"a client that refuses it": {call{method: "GET", accept: "text/html;q=0, */*", headers: preflight}, page, 400, "errors"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := c.call.do(&transport.Handler{Execute: answers, BodyLimit: 1000, Playground: c.page})
			if w.Code != c.code || !strings.Contains(w.Body.String(), c.body) || w.Header().Get("Vary") != "Accept" {
				t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
			}
		})
	}
}

// slow is a client that takes its answer when it is let.
type slow struct {
	*httptest.ResponseRecorder
	begun, let chan struct{}
	once       sync.Once
}

func (w *slow) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.begun) })
	<-w.let
	return w.ResponseRecorder.Write(b)
}

func TestLargeAnswersThatAreHeldAreBounded(t *testing.T) {
	t.Parallel()
	kept := transport.Keep([]byte(`{"data":{"a":"`+strings.Repeat("x", 3<<20)+`"}}`), func(*transport.Kept, int) {})
	h := &transport.Handler{BodyLimit: 200, Held: semaphore.NewWeighted(5 << 20), Execute: func(_ context.Context, r transport.Request) transport.Response {
		if r.Query == "kept" {
			return transport.Response{Kept: kept}
		}
		body := []byte(`{"data":{"a":1}}`)
		if r.Query == "large" {
			body = []byte(`{"data":{"a":"` + strings.Repeat("x", 3<<20) + `"}}`)
		}
		return transport.Response{Result: execute.Result{Body: body, Data: body[len(`{"data":`) : len(body)-1]}}
	}}
	for _, query := range []string{"large", "kept"} { // the latter is expanded for each client that takes no coding
		first := &slow{ResponseRecorder: httptest.NewRecorder(), begun: make(chan struct{}), let: make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(ask(query)))
			r.Header.Set("Content-Type", plain)
			h.ServeHTTP(first, r)
		}()
		<-first.begun
		if w := (call{body: ask(query)}).do(h); w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "with less at once") {
			t.Errorf("%s: beside one that is not taken, another large answer is %d %.200s", query, w.Code, w.Body)
		}
		if w := (call{method: http.MethodGet, query: url.Values{"query": {query}}, headers: []string{"x-fraiseql-preflight", "1"}}).do(h); w.Code != 503 || w.Header().Get("Etag") != "" {
			t.Errorf("%s: by GET, it is %d %v", query, w.Code, w.Header())
		}
		if w := (call{body: ask("small")}).do(h); w.Code != 200 {
			t.Errorf("%s: a small one is %d", query, w.Code)
		}
		close(first.let)
		<-done
		for range 3 {
			if w := (call{body: ask(query)}).do(h); w.Code != 200 || w.Body.Len() < 3<<20 {
				t.Errorf("%s: after it was taken, another is %d %.200s", query, w.Code, w.Body)
			}
		}
	}
}

// TestFormsThatAreHeldAreBounded has no room for another one's files: it is refused before any is read.
func TestFormsThatAreHeldAreBounded(t *testing.T) {
	t.Parallel()
	asked := 0
	h := &transport.Handler{
		Execute: func(context.Context, transport.Request) transport.Response {
			asked++
			return transport.Response{Result: execute.Result{Data: []byte("{}"), Body: []byte(`{"data":{}}`)}}
		},
		BodyLimit: 1 << 10, UploadLimit: 1 << 20, Held: semaphore.NewWeighted(4 << 20),
	}
	send := func() int {
		body := "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"{ a }\"}\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--x--\r\n"
		r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.Header.Set("X-Fraiseql-Preflight", "1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	h.Held.TryAcquire(1)
	if code := send(); code != http.StatusServiceUnavailable || asked != 0 {
		t.Errorf("beside others it is answered %d, and run %d times", code, asked)
	}
	h.Held.Release(1)
	for range 3 { // each lets go of its room
		if code := send(); code != http.StatusOK {
			t.Errorf("alone it is answered %d", code)
		}
	}
}
