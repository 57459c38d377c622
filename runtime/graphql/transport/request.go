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
}

// refusal is an answer to a request that is not a GraphQL request at all.
type refusal struct {
	status  int
	problem *gqlerror.Error
	allow   string
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, problem: plan.Problem(plan.BadUserInput, fmt.Sprintf(format, args...), nil)}
}

// read takes the GraphQL request out of an HTTP request.
func read(w http.ResponseWriter, r *http.Request, limit int64) (Request, *refusal) {
	switch r.Method {
	case http.MethodGet:
		return readQuery(r.URL.Query())
	case http.MethodPost:
		return readBody(w, r, limit)
	}
	bad := refuse(http.StatusMethodNotAllowed, "GraphQL is served by POST and GET, not by %s", r.Method)
	bad.allow = "GET, POST"
	return Request{}, bad
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
	var members struct {
		Query         *string         `json:"query"`
		OperationName *string         `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
		Extensions    json.RawMessage `json:"extensions"`
	}
	if err := json.Unmarshal(body, &members); err != nil {
		return Request{}, refuse(http.StatusBadRequest, "the body is not a JSON object with query, operationName, variables and extensions: %s", shorten(err.Error()))
	}
	if members.Query == nil {
		return Request{}, refuse(http.StatusBadRequest, "the body has no member \"query\" that is a string")
	}
	request := Request{Query: *members.Query}
	if members.OperationName != nil {
		request.OperationName = *members.OperationName
	}
	bad := request.readMaps(members.Variables, members.Extensions)
	return request, bad
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
	if err := decoder.Decode(&m); err != nil || decoder.More() {
		return nil, refuse(http.StatusBadRequest, "%q is not a JSON object", name)
	}
	return m, nil
}

func shorten(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
