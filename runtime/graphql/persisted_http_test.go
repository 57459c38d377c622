package graphql_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/trusted"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// client asks a service over HTTP.
type client struct {
	t   *testing.T
	url string
}

// reply is what a client gets.
type reply struct {
	status int
	header http.Header
	body   string
}

// served gives a client of a service, for whom somebody asks; nil is nobody.
func served(t *testing.T, s *graphql.Service, who *httpapi.Principal) client {
	t.Helper()
	mux := http.NewServeMux()
	s.Routes(mux)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who != nil {
			r = r.WithContext(httpapi.WithPrincipal(r.Context(), who))
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return client{t, server.URL + "/graphql"}
}

func (c client) do(method, address, body string, headers ...string) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, string(text)}
}

// post sends a body made of members and their values.
func (c client) post(members map[string]any, headers ...string) reply {
	c.t.Helper()
	return c.do(http.MethodPost, c.url, toJSON(c.t, members), headers...)
}

// get sends the same in an address.
func (c client) get(members map[string]any, headers ...string) reply {
	c.t.Helper()
	values := url.Values{}
	for name, value := range members {
		if text, is := value.(string); is {
			values.Set(name, text)
		} else {
			values.Set(name, toJSON(c.t, value))
		}
	}
	return c.do(http.MethodGet, c.url+"?"+values.Encode(), "", headers...)
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// hashed are the members of a request as Apollo's clients send it, with its text or without.
func hashed(text string, with bool) map[string]any {
	members := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": digestOf(text)}}}
	if with {
		members["query"] = text
	}
	return members
}

// expect compares a reply with the status and a part of the body.
func (r reply) expect(t *testing.T, what string, status int, part string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.body, part) {
		t.Errorf("%s: %d %.400s, want %d %s", what, r.status, r.body, status, part)
	}
}

const (
	items    = `create table item (id serial primary key, title text not null unique); insert into item (title) values ('a'), ('b');`
	older    = "application/json"
	notFound = `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`
	notHere  = `{"errors":[{"message":"PersistedQueryNotSupported","extensions":{"code":"PERSISTED_QUERY_NOT_SUPPORTED"}}]}`
)

func persisting(p graphql.Persisted) graphql.Config {
	c := graphql.DefaultConfig()
	c.Persisted = &p
	return c
}

// TestClientsRegisterTheirTexts follows Apollo's protocol from the first request of a client to what others get of it.
func TestClientsRegisterTheirTexts(t *testing.T) {
	t.Parallel()
	s, pool := open(t, persisting(graphql.Persisted{}), sql(t, items))
	c := served(t, s, nil)
	const text, data = "{ items { id } }", `{"data":{"items":[{"id":1},{"id":2}]}}`
	for _, accept := range []string{older, "application/graphql-response+json"} {
		first := c.post(hashed(text, false), "Accept", accept)
		first.expect(t, "unknown, "+accept, 200, notFound)
		if first.header.Get("Cache-Control") != "private, no-cache, must-revalidate" {
			t.Errorf("a cache may keep that it is unknown: %v", first.header)
		}
	}
	c.get(hashed(text, false)).expect(t, "unknown by GET", 200, notFound)
	c.post(hashed(text, true)).expect(t, "with its text", 200, data)
	c.post(hashed(text, false)).expect(t, "the second time", 200, data)
	c.get(hashed(text, false)).expect(t, "by GET", 200, data)
	c.post(hashed(text+" ", false)).expect(t, "a space more", 200, notFound)

	wrong := hashed("{ items { title } }", false)
	wrong["query"] = text
	c.post(wrong, "Accept", older).expect(t, "the digest of another text", 400, "provided sha does not match query")
	c.post(hashed("{ items { title } }", false)).expect(t, "after that", 200, notFound)

	for what, text := range map[string]string{
		"that cannot be parsed": "{ items ", "that is not valid": "{ items { price } }", "of many words": "{ items { " + strings.Repeat("id ", 2000) + "} }",
		"of too many levels": "{ itemsConnection " + strings.Repeat("{ edges { node ", 7) + "{ id }" + strings.Repeat("} }", 7) + "}",
	} {
		c.post(hashed(text, true), "Accept", older).expect(t, "a text "+what, 200, `{"errors":[{"message":`)
		c.post(hashed(text, false)).expect(t, "the digest of one "+what, 200, notFound)
	}
	create := "mutation { createItem(input: {title: \"c\"}) { id } }"
	c.get(hashed(create, true)).expect(t, "a mutation by GET", 405, "GET runs queries only")
	c.post(hashed(create, false)).expect(t, "one that was not run", 200, notFound)
	c.post(hashed(create, true)).expect(t, "by POST", 200, `{"data":{"createItem":{"id":3}}}`)
	c.get(hashed(create, false)).expect(t, "by GET, registered", 405, "GET runs queries only")

	const twice = "query list($n: Int!) { items(limit: $n) { id } } query other { items(limit: 1) { title } }"
	named := hashed(twice, true)
	named["operationName"] = "other"
	c.get(named).expect(t, "registered by GET", 200, `{"data":{"items":[{"title":"a"}]}}`)
	named = hashed(twice, false)
	named["operationName"] = "other"
	c.post(named).expect(t, "with a name", 200, `{"data":{"items":[{"title":"a"}]}}`)

	exec(t, pool, "alter table item add column price int")
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.post(hashed(text, false)).expect(t, "after a change of the schema", 200, `{"data":{"items":[{"id":1}`)
}

// TestRolesRegisterForThemselves has a text that one role may run: another learns nothing of it by its digest.
func TestRolesRegisterForThemselves(t *testing.T) {
	t.Parallel()
	s, _ := roled(t, persisting(graphql.Persisted{}), 0, tenants)
	member, guest, nobody := served(t, s, as("member", "ann")), served(t, s, as("guest", "")), served(t, s, nil)
	const text = "{ items { owner } }"
	guest.post(hashed(text, true), "Accept", older).expect(t, "what it may not", 200, "GRAPHQL_VALIDATION_FAILED")
	member.post(hashed(text, false)).expect(t, "what a stranger sent", 200, notFound)
	member.post(hashed(text, true)).expect(t, "what it may", 200, `{"data":{"items":[{"owner":"ann"}]}}`)
	member.post(hashed(text, false)).expect(t, "its own", 200, `{"data":{"items":[{"owner":"ann"}]}}`)
	guest.post(hashed(text, false)).expect(t, "another's", 200, notFound)
	nobody.post(hashed(text, false)).expect(t, "nobody's", 401, "UNAUTHENTICATED")
}

// TestNoTableNoDigests has clients that are told to send their texts and nothing else.
func TestNoTableNoDigests(t *testing.T) {
	t.Parallel()
	off := false
	for name, config := range map[string]graphql.Config{
		"no table":       graphql.DefaultConfig(),
		"enabled, false": persisting(graphql.Persisted{Switch: switched(false), Dir: "x", Only: true}),
		"apq, false":     persisting(graphql.Persisted{APQ: &off}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, config, sql(t, items))
			c := served(t, s, nil)
			for _, with := range []bool{false, true} {
				r := c.post(hashed("{ items { id } }", with))
				r.expect(t, "a digest", 200, notHere)
				if r.header.Get("Cache-Control") == "" {
					t.Error("a cache may keep it")
				}
			}
			c.post(map[string]any{"query": "{ items { id } }"}).expect(t, "a text", 200, `{"data"`)
			c.post(map[string]any{"documentId": "x"}).expect(t, "an id", 400, "`[graphql.persisted] dir`")
			c.post(map[string]any{"documentId": "x"}, "Accept", older).expect(t, "an id, older", 200, "PERSISTED_QUERY_NOT_FOUND")
		})
	}
}

// documents reads trusted documents from files with these texts.
func documents(t *testing.T, files map[string]string) *trusted.Documents {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := trusted.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
