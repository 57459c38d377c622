package graphql_test

import (
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

func switched(on bool) config.Switch { return config.Switch{Enabled: &on} }

const (
	listItems = "query list { items { id } }\n"
	oneItem   = "query one($id: Int!) { item(id: $id) { title } }"
	newItem   = "mutation { createItem(input: {title: \"c\"}) { id } }"
	badItem   = "{ items { price } }"
	allTypes  = "{ __schema { queryType { name } } }"
)

// folderOf are the documents of the tests below.
func folderOf(t *testing.T) graphql.Deps {
	t.Helper()
	return graphql.Deps{Documents: documents(t, map[string]string{
		"list.graphql": listItems, "new.graphql": newItem, "types.graphql": allTypes,
		"m.json": toJSON(t, map[string]string{"one": oneItem, "bad": badItem}),
	})}
}

// TestTrustedDocuments are named by id, with prefix and without, and by Apollo's digest.
func TestTrustedDocuments(t *testing.T) {
	t.Parallel()
	off := false
	s, _ := openWith(t, persisting(graphql.Persisted{Dir: "x", APQ: &off}), folderOf(t), sql(t, items))
	c := served(t, s, nil)
	const list, one = `{"data":{"items":[{"id":1},{"id":2}]}}`, `{"data":{"item":{"title":"b"}}}`
	withID := func(id string) map[string]any { return map[string]any{"documentId": id} }
	c.post(withID("sha256:"+digestOf(listItems))).expect(t, "by prefix", 200, list)
	c.post(withID(digestOf(listItems))).expect(t, "by digest", 200, list)
	c.get(withID("sha256:"+digestOf(listItems))).expect(t, "by GET", 200, list)
	c.post(hashed(listItems, false)).expect(t, "by Apollo's digest, without apq", 200, list)
	two := map[string]any{"documentId": "one", "variables": map[string]any{"id": 2}}
	c.post(two).expect(t, "by a manifest's id", 200, one)
	c.get(two).expect(t, "by GET with variables", 200, one)
	c.get(withID(digestOf(newItem))).expect(t, "a mutation by GET", 405, "GET runs queries only")
	c.post(withID(digestOf(newItem))).expect(t, "a mutation", 200, `{"data":{"createItem":{"id":3}}}`)
	c.post(withID("bad")).expect(t, "one that is not valid", 400, "GRAPHQL_VALIDATION_FAILED")
	unknown := c.post(withID("nine"))
	unknown.expect(t, "an unknown one", 400, "PERSISTED_QUERY_NOT_FOUND")
	unknown.expect(t, "an unknown one", 400, `there is no document with the id \"nine\"`)
	c.post(withID(strings.Repeat("x", 5000))).expect(t, "a long id", 400, strings.Repeat("x", 80)+"…")
	c.post(hashed("{ items { title } }", false)).expect(t, "a digest of nothing", 200, notHere)
	c.post(map[string]any{"query": "{ items { title } }"}).expect(t, "a text", 200, `"title"`)
}

// TestOnlyTrustedDocuments refuses every text, the playground, and what is unknown.
func TestOnlyTrustedDocuments(t *testing.T) {
	t.Parallel()
	yes := true
	config := persisting(graphql.Persisted{Dir: "x", Only: true})
	config.Playground, config.Introspection, config.Limits.Batch = &yes, &yes, 2
	s, _ := openWith(t, config, folderOf(t), sql(t, items))
	c := served(t, s, nil)
	c.post(map[string]any{"documentId": digestOf(listItems)}).expect(t, "a document", 200, `{"data":`)
	c.post(hashed(listItems, false)).expect(t, "its digest", 200, `{"data":`)
	c.post(map[string]any{"documentId": digestOf(allTypes)}).expect(t, "one that introspects", 200, `"queryType"`)
	for what, members := range map[string]map[string]any{
		"a text":                      {"query": "{ items { id } }"},
		"the text of a document":      {"query": listItems},
		"introspection":               {"query": allTypes},
		"a text that cannot be valid": {"query": "{"},
		"an empty text":               {"query": ""},
		"a digest and its text":       hashed(listItems, true),
		"an unknown digest":           hashed("{ items { id } }", false),
		"an unknown id":               {"documentId": "nine"},
	} {
		for _, accept := range []string{older, "*/*"} {
			r := c.post(members, "Accept", accept)
			r.expect(t, what, 403, `"code":"FORBIDDEN"`)
			r.expect(t, what, 403, "`[graphql.persisted] only`")
		}
	}
	c.get(map[string]any{"query": "{ items { id } }"}).expect(t, "a text by GET", 403, "FORBIDDEN")
	c.do("POST", c.url, `[{"documentId":"`+digestOf(listItems)+`"},{"query":"{ items { id } }"}]`).expect(t, "a list", 200, `{"data":{"items":[{"id":1},{"id":2}]}},{"errors":`)
	c.do("GET", c.url, "", "Accept", "text/html").expect(t, "a browser", 406, "answers are")
	if got := s.Execute(t.Context(), transport.Request{Query: "{ items { id } }"}); len(got.Errors) > 0 {
		t.Errorf("who may have anything run is refused: %v", got.Errors)
	}
}

// TestDocumentsThatDoNotFit are told with file and reason, until the schema has what they ask for.
func TestDocumentsThatDoNotFit(t *testing.T) {
	t.Parallel()
	no := false
	config := persisting(graphql.Persisted{Dir: "x"})
	config.Introspection = &no
	s, pool := openWith(t, config, folderOf(t), sql(t, items))
	told := func() string {
		var list []string
		for _, w := range s.Warnings() {
			if w.Hint == "" {
				t.Errorf("%s does not say what to do", w.Message)
			}
			list = append(list, w.Subject+" "+w.Code+" "+w.Message)
		}
		return strings.Join(list, "\n")
	}
	const types = `types.graphql graphql/document-invalid this trusted document will be refused: introspection is off on this server (line 1, column 3)`
	if got, want := told(), `m.json ("bad") graphql/document-invalid this trusted document will be refused: Cannot query field "price" on type "Item". (line 1, column 11)`+"\n"+types; got != want {
		t.Errorf("it tells\n%s\nwant\n%s", got, want)
	}
	exec(t, pool, "alter table item add column price int")
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != types {
		t.Errorf("after the change it tells\n%s", got)
	}
	served(t, s, nil).post(map[string]any{"documentId": "bad"}).expect(t, "what was not valid", 200, `{"price":null}`)
}

// TestADocumentOfOneRoleIsNoMisfit has documents that a role may run and another may not.
func TestADocumentOfOneRoleIsNoMisfit(t *testing.T) {
	t.Parallel()
	s, _ := roledWith(t, persisting(graphql.Persisted{Dir: "x", Only: true}), graphql.Deps{Documents: documents(t, map[string]string{
		"a.graphql": "{ items { owner } }", "b.graphql": "{ items { nothing } }", "c.graphql": "{ accounts { secret } }",
	})}, tenants)
	var told []string
	for _, w := range s.Misfits() {
		told = append(told, w.Subject)
	}
	if got := strings.Join(told, " "); got != "b.graphql c.graphql" {
		t.Errorf("it tells of %s", got)
	}
	asks := map[string]any{"documentId": digestOf("{ items { owner } }")}
	served(t, s, as("member", "ann")).post(asks).expect(t, "the role that may", 200, `{"data":{"items":[{"owner":"ann"}]}}`)
	served(t, s, as("guest", "")).post(asks).expect(t, "the role that may not", 400, "GRAPHQL_VALIDATION_FAILED")
	served(t, s, nil).post(asks).expect(t, "nobody", 401, "UNAUTHENTICATED")
}

// TestOnlyAndNoDocuments is told: nothing can be asked.
func TestOnlyAndNoDocuments(t *testing.T) {
	t.Parallel()
	s, _ := openWith(t, persisting(graphql.Persisted{Dir: "x", Only: true}), graphql.Deps{Documents: documents(t, nil)}, sql(t, items))
	if list := s.Misfits(); len(list) != 1 || list[0].Code != "graphql/no-documents" || list[0].Hint == "" {
		t.Errorf("it tells %v", list)
	}
}
