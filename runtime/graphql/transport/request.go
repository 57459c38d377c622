package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// Request is one GraphQL request, whatever brought it.
type Request struct {
	Query         string
	OperationName string
	Variables     map[string]any // numbers as json.Number
	QueryOnly     bool           // refuse anything but a query, as GET must
	Open          bool           // the answer may come in parts
}

// refusal is an answer to a request that is not a GraphQL request at all.
type refusal struct {
	status  int
	problem *gqlerror.Error
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, problem: plan.Problem(plan.BadUserInput, fmt.Sprintf(format, args...), nil)}
}

// read takes the GraphQL request out of an HTTP request.
func read(w http.ResponseWriter, r *http.Request, limit int64) (Request, *refusal) {
	if r.Method == http.MethodGet {
		return readQuery(r.URL.Query())
	}
	return readBody(w, r, limit)
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) (Request, *refusal) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" {
		return Request{}, refuse(http.StatusUnsupportedMediaType, "send the request as application/json in UTF-8")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return Request{}, refuse(http.StatusRequestEntityTooLarge, "the request is larger than the %d bytes that are allowed", limit)
	}
	if err != nil {
		return Request{}, refuse(http.StatusBadRequest, "the request's body could not be read to its end")
	}
	var members map[string]json.RawMessage // a struct would take QUERY for query
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(body, &members); {
	case errors.As(err, &syntax):
		return Request{}, refuse(http.StatusBadRequest, "the body is not JSON: at byte %d, %s", syntax.Offset, syntax)
	case err != nil || members == nil:
		return Request{}, refuse(http.StatusBadRequest, "the body is not a JSON object with query, operationName, variables and extensions; batches are not served")
	}
	query, given := readText(members["query"])
	if !given {
		return Request{}, refuse(http.StatusBadRequest, "the body has no member \"query\" that is a string")
	}
	operation, given := readText(members["operationName"])
	if !given && len(members["operationName"]) > 0 && string(members["operationName"]) != "null" {
		return Request{}, refuse(http.StatusBadRequest, "\"operationName\" is not a string")
	}
	request := Request{Query: query, OperationName: operation, Open: true}
	bad := request.readMaps(members["variables"], members["extensions"])
	return request, bad
}

// readText reads a JSON string; false for anything else, and for nothing.
func readText(text json.RawMessage) (s string, ok bool) {
	ok = len(text) > 0 && text[0] == '"' && json.Unmarshal(text, &s) == nil
	return s, ok
}

func readQuery(values url.Values) (Request, *refusal) {
	if !values.Has("query") {
		return Request{}, refuse(http.StatusBadRequest, "the address has no parameter \"query\"")
	}
	request := Request{Query: values.Get("query"), OperationName: values.Get("operationName"), QueryOnly: true}
	bad := request.readMaps([]byte(values.Get("variables")), []byte(values.Get("extensions")))
	return request, bad
}

func (r *Request) readMaps(variables, extensions []byte) *refusal {
	var bad *refusal
	if r.Variables, bad = readMap("variables", variables); bad != nil {
		return bad
	}
	_, bad = readMap("extensions", extensions)
	return bad
}

// readMap reads an optional JSON object, keeping numbers as they were written.
func readMap(name string, text []byte) (map[string]any, *refusal) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var m map[string]any
	err := decoder.Decode(&m)
	if _, after := decoder.Token(); err != nil || after != io.EOF {
		return nil, refuse(http.StatusBadRequest, "%q is not a JSON object", name)
	}
	return m, nil
}
