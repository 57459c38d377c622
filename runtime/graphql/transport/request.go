package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Request is one GraphQL request, whatever brought it.
type Request struct {
	Query          string
	OperationName  string
	Variables      map[string]any     // numbers as json.Number
	QueryOnly      bool               // refuse anything but a query, as GET must
	Open           bool               // the answer may come in parts
	IdempotencyKey string             // a mutation with it is done once, however often it is sent
	Principal      *httpapi.Principal // who asks; nil where nobody was asked
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
	if reads(r.Method) {
		return readQuery(r.URL.Query())
	}
	key, bad := idempotencyKey(r.Header["Idempotency-Key"])
	if bad != nil {
		return Request{}, bad
	}
	request, bad := readBody(w, r, limit)
	request.IdempotencyKey = key
	return request, bad
}

// idempotencyKey reads the header: a string of a structured field (RFC 8941, section 3.3.3), or bare as many clients
// send it.
func idempotencyKey(values []string) (string, *refusal) {
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if len(key) > 1 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if len(values) > 1 || key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return "", refuse(http.StatusBadRequest, "the header Idempotency-Key is to be one of 1 to 255 letters, digits and signs, such as a UUID")
	}
	return key, nil
}

// bodies are buffers for what clients send; nothing of a request refers to them when it has been decoded.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) (Request, *refusal) {
	media, charset, ok := contentOf(r)
	if !ok || media != plainJSON || charset != "" && charset != "utf-8" {
		return Request{}, refuse(http.StatusUnsupportedMediaType, "send the request as application/json in UTF-8")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		w.Header().Set("Accept-Encoding", "identity") // which codings would do: RFC 9110, section 15.5.16
		return Request{}, refuse(http.StatusUnsupportedMediaType, "send the request without Content-Encoding, not as %s: bodies are small, and are taken as they are", coding)
	}
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return Request{}, refuse(http.StatusRequestEntityTooLarge, "the request is larger than the %d bytes that are allowed", limit)
	}
	if err != nil {
		return Request{}, refuse(http.StatusBadRequest, "the request's body could not be read to its end")
	}
	return decode(body)
}

func readQuery(values url.Values) (Request, *refusal) {
	if !values.Has("query") {
		return Request{}, refuse(http.StatusBadRequest, "the address has no parameter \"query\"")
	}
	for _, name := range []string{"query", "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return Request{}, refuse(http.StatusBadRequest, "the address has the parameter %q more than once", name)
		}
	}
	request := Request{Query: values.Get("query"), OperationName: values.Get("operationName"), QueryOnly: true, Open: true}
	for _, name := range []string{"variables", "extensions"} {
		text := values.Get(name)
		if strings.TrimSpace(text) == "" {
			continue
		}
		object, bad := decodeObject(name, text)
		if bad != nil {
			return Request{}, bad
		}
		if name == "variables" {
			request.Variables = object
		}
	}
	return request, nil
}
