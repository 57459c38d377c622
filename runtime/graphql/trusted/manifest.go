package trusted

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// apolloFormat is what Apollo's manifests call themselves
// (https://www.apollographql.com/docs/graphos/platform/security/persisted-queries).
const apolloFormat = "apollo-persisted-query-manifest"

// apollo is such a manifest. Name and type of an operation stand in its body as well.
type apollo struct {
	Format     string `json:"format"`
	Version    int    `json:"version"`
	Operations []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Body string `json:"body"`
	} `json:"operations"`
}

// manifest reads a list of documents in either of the two forms that compilers write: {"ID": "TEXT"}, as those of Relay
// and GraphQL Code Generator, or Apollo's.
func manifest(file string, text []byte) ([]*Document, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, noManifest(file, "is not a JSON object", err)
	}
	if _, says := members["format"]; says {
		return apolloManifest(file, text)
	}
	var list []*Document
	for _, id := range slices.Sorted(maps.Keys(members)) {
		one := &Document{File: file + " (" + strconv.Quote(id) + ")", id: id}
		if err := json.Unmarshal(members[id], &one.Text); err != nil || id == "" || one.Text == "" {
			return nil, noManifest(file, "has the member "+strconv.Quote(id)+", which does not give an id its text", err)
		}
		list = append(list, one)
	}
	return list, nil
}

func apolloManifest(file string, text []byte) ([]*Document, error) {
	var m apollo
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, noManifest(file, "has a `format`, and is not as Apollo's manifests are", err)
	}
	if m.Format != apolloFormat || m.Version != 1 {
		return nil, noManifest(file, "has another format or version than "+apolloFormat+", version 1", nil)
	}
	var list []*Document
	for i, o := range m.Operations {
		if o.ID == "" || o.Body == "" {
			return nil, noManifest(file, "has an operation without id or body, number "+strconv.Itoa(i+1), nil)
		}
		list = append(list, &Document{File: file + " (" + strconv.Quote(o.Name) + ")", Text: o.Body, id: o.ID})
	}
	return list, nil
}

func noManifest(file, why string, err error) error {
	return fault.Wrap(fault.Invalid, "graphql/document-manifest", "`"+file+"` of the trusted documents "+why, err).
		WithHint(`a manifest is {"ID": "TEXT", …} or Apollo's; move other JSON files out of the folder`)
}
