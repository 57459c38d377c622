package graphql

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// wide is a schema of so many tables of twenty columns, each of which refers to another table, made by hand.
func wide(t testing.TB, tables int) *schema.Schema {
	t.Helper()
	number := &catalog.Type{OID: 23, Schema: "pg_catalog", Name: "int4", SQL: "integer", Kind: catalog.Base}
	text := &catalog.Type{OID: 25, Schema: "pg_catalog", Name: "text", SQL: "text", Kind: catalog.Base}
	c := &catalog.Catalog{Schemas: []string{"public"}}
	for i := range tables {
		table := &catalog.Table{OID: uint32(i + 1), Schema: "public", Name: fmt.Sprintf("thing_%d", i), Kind: catalog.Ordinary}
		for j := range 20 {
			column := &catalog.Column{Name: fmt.Sprintf("column_%d", j), Type: text, NotNull: j%2 == 0}
			if j < 2 {
				column.Type = number
			}
			table.Columns = append(table.Columns, column)
		}
		table.Keys = []*catalog.Key{{Primary: true, Columns: table.Columns[:1]}}
		if i > 0 {
			to := c.Tables[i/2]
			table.ForeignKeys = []*catalog.ForeignKey{{Columns: table.Columns[1:2], Target: to, References: to.Columns[:1], Validated: true}}
		}
		c.Tables = append(c.Tables, table)
	}
	s, err := schema.Build(c, schema.Options{DefaultLimit: 100, MaxLimit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// standard is what clients ask for a schema, as graphql-js writes it.
const standard = `query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind } subscriptionType { name kind } types { ...FullType }
	directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
fragment FullType on __Type { kind name description specifiedByURL isOneOf
	fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
	inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

// described is a service of roles with schemas made by hand, behind a server that encodes. Who asks says its role.
func described(t testing.TB, c Config, schemas map[string]*schema.Schema) (s *Service, address string) {
	t.Helper()
	s = New(c, Deps{Pool: idlePool(t), Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(s.Close)
	s.describe(schemas)
	mux := http.NewServeMux()
	s.Routes(mux)
	var server httpapi.Config
	config.Defaults(&server)
	server.Port, server.Compression = 0, &httpapi.Compression{}
	config.Defaults(server.Compression)
	var lifecycle httpapi.Lifecycle
	config.Defaults(&lifecycle)
	lifecycle.ShutdownDelay = 0
	identify := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(httpapi.WithPrincipal(r.Context(), &httpapi.Principal{Role: r.Header.Get("Role")})))
		})
	}
	h := httpapi.New(server, lifecycle, httpapi.NewHealth(), slog.New(slog.DiscardHandler), mux, identify)
	if err := h.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, h.URL() + "/graphql"
}

// describe has the service serve other schemas from here on.
func (s *Service) describe(schemas map[string]*schema.Schema) {
	now := &pictures{byName: map[string]*picture{}}
	for name, of := range schemas {
		now.byName[name] = &picture{name: name, role: "somebody", schema: of, documents: newKept(len(schemas)), unclaimed: []byte("{}")}
	}
	s.pictures.Store(now)
}

// told is an answer as it came.
type told struct {
	status int
	header http.Header
	body   string
}

// tell asks by GET with the headers of a request, each a name and a value; none is decoded but gzip, by net/http itself.
func tell(t testing.TB, address, document string, headers ...string) told {
	t.Helper()
	return tellOperation(t, address, document, "", headers...)
}

func tellOperation(t testing.TB, address, document, operation string, headers ...string) told {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"?"+url.Values{"query": {document}, "operationName": {operation}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Fraiseql-Preflight", "1")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return told{answer.StatusCode, answer.Header, string(body)}
}

// tagged is the tag that an answer has which is made anew.
func tagged(media, body string) string {
	sum := sha256.Sum256([]byte(media + "\n" + body[len(`{"data":`):len(body)-1]))
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

func (s *Service) introspectedOf(role string) introspected {
	return s.pictures.Load().byName[role].documents.introspected
}

// TestIntrospectionIsKept has answers about the schema that are the ones made anew, for each role its own, until there
// is another schema. They are larger than other answers may be.
func TestIntrospectionIsKept(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	yes, no := true, false
	c.Introspection, c.Limits.Response = &yes, 64<<10
	c.Roles = map[string]Role{"a": {}, "b": {}, "c": {Introspection: &no}}
	small, large, other := wide(t, 3), wide(t, 5), wide(t, 4)
	s, address := described(t, c, map[string]*schema.Schema{"a": small, "b": large, "c": small})
	fresh := func(role, document string) string {
		got := s.Execute(t.Context(), transport.Request{Query: document, Principal: &httpapi.Principal{Role: role}})
		if len(got.Errors) > 0 {
			t.Fatal(got.Errors)
		}
		return string(got.Body)
	}
	const named = "query A { __schema { types { name fields { name } } } } query B { ...S } fragment S on Query { ... { __schema { types { name description fields { name description } } } } }"
	for _, role := range []string{"a", "b"} {
		want := fresh(role, standard)
		tag := tagged("application/graphql-response+json", want)
		for _, coding := range []string{"", "gzip", "identity", ""} {
			headers := []string{"Role", role}
			if coding != "" {
				headers = append(headers, "Accept-Encoding", coding)
			}
			got := tell(t, address, standard, headers...)
			if got.status != 200 || coding != "gzip" && got.body != want || (coding == "gzip") != (got.header.Get("Content-Encoding") == "gzip") {
				t.Fatalf("%s, %q: answered %d with %d bytes %v", role, coding, got.status, len(got.body), got.header)
			}
			if vary := strings.Join(got.header["Vary"], ","); vary != "Accept,Accept-Encoding" || got.header.Get("Cache-Control") != "private, no-cache" {
				t.Errorf("%v", got.header)
			}
			if got.header.Get("Etag") != tag {
				t.Errorf("the tag is %q, want %q", got.header.Get("Etag"), tag)
			}
			if got := tell(t, address, standard, append(headers, "If-None-Match", tag)...); got.status != 304 || got.body != "" || len(got.header["Vary"]) == 0 {
				t.Errorf("with its tag it answered %d %v", got.status, got.header)
			}
		}
		if got := tell(t, address, standard, "Role", role, "Accept", "application/json"); got.body != want || got.header.Get("Etag") != tagged("application/json", want) || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
			t.Errorf("as application/json: %v", got.header)
		}
		kept := s.introspectedOf(role)
		if k, known := kept.get("IntrospectionQuery\n" + standard); !known || kept.order.Len() != 1 || kept.size != len("IntrospectionQuery\n"+standard)+k.Held() {
			t.Errorf("%d answers are kept for %s, %d bytes", kept.order.Len(), role, kept.size)
		}
		for _, operation := range []string{"A", "B"} {
			want := s.Execute(t.Context(), transport.Request{Query: named, OperationName: operation, Principal: &httpapi.Principal{Role: role}})
			for range 2 {
				if got := tellOperation(t, address, named, operation, "Role", role); got.status != 200 || got.body != string(want.Body) {
					t.Errorf("operation %s got another's answer: %d", operation, got.status)
				}
			}
		}
	}
	if got := tell(t, address, standard, "Role", "c"); got.status != 400 || !strings.Contains(got.body, "introspection is off") {
		t.Errorf("where introspection is off it answered %d %.200s", got.status, got.body)
	}
	s.describe(map[string]*schema.Schema{"a": other, "b": large, "c": small})
	if got := tell(t, address, standard, "Role", "a"); got.body != fresh("a", standard) {
		t.Error("the answer is that of the schema before")
	}
}

// TestWhatIsNotKept are answers that differ from one request to the next, that have something else in them, or that are
// small.
func TestWhatIsNotKept(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	yes := true
	c.Introspection, c.Limits.Batch = &yes, 10
	c.Roles = map[string]Role{"a": {}}
	s, address := described(t, c, map[string]*schema.Schema{"a": wide(t, 5)})
	types := "__schema { types { name fields { name description args { name description } } } }"
	for document, status := range map[string]int{
		"query($x: Boolean! = true) { " + types + " a: __typename @include(if: $x) }": 200,
		"{ " + types + " thing0(column0: 1) { column1 } }":                            503,
		`{ __type(name: "Thing0") { name } }`:                                         200,
		"{ __typename }":                                                              200,
		"{ nothing " + types + " }":                                                   400,
		"{ " + types + " } #" + strings.Repeat("x", keptText):                         200,
	} {
		for range 2 {
			if got := tell(t, address, document, "Role", "a"); got.status != status {
				t.Errorf("%.100s: answered %d %.200s", document, got.status, got.body)
			}
		}
	}
	who := &httpapi.Principal{Role: "a"}
	given := transport.Request{Query: "{ " + types + " }", Open: true, Principal: who, Variables: map[string]any{"x": nil}}
	refused := func() {
		t.Helper()
		if got := s.Serve(t.Context(), given); len(got.Errors) != 1 || !strings.Contains(got.Errors[0].Message, "not declared") {
			t.Errorf("a variable that is not declared: %v", got.Errors)
		}
	}
	refused()
	given.Variables, given.Open = nil, false
	if got := s.Serve(t.Context(), given); len(got.Body) == 0 {
		t.Error("an answer that is to be one piece is none")
	}
	if n := s.introspectedOf("a").order.Len(); n != 0 {
		t.Errorf("%d answers are kept", n)
	}
	given.Open = true
	if got := s.Serve(t.Context(), given); got.Kept == nil {
		t.Error("an answer that could be kept is not")
	}
	given.Variables = map[string]any{"x": nil}
	refused()
}

// TestKeptIntrospectionIsBounded keeps answers until there is no room, and counts what they take in other codings, too.
func TestKeptIntrospectionIsBounded(t *testing.T) {
	t.Parallel()
	c := newIntrospected(1)
	body := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(body) // which cannot be compressed
	answer := func(i int) transport.Response {
		var r transport.Response
		r.Body = append([]byte(nil), body...)
		return c.keep(fmt.Sprint(i), r)
	}
	for i := range 20 {
		if answer(i).Kept == nil {
			t.Fatal("it is not kept")
		}
	}
	if c.size > introspectedBytes || c.order.Len() == 20 {
		t.Errorf("%d answers take %d bytes", c.order.Len(), c.size)
	}
}

// BenchmarkIntrospection is the standard query for a schema of 500 tables, over a connection.
func BenchmarkIntrospection(b *testing.B) {
	c := DefaultConfig()
	yes := true
	c.Introspection = &yes
	c.Roles = map[string]Role{"a": {}}
	schemas := map[string]*schema.Schema{"a": wide(b, 500)}
	s, address := described(b, c, schemas)
	ask := func(b *testing.B, coding string) (size int64) {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address+"?query="+url.QueryEscape(standard), nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header = http.Header{"X-Fraiseql-Preflight": {"1"}, "Role": {"a"}, "Accept-Encoding": {coding}}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if size, err = io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.StatusCode, err)
		}
		return size
	}
	for _, coding := range []string{"gzip", "zstd", "br", "identity"} {
		b.Run("first, "+coding, func(b *testing.B) {
			for b.Loop() {
				s.describe(schemas)
				ask(b, coding)
			}
		})
		b.Run("kept, "+coding, func(b *testing.B) {
			size := ask(b, coding)
			for b.Loop() {
				ask(b, coding)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
