package trusted_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/trusted"
)

// folder writes files, by their paths below a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestEveryFormIsRead has files, both kinds of manifests, folders, links, and what is not to be read.
func TestEveryFormIsRead(t *testing.T) {
	t.Parallel()
	const a, b, c = "query a { a }\n", "query b { b }", "query c { c }"
	dir := folder(t, map[string]string{
		"a.graphql":                a,
		"more/b.graphql":           b,
		".hidden/d.graphql":        "query d { d }",
		".e.graphql":               "query e { e }",
		"README.md":                "no document",
		"persisted-documents.json": `{"md5ish": "query c { c }", "sha256:` + digest(b) + `": "query b { b }"}`,
		"apollo.json":              `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "x1", "name": "f", "type": "query", "body": "query f { f }", "clientName": null}]}`,
		"empty.json":               `{}`,
	})
	link := filepath.Join(t.TempDir(), "current")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, link} {
		d, err := trusted.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{
			digest(a): a, "sha256:" + digest(a): a, digest(b): b, "md5ish": c, digest(c): c, "sha256:" + digest(c): c, "x1": "query f { f }",
			digest(strings.TrimSpace(a)): "", digest("query d { d }"): "", digest("query e { e }"): "", "": "", "sha256:": "",
			strings.ToUpper(digest(a)): "", "md5:md5ish": "",
		} {
			if text, known := d.Text(id); text != want || known != (want != "") {
				t.Errorf("%q is %q %v, want %q", id, text, known, want)
			}
		}
		var files []string
		for _, one := range d.All() {
			files = append(files, filepath.ToSlash(one.File))
		}
		if got := strings.Join(files, ", "); got != `a.graphql, apollo.json ("f"), more/b.graphql, persisted-documents.json ("md5ish")` || d.Len() != 4 {
			t.Errorf("the documents are %s", got)
		}
	}
}

// TestNoFolderHasNoDocuments is what a service without the table has.
func TestNoFolderHasNoDocuments(t *testing.T) {
	t.Parallel()
	var d *trusted.Documents
	if _, known := d.Text("x"); known || d.Len() != 0 {
		t.Error("it knows a document")
	}
}

// TestWhatCannotBeMeantIsRefused names file, reason and what to do.
func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	const a, other = "{ a }", "{ b }"
	for name, c := range map[string]struct {
		files      map[string]string
		code, says string
	}{
		"one id in two manifests":      {map[string]string{"1.json": `{"x": "{ a }"}`, "2.json": `{"x": "{ b }"}`}, "graphql/document-twice", `1.json ("x") and 2.json ("x") in the trusted documents have the id ` + "`x`"},
		"the digest of another":        {map[string]string{"a.graphql": a, "m.json": `{"` + digest(a) + `": "{ b }"}`}, "graphql/document-twice", "a.graphql and m.json"},
		"the digest of one after it":   {map[string]string{"z.graphql": a, "m.json": `{"` + digest(a) + `": "{ b }"}`}, "graphql/document-twice", "and z.graphql"},
		"one id twice in a manifest":   {map[string]string{"m.json": `{"x": "{ a }", "x": "{ b }"}`}, "graphql/document-manifest", "m.json"},
		"one id twice in Apollo's":     {map[string]string{"m.json": `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "x", "name": "a", "body": "{ a }"}, {"id": "x", "name": "b", "body": "{ b }"}]}`}, "graphql/document-twice", `m.json ("a") and m.json ("b")`},
		"a prefix that says too much":  {map[string]string{"m.json": `{"sha256:` + digest(other) + `": "{ a }"}`}, "graphql/document-digest", digest(a)},
		"broken JSON":                  {map[string]string{"m.json": `{`}, "graphql/document-manifest", "is not a JSON object"},
		"a list":                       {map[string]string{"m.json": `[]`}, "graphql/document-manifest", "is not a JSON object"},
		"some other JSON":              {map[string]string{"package.json": `{"name": "shop", "private": true}`}, "graphql/document-manifest", `the member "private"`},
		"an empty text":                {map[string]string{"m.json": `{"x": ""}`}, "graphql/document-manifest", `the member "x"`},
		"an empty id":                  {map[string]string{"m.json": `{"": "{ a }"}`}, "graphql/document-manifest", `the member ""`},
		"another format":               {map[string]string{"m.json": `{"format": "x", "version": 1}`}, "graphql/document-manifest", "another format or version"},
		"another version":              {map[string]string{"m.json": `{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}`}, "graphql/document-manifest", "another format or version"},
		"Apollo's without a body":      {map[string]string{"m.json": `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "x"}]}`}, "graphql/document-manifest", "number 1"},
		"Apollo's with another member": {map[string]string{"m.json": `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": {}}`}, "graphql/document-manifest", "not as Apollo's"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := trusted.Read(folder(t, c.files))
			told, is := fault.As(err)
			if !is || told.Kind != fault.Invalid || told.Code != c.code || told.Hint == "" || !strings.Contains(told.Message, c.says) {
				t.Errorf("the error is %+v, %v", told, err)
			}
		})
	}
}

// TestTheSameTextAgainIsNoConflict has one text in a file and in two manifests.
func TestTheSameTextAgainIsNoConflict(t *testing.T) {
	t.Parallel()
	d, err := trusted.Read(folder(t, map[string]string{"a.graphql": "{ a }", "1.json": `{"x": "{ a }"}`, "2.json": `{"x": "{ a }"}`}))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := d.Text("x"); text != "{ a }" {
		t.Errorf("x is %q", text)
	}
}

// TestWhatCannotBeRead is told with its path.
func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"file": ""})
	if err := os.Symlink("nowhere", filepath.Join(dir, "a.graphql")); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		filepath.Join(dir, "none"): "none", filepath.Join(dir, "file"): "it is not a folder", dir: "a.graphql",
	} {
		_, err := trusted.Read(path)
		told, is := fault.As(err)
		if !is || told.Code != "graphql/documents-unreadable" || told.Hint == "" || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: the error is %v", path, err)
		}
	}
}
