package graphql_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
)

// form is a request with files.
type form struct{ parts [][2]string }

func (f form) with(name, content string) form {
	return form{append(f.parts[:len(f.parts):len(f.parts)], [2]string{name, content})}
}

// post sends a form; headers come after those that it needs.
func (c client) upload(f form, headers ...string) reply {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, part := range f.parts {
		if err := w.WriteField(part[0], part[1]); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	return c.do(http.MethodPost, c.url, b.String(), append([]string{"Content-Type", w.FormDataContentType(), "X-Fraiseql-Preflight", "1"}, headers...)...)
}

const pictures = `
	create table picture (id int primary key, name text, content bytea, more bytea[], note jsonb);
	create function sized(content bytea) returns int immutable language sql as 'select length(content)';`

func openPictures(t *testing.T, change func(c *graphql.Config)) (client, func(id int) string) {
	t.Helper()
	config := graphql.DefaultConfig()
	config.Limits.Upload = 1 << 20
	config.Limits.Batch = 3
	change(&config)
	s, pool := openWith(t, config, graphql.Deps{}, sql(t, pictures))
	return served(t, s, nil), func(id int) string {
		var digest string
		if err := pool.QueryRow(t.Context(), "select encode(sha256(content), 'hex') || coalesce(' ' || encode(sha256(more[2]), 'hex'), '') from picture where id = $1", id).Scan(&digest); err != nil {
			t.Fatal(err)
		}
		return digest
	}
}

func sha(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

const createPicture = `{"query": "mutation($p: PictureInput!) { createPicture(input: $p) { id name } }", "variables": {"p": {"id": %d, "name": "x", "content": null, "more": [null, null]}}}`

// TestFilesOfForms sends them: one, several, one in two places, in a list, to a function, in a batch.
func TestFilesOfForms(t *testing.T) {
	t.Parallel()
	c, stored := openPictures(t, func(*graphql.Config) {})
	random := rand.New(rand.NewPCG(1, 2))
	var large strings.Builder
	for range 700_000 {
		large.WriteByte(byte(random.IntN(256)))
	}
	for i, content := range []string{"", "a", "\x00\xff\r\n--boundary\"", large.String()} {
		got := c.upload(form{}.with("operations", fmt.Sprintf(createPicture, i)).with("map", `{"0": ["variables.p.content"]}`).with("0", content))
		if want := fmt.Sprintf(`{"data":{"createPicture":{"id":%d,"name":"x"}}}`, i); got.body != want || got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if stored(i) != sha(content) {
			t.Errorf("file %d is stored as something else", i)
		}
	}
	got := c.upload(form{}.with("operations", fmt.Sprintf(createPicture, 10)).with("map", `{"a": ["variables.p.content", "variables.p.more.0"], "b": ["variables.p.more.1"]}`).with("b", "BB").with("a", "AA"))
	if got.status != http.StatusOK || stored(10) != sha("AA")+" "+sha("BB") {
		t.Errorf("%s: %s", got.body, stored(10))
	}
	got = c.upload(form{}.with("operations", `{"query": "query($f: Bytes!) { sized(content: $f) }", "variables": {"f": null}}`).with("map", `{"0": ["variables.f"]}`).with("0", "12345"))
	if got.body != `{"data":{"sized":5}}` {
		t.Errorf("%s", got.body)
	}
	batch := "[" + fmt.Sprintf(createPicture, 11) + "," + fmt.Sprintf(createPicture, 12) + "]"
	got = c.upload(form{}.with("operations", batch).with("map", `{"0": ["0.variables.p.content"], "1": ["1.variables.p.content"]}`).with("0", "eleven").with("1", "twelve"))
	if got.status != http.StatusOK || stored(11) != sha("eleven") || stored(12) != sha("twelve") {
		t.Errorf("%s", got.body)
	}
	if got = c.upload(form{}.with("operations", `{"query": "{ __typename }"}`).with("map", `{}`)); got.body != `{"data":{"__typename":"Query"}}` {
		t.Errorf("a form without files: %s", got.body)
	}
	key := []string{"Idempotency-Key", "k1"}
	once := form{}.with("operations", fmt.Sprintf(createPicture, 13)).with("map", `{"0": ["variables.p.content"]}`)
	if got = c.upload(once.with("0", "a"), key...); got.status == http.StatusOK && !strings.Contains(got.body, `"errors"`) {
		t.Error("there is no table for keys, and the change was made")
	}
}

// TestFormsThatAreRefused changes nothing by any of them.
func TestFormsThatAreRefused(t *testing.T) {
	t.Parallel()
	c, _ := openPictures(t, func(*graphql.Config) {})
	operations := fmt.Sprintf(createPicture, 1)
	text := `{"query": "mutation($n: String, $j: JSON, $c: Bytes) { createPicture(input: {id: 1, name: $n, note: $j, content: $c}) { id } }", "variables": {"n": null, "j": {"a": [null]}, "c": null, "x": null}}`
	one := form{}.with("operations", operations).with("map", `{"0": ["variables.p.content"]}`)
	places := make([]string, 21)
	for i := range places {
		places[i] = fmt.Sprintf(`"%d": ["variables.p.content"]`, i)
	}
	for name, test := range map[string]struct {
		form   form
		status int
		says   string
	}{
		"no operations":       {form{}.with("map", `{}`), 400, "operations is not where it should be"},
		"no map":              {form{}.with("operations", operations), 400, "map is not where it should be"},
		"the wrong order":     {form{}.with("map", `{}`).with("operations", operations), 400, "operations is not where it should be"},
		"no JSON":             {form{}.with("operations", "{").with("map", `{}`), 400, "not JSON"},
		"a map of a list":     {form{}.with("operations", operations).with("map", `["variables.p"]`), 400, "part map"},
		"a map of texts":      {form{}.with("operations", operations).with("map", `{"0": "variables.p.content"}`), 400, "part map"},
		"a map of nothing":    {form{}.with("operations", operations).with("map", `{"0": []}`), 400, "part map"},
		"a map twice":         {form{}.with("operations", operations).with("map", `{"0": ["variables.p.content"]}{}`), 400, "part map"},
		"a name twice":        {form{}.with("operations", operations).with("map", `{"0": ["variables.p.content"], "0": ["variables.p.content"]}`), 400, "part map"},
		"a file is missing":   {one, 400, "does not bring"},
		"a file too many":     {one.with("0", "x").with("1", "x"), 400, "does not name"},
		"a file twice":        {one.with("0", "x").with("0", "x"), 400, "does not name"},
		"another file":        {one.with("1", "x"), 400, "does not name"},
		"too large":           {one.with("0", strings.Repeat("x", 1<<20+1)), 413, "[graphql.limits] upload"},
		"too large together":  {form{}.with("operations", operations).with("map", `{"0": ["variables.p.content"], "1": ["variables.p.more.0"]}`).with("0", strings.Repeat("x", 1<<19)).with("1", strings.Repeat("x", 1<<19+1)), 413, "[graphql.limits] upload"},
		"much too large":      {one.with("0", strings.Repeat("x", 3<<20)), 413, "[graphql.limits] upload"},
		"too many":            {form{}.with("operations", operations).with("map", "{"+strings.Join(places, ",")+"}"), 413, "at most 20 files"},
		"too many places":     {form{}.with("operations", operations).with("map", `{"0": ["variables.p.content"`+strings.Repeat(`, "variables.p.more.0"`, 20)+`]}`).with("0", "x"), 413, "at most 20 places"},
		"too large by places": {form{}.with("operations", operations).with("map", `{"0": ["variables.p.content", "variables.p.more.0", "variables.p.more.1"]}`).with("0", strings.Repeat("x", 400_000)), 413, "[graphql.limits] upload"},
		"no such place":       {form{}.with("operations", operations).with("map", `{"0": ["variables.p.there.0"]}`).with("0", "x"), 400, "is not null"},
		"no null":             {form{}.with("operations", operations).with("map", `{"0": ["variables.p.name"]}`).with("0", "x"), 400, "is not null"},
		"no place at all":     {form{}.with("operations", operations).with("map", `{"0": ["query"]}`).with("0", "x"), 400, "is none in variables"},
		"outside of a list":   {form{}.with("operations", operations).with("map", `{"0": ["variables.p.more.2"]}`).with("0", "x"), 400, "is not null"},
		"below a text":        {form{}.with("operations", operations).with("map", `{"0": ["variables.p.name.0"]}`).with("0", "x"), 400, "is not null"},
		"one place twice":     {form{}.with("operations", operations).with("map", `{"0": ["variables.p.content", "variables.p.content"]}`).with("0", "x"), 400, "is not null"},
		"in no batch":         {form{}.with("operations", "["+operations+"]").with("map", `{"0": ["variables.p.content"]}`).with("0", "x"), 400, "in no request of the batch"},
		"behind the batch":    {form{}.with("operations", "["+operations+"]").with("map", `{"0": ["1.variables.p.content"]}`).with("0", "x"), 400, "in no request of the batch"},
		"as a text":           {form{}.with("operations", text).with("map", `{"0": ["variables.n"]}`).with("0", "x"), 400, "a file is a value of Bytes, not of String"},
		"within JSON":         {form{}.with("operations", text).with("map", `{"0": ["variables.j.a.0"]}`).with("0", "x"), 400, "a file is a value of Bytes, not of JSON"},
		"of no variable":      {form{}.with("operations", text).with("map", `{"0": ["variables.x"]}`).with("0", "x"), 400, "is not declared"},
	} {
		got := c.upload(test.form)
		if got.status != test.status || !strings.Contains(got.body, strings.ReplaceAll(test.says, `"`, `\"`)) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("operations", operations)
	_ = w.WriteField("map", `{"0": ["variables.p.content"]}`)
	_ = w.WriteField("0", "content")
	_ = w.Close()
	for name, test := range map[string]struct {
		body    string
		headers []string
		says    string
	}{
		"by another site": {b.String(), []string{"Content-Type", w.FormDataContentType()}, "another site"},
		"no boundary":     {b.String(), []string{"Content-Type", "multipart/form-data", "Apollo-Require-Preflight", "true"}, "no boundary"},
		"cut":             {b.String()[:b.Len()-20], []string{"Content-Type", w.FormDataContentType(), "Apollo-Require-Preflight", "true"}, "to its end"},
		"no end":          {b.String()[:b.Len()-6], []string{"Content-Type", w.FormDataContentType(), "Apollo-Require-Preflight", "true"}, "to its end"},
	} {
		got := c.do(http.MethodPost, c.url, test.body, test.headers...)
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, test.says) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := c.do(http.MethodPost, c.url, `{"query": "{ pictures { id } }"}`); got.body != `{"data":{"pictures":[]}}` {
		t.Errorf("something was changed: %s", got.body)
	}
}

// TestFormsAreOffUnlessSaid has the default.
func TestFormsAreOffUnlessSaid(t *testing.T) {
	t.Parallel()
	c, _ := openPictures(t, func(c *graphql.Config) { c.Limits.Upload = graphql.DefaultConfig().Limits.Upload })
	got := c.upload(form{}.with("operations", `{"query": "{ __typename }"}`).with("map", `{}`))
	if got.status != http.StatusUnsupportedMediaType || !strings.Contains(got.body, "[graphql.limits] upload") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
