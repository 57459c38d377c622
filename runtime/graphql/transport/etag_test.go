package transport_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// tag is that of {"a":1} as application/graphql-response+json: it must not change from one process to another.
const tag = `W/"ApnSHC3ItudQNmsDLAQXNA"`

func TestTagsOfAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&transport.Handler{Execute: answers, BodyLimit: 200})
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		method, document, accept string
		given                    []string
		status                   int
		tag                      bool
	}{
		"a first look":        {status: 200, tag: true},
		"the same":            {given: []string{tag}, status: 304, tag: true},
		"the same, as strong": {given: []string{tag[2:]}, status: 304, tag: true},
		"one of several":      {given: []string{`"x,y", W/"",` + tag}, status: 304, tag: true},
		"in another line":     {given: []string{`"x"`, tag}, status: 304, tag: true},
		"any":                 {given: []string{" * "}, status: 304, tag: true},
		"another":             {given: []string{`W/"x"`}, status: 200, tag: true},
		"a star as a tag":     {given: []string{`"*"`}, status: 200, tag: true},
		"no tags":             {given: []string{`x, "y`}, status: 200, tag: true},
		"no end":              {given: []string{tag[:len(tag)-1]}, status: 200, tag: true},
		"between two tags":    {given: []string{`"` + tag[2:] + `"`}, status: 200, tag: true},
		"another type":        {accept: plain, given: []string{tag}, status: 200, tag: true},
		"some errors":         {document: "partial", given: []string{"*"}, status: 200},
		"only errors":         {document: "invalid", given: []string{"*"}, status: 400},
		"only errors, 200":    {document: "invalid", accept: plain, given: []string{"*"}, status: 200},
		"HEAD":                {method: http.MethodHead, status: 200, tag: true},
		"HEAD, the same":      {method: http.MethodHead, given: []string{tag}, status: 304, tag: true},
		"HEAD, some errors":   {method: http.MethodHead, document: "partial", status: 200},
		"HEAD, only errors":   {method: http.MethodHead, document: "invalid", status: 400},
		"POST":                {method: http.MethodPost, given: []string{"*"}, status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.document == "" {
				c.document = "{a}"
			}
			if c.method == "" {
				c.method = http.MethodGet
			}
			request, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+"?query="+url.QueryEscape(c.document), nil)
			if c.method == http.MethodPost {
				request, err = http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(ask(c.document)))
			}
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", plain)
			request.Header["If-None-Match"] = c.given
			if c.accept != "" {
				request.Header.Set("Accept", c.accept)
			}
			response, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != c.status || (len(body) == 0) != (c.status == 304 || c.method == http.MethodHead) {
				t.Errorf("answered %d with %q, %v", response.StatusCode, body, err)
			}
			if c.method == http.MethodHead && c.status == 200 && response.ContentLength < int64(len(`{"data":{"a":1}}`)) {
				t.Errorf("the length is %d", response.ContentLength)
			}
			h := response.Header
			if got := h.Get("Etag"); (got != "") != c.tag || c.accept == "" && c.tag && got != tag {
				t.Errorf("the tag is %q", got)
			}
			if got := h.Get("Cache-Control") == "private, no-cache"; got != c.tag || h.Get("Vary") != "Accept" {
				t.Errorf("headers %v", h)
			}
		})
	}
}
