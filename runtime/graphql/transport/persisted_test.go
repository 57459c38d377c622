package transport_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// extension is what Apollo's clients send.
func extension(hash string) string {
	return `{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}`
}

// echo answers with what it was asked.
func echo(_ context.Context, r transport.Request) transport.Response {
	return transport.Response{Result: execute.Result{Data: []byte(`["` + r.Query + `","` + r.DocumentID + `","` + r.Digest + `"]`)}}
}

// TestNamesOfDocuments has requests that name what they mean, and such as could mean two things.
func TestNamesOfDocuments(t *testing.T) {
	t.Parallel()
	h := &transport.Handler{Execute: echo, BodyLimit: 1000}
	known := digest("{é}")
	get := func(pairs ...string) call {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return call{method: http.MethodGet, query: values, headers: []string{"X-Fraiseql-Preflight", "1"}}
	}
	for name, c := range map[string]struct {
		call   call
		status int
		body   string
	}{
		"an id":                     {call{body: `{"documentId":"sha256:ab"}`}, 200, `{"data":["","sha256:ab",""]}`},
		"an id and no text":         {call{body: `{"query":null,"documentId":"x"}`}, 200, `["","x",""]`},
		"an id and an empty text":   {call{body: `{"query":"","documentId":"x"}`}, 200, `["","x",""]`},
		"an id and a text":          {call{body: `{"query":"{a}","documentId":"x"}`}, 400, "send one of them"},
		"an id and a digest":        {call{body: `{"documentId":"x","extensions":` + extension(known) + `}`}, 400, "send one of them"},
		"an id that is a number":    {call{body: `{"documentId":1}`}, 400, `\"documentId\" is not a string`},
		"an empty id":               {call{body: `{"documentId":""}`}, 400, "has no member"},
		"a digest":                  {call{body: `{"extensions":` + extension(known) + `}`}, 200, `["","","` + known + `"]`},
		"a digest and its text":     {call{body: `{"query":"{é}","extensions":` + extension(known) + `}`}, 200, `["{é}","","` + known + `"]`},
		"its text in other letters": {call{body: `{"query":"{\u00e9}","extensions":` + extension(known) + `}`}, 200, `["{é}","","` + known + `"]`},
		"a digest before its text":  {call{body: `{"extensions":` + extension(known) + `,"query":"{é}"}`}, 200, known},
		"a space more":              {call{body: `{"query":"{é} ","extensions":` + extension(known) + `}`}, 400, "provided sha does not match query"},
		"a digest in capitals":      {call{body: `{"query":"{é}","extensions":` + extension(strings.ToUpper(known)) + `}`}, 400, "provided sha does not match query"},
		"no matter what they take":  {call{body: `{"query":"{é} ","extensions":` + extension(known) + `}`, accept: plain}, 400, `"BAD_USER_INPUT"`},
		"another version":           {call{body: `{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}`}, 400, `"PERSISTED_QUERY_NOT_SUPPORTED"`},
		"a version that is a text":  {call{body: `{"extensions":{"persistedQuery":{"version":"1","sha256Hash":"x"}}}`}, 400, "unsupported persisted query version"},
		"no version":                {call{body: `{"extensions":{"persistedQuery":{"sha256Hash":"x"}}}`}, 400, "unsupported persisted query version"},
		"no digest":                 {call{body: `{"query":"{a}","extensions":{"persistedQuery":{"version":1}}}`}, 400, "with version and sha256Hash"},
		"a list for it":             {call{body: `{"query":"{a}","extensions":{"persistedQuery":[]}}`}, 400, "with version and sha256Hash"},
		"null for it":               {call{body: `{"query":"{a}","extensions":{"persistedQuery":null}}`}, 200, `["{a}","",""]`},
		"other extensions":          {call{body: `{"query":"{a}","extensions":{"x":1}}`}, 200, `["{a}","",""]`},
		"an id by GET":              {get("documentId", "sha256:ab"), 200, `["","sha256:ab",""]`},
		"a digest by GET":           {get("extensions", extension(known)), 200, `["","","` + known + `"]`},
		"both by GET":               {get("query", "{é}", "extensions", extension(known)), 200, `["{é}","","` + known + `"]`},
		"another text by GET":       {get("query", "{e}", "extensions", extension(known)), 400, "provided sha does not match query"},
		"other extensions by GET":   {get("extensions", `{"x":1}`), 400, "has no parameter"},
		"two ids by GET":            {call{method: http.MethodGet, query: url.Values{"documentId": {"a", "b"}}, headers: []string{"X-Fraiseql-Preflight", "1"}}, 400, "more than once"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if w := c.call.do(h); w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
	for _, by := range []call{get("documentId", "x"), get("extensions", extension(known))} {
		h := &transport.Handler{Execute: echo, Playground: http.NotFoundHandler()}
		by.accept = "text/html, */*"
		if w := by.do(h); w.Code != 200 {
			t.Errorf("a browser that names a document gets %d %s", w.Code, w.Body)
		}
	}
}

// TestTheAnswerThatAsksForTheText is 200 whatever the media type, and no cache may keep it.
func TestTheAnswerThatAsksForTheText(t *testing.T) {
	t.Parallel()
	h := &transport.Handler{BodyLimit: 1000, Execute: func(ctx context.Context, _ transport.Request) transport.Response {
		r := answers(ctx, transport.Request{Query: "invalid"})
		r.SendText = true
		return r
	}}
	for _, accept := range []string{plain, modern} {
		w := call{body: `{"extensions":` + extension("x") + `}`, accept: accept}.do(h)
		if w.Code != 200 || w.Header().Get("Content-Type") != accept+"; charset=utf-8" || w.Header().Get("Cache-Control") != "private, no-cache, must-revalidate" {
			t.Errorf("answered %d %v", w.Code, w.Header())
		}
	}
}
